"""The start-up timeline: what one start does, stage by stage, in each architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, most_stacks, remembered
from vsim.report.figures._layers import APPLICATION, SHORT, Step, smallest, start_up
from vsim.report.lettering import width_of, wrap
from vsim.report.sheet import Sheet
from vsim.report.words import seconds, short_names

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Timeline"]


class Timeline(Figure):
    """One start, stage by stage."""

    name = "timeline"
    needs = ("result",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that layers or services aren't known, if so."""
        return simulated.lacking or (None if simulated.services else "it needs a scenario with services")

    def best(self, accepted: list[Simulated]) -> Simulated:
        """Return the result with the most stacks."""
        return most_stacks(accepted)

    @remembered
    def rows(self, inputs: Inputs) -> dict[str, list[Step]]:
        """Return the stages by architecture."""
        service = smallest(inputs.result)
        assert service is not None
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
        service = smallest(inputs.result)
        assert service is not None
        return (
            f"One start of {service.name}, alone on a machine that runs and has the image: the expected length of each "
            "stage, without an interval."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a bar of stages for each architecture, its stages named below it."""
        sheet = Sheet(figure, style)
        rows = self.rows(inputs)
        size, line = style.text, sheet.line_height()
        called = short_names(rows)
        names = [wrap(called[name].replace("@", " on "), size, sheet.width * 0.25, 2) for name in rows]
        left = max(width_of(part, size) for lines in names for part in lines) + size
        totals = [sum(step.seconds for step in steps) for steps in rows.values()]
        room = max(width_of(seconds(total), size, True) for total in totals) + size
        scale = (sheet.width - left - room) / max(totals)
        step_height = sheet.height / len(rows)
        thick = min(step_height * 0.42, line * 1.3)
        sheet.line([left, left], [0, sheet.height], colour=style.ink)
        for row, steps in enumerate(rows.values()):
            top = sheet.height - row * step_height
            middle = top - thick * 0.7
            for number, part in enumerate(names[row]):
                sheet.text(0, top - thick * 0.2 - (number + 0.5) * line, part)
            x = left
            for step in steps:
                sheet.box(x, middle - thick / 2, step.seconds * scale, thick, step.layer)
                x += step.seconds * scale
            sheet.text(x + size * 0.5, middle, seconds(totals[row]), bold=True)
            said = _named(steps, size, sheet.width - left - size)
            sheet.text(
                left + size * 0.4,
                middle - thick / 2 - line * 0.6,
                said,
                colour=style.faint,
                width=sheet.width - left - size,
            )


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
