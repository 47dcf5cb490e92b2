"""Columns of numbers from text files (job lists, traces), fast, and with the place of the first bad cell.

numpy's reader takes the whole file at once and is strict; only when it, or a check of the values, refuses, is the file
read again line by line to find out where.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vsim.errors import InputError, Place
from vsim.scenario.document import decode, read_bytes
from vsim.scenario.validation import listed, shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

__all__ = ["MAX_BYTES", "Field", "Table", "first_line", "read_table", "read_text"]

# About three million jobs, or 60 times the longest trace of a Bitbrains machine.
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Field:
    """A column of numbers, zero or more.

    `name` is a part of its header, in lower case; `position` (from 0) is where it is in a file without one.
    """

    name: str
    integer: bool = False
    maximum: float = math.inf
    optional: bool = False
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The columns by name, and what the header calls them (nothing without one). `error` is about one cell."""

    path: Path
    text: str
    columns: dict[str, Column]
    layout: _Layout

    @property
    def header(self) -> tuple[int, str]:
        """The number and the text of the first line."""
        return _first(self.text)

    def error(self, row: int, name: str, message: str, hint: str | None = None) -> InputError:
        """Return the error to raise about the column `name` of a row, counted from 0."""
        for number, (line, text, cells) in enumerate(self.layout.lines(self.text)):
            if number == row:
                column = cells[self.layout.where[name]][0]
                return InputError(message, place=Place(str(self.path), line, column, text), hint=hint)
        return InputError(message, place=Place(str(self.path)), hint=hint)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the columns are, and how many lines come before the first row. `width` is None where more may follow."""

    separator: str
    where: dict[str, int]
    skip: int
    width: int | None
    headers: dict[str, str]

    def lines(self, text: str) -> Iterator[tuple[int, str, list[tuple[int, str]]]]:
        """Yield every row: line number, line, and cells with their columns (both from 1)."""
        for number, line in enumerate(text.splitlines(), 1):
            row = line.partition("#")[0]
            if number <= self.skip or not row.strip():
                continue
            cells, start = [], 0
            for cell in row.split(self.separator):
                lead = len(cell) - len(cell.lstrip())
                cells.append((start + (lead if cell.strip() else 0) + 1, cell.strip()))
                start += len(cell) + 1
            yield number, line, cells


def read_text(path: Path) -> str:
    """Return the text of a file of at most `MAX_BYTES`. Raises InputError when it can't be read or isn't UTF-8."""
    return decode(str(path), read_bytes(path, MAX_BYTES)).removeprefix("\ufeff")


def first_line(text: str) -> str:
    """Return the first line that isn't empty or a comment, to tell formats apart; empty if there is none."""
    return _first(text)[1]


def read_table(
    path: Path, fields: Sequence[Field], *, separator: str = ",", others: bool = False, text: str | None = None
) -> Table:
    """Return the columns `fields` of the file at `path`, or of `text` if it was read already.

    A first line that isn't numbers is a header and says where the columns are (`others`: more may be there); without
    one, they are at their positions. Empty lines and `#` comments are skipped. Raises InputError with file, line and
    column for an empty file, a missing column, and the first cell that isn't a finite number, zero or more.
    """
    import numpy as np

    if text is None:
        text = read_text(path)
    layout = _layout(path, text, fields, separator, others)
    found = [field for field in fields if field.name in layout.where]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy only warns about a file without rows
            block = np.loadtxt(
                io.StringIO(text),
                delimiter=separator,
                skiprows=layout.skip,
                usecols=None if layout.width else [layout.where[field.name] for field in found],
                ndmin=2,
            )
    except (ValueError, UserWarning, IndexError, OverflowError):
        _complain(path, text, layout, found)
    if layout.width is not None and block.shape[1] != layout.width:
        _complain(path, text, layout, found)
    columns = {
        field.name: np.ascontiguousarray(block[:, layout.where[field.name] if layout.width else position])
        for position, field in enumerate(found)
    }
    for field in found:
        values = columns[field.name]
        good = np.isfinite(values).all() and (values >= 0).all() and (values <= field.maximum).all()
        if not good or (field.integer and (values != np.floor(values)).any()):
            _complain(path, text, layout, found)
    return Table(path, text, columns, layout)


def _first(text: str) -> tuple[int, str]:
    """Return the number and the text of the first line that isn't empty or a comment."""
    lines = enumerate(io.StringIO(text), 1)  # not splitlines: a file may hold a million of them
    return next(((number, line.rstrip("\r\n")) for number, line in lines if line.partition("#")[0].strip()), (1, ""))


def _layout(path: Path, text: str, fields: Sequence[Field], separator: str, others: bool) -> _Layout:
    number, line = _first(text)
    if not line:
        raise InputError("the file is empty", place=Place(str(path), 1, 1, ""), hint=_wanted(fields, separator))
    cells = [cell.strip() for cell in line.partition("#")[0].split(separator)]
    if any(_is_number(cell) for cell in cells):
        where = {f.name: p if f.position is None else f.position for p, f in enumerate(fields) if not f.optional}
        return _Layout(separator, where, number - 1, None if others else len(fields), {})
    where = {}
    for field in fields:
        position = next(
            (p for p, cell in enumerate(cells) if field.name in cell.lower() and p not in where.values()), None
        )
        if position is not None:
            where[field.name] = position
        elif not field.optional:
            raise InputError(
                f"the header has no column {field.name!r}",
                place=Place(str(path), number, 1, line),
                hint=_wanted(fields, separator),
            )
    if not others and len(cells) > len(where):
        extra = next(p for p in range(len(cells)) if p not in where.values())
        column = sum(len(cell) + 1 for cell in line.split(separator)[:extra]) + 1
        raise InputError(
            f"unknown column {shown(cells[extra])}",
            place=Place(str(path), number, column, line),
            hint=_wanted(fields, separator),
        )
    headers = {name: cells[position] for name, position in where.items()}
    return _Layout(separator, where, number, None if others else len(cells), headers)


def _complain(path: Path, text: str, layout: _Layout, fields: Sequence[Field]) -> NoReturn:
    """Raise the InputError about the first cell that isn't as it should be."""
    empty = True
    for number, line, cells in layout.lines(text):
        empty = False
        for field in fields:
            position = layout.where[field.name]
            if position >= len(cells):
                message = f"the line has {len(cells)} of {layout.width or position + 1} columns"
                raise InputError(
                    message,
                    place=Place(str(path), number, len(line.rstrip()) + 1, line),
                    hint=_wanted(fields, layout.separator),
                )
            column, cell = cells[position]
            problem = _problem(cell, field)
            if problem:
                raise InputError(
                    f"{field.name} {problem}",
                    place=Place(str(path), number, column, line),
                    hint=_allowed(field),
                )
        if layout.width is not None and len(cells) > layout.width:
            raise InputError(
                f"the line has {len(cells)} columns instead of {layout.width}",
                place=Place(str(path), number, cells[layout.width][0], line),
                hint=_wanted(fields, layout.separator),
            )
    if empty:
        raise InputError(
            "the file has no rows", place=Place(str(path), 1, 1, ""), hint=_wanted(fields, layout.separator)
        )
    raise InputError(
        "the file is not a table of numbers", place=Place(str(path)), hint=_wanted(fields, layout.separator)
    )


def _problem(cell: str, field: Field) -> str | None:
    if not cell:
        return "is missing"
    if not _is_number(cell) or "_" in cell:
        return f"can't be {shown(cell)}: it is a number"
    value = float(cell)
    if not math.isfinite(value) or value < 0:
        return f"can't be {shown(cell)}: it is finite, and zero or more"
    if value > field.maximum:
        return f"can't be {shown(cell)}: it is at most {field.maximum:g}"
    if field.integer and value != math.floor(value):
        return f"can't be {shown(cell)}: it is a whole number"
    return None


def _allowed(field: Field) -> str:
    kind = "a whole number" if field.integer else "a number"
    upper = "" if field.maximum == math.inf else f" and at most {field.maximum:g}"
    return f"{field.name} is {kind}, zero or more{upper}"


def _wanted(fields: Sequence[Field], separator: str) -> str:
    names = [field.name for field in fields if not field.optional]
    if len(names) == 1:
        return f"one {names[0]} a line"
    return f"a line holds {listed(names, 'and')}, separated by `{separator}`"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii()  # Python reads the digits of all scripts, numpy doesn't
