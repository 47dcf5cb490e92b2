"""Latency under load: the quantiles of the response time over a swept rate of requests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.lettering import width_of, wrap
from vsim.report.palette import colour, layer_of_stack, marker
from vsim.report.sheet import Sheet, spread
from vsim.report.words import rounded, seconds, short_names

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style
    from vsim.samples.result import Estimate

__all__ = ["FIGURE", "Latency"]

_METRIC = "latency_p95_s"
_LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    points: tuple[tuple[float, Estimate], ...]

    @property
    def growth(self) -> float:
        """How many times as long as at the lowest load a request takes at the highest."""
        return self.points[-1][1].value / self.points[0][1].value


class Latency(Figure):
    """The 95th percentile of latency over the load."""

    name = "latency"
    needs = ("result",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that there is no sweep of a rate, if so."""
        return None if _series(simulated) else "it needs a sweep of one rate of requests (`services.….arrivals.rate`)"

    @remembered
    def series(self, inputs: Inputs) -> list[_Series]:
        """Return the curve of each architecture, the highest at its end first."""
        return _series(inputs.result)

    def table(self, inputs: Inputs) -> Table:
        """Return the latency at each rate."""
        rows: list[list[Cell]] = [
            [one.name, rate, found.value, found.low, found.high]
            for one in self.series(inputs)
            for rate, found in one.points
        ]
        return ("architecture", "requests_per_s", "latency_p95_s", "low_s", "high_s"), rows

    def title(self, inputs: Inputs) -> str:
        """Return how latency grows from the lowest to the highest load."""
        found = self.series(inputs)
        low, high = found[0].points[0][0], found[0].points[-1][0]
        most, least = max(found, key=lambda s: s.growth), min(found, key=lambda s: s.growth)
        called = short_names(one.name for one in found)
        grown = f"p95 latency grows {rounded(most.growth, 2)}-fold on {called[most.name]}"
        said = f"From {_number(low)} to {_number(high)} requests/s, {grown}"
        return said if most is least else f"{said}, {rounded(least.growth, 2)}-fold on {called[least.name]}"

    def alt(self, inputs: Inputs) -> str:
        """Return the ends of all curves in words."""
        said = [
            f"{one.name} {seconds(one.points[0][1].value, 3)} at {rounded(one.points[0][0], 3)}/s, "
            f"{seconds(one.points[-1][1].value, 3)} at {rounded(one.points[-1][0], 3)}/s"
            for one in self.series(inputs)
        ]
        return f"Line chart of the 95th percentile of latency over requests per second: {'; '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return what a point and a bar are."""
        runs = inputs.result.result.replications
        bars = f"Mean of {runs} runs; bars: 95 % interval" if runs > 1 else "One run: no intervals"
        return f"95th percentile of the response time at each simulated rate; nothing is computed between. {bars}."

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a curve for each architecture, its name at its end."""
        sheet = Sheet(figure, style)
        found = self.series(inputs)
        size, line = style.text, sheet.line_height()
        called = short_names(one.name for one in found)
        names = [wrap(called[one.name].replace("@", " on "), size, sheet.width * 0.26, 2) for one in found]
        if len(found) * max(map(len, names)) * line > sheet.height:
            names = [wrap(called[one.name], size, sheet.width * 0.34, 1) for one in found]
        right = max(width_of(part, size) for lines in names for part in lines) + size * 2
        left, bottom = width_of("100 ms", size) + size, line * 2.5
        width, height = sheet.width - left - right, sheet.height - bottom
        axes = sheet.panel(left, bottom, width, height)
        ends = [end for one in found for _, e in one.points for end in (e.value, e.low or e.value, e.high or e.value)]
        low, high = min(end for end in ends if end > 0) / 1.3, max(ends) * 1.3
        sheet.time_axis(axes, low, high, height, vertical=True)
        rates = sorted({rate for one in found for rate, _ in one.points})
        span = rates[-1] - rates[0]
        start, end = rates[0] - span * 0.04, rates[-1] + span * 0.04
        sheet.linear_axis(axes, start, end, _apart(rates, start, end, width, size))
        axes.set_xlabel("requests per second", fontsize=size, color=style.ink)
        for number, one in enumerate(found):
            layer = layer_of_stack(one.name.partition("@")[0])
            xs, ys = [rate for rate, _ in one.points], [e for _, e in one.points]
            bars = [
                [e.value - (e.low if e.low is not None else e.value) for e in ys],
                [(e.high or e.value) - e.value for e in ys],
            ]
            axes.errorbar(
                xs,
                [e.value for e in ys],
                yerr=[[max(0.0, part) for part in side] for side in bars],
                color=colour(layer, style.dark),
                lw=style.line,
                elinewidth=style.line,
                ls=_LINES[number % len(_LINES)],
                marker=marker(layer),
                ms=size * 0.45,
                mec=style.paper,
                mew=style.line * 0.3,
                zorder=3,
            )
        tall = max(len(lines) for lines in names) * line
        wanted = [bottom + math.log(one.points[-1][1].value / low) / math.log(high / low) * height for one in found]
        places = spread(wanted, tall, bottom + tall / 2, sheet.height - tall / 2)
        for lines, one, was, place in zip(names, found, wanted, places, strict=True):
            x = left + width + size * 1.5
            last = left + (one.points[-1][0] - start) / (end - start) * width
            sheet.line([last + size * 0.5, x - size * 0.3], [was, place])
            for number, part in enumerate(lines):
                sheet.text(x, place + ((len(lines) - 1) / 2 - number) * line * 0.95, part)


def _apart(rates: list[float], low: float, high: float, length: float, size: float) -> list[tuple[float, str]]:
    """Return the rates as ticks, without those whose numbers would touch."""
    kept: list[tuple[float, str]] = []
    end = -math.inf
    for rate in rates:
        name = _number(rate)
        place, half = (rate - low) / (high - low) * length, (width_of(name, size) + size) / 2
        if place - half >= end:
            kept.append((rate, name))
            end = place + half
    return kept


def _number(rate: float) -> str:
    return rounded(rate, 3).removesuffix(".00").removesuffix(".0")


def _series(simulated: Simulated) -> list[_Series]:
    sweep = simulated.result.sweep
    if sweep is None or len(sweep.parameters) != 1:
        return []
    parameter = sweep.parameters[0]
    if not parameter.endswith((".arrivals.rate", ".arrivals.rate_per_s")):
        return []
    found: dict[str, list[tuple[float, Estimate]]] = {}
    for point in sweep.points:
        rate = _rate(point.values[parameter])
        for one in point.architectures:
            if rate is not None and _METRIC in one.metrics and one.metrics[_METRIC].value > 0:
                found.setdefault(one.name, []).append((rate, one.metrics[_METRIC]))
    series = [
        _Series(name, tuple(sorted(points, key=lambda p: p[0]))) for name, points in found.items() if len(points) > 1
    ]
    return sorted(series, key=lambda one: -one.points[-1][1].value)


def _rate(value: object) -> float | None:
    """Return a swept rate per second: a number, or text like ``20/s``."""
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(str(value).strip().removesuffix("/s"))
    except ValueError:
        return None


FIGURE = Latency()
