"""Density and what limits it: how many instances fit on one machine by memory, cores, layers and isolation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import LONGEST, Cell, LayersOfService, Table, remembered
from vsim.report.figures._layers import limits
from vsim.report.figures._rows import Lanes
from vsim.report.palette import layer_of_stack
from vsim.report.sheet import Sheet
from vsim.report.words import joined, rounded, short_names, times

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Density"]


@dataclass(frozen=True, slots=True)
class _Row:
    """An architecture: how many instances fit as far as each limit goes, the tightest first."""

    name: str
    limits: tuple[tuple[str, float], ...]

    @property
    def fits(self) -> float:
        return self.limits[0][1]

    @property
    def by(self) -> list[str]:
        """What limits it: all that are as tight as the tightest."""
        return [what for what, count in self.limits if count == self.fits]


class Density(LayersOfService):
    """How many instances of the smallest service fit on one machine."""

    name = "density"

    @remembered
    def rows(self, inputs: Inputs) -> list[_Row]:
        """Return a row for each architecture."""
        service = self.service(inputs)
        fleet = inputs.result.result.scenario.get("fleet")
        isolation = str(fleet.get("isolation", "none")) if isinstance(fleet, dict) else "none"
        found = []
        for one in inputs.result.architectures:
            own = sorted(
                ((limit.what, limit.instances) for limit in limits(one, service, isolation)), key=lambda p: p[1]
            )
            found.append(_Row(one.name, tuple(own)))
        return found

    def table(self, inputs: Inputs) -> Table:
        """Return how many instances each limit leaves room for."""
        rows: list[list[Cell]] = [
            [row.name, what, count] for row in self.rows(inputs) for what, count in row.limits if math.isfinite(count)
        ]
        return ("architecture", "limit", "instances_per_machine"), rows

    def title(self, inputs: Inputs) -> str:
        """Return where most and least fit, and what limits both."""
        rows = self.rows(inputs)
        most, least = max(rows, key=lambda r: r.fits), min(rows, key=lambda r: r.fits)
        called = short_names(row.name for row in rows)
        if most.fits == least.fits:
            return f"{_count(most.fits)} instances fit on a machine in every architecture, limited by {joined(most.by)}"
        if least.fits > 0:
            ratio = times(most.fits / least.fits)
            said = (
                f"{_count(most.fits)} instances fit on {called[most.name]}, {ratio} as many as on {called[least.name]}"
            )
            limit = f"{joined(least.by)} is the limit"
            said = f"{said}: {limit}" if most.by == least.by else f"{said}, where {limit}"
            if len(said) <= LONGEST:
                return said
            there = f"{_count(least.fits)} on {called[least.name]}"
            return f"{_count(most.fits)} instances fit on {called[most.name]}, {there}"
        return f"{_count(most.fits)} instances fit on {called[most.name]}, none on {called[least.name]}"

    def alt(self, inputs: Inputs) -> str:
        """Return all limits in words."""
        said = [f"{row.name} {_said(row)}" for row in self.rows(inputs)]
        return f"Bars of how many instances fit on one machine, a row for each architecture: {'; '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return whose density it is, and what a line is."""
        service = self.service(inputs)
        return (
            f"How many instances of {service.name} one empty machine has room for; lines: the limits that aren't "
            "reached. Without intervals."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a bar to the tightest limit in each row, a line at each other one."""
        sheet = Sheet(figure, style)
        rows = self.rows(inputs)
        size = style.text
        lanes = Lanes(sheet, [row.name for row in rows])
        left, thick = lanes.width, lanes.thick
        # limits far beyond what fits are said, and not drawn: they would leave no room for the others
        most = max([row.fits for row in rows if math.isfinite(row.fits)] or [1.0]) * 1.5
        scale = (sheet.width - left - size) / max(most, 1.0) * (0.6 if lanes.cramped else 1.0)
        for number, row in enumerate(rows):
            middle = lanes.bar(number)
            fits = row.fits if math.isfinite(row.fits) else most
            sheet.box(left, middle - thick / 2, fits * scale, thick, layer_of_stack(row.name.partition("@")[0]))
            for _, count in row.limits[1:]:
                if fits < count <= most and not lanes.cramped:
                    x = left + count * scale
                    sheet.line([x, x], [middle - thick / 2, middle + thick / 2], colour=style.ink, width=style.line)
            if lanes.cramped:
                x = left + fits * scale + size * 0.5
                sheet.text(x, middle, f"{_count(row.fits)} by {joined(row.by)}", width=sheet.width - x)
            else:
                lanes.said(middle, _said(row))


def _count(number: float) -> str:
    return (
        "any number"
        if not math.isfinite(number)
        else rounded(number, 4).removesuffix(".000").removesuffix(".00").removesuffix(".0")
    )


def _said(row: _Row) -> str:
    others = [f"{what} {_count(count)}" for what, count in row.limits if what not in row.by and math.isfinite(count)]
    text = f"{_count(row.fits)} by {joined(row.by)}"
    return f"{text} · {' · '.join(others)}" if others else text


FIGURE = Density()
