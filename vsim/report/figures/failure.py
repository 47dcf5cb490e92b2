"""Failure and blast radius: what goes down with one thing, as boxes within boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.lettering import wrap
from vsim.report.palette import colour, layer_of_stack
from vsim.report.sheet import Sheet
from vsim.report.words import rounded

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style
    from vsim.samples.result import ArchitectureResult

__all__ = ["FIGURE", "Failure"]

# More instances than this are drawn in squares of ten, or a hundred.
_MOST = 200


@dataclass(frozen=True, slots=True)
class _Panel:
    """An architecture: instances in all, on one machine, and in the largest failure."""

    name: str
    instances: int
    hosts: float
    per_host: float
    radius: float
    availability: float | None

    @property
    def part(self) -> float:
        """The part of all instances that one failure takes down."""
        return min(1.0, self.radius / self.instances) if self.instances else 0.0


class Failure(Figure):
    """What one failure takes down."""

    name = "failure"
    needs = ("result",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that the result doesn't say how far a failure reaches, if so."""
        known = [one for one in simulated.result.architectures if "blast_radius_instances" in one.metrics]
        if not simulated.services:
            return "it needs a scenario with services"
        return None if known else "no failure was simulated: the scenario needs `reliability`, or incidents"

    @remembered
    def panels(self, inputs: Inputs) -> list[_Panel]:
        """Return the architectures that failures were simulated of."""
        replicas = sum(service.replicas for service in inputs.result.services)
        return [
            _panel(one, replicas)
            for one in inputs.result.result.architectures
            if "blast_radius_instances" in one.metrics
        ]

    def table(self, inputs: Inputs) -> Table:
        """Return instances, machines and blast radius."""
        rows: list[list[Cell]] = [
            [one.name, one.instances, one.hosts, one.per_host, one.radius, one.availability]
            for one in self.panels(inputs)
        ]
        return (
            "architecture",
            "instances",
            "machines",
            "instances_per_machine",
            "blast_radius_instances",
            "availability",
        ), rows

    def title(self, inputs: Inputs) -> str:
        """Return the largest and the smallest blast radius."""
        panels = self.panels(inputs)
        most, least = max(panels, key=lambda p: p.radius), min(panels, key=lambda p: p.radius)
        if most.radius == least.radius:
            return f"One failure takes down at most {_count(most.radius)} of {most.instances} instances"
        return (
            f"One failure takes down {_count(most.radius)} of {most.instances} instances on {most.name}, "
            f"{_count(least.radius)} on {least.name}"
        )

    def alt(self, inputs: Inputs) -> str:
        """Return all blast radii in words."""
        said = [
            f"{one.name}: {_count(one.radius)} of {one.instances} instances, {_count(one.hosts)} machines"
            for one in self.panels(inputs)
        ]
        return f"Squares for instances, those of the largest failure filled and in one box. {'; '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return what a square and the box are."""
        unit = _unit(max(one.instances for one in self.panels(inputs)))
        square = "A square is an instance" if unit == 1 else f"A square is {unit} instances"
        runs = inputs.result.result.replications
        return (
            f"{square}; in the box, filled: the most that one failure took down in {runs} simulated histories (mean); "
            "without an interval."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a column of squares for each architecture."""
        sheet = Sheet(figure, style)
        panels = self.panels(inputs)
        size, line = style.text, sheet.line_height()
        width = sheet.width / len(panels)
        inner = width - size
        names = [wrap(one.name.replace("@", " on "), size, inner, 2) for one in panels]
        head = max(len(lines) for lines in names) * line
        foot = line * 2.1
        unit = _unit(max(one.instances for one in panels))
        height = sheet.height - head - foot - size * 1.2
        count = max(math.ceil(one.instances / unit) for one in panels)
        # the failed and the others each fill rows of their own
        across = next(
            n
            for n in range(1, count + 1)
            if (inner - size * 0.4) / n * (math.ceil(count / n) + 2) <= height or n == count
        )
        cell = min((inner - size * 0.4) / across, height / (math.ceil(count / across) + 2))
        for number, one in enumerate(panels):
            x = number * width
            for place, part in enumerate(names[number]):
                sheet.text(x, sheet.height - (place + 0.5) * line, part)
            top = sheet.height - head - size * 0.6
            layer = layer_of_stack(one.name.partition("@")[0])
            failed = min(math.ceil(one.radius / unit), math.ceil(one.instances / unit))
            rows = math.ceil(failed / across)
            pad = size * 0.2
            sheet.box(
                x,
                top - rows * cell - 2 * pad,
                min(failed, across) * cell + 2 * pad,
                rows * cell + 2 * pad,
                fill="none",
                line=style.line,
            )
            for index in range(failed):
                _square(sheet, x + pad, top - pad, index, across, cell, layer)
            below = top - rows * cell - 2 * pad - size * 0.5
            for index in range(math.ceil(one.instances / unit) - failed):
                _square(sheet, x + pad, below, index, across, cell, None)
            sheet.text(x, foot - line * 0.5, f"{_count(one.radius)} of {one.instances}", bold=True)
            machines = "machine" if one.hosts == 1 else "machines"
            sheet.text(x, foot - line * 1.5, f"on {_count(one.hosts)} {machines}", colour=style.faint, width=inner)


def _square(sheet: Sheet, x: float, top: float, index: int, across: int, cell: float, layer: str | None) -> None:
    row, column = divmod(index, across)
    style = sheet.style
    sheet.box(
        x + column * cell + cell * 0.1,
        top - (row + 1) * cell + cell * 0.1,
        cell * 0.8,
        cell * 0.8,
        fill="none" if layer is None else colour(layer, style.dark),
        line=style.line * 0.35,
    )


def _panel(one: ArchitectureResult, replicas: int) -> _Panel:
    def value(metric: str) -> float | None:
        found = one.metrics.get(metric)
        return None if found is None else found.value

    return _Panel(
        one.name,
        replicas,
        value("hosts") or 0.0,
        value("instances_per_host") or 0.0,
        value("blast_radius_instances") or 0.0,
        value("availability"),
    )


def _unit(instances: int) -> int:
    """Return how many instances a square stands for."""
    unit = 1
    while instances / unit > _MOST:
        unit *= 10
    return unit


def _count(number: float) -> str:
    return str(round(number)) if abs(number - round(number)) < 0.05 else rounded(number, 2)


FIGURE = Failure()
