"""Bars as an SVG picture that is complete in itself: labels and values stand beside the bars, whiskers are intervals.

The same bars make the same bytes. Text stays text: it can be searched, read aloud and changed.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence

from vsim.samples.bars import Bars
from vsim.samples.human import format_value, scale_of

__all__ = ["to_svg"]

# In the picture's own units, which are points where it is drawn as wide as a slide.
_WIDTH, _LABEL, _TOP, _BOTTOM = 960, 250, 16, 58
_SIZE = 20
# A few bars are drawn wider than many, so that the picture fills its place; a row is never lower than its text.
_ROWS, _LEAST_ROW, _MOST_ROW = 330, 34, 84
# Okabe & Ito, Color Universal Design, 2008: a blue that is dark enough for a thin mark on white.
_FILL, _INK, _FAINT, _GRID = "#0072B2", "#1a1a1a", "#595959", "#dddddd"
# A letter is about half as wide as it is high, a digit in bold some more.
_LETTERS = round(_LABEL / (_SIZE * 0.53))
_DIGIT = _SIZE * 0.64
# A linear scale has at most so many steps.
_STEPS = 4


def to_svg(bars: Bars, *, alt: str = "", fills: Sequence[str] = ()) -> str:
    """Return the picture; `alt` is what it shows, for who can't see it, `fills` each bar's colour (``#RRGGBB``)."""
    height = _TOP + _row(bars) * len(bars.bars) + _BOTTOM
    title = html.escape(_clean(alt or bars.title), quote=True)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" role="img" aria-label="{title}" '
            f'font-family="Helvetica, Arial, DejaVu Sans, sans-serif" font-size="{_SIZE}">',
            f"<title>{title}</title>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            *_axis(bars, height),
            *_rows(bars, fills or [_FILL] * len(bars.bars)),
            "</svg>\n",
        ]
    )


def _row(bars: Bars) -> int:
    return max(_LEAST_ROW, min(_MOST_ROW, _ROWS // len(bars.bars)))


def _x(bars: Bars, value: float) -> float:
    room = max(len(bar.text) for bar in bars.bars) * _DIGIT + 24
    return round(_LABEL + 14 + bars.place(value) * (_WIDTH - _LABEL - 28 - room), 2)


def _axis(bars: Bars, height: int) -> Iterator[str]:
    bottom = height - _BOTTOM
    for value, text in _ticks(bars):
        x = _x(bars, value)
        yield f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}" stroke="{_GRID}"/>'
        yield f'<text x="{x}" y="{bottom + 24}" text-anchor="middle" fill="{_FAINT}">{html.escape(text)}</text>'
    kind = "logarithmic scale" if bars.log else ""
    intervals = "whiskers: 95 % intervals" if any(bar.low is not None for bar in bars.bars) else "one replication"
    note = ", ".join(part for part in (bars.title, kind, intervals) if part)
    yield f'<text x="{_WIDTH - 8}" y="{height - 8}" text-anchor="end" fill="{_FAINT}">{html.escape(note)}</text>'


def _ticks(bars: Bars) -> Iterator[tuple[float, str]]:
    if bars.log:
        first, last = round(math.log10(bars.least)), round(math.log10(bars.most))
        marks = [
            (value, format_value(bars.metric, value, bars.unit, digits=1))
            for value in (10.0**exponent for exponent in range(first, last + 1))
        ]
        # as many as there is room for, each with a letter's room on both sides
        widest = (max(len(text) for _, text in marks) + 2) * _SIZE * 0.53
        room = _x(bars, bars.most) - _x(bars, bars.least)
        yield from marks[:: max(1, math.ceil((last - first) / 5), math.ceil((last - first) * widest / room))]
        return
    divisor, _ = scale_of(bars.metric, bars.most, bars.unit)
    step = _round_step(bars.most / divisor / _STEPS) * divisor
    if not step:
        yield 0.0, format_value(bars.metric, 0.0, bars.unit)
        return
    for number in range(int(bars.most / step * (1 + 1e-9)) + 1):
        yield number * step, format_value(bars.metric, number * step, bars.unit)


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10 and so on, times a power of ten, that isn't below `least`; 0 for 0."""
    if least <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= least * (1 - 1e-9))


def _rows(bars: Bars, fills: Sequence[str]) -> Iterator[str]:
    for number, (bar, fill) in enumerate(zip(bars.bars, fills, strict=True)):
        row = _row(bars)
        middle = _TOP + row * number + row / 2
        half = round(row * 0.3, 2)
        label = _clean(bar.label)
        label = label if len(label) <= _LETTERS else f"{label[: _LETTERS - 1]}…"
        yield (
            f'<text x="{_LABEL}" y="{middle + 7}" text-anchor="end" fill="{_INK}" unicode-bidi="isolate">'
            f"{html.escape(label)}</text>"
        )
        at = _x(bars, bar.value)
        if bars.log:
            yield f'<circle cx="{at}" cy="{middle}" r="9" fill="{fill}"/>'
        else:
            start = _x(bars, 0.0)
            place = f'x="{start}" y="{middle - half}" width="{round(at - start, 2)}" height="{2 * half}"'
            yield f'<rect {place} fill="{fill}"/>'
        end = at
        if bar.low is not None and bar.high is not None:
            low, end = _x(bars, bar.low), max(at, _x(bars, bar.high))
            if end - low >= 1:
                yield (
                    f'<path d="M{low} {middle}H{end}M{low} {middle - 8}v16M{end} {middle - 8}v16" stroke="{_INK}" '
                    'stroke-width="2.5" fill="none"/>'
                )
        yield f'<text x="{end + 14}" y="{middle + 7}" font-weight="bold" fill="{_INK}">{html.escape(bar.text)}</text>'


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
