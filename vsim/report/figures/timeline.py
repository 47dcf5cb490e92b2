"""The start-up timeline: what one start does, stage by stage, in each architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, LayersOfService, Table, remembered
from vsim.report.figures._layers import APPLICATION, SHORT, Step, start_up
from vsim.report.figures._rows import Lanes
from vsim.report.lettering import width_of
from vsim.report.sheet import Sheet
from vsim.report.words import seconds, short_names

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Timeline"]


class Timeline(LayersOfService):
    """One start, stage by stage."""

    name = "timeline"

    @remembered
    def rows(self, inputs: Inputs) -> dict[str, list[Step]]:
        """Return the stages by architecture."""
        service = self.service(inputs)
        return {one.name: start_up(one, service) for one in inputs.result.architectures}

    def table(self, inputs: Inputs) -> Table:
        """Return begin and length of each stage in seconds."""
        rows: list[list[Cell]] = []
        for name, steps in self.rows(inputs).items():
            begin = 0.0
            for step in steps:
                rows.append([name, step.layer, step.stage, begin, step.seconds])
                begin += step.seconds
        return ("architecture", "layer", "stage", "begin_s", "length_s"), rows

    def title(self, inputs: Inputs) -> str:
        """Return how much of the longest start the layers take."""
        rows = self.rows(inputs)
        totals = {name: sum(step.seconds for step in steps) for name, steps in rows.items()}
        slowest, fastest = max(totals, key=lambda n: totals[n]), min(totals, key=lambda n: totals[n])
        if totals[fastest] <= 0 or totals[slowest] / totals[fastest] < 1.01:
            return f"A start takes {seconds(totals[slowest])} in every architecture"
        called = short_names(rows)
        layers = sum(step.seconds for step in rows[slowest] if step.layer != APPLICATION)
        part = f"{100 * layers / totals[slowest]:.0f} % of it in layers"
        return (
            f"A start takes {seconds(totals[slowest])} on {called[slowest]}, {part}; "
            f"{seconds(totals[fastest])} on {called[fastest]}"
        )

    def alt(self, inputs: Inputs) -> str:
        """Return all stages in words."""
        said = [
            f"{name}: " + ", ".join(f"{_stage(step)} {seconds(step.seconds)}" for step in steps)
            for name, steps in self.rows(inputs).items()
        ]
        return f"Gantt chart of one start in each architecture. {'; '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return whose start it is."""
        service = self.service(inputs)
        return (
            f"One start of {service.name}, alone on a machine that runs and has the image: the expected length of each "
            "stage, without an interval."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a bar of stages for each architecture, its stages named below it."""
        sheet = Sheet(figure, style)
        rows = self.rows(inputs)
        size = style.text
        lanes = Lanes(sheet, rows)
        left, thick = lanes.width, lanes.thick
        totals = [sum(step.seconds for step in steps) for steps in rows.values()]
        room = max(width_of(seconds(total), size, True) for total in totals) + size
        scale = (sheet.width - left - room) / max(totals)
        for row, steps in enumerate(rows.values()):
            middle = lanes.bar(row)
            x = left
            for step in steps:
                sheet.box(x, middle - thick / 2, step.seconds * scale, thick, step.layer)
                x += step.seconds * scale
            sheet.text(x + size * 0.5, middle, seconds(totals[row]), bold=True)
            if lanes.cramped:
                # as far as there is room
                x += size * 1.5 + width_of(seconds(totals[row]), size, bold=True)
                said = _named(steps, size, sheet.width - x)
                if width_of(said, size) <= sheet.width - x:
                    sheet.text(x, middle, said, colour=style.faint)
                continue
            lanes.said(middle, _named(steps, size, sheet.width - left - size))


def _stage(step: Step) -> str:
    return APPLICATION if step.layer == APPLICATION else f"{step.layer} {step.stage}"


def _named(steps: list[Step], size: float, width: float) -> str:
    """Return the stages by layer on one line; where that is too long, the shortest are left to the table."""
    shown = _merged(steps)
    while True:
        said = " · ".join(f"{SHORT.get(step.layer, step.layer)} {seconds(step.seconds)}" for step in shown)
        if len(shown) < 2 or width_of(said, size) <= width:
            return said
        shown.remove(min(shown, key=lambda step: step.seconds))


def _merged(steps: list[Step]) -> list[Step]:
    """Return the stages of one layer that follow each other as one."""
    found: list[Step] = []
    for step in steps:
        if found and found[-1].layer == step.layer:
            found[-1] = Step(step.layer, "start", found[-1].seconds + step.seconds)
        else:
            found.append(step)
    return found


FIGURE = Timeline()
