"""The stacks to scale: the memory of every layer, for one instance of the same service in each architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, LayersOfService, Table, remembered
from vsim.report.figures._layers import APPLICATION, SHORT, Memory, memory_by_layer
from vsim.report.lettering import shorten, wrap
from vsim.report.sheet import Sheet, spread
from vsim.report.words import rounded, short_names, size

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Stacks"]

# A hypervisor is two things: the system of the machine that hosts guests, and a monitor for each of them.
_SHORT = {
    (layer, per): name
    for layer in ("hypervisor", "desktop-vm")
    for per, name in (("machine", "VM host"), ("instance", "monitor"))
}


# Beside more columns than this units don't fit.
_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    parts: tuple[Memory, ...]

    @property
    def once(self) -> list[Memory]:
        """What there is once on the machine, however many instances there are."""
        return [part for part in self.parts if part.per == "machine"]

    @property
    def each(self) -> list[Memory]:
        """What every further instance takes."""
        merged: dict[str, Memory] = {}
        for part in self.parts:
            if part.per != "machine":
                known = merged.get(part.layer)
                merged[part.layer] = Memory(part.layer, "instance", part.bytes + (known.bytes if known else 0.0))
        return list(merged.values())

    @property
    def overhead(self) -> float:
        """Bytes that every instance takes beyond its own."""
        return sum(part.bytes for part in self.each if part.layer != APPLICATION)


class Stacks(LayersOfService):
    """The stack diagrams, to scale."""

    name = "stacks"

    @remembered
    def columns(self, inputs: Inputs) -> list[_Column]:
        """Return a column for each architecture."""
        service = self.service(inputs)
        return [_Column(one.name, tuple(memory_by_layer(one, service))) for one in inputs.result.architectures]

    def table(self, inputs: Inputs) -> Table:
        """Return the bytes of each layer."""
        rows: list[list[Cell]] = [
            [column.name, part.layer, part.per, part.bytes] for column in self.columns(inputs) for part in column.parts
        ]
        return ("architecture", "layer", "once_per", "bytes"), rows

    def title(self, inputs: Inputs) -> str:
        """Return the largest and the smallest overhead of an instance."""
        columns = self.columns(inputs)
        service = self.service(inputs)
        most, least = max(columns, key=lambda c: c.overhead), min(columns, key=lambda c: c.overhead)
        own = size(service.memory_bytes)
        if most is least or most.overhead == least.overhead:
            return f"Each instance of {own} takes {size(most.overhead)} more, in every architecture"
        return (
            f"Each instance of {own} takes {size(most.overhead)} more as {most.name.partition('@')[0]}, "
            f"{size(least.overhead)} as {least.name.partition('@')[0]}"
        )

    def alt(self, inputs: Inputs) -> str:
        """Return all layers in words."""
        said = []
        for column in self.columns(inputs):
            once = ", ".join(f"{part.layer} {size(part.bytes)}" for part in column.once)
            each = ", ".join(f"{part.layer} {size(part.bytes)}" for part in column.each)
            said.append(f"{column.name}: once on the machine {once}; for each instance {each}")
        return f"Stacked boxes, their height the memory of a layer. {'. '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return what the line is."""
        service = self.service(inputs)
        shared = any(one.guest_size > 1 for one in inputs.result.architectures)
        guests = " A guest that several share is divided among them." if shared else ""
        if self._narrow(inputs):
            guests = " Shared guests are divided." if shared else ""
            return (
                f"Height is memory to scale, numbers in MiB, of one instance of {service.name}. Below the line: once "
                f"on a machine; above: for every instance.{guests}"
            )
        return (
            f"Height is memory, to scale, of one instance of {service.name}. Below the line: once on a machine; "
            f"above it: for every instance.{guests}"
        )

    def _narrow(self, inputs: Inputs) -> bool:
        """Return whether there are so many columns that only numbers fit beside them."""
        return len(self.columns(inputs)) > _COLUMNS

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a column of boxes for each architecture, names beside them."""
        sheet = Sheet(figure, style)
        columns = self.columns(inputs)
        line, text = sheet.line_height(), style.text
        width = min(sheet.width / len(columns), text * 16)
        start = (sheet.width - width * len(columns)) / 2
        narrow = self._narrow(inputs)
        bar = text * 0.5 if narrow else min(width * 0.26, text * 7)
        called = short_names(column.name for column in columns)
        names = [wrap(called[column.name].replace("@", " on "), text, width * 0.97, 3) for column in columns]
        foot = max(len(one) for one in names) * line + text * 0.3
        above = max(sum(part.bytes for part in column.each) for column in columns)
        below = max(sum(part.bytes for part in column.once) for column in columns)
        # room for labels of boxes at the upper end
        height = sheet.height - foot - line * 1.1
        scale = height / (above + below)
        ground = foot + below * scale
        for number, column in enumerate(columns):
            x = start + number * width
            sheet.line(
                [x - text * 0.4, x + bar + text * 0.4], [ground, ground], colour=style.ink, width=style.line * 1.4
            )
            for row, written in enumerate(names[number]):
                sheet.text(x, foot - text * 0.3 - (row + 0.5) * line, written)
            middles: list[float] = []
            labels: list[str] = []
            y = ground
            for part in reversed(column.once):
                tall = part.bytes * scale
                y -= tall
                sheet.box(x, y, bar, tall, part.layer)
                middles.append(y + tall / 2)
                labels.append(_label(part, style, width - bar, narrow))
            y = ground
            for part in column.each:
                tall = part.bytes * scale
                sheet.box(x, y, bar, tall, part.layer)
                if tall >= style.line * 0.3:
                    middles.append(y + tall / 2)
                    labels.append(_label(part, style, width - bar, narrow))
                y += tall
            _beside(sheet, x + bar, middles, labels, foot, style)


def _label(part: Memory, style: Style, width: float, narrow: bool) -> str:
    name = _SHORT.get((part.layer, part.per), SHORT.get(part.layer, part.layer))
    amount = rounded(part.bytes / 2**20, 2) if narrow else size(part.bytes, 2)
    name = name.removesuffix(" OS") if narrow else name
    return f"{shorten(name, style.text, width - style.text * 0.95)}\n{amount}"


def _beside(sheet: Sheet, x: float, middles: list[float], labels: list[str], foot: float, style: Style) -> None:
    """Write labels of two lines beside a column, each with a line to its box."""
    line = sheet.line_height() * 0.95
    places = spread(middles, line * 2, foot + line, sheet.height - line)
    for middle, place, label in zip(middles, places, labels, strict=True):
        name, _, amount = label.partition("\n")
        sheet.line([x, x + style.text * 0.7], [middle, place])
        sheet.text(x + style.text * 0.9, place + line * 0.5, name)
        sheet.text(x + style.text * 0.9, place - line * 0.5, amount, colour=style.faint)


FIGURE = Stacks()
