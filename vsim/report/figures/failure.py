"""Failure and blast radius: what goes down with one thing, as boxes within boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.figures._nesting import LEVELS, Box, Nest, Shape, nest_of, placed, scaled
from vsim.report.figures._rows import RowNames
from vsim.report.lettering import width_of, wrap
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
# More architectures than this have a row each, instead of a column.
_COLUMNS = 5
_PLURALS = {"instance": "instances", "kernel": "kernels", "machine": "machines", "chassis": "chassis"}


@dataclass(frozen=True, slots=True)
class _Panel:
    """An architecture: instances in all, on one machine, and in the largest failure."""

    name: str
    instances: int
    hosts: float
    per_host: float
    radius: float
    availability: float | None
    nest: Nest | None = None

    @property
    def fails(self) -> str:
        """What takes the others down, and how many of it there are; how many machines where that isn't known."""
        if self.nest is None:
            return f"on {_count(self.hosts)} {'machine' if self.hosts == 1 else 'machines'}"
        count = self.nest.counts[self.nest.fails]
        return f"1 of {count:,} {_PLURALS[self.nest.fails]}" if count > 1 else f"the only {self.nest.fails}"


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
            _panel(one, replicas, inputs.result)
            for one in inputs.result.result.architectures
            if "blast_radius_instances" in one.metrics
        ]

    def table(self, inputs: Inputs) -> Table:
        """Return instances, machines and blast radius."""
        rows: list[list[Cell]] = [
            [
                *(one.name, one.instances, one.hosts, one.per_host, one.radius, one.availability),
                *(one.nest.summary if one.nest is not None else (None, None, None)),
            ]
            for one in self.panels(inputs)
        ]
        return (
            "architecture",
            "instances",
            "machines",
            "instances_per_machine",
            "blast_radius_instances",
            "availability",
            "kernels",
            "chassis",
            "largest_failure_is_of",
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
            f"{one.name}: {_count(one.radius)} of {one.instances} instances, {one.fails}" for one in self.panels(inputs)
        ]
        boxes = (
            "Boxes within boxes: chassis, machines, kernels, instances as squares"
            if self._nested(inputs)
            else "Squares"
        )
        return f"{boxes}, those of the largest failure filled and in a thick box. {'; '.join(said)}."

    def _nested(self, inputs: Inputs) -> bool:
        """Return whether boxes within boxes are drawn: it is known what contains what, and it isn't too much."""
        return all(one.nest is not None and one.instances <= _MOST for one in self.panels(inputs))

    def caption(self, inputs: Inputs) -> str:
        """Return what a square and the box are."""
        runs = inputs.result.result.replications
        said = f"filled: the most that one failure took down in {runs} simulated histories (mean); without an interval."
        if self._nested(inputs):
            around = "chassis, " if any(one.nest and one.nest.counts["chassis"] for one in self.panels(inputs)) else ""
            return f"From the outside in: {around}machine, kernel, instance, as placement has put them; {said}"
        unit = _unit(max(one.instances for one in self.panels(inputs)))
        return f"{'A square is an instance' if unit == 1 else f'A square is {unit} instances'}; {said}"

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a column for each architecture: boxes within boxes, or squares where they would be too small."""
        sheet = Sheet(figure, style)
        panels = self.panels(inputs)
        size, line = style.text, sheet.line_height()
        nests = [one.nest for one in panels if one.nest is not None] if self._nested(inputs) else []
        if nests and len(panels) > _COLUMNS:
            _in_rows(sheet, panels, nests)
            return
        levels = [level for level in reversed(LEVELS) if any(nest.counts[level] for nest in nests)]
        start = _anatomy_width(levels, size) if nests else 0.0
        width = min((sheet.width - start) / len(panels), size * 22)
        inner = width - size
        names = [wrap(one.name.replace("@", " on "), size, inner, 2) for one in panels]
        head, foot = max(len(lines) for lines in names) * line, line * 2.1
        top = sheet.height - head - size * 0.4
        cell, shapes = scaled(nests, inner, top - foot - size * 0.4, size * 2.5)
        for number, one in enumerate(panels):
            x = start + number * width
            for place, part in enumerate(names[number]):
                sheet.text(x, sheet.height - (place + 0.5) * line, part)
            if nests:
                boxes = placed(nests[number].boxes, Shape(cell, shapes[number]), inner)
                _boxes(sheet, x, top, boxes, layer_of_stack(one.name.partition("@")[0]))
            said = f"{_count(one.radius)} of {one.instances:,}"
            sheet.text(x, foot - line * 0.5, said, bold=True, width=width - size * 0.3)
            sheet.text(x, foot - line * 1.5, one.fails, colour=style.faint, width=width - size * 0.3)
        if nests:
            _anatomy(sheet, top, levels)
        else:
            _squares(sheet, panels, width, head, foot)


def _in_rows(sheet: Sheet, panels: list[_Panel], nests: list[Nest]) -> None:
    """Draw a row of boxes within boxes for each architecture."""
    size = sheet.style.text
    step = sheet.height / len(panels)
    names = RowNames(sheet, [one.name for one in panels], step, short=False)
    said = [f"{_count(one.radius)} of {one.instances:,}" for one in panels]
    right = max(width_of(one.fails, size) for one in panels) + size
    middle = max(width_of(one, size, True) for one in said) + size
    width = sheet.width - names.width - right - middle
    height = step - size * 0.35
    cell, shapes = scaled(nests, width, height, size * 1.4)
    for row, one in enumerate(panels):
        y = sheet.height - (row + 0.5) * step
        names.middle(row, y)
        boxes = placed(nests[row].boxes, Shape(cell, shapes[row]), width)
        tall = max(rectangle[1] + rectangle[3] for _, rectangle, _ in boxes) if boxes else 0.0
        _boxes(sheet, names.width, y + tall / 2, boxes, layer_of_stack(one.name.partition("@")[0]))
        sheet.text(sheet.width - right - size * 0.5, y, said[row], bold=True, ha="right")
        sheet.text(sheet.width - right, y, one.fails, colour=sheet.style.faint)


def _boxes(sheet: Sheet, left: float, top: float, boxes: list[Any], layer: str) -> None:
    """Draw boxes within boxes downwards from `top`: what goes down is filled, what takes it down has a thick edge."""
    style = sheet.style
    for box, (x, y, wide, tall), down in boxes:
        fails = box.down
        fill = "none"
        if box.level == "instance":
            fill = colour(layer, style.dark) if down else "none"
        sheet.box(
            left + x,
            top - y - tall,
            wide,
            tall,
            fill=fill,
            edge=_edge(box, style),
            line=style.line if fails else style.line * (0.35 if box.level != "machine" else 0.6),
            zorder=3 if fails else 2,
        )


def _edge(box: Box, style: Style) -> str:
    return style.ink if box.down or box.level in ("machine", "instance") else style.faint


def _anatomy_width(levels: list[str], size: float) -> float:
    return (
        max((width_of(level, size) + 2 * number * size * 0.35 for number, level in enumerate(levels)), default=0.0)
        + size * 2
    )


def _anatomy(sheet: Sheet, top: float, levels: list[str]) -> None:
    """Draw what contains what, once, with names."""
    style, size, line = sheet.style, sheet.style.text, sheet.line_height()
    pad = size * 0.35
    width = max(width_of(level, size) + 2 * (number + 1) * pad for number, level in enumerate(levels))
    x, y, height = 0.0, top, len(levels) * (line + pad) + pad
    for number, level in enumerate(levels):
        last = number == len(levels) - 1
        sheet.box(
            x,
            y - height,
            width,
            height,
            fill="none",
            edge=style.ink if level in ("machine", "instance") else style.faint,
            line=style.line * (0.6 if level == "machine" else 0.35),
        )
        sheet.text(x + width / 2, y - pad * 0.4 - line / 2, level, ha="center")
        if not last:
            x, y, width, height = x + pad, y - line - pad * 0.4, width - 2 * pad, height - line - pad * 1.4


def _squares(sheet: Sheet, panels: list[_Panel], width: float, head: float, foot: float) -> None:
    """Draw a square for each instance, or for so many of them, those of the largest failure in a box."""
    style, size = sheet.style, sheet.style.text
    inner = width - size
    unit = _unit(max(one.instances for one in panels))
    height = sheet.height - head - foot - size * 1.2
    count = max(math.ceil(one.instances / unit) for one in panels)
    # the failed and the others each fill rows of their own
    across = next(
        n for n in range(1, count + 1) if (inner - size * 0.4) / n * (math.ceil(count / n) + 2) <= height or n == count
    )
    cell = min((inner - size * 0.4) / across, height / (math.ceil(count / across) + 2))
    top = sheet.height - head - size * 0.6
    for number, one in enumerate(panels):
        x = number * width
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


def _panel(one: ArchitectureResult, replicas: int, simulated: Simulated) -> _Panel:
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
        nest_of(simulated, one.name, value("blast_radius_instances") or 0.0),
    )


def _unit(instances: int) -> int:
    """Return how many instances a square stands for."""
    unit = 1
    while instances / unit > _MOST:
        unit *= 10
    return unit


def _count(number: float) -> str:
    return f"{round(number):,}" if abs(number - round(number)) < 0.05 else rounded(number, 2)


FIGURE = Failure()
