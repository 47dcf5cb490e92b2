"""Rows: their names in as many lines as there is room for, and where their bars are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vsim.report.lettering import width_of, wrap
from vsim.report.words import short_names

if TYPE_CHECKING:
    from vsim.report.sheet import Sheet

__all__ = ["Lanes", "RowNames"]


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


class Lanes(RowNames):
    """Rows with a bar each from a line at the left, and text below it; beside it where rows are too low: `cramped`.

    `thick` is how thick a bar is, in points. Few rows don't spread over the whole sheet, and lie in its middle.
    """

    def __init__(self, sheet: Sheet, architectures: Iterable[str]) -> None:
        names, line = list(architectures), sheet.line_height()
        self._step: float = min(sheet.height / len(names), line * 4.5)
        super().__init__(sheet, names, self._step)
        self.cramped = self._step < line * 2
        self.thick: float = min(self._step * 0.42, line * 1.5)
        self._top: float = sheet.height - (sheet.height - self._step * len(names)) / 2
        sheet.line([self.width, self.width], [0, sheet.height], colour=sheet.style.ink)

    def bar(self, row: int) -> float:
        """Write the name of a row beside its bar; return where the middle of that is."""
        middle = self._top - row * self._step - self.thick * 0.7
        self.below(row, middle + self._sheet.line_height() * 0.475)
        return middle

    def said(self, middle: float, text: str) -> None:
        """Write a line of text below the bar whose middle is at `middle`."""
        size = self._sheet.style.text
        x, y = self.width + size * 0.4, middle - self.thick / 2 - self._sheet.line_height() * 0.6
        self._sheet.text(x, y, text, colour=self._sheet.style.faint, width=self._sheet.width - x)
