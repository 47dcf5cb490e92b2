"""The fleet: machines, rack units, power and cost that the same workload takes on each architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.lettering import width_of, wrap
from vsim.report.palette import layer_of_stack
from vsim.report.sheet import Sheet
from vsim.report.words import power, rounded, times
from vsim.samples.human import format_value

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style
    from vsim.samples.result import Estimate, Result

__all__ = ["FIGURE", "Fleet"]

_METRICS = ("hosts", "rack_units", "power", "cost_per_month")
_TITLES = {"hosts": "machines", "rack_units": "rack units", "power": "power", "cost_per_month": "cost/month"}


@dataclass(frozen=True, slots=True)
class _Value:
    """A value with its interval (None after a single run), in base units: W for power."""

    value: float
    low: float | None
    high: float | None
    unit: str

    def said(self, metric: str) -> str:
        if metric == "power":
            return power(self.value)
        if metric in ("hosts", "rack_units"):
            return rounded(self.value, 3).removesuffix(".0").removesuffix(".00")
        return format_value(metric, self.value, self.unit)


class Fleet(Figure):
    """Machines, rack units, power and cost for one workload."""

    name = "fleet"
    needs = ("result",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that there is nothing to compare, if so."""
        if len(simulated.result.architectures) < 2:
            return "it compares architectures, and the result has one"
        return None if _values(simulated.result) else "no metric of a fleet is in the result"

    @remembered
    def values(self, inputs: Inputs) -> dict[str, dict[str, _Value]]:
        """Return the values by metric and architecture."""
        return _values(inputs.result.result)

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
        said = _TITLES[metric]
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
            f"{_TITLES[metric]}: " + ", ".join(f"{name} {one.said(metric)}" for name, one in by_name.items())
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
        sheet = Sheet(figure, style)
        values = self.values(inputs)
        names = [one.name for one in inputs.result.result.architectures]
        size, line = style.text, sheet.line_height()
        broken = [wrap(name.replace("@", " on "), size, sheet.width * 0.22, 2) for name in names]
        left = max(width_of(part, size) for lines in broken for part in lines) + size
        gap = size * 1.2
        column = (sheet.width - left - gap * (len(values) - 1)) / len(values)
        top = sheet.height - line * 1.3
        step = top / len(names)
        thick = min(step * 0.55, line * 1.6)
        for row, lines in enumerate(broken):
            middle = top - (row + 0.5) * step
            for number, part in enumerate(lines):
                sheet.text(0, middle + ((len(lines) - 1) / 2 - number) * line, part)
        for place, (metric, by_name) in enumerate(values.items()):
            x = left + place * (column + gap)
            sheet.text(x, top + line * 0.6, _TITLES[metric], bold=True, width=column)
            room = max(width_of(one.said(metric), size) for one in by_name.values()) + size * 0.9
            most = max(one.high or one.value for one in by_name.values())
            scale = (column - room) / most if most > 0 else 0.0
            sheet.line([x, x], [step * 0.1, top - step * 0.1], colour=style.ink)
            for row, name in enumerate(names):
                one = by_name.get(name)
                if one is None:
                    sheet.text(x + size * 0.4, top - (row + 0.5) * step, "–")
                    continue
                y = top - (row + 0.5) * step
                sheet.box(x, y - thick / 2, one.value * scale, thick, layer_of_stack(name.partition("@")[0]))
                end = one.value
                # a whisker shorter than it is thick would be a speck
                if one.low is not None and one.high is not None and (one.high - one.low) * scale > style.line * 2:
                    end = one.high
                    sheet.axes.plot(
                        [x + one.low * scale, x + one.high * scale], [y, y], color=style.ink, lw=style.line, zorder=4
                    )
                sheet.text(x + end * scale + size * 0.4, y, one.said(metric))


def _part(ratio: float) -> str:
    """Return one part of so many, in words."""
    words = {2: "a half", 3: "a third", 4: "a quarter", 5: "a fifth", 10: "a tenth"}
    near = round(ratio)
    if near in words and abs(ratio - near) < 0.1 * near:
        return words[near]
    return f"{100 / ratio:.0f} %"


def _values(result: Result) -> dict[str, dict[str, _Value]]:
    found: dict[str, dict[str, _Value]] = {}
    run = result.scenario.get("run")
    window = run.get("duration_s") if isinstance(run, dict) else None
    for metric in _METRICS:
        source = "energy_wh" if metric == "power" else metric
        own = {one.name: one.metrics[source] for one in result.architectures if source in one.metrics}
        if metric == "power":
            if not isinstance(window, int | float) or window <= 0:
                continue
            own_values = {name: _scaled(one, 3600 / window, "W") for name, one in own.items()}
        else:
            own_values = {name: _scaled(one, 1.0, one.unit) for name, one in own.items()}
        if len(own_values) > 1:
            found[metric] = own_values
    return found


def _scaled(one: Estimate, factor: float, unit: str) -> _Value:
    low, high = one.low, one.high
    return _Value(
        one.value * factor,
        None if low is None else low * factor,
        None if high is None else high * factor,
        unit,
    )


FIGURE = Fleet()
