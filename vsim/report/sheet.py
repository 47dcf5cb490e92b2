"""A sheet to draw on: places in points from the lower left corner, text in the style's sizes, axes in human steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vsim.report.lettering import LEADING, clean, shorten, width_of, wrap
from vsim.report.palette import colour, hatch, ink_on

if TYPE_CHECKING:
    from vsim.report.styles import Style

__all__ = ["Sheet", "log_ticks", "spread", "time_ticks"]

# Steps of a time axis that people have words for, in seconds.
_TIME_STEPS = (
    (1e-6, "1 µs"),
    (1e-5, "10 µs"),
    (1e-4, "0.1 ms"),
    (1e-3, "1 ms"),
    (1e-2, "10 ms"),
    (1e-1, "100 ms"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3600.0, "1 h"),
    (86400.0, "1 day"),
    (7 * 86400.0, "1 week"),
    (30 * 86400.0, "1 month"),
    (365.25 * 86400.0, "1 year"),
)


class Sheet:
    """The area of a figure (or a part of one) to draw on; `width` and `height` in points.

    Everything that is drawn here and isn't a panel of its own lies on a plane, `axes`, of the same units, below the
    panels; text lies on another one above them.
    """

    def __init__(self, figure: Any, style: Style) -> None:
        self.figure = figure
        self.style = style
        self.width = float(figure.bbox.width) * 72 / figure.dpi
        self.height = float(figure.bbox.height) * 72 / figure.dpi
        self.axes, self._front = (figure.add_axes((0, 0, 1, 1), zorder=order) for order in (0, 2))
        for axes in (self.axes, self._front):
            axes.set_xlim(0, self.width)
            axes.set_ylim(0, self.height)
            axes.axis("off")

    def line_height(self, size: float | None = None) -> float:
        """Return the distance of two lines of text."""
        return LEADING * (self.style.text if size is None else size)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        ha: str = "left",
        va: str = "center_baseline",
        size: float | None = None,
        colour: str | None = None,
        bold: bool = False,
        width: float | None = None,
        ground: bool = False,
        rotation: float = 0,
    ) -> None:
        """Write one line; it is cut to `width` points where that is given. `ground`: lines don't go through it."""
        size = self.style.text if size is None else size
        shown = clean(text)
        if width is not None:
            shown = shorten(shown, size, width, bold)
        self._front.text(
            x,
            y,
            shown,
            ha=ha,
            va=va,
            fontsize=size,
            color=self.style.ink if colour is None else colour,
            weight="bold" if bold else "normal",
            clip_on=False,
            rotation=rotation,
            bbox={"facecolor": self.style.paper, "edgecolor": "none", "pad": 1.0} if ground else None,
            zorder=5,
        )

    def lines(
        self, x: float, top: float, text: str, width: float, lines: int, *, ha: str = "left", **options: Any
    ) -> float:
        """Write `text` in at most `lines` lines downwards from `top`; return the height that they take."""
        size = options.get("size") or self.style.text
        broken = wrap(text, size, width, lines, bool(options.get("bold")))
        for number, line in enumerate(broken):
            self.text(x, top - (number + 0.5) * LEADING * size, line, ha=ha, **options)
        return len(broken) * LEADING * size

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        layer: str | None = None,
        *,
        fill: str | None = None,
        hatched: bool = True,
        edge: str | None = None,
        line: float | None = None,
        zorder: float = 2,
    ) -> None:
        """Draw a rectangle in the colour and with the hatch of `layer`, or filled with `fill` (``none``: empty)."""
        from matplotlib.patches import Rectangle

        style = self.style
        face = fill if fill is not None else "none" if layer is None else colour(layer, style.dark)
        pattern = hatch(layer) if layer is not None and hatched else ""
        # the hatch takes the colour of its edge: drawn first, with the outline on top of it
        if pattern and face != "none":
            self.axes.add_patch(
                Rectangle(
                    (x, y),
                    width,
                    height,
                    facecolor=face,
                    edgecolor=_toned(face),
                    hatch=pattern,
                    lw=0,
                    zorder=zorder,
                    clip_on=False,
                )
            )
            face = "none"
        self.axes.add_patch(
            Rectangle(
                (x, y),
                width,
                height,
                facecolor=face,
                edgecolor=style.ink if edge is None else edge,
                lw=style.line * 0.5 if line is None else line,
                zorder=zorder + 0.1,
                # half of an outline at the sheet's edge lies beyond it
                clip_on=False,
            )
        )

    def line(
        self, xs: Sequence[float], ys: Sequence[float], *, colour: str | None = None, width: float | None = None
    ) -> None:
        """Draw a line through points."""
        style = self.style
        self.axes.plot(xs, ys, color=colour or style.faint, lw=width or style.line * 0.4, zorder=1.5, clip_on=False)

    def panel(self, left: float, bottom: float, width: float, height: float) -> Any:
        """Return axes with their inside at this place, in points, in the style's colours and without a frame."""
        rect = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(rect, zorder=1)
        style = self.style
        axes.patch.set_alpha(0)
        axes.tick_params(
            which="both",
            colors=style.ink,
            labelsize=style.text,
            length=style.text * 0.3,
            width=style.line * 0.4,
            pad=style.text * 0.25,
        )
        axes.tick_params(which="minor", length=0)
        for name, spine in axes.spines.items():
            spine.set_visible(name == "bottom")
            spine.set_color(style.ink)
            spine.set_linewidth(style.line * 0.4)
        axes.grid(False)
        axes.set_axisbelow(True)
        return axes

    def time_axis(self, axes: Any, low: float, high: float, length: float, *, vertical: bool = False) -> None:
        """Make an axis of `axes`, `length` points long, logarithmic from `low` to `high` seconds, in human steps."""
        ticks = time_ticks(low, high, length, self.style.text, vertical=vertical)
        self._log_axis(axes, low, high, ticks, vertical)

    def log_axis(
        self, axes: Any, low: float, high: float, ticks: Sequence[tuple[float, str]], *, vertical: bool = False
    ) -> None:
        """Make an axis of `axes` logarithmic with these ticks."""
        self._log_axis(axes, low, high, ticks, vertical)

    def _log_axis(self, axes: Any, low: float, high: float, ticks: Sequence[tuple[float, str]], vertical: bool) -> None:
        from matplotlib.ticker import FixedLocator, NullLocator

        name = "y" if vertical else "x"
        getattr(axes, f"set_{name}scale")("log")
        getattr(axes, f"set_{name}lim")(low, high)
        axis = getattr(axes, f"{name}axis")
        axis.set_major_locator(FixedLocator([value for value, _ in ticks]))
        axis.set_minor_locator(NullLocator())
        axis.set_ticklabels([label for _, label in ticks])
        axes.grid(True, axis=name, which="major", color=self.style.grid, lw=self.style.line * 0.4)

    def linear_axis(
        self, axes: Any, low: float, high: float, ticks: Sequence[tuple[float, str]], *, vertical: bool = False
    ) -> None:
        """Make an axis of `axes` linear with these ticks."""
        from matplotlib.ticker import FixedLocator

        name = "y" if vertical else "x"
        getattr(axes, f"set_{name}lim")(low, high)
        axis = getattr(axes, f"{name}axis")
        axis.set_major_locator(FixedLocator([value for value, _ in ticks]))
        axis.set_ticklabels([label for _, label in ticks])
        axes.grid(True, axis=name, which="major", color=self.style.grid, lw=self.style.line * 0.4)


def _toned(colour: str) -> str:
    """Return the colour of a hatch: half-way from its ground to black or white, so that it is seen but not loud."""
    ink = ink_on(colour)
    parts = [(int(colour[i : i + 2], 16) * 3 + int(ink[i : i + 2], 16)) // 4 for i in (1, 3, 5)]
    return "#{:02X}{:02X}{:02X}".format(*parts)


def time_ticks(
    low: float, high: float, length: float, size: float, *, vertical: bool = False
) -> list[tuple[float, str]]:
    """Return the steps between `low` and `high` seconds whose names, at `size` points, fit beside each other."""
    inside = [(value, name) for value, name in _TIME_STEPS if low <= value <= high]
    if len(inside) < 3:
        inside = [(value, name) for value, name in _finer_steps() if low <= value <= high]
    return _thinned(inside, low, high, length, size, vertical)


def _finer_steps() -> list[tuple[float, str]]:
    """Return the steps of a short time axis: two and five times what a power of ten has as well."""
    from vsim.report.words import seconds

    steps = dict(_TIME_STEPS)
    for power in range(-6, 1):
        steps |= {value: seconds(value, 1) for value in (2 * 10.0**power, 5 * 10.0**power)}
    steps |= {20.0: "20 s", 120.0: "2 min", 300.0: "5 min", 1800.0: "30 min", 7200.0: "2 h", 6 * 3600.0: "6 h"}
    return sorted(steps.items())


def log_ticks(
    low: float, high: float, length: float, size: float, *, unit: str = "", vertical: bool = False
) -> list[tuple[float, str]]:
    """Return powers of ten, with 2 and 5 of each where it spans less than two of them."""
    from vsim.report.words import rounded

    wide = math.log10(high / low) > 2
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [factor * 10.0**power for power in exponents for factor in ((1,) if wide else (1, 2, 5))]
    named = [(value, f"{rounded(value, 1)}{unit}") for value in values if low <= value * 1.0001 and value <= high]
    return _thinned(named, low, high, length, size, vertical)


def _thinned(
    ticks: Sequence[tuple[float, str]], low: float, high: float, length: float, size: float, vertical: bool
) -> list[tuple[float, str]]:
    """Return ticks without those whose names would touch the one before, each name centred at its place."""
    kept: list[tuple[float, str]] = []
    end = -math.inf
    for value, name in ticks:
        place = math.log(value / low) / math.log(high / low) * length
        half = (size * LEADING if vertical else width_of(name, size) + size) / 2
        if place - half >= end:
            kept.append((value, name))
            end = place + half
    return kept


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places at least `gap` apart between `low` and `high`, as near as possible to the ones wanted.

    Neighbours that are too close are pushed apart from their common middle. Where there is no room for all, they are
    spaced evenly.
    """
    count = len(places)
    if not count:
        return []
    if gap * (count - 1) >= high - low:
        step = (high - low) / max(1, count - 1)
        order = sorted(range(count), key=lambda i: places[i])
        even = [0.0] * count
        for rank, index in enumerate(order):
            even[index] = low + rank * step if count > 1 else (low + high) / 2
        return even
    order = sorted(range(count), key=lambda i: places[i])
    # groups of labels that touch: (members, middle wanted)
    groups: list[list[int]] = [[index] for index in order]

    def start(group: list[int]) -> float:
        middle = sum(places[i] for i in group) / len(group)
        return min(max(low, middle - gap * (len(group) - 1) / 2), high - gap * (len(group) - 1))

    merged = True
    while merged:
        merged = False
        for number in range(len(groups) - 1):
            here, there = groups[number], groups[number + 1]
            if start(here) + gap * len(here) > start(there) + 1e-9:
                groups[number : number + 2] = [here + there]
                merged = True
                break
    placed = [0.0] * count
    for group in groups:
        first = start(group)
        for rank, index in enumerate(group):
            placed[index] = first + rank * gap
    return placed
