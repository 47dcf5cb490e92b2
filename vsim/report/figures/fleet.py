"""The fleet: machines, rack units, power and cost that the same workload takes on each architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsim.report.figures._bars import TITLES, Value, draw_bars, values_of
from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.words import times

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Fleet"]

_METRICS = ("hosts", "rack_units", "power", "cost_per_month")


class Fleet(Figure):
    """Machines, rack units, power and cost for one workload."""

    name = "fleet"
    needs = ("result",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that there is nothing to compare, if so."""
        if len(simulated.result.architectures) < 2:
            return "it compares architectures, and the result has one"
        return None if values_of(simulated.result, _METRICS) else "no metric of a fleet is in the result"

    @remembered
    def values(self, inputs: Inputs) -> dict[str, dict[str, Value]]:
        """Return the values by metric and architecture."""
        return values_of(inputs.result.result, _METRICS)

    def table(self, inputs: Inputs) -> Table:
        """Return each metric of each architecture."""
        rows: list[list[Cell]] = [
            [name, metric, one.value, one.low, one.high, one.unit]
            for metric, by_name in self.values(inputs).items()
            for name, one in by_name.items()
        ]
        return ("architecture", "metric", "value", "low", "high", "unit"), rows

    def title(self, inputs: Inputs) -> str:
        """Return what the step from the most to the least machines saves."""
        values = self.values(inputs)
        metric = next(iter(values))
        by_name = values[metric]
        most, least = max(by_name, key=lambda n: by_name[n].value), min(by_name, key=lambda n: by_name[n].value)
        said = TITLES[metric]
        if by_name[most].value == by_name[least].value:
            return f"All architectures take {by_name[most].said(metric)} {said} for the same workload"
        text = (
            f"{least} carries on {by_name[least].said(metric)} {said} what takes {by_name[most].said(metric)} on {most}"
        )
        cost = values.get("cost_per_month")
        if cost and most in cost and least in cost and cost[least].value > 0:
            ratio = cost[most].value / cost[least].value
            text += f", for {_part(ratio)} of the cost" if ratio > 1 else f", for {times(1 / ratio)} the cost"
        return text

    def alt(self, inputs: Inputs) -> str:
        """Return all values in words."""
        said = [
            f"{TITLES[metric]}: " + ", ".join(f"{name} {one.said(metric)}" for name, one in by_name.items())
            for metric, by_name in self.values(inputs).items()
        ]
        return f"Bar charts, one for each of {len(said)} measures. {'; '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return what bars and whiskers are."""
        runs = inputs.result.result.replications
        bars = "whiskers: 95 % interval of the mean where it shows" if runs > 1 else "one run: no intervals"
        return f"The same workload on each architecture, mean of {runs} runs; {bars}. Power is the mean at the meter."

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a column of bars for each metric, a row for each architecture."""
        names = [one.name for one in inputs.result.result.architectures]
        draw_bars(figure, style, names, self.values(inputs))


def _part(ratio: float) -> str:
    """Return one part of so many, in words."""
    words = {2: "a half", 3: "a third", 4: "a quarter", 5: "a fifth", 10: "a tenth"}
    near = round(ratio)
    if near in words and abs(ratio - near) < 0.1 * near:
        return words[near]
    return f"{100 / ratio:.0f} %"


FIGURE = Fleet()
