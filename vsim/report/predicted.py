"""Predicted against measured: one point for each statistic, on logarithmic axes, with the line where both are equal.

One panel for each unit. A driver has a colour *and* a shape (the colours are those of Okabe & Ito, Color Universal
Design, 2008, which people with any kind of colour vision tell apart) and is named beside its points. Bars are 95 %
intervals; points further off than the band are named with what they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsim.errors import HostError, InputError
from vsim.scenario.validation import listed

if TYPE_CHECKING:
    from vsim.experiment.validation import Comparison, Side

__all__ = ["BAND", "check_target", "draw"]

# Errors within this are inside the band that is drawn.
BAND = 0.10
FORMATS = (".png", ".svg", ".pdf")

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_INK, _FAINT = "#222222", "#999999"
_UNITS = {
    "s": ("s", 1.0),
    "1/s": ("per second", 1.0),
    "bytes": ("MiB", 2.0**20),
    "bytes/s": ("MiB/s", 2.0**20),
    "core-s": ("core-seconds", 1.0),
    "1": ("number", 1.0),
}
# So many points beyond the band are named in each panel, the worst first.
_NAMED = 3
# Width of a letter and height of a line of these names, as fractions of a panel's side.
_LETTER, _LINE = 0.0135, 0.034
# Half the size of a point, in the same fractions.
_POINT = 0.012

# left, bottom, right, top, as fractions of a panel's sides
_Box = tuple[float, float, float, float]


def check_target(path: Path | str) -> None:
    """Raise InputError for a file of another kind than can be drawn, HostError without matplotlib."""
    if Path(path).suffix.lower() not in FORMATS:
        raise InputError(f"{path} can't be drawn to", hint=f"its name ends with {listed(FORMATS, 'or')}")
    if not Path(path).absolute().parent.is_dir():
        raise InputError(f"{path} can't be drawn to: there is no such folder")
    _matplotlib()


def draw(rows: Sequence[Comparison], path: Path | str, *, title: str = "Simulated against measured") -> None:
    """Draw `rows` to `path` (.png, .svg or .pdf). What is zero has no place on a logarithmic axis and is left out.

    Raises InputError when there is nothing to draw or the file's kind is unknown, HostError when it can't be written.
    """
    check_target(path)
    shown = [row for row in rows if row.measured.value > 0 and row.predicted.value > 0]
    if not shown:
        raise InputError("there is nothing to draw: no row has positive values on both sides")
    units = list(dict.fromkeys(row.unit for row in shown))
    drivers = list(dict.fromkeys(sorted(row.driver for row in shown)))
    styles = {
        driver: (_COLOURS[i % len(_COLOURS)], _MARKERS[(i + i // len(_MARKERS)) % len(_MARKERS)])
        for i, driver in enumerate(drivers)
    }
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = min(2, len(units))
    down = -(-len(units) // across)
    figure = Figure(figsize=(5.6 * across, 4.6 * down + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, color=_INK, fontsize=13)
    for place, unit in enumerate(units):
        axes = figure.add_subplot(down, across, place + 1)
        _panel(axes, [row for row in shown if row.unit == unit], unit, styles)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise HostError(f"{path} can't be written: {error.strerror or error}", hint="name another file") from None


def _matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401  # whether it is there is what is asked
    except ImportError:
        raise HostError("drawing needs matplotlib, which isn't here", hint="pip install 'vsim[plot]'") from None


def _panel(axes: Any, rows: Sequence[Comparison], unit: str, styles: dict[str, tuple[str, str]]) -> None:
    name, divisor = _UNITS.get(unit, (unit, 1.0))
    values = [value / divisor for row in rows for side in (row.measured, row.predicted) for value in _extent(side)]
    low, high = min(values) / 1.6, max(values) * 1.6
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_box_aspect(1)
    ends = [low, high]
    axes.fill_between(
        ends, [end * (1 - BAND) for end in ends], [end * (1 + BAND) for end in ends], color=_FAINT, alpha=0.25, lw=0
    )
    axes.plot(ends, ends, color=_FAINT, lw=1)
    for driver, (colour, marker) in styles.items():
        own = [row for row in rows if row.driver == driver]
        if own:
            _points(axes, own, divisor, colour, marker)
    _name_bad(axes, rows, divisor, styles)
    _name_drivers(axes, rows, divisor, styles)
    axes.set_xlabel(f"measured, {name}", color=_INK)
    axes.set_ylabel(f"simulated, {name}", color=_INK)
    axes.set_title(f"{len(rows)} statistics; band ±{BAND:.0%}, bars 95 %", fontsize=9, color=_FAINT, loc="left")
    axes.tick_params(colors=_INK, which="both", labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _points(axes: Any, rows: Sequence[Comparison], divisor: float, colour: str, marker: str) -> None:
    axes.errorbar(
        [row.measured.value / divisor for row in rows],
        [row.predicted.value / divisor for row in rows],
        xerr=_bars([row.measured for row in rows], divisor),
        yerr=_bars([row.predicted for row in rows], divisor),
        fmt=marker,
        color=colour,
        ecolor=colour,
        elinewidth=0.8,
        markersize=5,
        markeredgecolor="white",
        markeredgewidth=0.5,
        alpha=0.9,
        linestyle="none",
    )


def _bars(sides: Sequence[Side], divisor: float) -> list[list[float]]:
    lower, upper = [], []
    for side in sides:
        low, high = (side.value, side.value) if side.low is None or side.high is None else (side.low, side.high)
        # A bar that reaches zero would have no end on this axis.
        lower.append((side.value - max(low, side.value / 100)) / divisor)
        upper.append(max(0.0, high - side.value) / divisor)
    return [[max(0.0, size) for size in lower], upper]


def _extent(side: Side) -> tuple[float, ...]:
    ends = [end for end in (side.low, side.high) if end is not None and end > side.value / 100]
    return (side.value, *ends)


def _name_bad(axes: Any, rows: Sequence[Comparison], divisor: float, styles: dict[str, tuple[str, str]]) -> None:
    """Say of the points furthest beyond the band what they are, where there is room for it."""
    bottom, top = (math.log(end) for end in axes.get_ylim())

    def place(row: Comparison) -> tuple[float, float]:
        x, y = (math.log(side.value / divisor) for side in (row.measured, row.predicted))
        return (x - bottom) / (top - bottom), (y - bottom) / (top - bottom)

    points = (place(row) for row in rows)
    taken: list[_Box] = [(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in points]
    named = 0
    for row in sorted((row for row in rows if row.exceeds(BAND)), key=lambda row: -abs(row.error or 0)):
        name = row.metric.removesuffix("_s").removesuffix("_bytes").removesuffix("_per").removesuffix("_core")
        text = f"{name.replace('_', ' ')}{' p95' if row.statistic == 'p95' else ''}, {row.at}"
        point, colour = place(row), styles[row.driver][0]
        box = _room(*point, len(text) * _LETTER, (row.error or 0) > 0, taken)
        if box is None:
            continue
        taken.append(box)
        axes.annotate(
            text,
            point,
            xytext=(box[0], (box[1] + box[3]) / 2),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            fontsize=7,
            color=colour,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.5, "shrinkA": 0, "shrinkB": 3},
        )
        named += 1
        if named == _NAMED:
            return


def _room(x: float, y: float, width: float, above: bool, taken: Sequence[_Box]) -> _Box | None:
    """Return a free place for a text near the point: on its own side of the line, within the panel; or None."""
    for distance in (0.04, 0.08, 0.12, 0.16, 0.20, 0.24):
        middle = y + distance if above else y - distance
        left = x - 0.03 - width if above else x + 0.03
        left = min(max(left, 0.01), 0.99 - width)
        box = (left, middle - _LINE / 2, left + width, middle + _LINE / 2)
        inside = box[0] >= 0 and box[1] >= 0 and box[3] <= 1
        if inside and not any(_overlap(box, other) for other in taken):
            return box
    return None


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _name_drivers(axes: Any, rows: Sequence[Comparison], divisor: float, styles: dict[str, tuple[str, str]]) -> None:
    """Name each driver at the right edge, at the height of its points, as far apart as letters need."""
    heights = {}
    for driver in styles:
        own = [math.log(row.predicted.value / divisor) for row in rows if row.driver == driver]
        if own:
            heights[driver] = sum(own) / len(own)
    bottom, top = (math.log(end) for end in axes.get_ylim())
    least = 0.045
    places: dict[str, float] = {}
    last = -math.inf
    for driver, height in sorted(heights.items(), key=lambda item: item[1]):
        last = max((height - bottom) / (top - bottom), last + least)
        places[driver] = last
    over = max(0.0, max(places.values(), default=0.0) - 0.98)
    for driver, place in places.items():
        colour, marker = styles[driver]
        height = place - over
        axes.plot([1.03], [height], marker=marker, color=colour, transform=axes.transAxes, clip_on=False, markersize=5)
        axes.text(1.05, height, driver, color=colour, transform=axes.transAxes, va="center", ha="left", fontsize=9)
