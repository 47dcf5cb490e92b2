"""Predicted against measured: each statistic of a validation as a point, and how far off each kind of them is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.documents import Validated
from vsim.report.figures._figure import LONGEST, Cell, Figure, Table, remembered
from vsim.report.lettering import shorten, width_of
from vsim.report.palette import colour, layer_of_stack, marker
from vsim.report.plain import plain
from vsim.report.sheet import Sheet, spread
from vsim.report.words import rounded

if TYPE_CHECKING:
    from vsim.experiment.validation import Comparison, Side
    from vsim.report.inputs import Inputs
    from vsim.report.styles import Style

__all__ = ["BAND", "FIGURE", "Predicted"]

# Errors within this are inside the band that is drawn.
BAND = 0.10
# What a metric's name begins with, and what it is called beside others of its kind.
_KINDS = (
    ("startup_cpu", "CPU work"),
    ("request_cpu", "CPU work"),
    ("startup", "start-up"),
    ("density_startup", "start-up"),
    ("starts_per", "starts/s"),
    ("latency", "latency"),
    ("service", "service time"),
    ("requests_per", "requests/s"),
)
# Metrics whose names don't say what they are.
_SAID = {
    "startup_s": "start-up",
    "density_startup_s": "start-up beside others",
    "starts_per_s": "starts/s",
    "service_sd_s": "spread of service times",
    "service_mean_s": "mean service time",
    "requests_per_s": "requests/s",
    "client_late_p50_s": "the client's delay",
    "density_taken_bytes": "memory",
    "density_memory_bytes": "memory",
}
# What a plan asks for comes out on both sides as long as nothing is overloaded: agreeing on that is no merit.
_ASKED_FOR = frozenset({"density_instances", "requests_failed", "requests_per_s"})
_SAME = 0.01
_BY_UNIT = {"s": "other times", "1/s": "other rates", "1": "counts", "bytes": "memory", "core-s": "CPU work"}
# Steps of a ratio that people have words for.
_RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_FILLS = ("full", "none", "left", "top")


@dataclass(frozen=True, slots=True)
class _Kind:
    """The statistics of one kind."""

    name: str
    rows: tuple[Comparison, ...]

    @property
    def median(self) -> float:
        """The median of the errors' sizes."""
        return statistics.median(_size(row) for row in self.rows)


class Predicted(Figure):
    """What a calibrated model predicts, against what was measured and held out."""

    name = "predicted"
    needs = ("validation",)

    @remembered
    def rows(self, inputs: Inputs) -> list[Comparison]:
        """Return the statistics that are predictions and have an error, the largest first."""
        rows = inputs.contents(Validated)[0].validation.rows
        return sorted((row for row in rows if row.error is not None and not _given(row)), key=lambda row: -_size(row))

    @remembered
    def kinds(self, inputs: Inputs) -> list[_Kind]:
        """Return the statistics by kind, those that are predicted best first."""
        found: dict[str, list[Comparison]] = {}
        for row in self.rows(inputs):
            found.setdefault(_kind_of(row), []).append(row)
        kinds = [_Kind(name, tuple(rows)) for name, rows in found.items()]
        return sorted(kinds, key=lambda kind: (kind.median, kind.name))

    def poor(self, inputs: Inputs) -> str | None:
        """Return that nothing was predicted, if so."""
        return None if self.rows(inputs) else "nothing was both measured and predicted in the validation"

    def table(self, inputs: Inputs) -> Table:
        """Return both sides and the error of every statistic."""
        rows: list[list[Cell]] = [
            [
                *(row.driver, row.suite, row.at, row.metric, row.statistic, row.unit),
                *_ends(row.measured),
                *_ends(row.predicted),
                *(row.error, row.low, row.high),
            ]
            for row in self.rows(inputs)
        ]
        sides = [f"{side}{end}" for side in ("measured", "predicted") for end in ("", "_low", "_high")]
        header = ("driver", "suite", "at", "metric", "statistic", "unit", *sides, "error", "error_low", "error_high")
        return header, rows

    def title(self, inputs: Inputs) -> str:
        """Return how many are within the band, and which is furthest off."""
        rows = self.rows(inputs)
        good = sum(not row.exceeds(BAND) for row in rows)
        said = f"{good} of {len(rows)} predictions are within {100 * BAND:.0f} % of the measurement"
        if good == len(rows):
            return said
        worst = rows[0]
        place = f", {plain(worst.at, 24)}" if worst.at else ""
        long = f"{said}; furthest off: {_named(worst)}{place}, {_off(worst)}"
        return long if len(long) <= LONGEST else f"{said}; worst: {_named(worst)}, {_off(worst)}"

    def alt(self, inputs: Inputs) -> str:
        """Return the median error of each kind in words."""
        said = [f"{kind.name} {_percent(kind.median)} over {len(kind.rows)}" for kind in self.kinds(inputs)]
        return (
            "Two charts. Left: simulated over measured times, both axes logarithmic, with the line where both are "
            f"equal. Right: the ratio of simulated to measured by kind; median errors: {'; '.join(said)}."
        )

    def caption(self, inputs: Inputs) -> str:
        """Return what points, bars and bands are."""
        return (
            "Medians, 95th percentiles, means of rates; not what the plan asks for. Left: all times; bars: 95 % "
            f"(blocks resampled). Right: all; stroke: median, band: ±{100 * BAND:.0f} %."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw times against each other, and the ratios by kind beside them."""
        sheet = Sheet(figure, style)
        rows = self.rows(inputs)
        looks = _looks(rows, style)
        timed = [row for row in rows if row.unit == "s" and row.measured.value > 0 and row.predicted.value > 0]
        start = 0.0
        if timed:
            start = _scatter(sheet, timed, looks) + style.text * 1.5
        _strip(sheet, start, self.kinds(inputs), looks)


def _looks(rows: Sequence[Comparison], style: Style) -> dict[str, dict[str, Any]]:
    """Return how the points of each driver look: colour and marker of its stack; several of one stack by their fill."""
    from vsim.bench.drivers import find_driver

    seen: dict[str, int] = {}
    looks: dict[str, dict[str, Any]] = {}
    for driver in sorted({row.driver for row in rows}):
        try:
            layer = layer_of_stack(find_driver(driver).stack)
        except KeyError:
            layer = driver
        number = seen[layer] = seen.get(layer, -1) + 1
        fill = _FILLS[number % len(_FILLS)]
        own = colour(layer, style.dark)
        looks[driver] = {"color": own, "marker": marker(layer), "fillstyle": fill, "mec": own, "ls": "none"}
        looks[driver] |= {"markerfacecoloralt": style.paper}
        looks[driver] |= {"mfc": style.paper} if fill == "none" else {}
    return looks


def _scatter(sheet: Sheet, rows: Sequence[Comparison], looks: dict[str, dict[str, Any]]) -> float:
    """Draw simulated over measured times; return where the right edge is."""
    style, text, line = sheet.style, sheet.style.text, sheet.line_height()
    left, bottom = line + width_of("100 ms", text) + text, line * 2.4
    height = sheet.height - bottom
    width: float = min(height, sheet.width * 0.45 - left)
    axes = sheet.panel(left, bottom, width, height)
    values = [end for row in rows for part in (row.measured, row.predicted) for end in _reach(part)]
    low, high = min(values) / 1.6, max(values) * 1.6
    sheet.time_axis(axes, low, high, width)
    sheet.time_axis(axes, low, high, height, vertical=True)
    axes.spines["left"].set_visible(True)
    ends = [low, high]
    axes.fill_between(
        ends, [end * (1 - BAND) for end in ends], [end * (1 + BAND) for end in ends], color=style.grid, lw=0, zorder=1
    )
    axes.plot(ends, ends, color=style.faint, lw=style.line * 0.4, zorder=1.5)
    for row in rows:
        look = looks[row.driver]
        x, y = row.measured, row.predicted
        axes.plot(
            _reach(x)[1:] or [x.value], [y.value] * len(_reach(x)[1:] or [0]), color=look["color"], lw=style.line * 0.3
        )
        axes.plot(
            [x.value] * len(_reach(y)[1:] or [0]), _reach(y)[1:] or [y.value], color=look["color"], lw=style.line * 0.3
        )
        axes.plot([x.value], [y.value], ms=text * 0.36, mew=style.line * 0.35, zorder=3, **look)
    sheet.text(left + width / 2, line * 0.5, "measured", ha="center")
    sheet.text(line * 0.5, bottom + height / 2, "simulated", ha="center", va="center", rotation=90)
    _name_drivers(sheet, rows, looks, (left, bottom, width, height), (low, high))
    return left + width


def _name_drivers(
    sheet: Sheet,
    rows: Sequence[Comparison],
    looks: dict[str, dict[str, Any]],
    place: tuple[float, float, float, float],
    ends: tuple[float, float],
) -> None:
    """Name each driver beside its largest time: above the line where there is more room to the left, else below it."""
    style, text, line = sheet.style, sheet.style.text, sheet.line_height()
    left, bottom, width, height = place
    low, high = ends

    def part(value: float) -> float:
        return math.log(value / low) / math.log(high / low)

    largest: dict[str, Comparison] = {}
    for row in rows:
        known = largest.get(row.driver)
        if known is None or row.measured.value > known.measured.value:
            largest[row.driver] = row
    for above in (True, False):
        own = [
            (driver, part(row.measured.value) * width, part(row.predicted.value) * height)
            for driver, row in largest.items()
            if (part(row.measured.value) > 0.5) == above
        ]
        own.sort(key=lambda one: one[2])
        shift = line * 0.8 if above else -line * 0.8
        places = spread([y + shift for _, _, y in own], line, line * 0.5, height - line * 0.5)
        for (driver, x, y), level in zip(own, places, strict=True):
            # where a row of text meets the diagonal, and a letter away from it
            diagonal = level / height * width
            edge = min(x, diagonal) - text if above else max(x, diagonal) + text
            room = edge if above else width - edge
            if room < text * 2:
                continue
            name = shorten(driver, text, room)
            begin = left + edge + (text * 0.2 if above else -text * 0.2)
            sheet.line([begin, left + x], [bottom + level, bottom + y], colour=style.faint)
            sheet.text(left + edge, bottom + level, name, ha="right" if above else "left", ground=True)


def _strip(sheet: Sheet, start: float, kinds: Sequence[_Kind], looks: dict[str, dict[str, Any]]) -> None:
    """Draw the ratio of simulated to measured, a row for each kind."""
    style, text, line = sheet.style, sheet.style.text, sheet.line_height()
    bottom = line * 2.4
    height = sheet.height - bottom
    names = [kind.name for kind in kinds]
    left = start + max(width_of(name, text) for name in names) + text
    said = [_percent(kind.median) for kind in kinds]
    right = max(width_of(one, text, True) for one in said) + text
    width = sheet.width - left - right
    ratios = [1 + (row.error or 0.0) for kind in kinds for row in kind.rows]
    low = max(min([*(r for r in ratios if r > 0), 0.8]) / 1.15, 0.01)
    high = min(max([*ratios, 1.25]) * 1.15, 100.0)
    axes = sheet.panel(left, bottom, width, height)
    ticks = [(ratio, f"{ratio:g}×") for ratio in _RATIOS if low <= ratio <= high]
    sheet.log_axis(axes, low, high, _apart(ticks, low, high, width, text))
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.yaxis.set_visible(False)
    axes.axvspan(1 - BAND, 1 + BAND, color=style.grid, lw=0, zorder=0.5)
    step = height / len(kinds)
    for number, kind in enumerate(kinds):
        y = bottom + height - (number + 0.5) * step
        sheet.text(start, y, kind.name)
        sheet.text(sheet.width, y, said[number], ha="right", bold=True)
        for place, row in enumerate(kind.rows):
            ratio = min(max(1 + (row.error or 0.0), low), high)
            offset = ((place * 0.618034) % 1 - 0.5) * 0.5
            axes.plot(
                [ratio],
                [number + offset],
                ms=text * 0.36,
                mew=style.line * 0.35,
                zorder=3,
                alpha=0.85,
                **looks[row.driver],
            )
        middle = statistics.median(min(max(1 + (row.error or 0.0), low), high) for row in kind.rows)
        axes.plot([middle] * 2, [number - 0.38, number + 0.38], color=style.ink, lw=style.line, zorder=4)
    sheet.text(left + width / 2, line * 0.5, "simulated / measured", ha="center")
    sheet.text(sheet.width, line * 1.65, "median", ha="right", colour=style.faint)
    sheet.text(sheet.width, line * 0.5, "error", ha="right", colour=style.faint)


def _apart(
    ticks: Sequence[tuple[float, str]], low: float, high: float, length: float, size: float
) -> list[tuple[float, str]]:
    """Return the ticks whose names don't touch, 1 in any case."""

    def span(tick: tuple[float, str]) -> tuple[float, float]:
        middle = length * math.log(tick[0] / low) / math.log(high / low)
        half = (width_of(tick[1], size) + size * 0.5) / 2
        return middle - half, middle + half

    kept: list[tuple[float, str]] = []
    for tick in sorted(ticks, key=lambda tick: (abs(math.log(tick[0])), tick[0])):
        begin, end = span(tick)
        if all(end <= other[0] or other[1] <= begin for other in map(span, kept)):
            kept.append(tick)
    return sorted(kept)


def _size(row: Comparison) -> float:
    return math.inf if row.error is None else abs(row.error)


def _given(row: Comparison) -> bool:
    return row.metric in _ASKED_FOR and _size(row) < _SAME


def _kind_of(row: Comparison) -> str:
    for begin, name in _KINDS:
        if row.metric.startswith(begin):
            return name
    return _BY_UNIT.get(row.unit, "others")


def _ends(side: Side) -> tuple[float, float | None, float | None]:
    return side.value, side.low, side.high


def _reach(side: Side) -> list[float]:
    """Return a value and the ends of its interval, as far as they have a place on a logarithmic axis."""
    if side.low is None or side.high is None:
        return [side.value]
    return [side.value, max(side.low, side.value / 100), side.high]


def _named(row: Comparison) -> str:
    """Return which statistic a row is: start-up p95 of process."""
    said = _SAID.get(row.metric)
    if said is None:
        said = row.metric
        for ending in ("_s", "_bytes", "_per", "_core"):
            said = said.removesuffix(ending)
        said = plain(said.replace("_", " "), 30)
    return f"{said}{' p95' if row.statistic == 'p95' else ''} of {plain(row.driver, 24)}"


def _off(row: Comparison) -> str:
    """Return an error with its sign in percent, a large one as a ratio."""
    error = row.error or 0.0
    if error >= 1:
        return f"{rounded(1 + error, 2)} times as high"
    return f"{'−' if error < 0 else '+'}{_percent(abs(error))}"


def _percent(part: float) -> str:
    return f"{rounded(100 * part, 2)} %" if part >= 0.0005 or not part else "< 0.1 %"


FIGURE = Predicted()
