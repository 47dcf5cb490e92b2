"""Instances on their way as a chart of text: one line each, one letter for what goes on in a stretch of time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from vsim.engine.timeline import slowest

if TYPE_CHECKING:
    from vsim.engine.timeline import Phase, Row

__all__ = ["WORDS", "chart", "legend", "seconds"]

# For each phase its letter, its colour and what it is called.
_LOOKS: dict[Phase, tuple[str, str]] = {
    "boot": ("B", "magenta"),
    "build": ("I", "blue"),
    "pull": ("P", "blue"),
    "guest": ("G", "magenta"),
    "create": ("C", "cyan"),
    "wait": ("·", "white"),
    "start": ("S", "yellow"),
    "application": ("A", "red"),
    "check": ("H", "green"),
    "stop": ("T", "yellow"),
    "remove": ("R", "cyan"),
    "shut down": ("D", "magenta"),
}
WORDS: dict[Phase, str] = {
    "boot": "machine boots",
    "build": "image is built",
    "pull": "image is fetched",
    "guest": "guest boots",
    "create": "created",
    "wait": "waits",
    "start": "started",
    "application": "application gets ready",
    "check": "until found healthy",
    "stop": "stops",
    "remove": "removed",
    "shut down": "guest shuts down",
}
# The chart is never narrower than this, and the names never wider.
_LEAST, _WIDEST = 20, 22


def seconds(value: float) -> str:
    """Return a time with three significant digits: ``850 ms``, ``14.2 s``, ``135 s``."""
    from vsim.samples.human import format_value

    return format_value("startup_p50_s", value, "s")


def chart(rows: Sequence[Row], width: int, *, ends: bool) -> Iterator[str]:
    """Yield a line for each service, and the axis below them, `width` columns wide; `ends`: say how each ended."""
    shown = slowest(rows)
    names = min(_WIDEST, max(len(name) for name, _ in shown))
    last = max((span.end_s for _, row in shown for span in row.spans), default=0.0)
    said = [_said(row, ends=ends) for _, row in shown]
    cells = max(_LEAST, width - names - 2 - max(map(len, said)))
    for (name, row), text in zip(shown, said, strict=True):
        label = name if len(name) <= names else f"{name[: names - 1]}…"
        yield f"{label:<{names}} {_bar(row, cells, last)} {text}".rstrip()
    yield f"{'':<{names}} {_axis(cells, last)}".rstrip()


def legend(rows: Sequence[Row], width: int) -> Iterator[str]:
    """Yield what the letters mean that are in a chart of `rows`, in lines."""
    used = {span.phase for row in rows for span in row.spans}
    line, length = "", 0
    for phase, (letter, colour) in _LOOKS.items():
        if phase not in used:
            continue
        size = 2 + len(WORDS[phase])
        if line and length + 3 + size > width:
            yield line
            line, length = "", 0
        line += ("   " if line else "") + f"{click.style(letter, fg=colour)} {WORDS[phase]}"
        length += (3 if length else 0) + size
    if line:
        yield line


def _said(row: Row, *, ends: bool) -> str:
    if row.end_s is None:
        return row.outcome
    return f"{seconds(row.end_s)} {row.outcome}" if ends else seconds(row.end_s)


def _bar(row: Row, cells: int, last: float) -> str:
    """Return what goes on in each stretch of time: what most of it is spent on."""
    bar = ""
    step = last / cells if last > 0 else 1.0
    for cell in range(cells):
        begin, end = cell * step, (cell + 1) * step
        spent = [(min(span.end_s, end) - max(span.begin_s, begin), span.phase) for span in row.spans]
        most, phase = max(spent, key=lambda one: one[0], default=(0.0, "wait"))
        if most <= 0:
            bar += " "
            continue
        letter, colour = _LOOKS[phase]
        bar += click.style(letter, fg=colour)
    return bar


def _axis(cells: int, last: float) -> str:
    """Return a line with the time at round numbers of seconds."""
    if last <= 0:
        return "0"
    rough = last / max(1, cells // 12)
    power = 10.0 ** math.floor(math.log10(rough))
    tick = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    line = ""
    for number in range(int(last / tick) + 1):
        text = f"{number * tick:.6g}" + (" s" if number else "")
        at = round(number * tick / last * cells)
        if at + len(text) <= cells and (at > len(line) or not line):
            line = line.ljust(at) + text
    return line
