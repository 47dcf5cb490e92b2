"""Start-up under concurrency: how much longer a start takes when others start at the same time."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.figures._starts import Rung, rungs
from vsim.report.lettering import shorten, width_of
from vsim.report.palette import colour, layer_of_stack, marker
from vsim.report.sheet import Sheet, spread
from vsim.report.words import seconds, times

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vsim.report.inputs import Inputs, Measured
    from vsim.report.styles import Style
    from vsim.samples.records import Sample

__all__ = ["FIGURE", "Concurrency"]

_LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True, slots=True)
class _Series:
    """A rung at several levels of concurrency."""

    driver: str
    label: str
    stack: str
    comparable: bool
    levels: dict[int, Rung]

    @property
    def growth(self) -> float:
        """How many times as long as alone a start takes at the highest level."""
        first, last = min(self.levels), max(self.levels)
        return self.levels[last].median.value / self.levels[first].median.value


class Concurrency(Figure):
    """Start-up against the number of starts at once."""

    name = "concurrency"
    needs = ("samples",)
    suites = frozenset({"startup"})

    def kept(self, measured: list[Measured]) -> list[Measured]:
        """Return the files whose runs have the most levels."""
        levels = {id(one): most_levels(one.samples.samples) for one in measured}
        return [one for one in measured if levels[id(one)] == max(levels.values())]

    @remembered
    def series(self, inputs: Inputs) -> list[_Series]:
        """Return the rungs that were started at the most levels, the slowest at the highest level first.

        Only runs with that many levels count: medians of other runs beside them would compare two days, not two levels.
        """
        own = [s for s in inputs.samples.samples if s.suite == "startup" and "cold" not in s.flags]
        levels_of = _levels(own)
        most = most_levels(own)
        if most < 2:
            return []
        kept = [s for s in own if len(levels_of[s.run_id]) == most]
        levels = sorted({level for run, found in levels_of.items() if len(found) == most for level in found})
        found: dict[str, dict[int, Rung]] = {}
        for level in levels:
            for rung in rungs(kept, "startup_s", lambda s, level=level: s.concurrency == level):  # type: ignore[misc]
                found.setdefault(rung.driver, {})[level] = rung
        series = []
        for driver, by_level in found.items():
            first = next(iter(by_level.values()))
            if len(by_level) > 1:
                series.append(_Series(driver, first.label, first.stack, first.comparable, by_level))
        return sorted(series, key=lambda one: -one.levels[max(one.levels)].median.value)

    def poor(self, inputs: Inputs) -> str | None:
        """Return that there is a single level, if so."""
        return None if self.series(inputs) else "no rung was started at two levels of concurrency in one run"

    def table(self, inputs: Inputs) -> Table:
        """Return median, its interval and the 95th percentile in seconds for each rung and level."""
        rows: list[list[Cell]] = []
        for one in self.series(inputs):
            for level, rung in one.levels.items():
                interval = astuple(rung.median)
                rows.append([one.driver, one.stack, level, len(rung.values), *interval, rung.quantile(0.95)])
        return ("rung", "stack", "at_once", "starts", "median_s", "low_s", "high_s", "p95_s"), rows

    def title(self, inputs: Inputs) -> str:
        """Return between which factors start-up grows."""
        found = [one for one in self.series(inputs) if one.comparable] or self.series(inputs)
        level = max(max(one.levels) for one in found)
        least, most = min(found, key=lambda one: one.growth), max(found, key=lambda one: one.growth)
        if least is most:
            return f"With {level} starts at once, {most.driver} takes {times(most.growth)} as long as alone"
        return (
            f"With {level} starts at once, one takes {times(least.growth)} as long as alone under {least.driver}, "
            f"{times(most.growth)} under {most.driver}"
        )

    def alt(self, inputs: Inputs) -> str:
        """Return the ends of all lines in words."""
        parts = []
        for one in self.series(inputs):
            first, last = min(one.levels), max(one.levels)
            values = [seconds(one.levels[level].median.value, 3) for level in (first, last)]
            parts.append(f"{one.label} {values[0]} with {first}, {values[1]} with {last}")
        return f"Line chart of median start-up over starts at once, both axes logarithmic: {'; '.join(parts)}."

    def caption(self, inputs: Inputs) -> str:
        """Return what a point and a bar are."""
        return (
            "Median start-up over the number of starts at once; bars: 95 % interval of the median (blocks resampled)."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a line for each rung, its name at its end."""
        sheet = Sheet(figure, style)
        found = self.series(inputs)
        level = max(max(one.levels) for one in found)
        names = [
            shorten(f"{one.label}  {seconds(one.levels[max(one.levels)].median.value)}", style.text, sheet.width * 0.35)
            for one in found
        ]
        right = max(width_of(name, style.text) for name in names) + style.text * 1.6
        left, bottom = width_of("100 ms", style.text) + style.text, sheet.line_height() * 2.5
        width, height = sheet.width - left - right, sheet.height - bottom
        axes = sheet.panel(left, bottom, width, height)
        medians = [rung.median for one in found for rung in one.levels.values()]
        low, high = min(m.low for m in medians) / 1.6, max(m.high for m in medians) * 1.4
        sheet.time_axis(axes, low, high, height, vertical=True)
        levels = sorted({number for one in found for number in one.levels})
        sheet.log_axis(axes, min(levels) / 1.1, level * 1.1, [(float(number), str(number)) for number in levels])
        axes.set_xlabel("starts at once", fontsize=style.text, color=style.ink)
        for number, one in enumerate(found):
            layer = layer_of_stack(one.stack)
            own = colour(layer, style.dark)
            xs = sorted(one.levels)
            ys = [one.levels[x].median for x in xs]
            axes.errorbar(
                xs,
                [y.value for y in ys],
                yerr=[[y.value - y.low for y in ys], [y.high - y.value for y in ys]],
                color=own,
                lw=style.line,
                elinewidth=style.line,
                ls=_LINES[number % len(_LINES)],
                marker=marker(layer),
                ms=style.text * 0.45,
                mec=style.paper,
                mew=style.line * 0.3,
                zorder=3,
            )
        ends = [bottom + _place(one.levels[max(one.levels)].median.value, low, high) * height for one in found]
        places = spread(ends, sheet.line_height(), bottom, sheet.height - sheet.line_height() / 2)
        start = left + width * _place(level, min(levels) / 1.1, level * 1.1)
        for name, end, place in zip(names, ends, places, strict=True):
            x = left + width + style.text * 1.5
            sheet.line([start + style.text * 0.5, x - style.text * 0.25], [end, place])
            sheet.text(x, place, name)


def _levels(samples: Iterable[Sample]) -> dict[str, set[int]]:
    """Return by run at which levels it has starts."""
    found: dict[str, set[int]] = {}
    for sample in samples:
        if sample.suite == "startup" and "cold" not in sample.flags:
            found.setdefault(sample.run_id, set()).add(sample.concurrency)
    return found


def most_levels(samples: Iterable[Sample]) -> int:
    """Return the number of levels of the run that has the most."""
    return max(map(len, _levels(samples).values()), default=0)


def _place(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


FIGURE = Concurrency()
