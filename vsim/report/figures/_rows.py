"""Names of rows, in as many lines as there is room for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vsim.report.lettering import width_of, wrap
from vsim.report.words import short_names

if TYPE_CHECKING:
    from vsim.report.sheet import Sheet

__all__ = ["RowNames"]


class RowNames:
    """What rows are called, at the left of them: in two lines where a row is that tall, else in one.

    With `short`, machines aren't named where all are the same. `most` is the part of the sheet's width that a line may
    take. `width` is what names take, in points, with the space between them and what follows.
    """

    def __init__(
        self, sheet: Sheet, architectures: Iterable[str], step: float, *, short: bool = True, most: float = 0.25
    ) -> None:
        architectures = list(architectures)
        self._sheet = sheet
        size = sheet.style.text
        called = short_names(architectures) if short else {name: name for name in architectures}
        # two lines of 1.25 times the text's size, less what is free above and below its letters
        two = step >= sheet.line_height() * 1.9
        self._lines = [
            wrap(called[name].replace("@", " on "), size, sheet.width * most, 2)
            if two
            else wrap(called[name], size, sheet.width * max(most, 0.34), 1)
            for name in architectures
        ]
        self.width = max(width_of(part, size) for lines in self._lines for part in lines) + size

    def count(self, row: int) -> int:
        """Return how many lines the name of a row has."""
        return len(self._lines[row])

    def middle(self, row: int, y: float) -> None:
        """Write the name of a row with its middle at `y`."""
        lines = self._lines[row]
        distance = self._sheet.line_height() * 0.95
        for number, part in enumerate(lines):
            self._sheet.text(0, y + ((len(lines) - 1) / 2 - number) * distance, part)

    def below(self, row: int, top: float) -> None:
        """Write the name of a row downwards from `top`."""
        distance = self._sheet.line_height() * 0.95
        for number, part in enumerate(self._lines[row]):
            self._sheet.text(0, top - (number + 0.5) * distance, part)
