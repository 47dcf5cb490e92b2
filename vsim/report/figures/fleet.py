"""The fleet: machines, rack units, power and cost that the same workload takes on each architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsim.report.figures._bars import TITLES, Bars, values_of
from vsim.report.words import rounded, times

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated

__all__ = ["FIGURE", "Fleet"]

_METRICS = ("hosts", "rack_units", "power", "cost_per_month")


class Fleet(Bars):
    """Machines, rack units, power and cost for one workload."""

    name = "fleet"
    metrics = _METRICS

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that there is nothing to compare, if so."""
        if len(simulated.result.architectures) < 2:
            return "it compares architectures, and the result has one"
        return None if values_of(simulated.result, _METRICS) else "no metric of a fleet is in the result"

    def title(self, inputs: Inputs) -> str:
        """Return what the step from the most to the least machines saves."""
        values = self.values(inputs)
        metric = next(iter(values))
        by_name = values[metric]
        most, least = max(by_name, key=lambda n: by_name[n].value), min(by_name, key=lambda n: by_name[n].value)
        said = _noun(metric, by_name[least].said(metric))
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

    def caption(self, inputs: Inputs) -> str:
        """Return what bars and whiskers are."""
        return f"The same workload on each architecture, {self.intervals(inputs)}. Power is the mean at the meter."


def _noun(metric: str, amount: str) -> str:
    """Return what there is so much of: 1 machine, 2 machines."""
    title = TITLES[metric]
    return title.removesuffix("s") if amount == "1" else title


def _part(ratio: float) -> str:
    """Return one part of so many, in words."""
    words = {2: "a half", 3: "a third", 4: "a quarter", 5: "a fifth", 10: "a tenth"}
    near = round(ratio)
    if near in words and abs(ratio - near) < 0.1 * near:
        return words[near]
    return f"{rounded(100 / ratio, 1 if ratio > 10 else 2)} %"


FIGURE = Fleet()
