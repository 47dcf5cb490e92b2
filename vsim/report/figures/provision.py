"""Time to provision: from the decision to one more instance that is ready, weeks to milliseconds on one axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.figures._rows import RowNames
from vsim.report.figures._starts import rungs
from vsim.report.lettering import width_of
from vsim.report.palette import colour, layer_of_stack, marker
from vsim.report.sheet import Sheet
from vsim.report.words import seconds, span

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Provision"]

# Of these stacks the measured starts are shown beside what was simulated: an instance alone, on a machine that runs.
_BESIDE = {"container": "container, measured", "bare-metal": "process, measured"}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row: seconds, and an interval (simulated) or the range of the rungs' medians (measured)."""

    name: str
    stack: str
    value: float
    low: float | None
    high: float | None
    measured: bool = False

    @property
    def said(self) -> str:
        if self.measured and self.low is not None and self.high is not None:
            return span(self.low, self.high)
        return seconds(self.value)


class Provision(Figure):
    """How long one more instance takes, from the decision on."""

    name = "provision"
    needs = ("result",)
    wants = ("samples",)
    suites = frozenset({"startup"})

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that the result doesn't say how long provisioning takes, if so."""
        found = [one for one in simulated.result.architectures if "provision_s" in one.metrics]
        return None if len(found) > 1 else "it needs the time to provision of two architectures or more"

    @remembered
    def rows(self, inputs: Inputs) -> list[_Row]:
        """Return the architectures of the result in their order, then what was measured."""
        found = []
        for one in inputs.result.result.architectures:
            metric = one.metrics.get("provision_s")
            if metric is not None and metric.value > 0:
                found.append(_Row(one.name, one.name.partition("@")[0], metric.value, metric.low, metric.high))
        if inputs.measured:
            own = rungs(
                inputs.samples.samples,
                "startup_s",
                lambda s: s.suite == "startup" and s.concurrency == 1 and "cold" not in s.flags,
            )
            for stack, name in _BESIDE.items():
                medians = [rung.median.value for rung in own if rung.stack == stack and rung.comparable]
                if medians:
                    middle = math.sqrt(min(medians) * max(medians))
                    found.append(_Row(name, stack, middle, min(medians), max(medians), measured=True))
        return found

    def poor(self, inputs: Inputs) -> str | None:
        """Return that nothing takes time, if so."""
        return None if any(not row.measured for row in self.rows(inputs)) else "nothing takes time in the result"

    def table(self, inputs: Inputs) -> Table:
        """Return the seconds of each row."""
        rows: list[list[Cell]] = [
            [row.name, "range of the rungs' medians" if row.measured else "mean", row.value, row.low, row.high]
            for row in self.rows(inputs)
        ]
        return ("what", "value_is", "value_s", "low_s", "high_s"), rows

    def title(self, inputs: Inputs) -> str:
        """Return the longest and the shortest time that was simulated."""
        simulated = [row for row in self.rows(inputs) if not row.measured]
        slowest, fastest = max(simulated, key=lambda r: r.value), min(simulated, key=lambda r: r.value)
        return (
            f"One more instance is there after {slowest.said} on {slowest.name}, after {fastest.said} on {fastest.name}"
        )

    def alt(self, inputs: Inputs) -> str:
        """Return all times in words."""
        said = ", ".join(f"{row.name} {row.said}" for row in self.rows(inputs))
        return f"Dots on a logarithmic time axis, a row each: {said}."

    def caption(self, inputs: Inputs) -> str:
        """Return what a dot and a bar are."""
        runs = inputs.result.result.replications
        bars = f"Mean of {runs} runs, bar: its 95 % interval" if runs > 1 else "One run, no intervals"
        beside = "; measured: medians of the rungs" if any(row.measured for row in self.rows(inputs)) else ""
        return f"From the decision to one more instance, a machine bought first where none has room. {bars}{beside}."

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a line from the left to the dot in each row."""
        sheet = Sheet(figure, style)
        rows = self.rows(inputs)
        size, line = style.text, sheet.line_height()
        room = max(width_of(row.said, size) for row in rows) + size * 1.4
        bottom = line * 1.2
        height = sheet.height - bottom
        step = height / len(rows)
        names = RowNames(sheet, [row.name for row in rows], step, short=False, most=0.26)
        left = names.width
        width = sheet.width - left - room
        ends = [end for row in rows for end in (row.value, row.low, row.high) if end]
        low, high = min(ends) / 2, max(ends) * 1.3
        axes = sheet.panel(left, bottom, width, height)
        sheet.time_axis(axes, low, high, width)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.yaxis.set_visible(False)
        for number, row in enumerate(rows):
            y = bottom + height - (number + 0.5) * step
            names.middle(number, y)
            layer = layer_of_stack(row.stack)
            own = colour(layer, style.dark)
            dots = [row.low or row.value, row.high or row.value] if row.measured else [row.value]
            axes.plot(
                [low if not row.measured else dots[0], dots[-1]],
                [number, number],
                color=own,
                lw=style.line * 1.4,
                ls=":" if row.measured else "-",
                zorder=2,
            )
            if not row.measured and row.low is not None and row.high is not None:
                axes.plot(
                    [max(row.low, low), row.high], [number, number], color=style.ink, lw=style.line * 0.8, zorder=6
                )
            axes.plot(
                dots,
                [number] * len(dots),
                ls="none",
                marker=marker(layer),
                ms=size * 0.7,
                color=style.paper if row.measured else own,
                mec=own if row.measured else style.ink,
                mew=style.line * 0.6,
                zorder=5,
            )
            end = left + width * math.log(max(dots[-1], row.high or 0) / low) / math.log(high / low)
            sheet.text(end + size * 0.7, y, row.said, ground=True)


FIGURE = Provision()
