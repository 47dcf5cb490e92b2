"""Small tables: aligned columns for a terminal or a pipe, and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

__all__ = ["columns", "markdown"]

# Words are never cut to less than this.
_LEAST = 8


def columns(
    lines: Sequence[Sequence[str]], alignment: str, width: int, colours: Mapping[int, str] | None = None
) -> str:
    """Return `lines` in aligned columns, the first one bold as a header; `colours` are of some lines, by number.

    `alignment` has ``<`` or ``>`` for each column. Where the columns are wider than `width` together, the longest words
    of those that are aligned to the left are cut; numbers never are.
    """
    sizes = [max(len(line[i]) for line in lines) for i in range(len(alignment))]
    words = [i for i, side in enumerate(alignment) if side == "<"]
    while words and sum(sizes) + 2 * (len(sizes) - 1) > width:
        widest = max(words, key=lambda i: sizes[i])
        if sizes[widest] <= _LEAST:
            break
        sizes[widest] -= 1
    shown = []
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(size) if side == ">" else _cut(cell, size).ljust(size)
            for cell, size, side in zip(line, sizes, alignment, strict=True)
        ]
        joined = "  ".join(cells).rstrip()
        colour = (colours or {}).get(number)
        shown.append(click.style(joined, bold=number == 0 or None, fg=colour) if number == 0 or colour else joined)
    return "\n".join(shown)


def markdown(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return `lines`, the first one a header, as those of a table in Markdown."""
    ruled = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in ruled]


def _cut(cell: str, size: int) -> str:
    return cell if len(cell) <= size else f"{cell[: size - 1]}…"
