"""Bars of several measures beside each other: a column for each measure, a row for each architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.figures._rows import RowNames
from vsim.report.lettering import width_of, wrap
from vsim.report.palette import layer_of_stack
from vsim.report.sheet import Sheet
from vsim.report.words import power, rounded
from vsim.samples.human import format_value

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs
    from vsim.report.styles import Style
    from vsim.samples.result import Estimate, Result

__all__ = ["TITLES", "Bars", "Value", "values_of"]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
TITLES = {
    "hosts": "machines",
    "rack_units": "rack units",
    "power": "power",
    "cost_per_month": "cost/month",
    "startup_p95_s": "start, p95",
    "latency_p95_s": "latency, p95",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its interval (None after a single run), in base units: W for power."""

    value: float
    low: float | None
    high: float | None
    unit: str

    def said(self, metric: str) -> str:
        """Return the value for reading."""
        if metric == "power":
            return power(self.value)
        if metric in ("hosts", "rack_units"):
            return rounded(self.value, 3).removesuffix(".0").removesuffix(".00")
        return format_value(metric, self.value, self.unit)

    def powers(self) -> str:
        """Return the value for where there is little room, with a power of ten: 4.0·10⁹."""
        if self.value == 0:
            return "0"
        mantissa, _, power = f"{self.value:.1e}".partition("e")
        unit = f" {self.unit}" if self.unit in ("s", "W") else ""
        return f"{mantissa}·10{str(int(power)).translate(_RAISED)}{unit}"


class Bars(Figure):
    """Bars of several metrics beside each other, in the columns `metrics`."""

    needs = ("result",)
    metrics: ClassVar[tuple[str, ...]]

    @remembered
    def values(self, inputs: Inputs) -> dict[str, dict[str, Value]]:
        """Return the values by metric and architecture."""
        return values_of(inputs.result.result, self.metrics)

    def table(self, inputs: Inputs) -> Table:
        """Return each metric of each architecture."""
        rows: list[list[Cell]] = [
            [name, metric, one.value, one.low, one.high, one.unit]
            for metric, by_name in self.values(inputs).items()
            for name, one in by_name.items()
        ]
        return ("architecture", "metric", "value", "low", "high", "unit"), rows

    def alt(self, inputs: Inputs) -> str:
        """Return all values in words."""
        said = [
            f"{TITLES[metric]}: " + ", ".join(f"{name} {one.said(metric)}" for name, one in by_name.items())
            for metric, by_name in self.values(inputs).items()
        ]
        return f"Bar charts, one for each of {len(said)} measures. {'; '.join(said)}."

    def intervals(self, inputs: Inputs) -> str:
        """Return what the whiskers are."""
        runs = inputs.result.result.replications
        if runs == 1:
            return "one run: no intervals"
        return f"mean of {runs} runs; whiskers: 95 % interval of the mean where it shows"

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a column of bars for each metric, a row for each architecture."""
        names = [one.name for one in inputs.result.result.architectures]
        _draw(figure, style, names, self.values(inputs))


def values_of(result: Result, metrics: Sequence[str]) -> dict[str, dict[str, Value]]:
    """Return the values of `metrics` by metric and architecture, where two or more have one; ``power``: the mean."""
    found: dict[str, dict[str, Value]] = {}
    run = result.scenario.get("run")
    window = run.get("duration_s") if isinstance(run, dict) else None
    for metric in metrics:
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


def _scaled(one: Estimate, factor: float, unit: str) -> Value:
    low, high = one.low, one.high
    return Value(
        one.value * factor,
        None if low is None else low * factor,
        None if high is None else high * factor,
        unit,
    )


def _draw(figure: Any, style: Style, names: Sequence[str], values: Mapping[str, Mapping[str, Value]]) -> None:
    """Draw a column of bars for each metric, a row for each of the architectures `names`."""
    sheet = Sheet(figure, style)
    size, line = style.text, sheet.line_height()
    head = 1.3 * line
    step = (sheet.height - head) / len(names)
    written = RowNames(sheet, names, step, short=False, most=0.22)
    left = written.width
    gap = size * 1.2
    column = (sheet.width - left - gap * (len(values) - 1)) / len(values)
    titles = {metric: wrap(TITLES[metric], size, column, 2, bold=True) for metric in values}
    head = max(len(title) for title in titles.values()) * line + line * 0.3
    top = sheet.height - head
    step = top / len(names)
    thick = min(step * 0.55, line * 1.6)
    for row in range(len(names)):
        written.middle(row, top - (row + 0.5) * step)
    for place, (metric, by_name) in enumerate(values.items()):
        x = left + place * (column + gap)
        for number, part in enumerate(titles[metric]):
            sheet.text(x, sheet.height - (number + 0.5) * line, part, bold=True, width=column)
        said = {name: one.said(metric) for name, one in by_name.items()}
        if max(width_of(text, size) for text in said.values()) > column * 0.8:
            said = {name: one.powers() for name, one in by_name.items()}
        room = max(width_of(text, size) for text in said.values()) + size * 0.9
        most = max(one.high or one.value for one in by_name.values())
        scale = max(0.0, column - room) / most if most > 0 else 0.0
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
            sheet.text(x + end * scale + size * 0.4, y, said[name])
