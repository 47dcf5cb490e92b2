"""One metric of all architectures as bars: the numbers, and their form in a terminal.

From nothing a bar is as long as its value. Where the largest value is more than fifty times the smallest, the scale is
logarithmic; a bar has no zero to start from there, so a mark stands for the value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vsim.errors import InputError
from vsim.samples.human import format_estimate, format_value
from vsim.samples.metrics import HEADLINE, METRICS
from vsim.samples.result import ArchitectureResult, Estimate, Result

__all__ = ["Bar", "Bars", "bars_of", "in_terminal", "worth_drawing"]

# From this ratio of the largest to the smallest value on, a linear scale shows the smallest as nothing.
_WIDE = 50.0
# Names longer than this are cut in a terminal, and a bar is never shorter than this.
_LABEL, _LEAST = 34, 12
_ASCII = str.maketrans({"±": "+-", "−": "-", "µ": "u", "€": "EUR ", "£": "GBP "})


@dataclass(frozen=True, slots=True)
class Bar:
    """One value with its 95 % interval (None: one replication), in the metric's base unit, and as people read it."""

    label: str
    value: float
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one metric, and the ends of their scale; `log` says whether it is logarithmic."""

    metric: str
    title: str
    unit: str
    bars: tuple[Bar, ...]
    log: bool
    least: float
    most: float

    def place(self, value: float) -> float:
        """Return where `value` lies on the scale: from 0 to 1, the ends included."""
        if not self.log:
            return min(1.0, max(0.0, value / self.most)) if self.most else 0.0
        if value <= self.least:
            return 0.0
        return min(1.0, math.log(value / self.least) / math.log(self.most / self.least))


def worth_drawing(result: Result) -> list[str]:
    """Return the headline metrics in which the architectures of `result` differ."""
    found = []
    for metric in HEADLINE:
        values = {one.metrics[metric].value for one in result.architectures if metric in one.metrics}
        if len(values) > 1:
            found.append(metric)
    return found


def bars_of(result: Result, metric: str, *, names: Mapping[str, str] | None = None, on: Sequence[str] = ()) -> Bars:
    """Return the bars of `metric`, one for each architecture that has it (or of those in `on` only, in that order).

    `names` says how an architecture is called. Raises InputError when there is nothing to draw.
    """
    if metric not in METRICS:
        raise InputError(f"there is no metric {metric!r}", hint=f"there are {', '.join(METRICS)}")
    by_name = {one.name: one for one in result.architectures if metric in one.metrics}
    absent = next((name for name in on if name not in by_name), None)
    if absent is not None:
        raise InputError(
            f"the result has no {metric} of {absent}", hint=f"it has that of {', '.join(by_name) or 'none'}"
        )
    chosen = [by_name[name] for name in on] if on else list(by_name.values())
    if not chosen:
        raise InputError(f"the result has no {metric}")
    bars = tuple(_bar(one, metric, (names or {}).get(one.name, one.name)) for one in chosen)
    unit = chosen[0].metrics[metric].unit
    ends = [end for bar in bars for end in (bar.value, bar.low, bar.high) if end is not None]
    positive = [bar.value for bar in bars if bar.value > 0]
    # zero has no place on a logarithmic scale
    log = len(positive) == len(bars) and max(positive) > _WIDE * min(positive)
    if log:
        least = 10.0 ** math.floor(math.log10(min(end for end in ends if end > 0)))
        most = 10.0 ** math.ceil(math.log10(max(ends)))
    else:
        least, most = 0.0, max(ends)
    return Bars(metric, METRICS[metric].title, unit, bars, log, least, most)


def _bar(one: ArchitectureResult, metric: str, label: str) -> Bar:
    estimate: Estimate = one.metrics[metric]
    return Bar(label, estimate.value, estimate.low, estimate.high, format_estimate(metric, estimate))


def in_terminal(bars: Bars, width: int, *, plain: bool = False) -> Iterator[str]:
    """Yield the lines of the bars, at most `width` columns (40 or more) each; `plain` uses ASCII alone."""
    full, interval, left, right, line, mark = "#~||-o" if plain else "█▒├┤─●"
    width = max(40, width)
    names = [_printable(bar.label) for bar in bars.bars]
    label = min(max(map(len, names)), _LABEL, width - _LEAST - 14)
    texts = [
        bar.text.replace("±", "+-").replace("−", "-").replace("µ", "u") if plain else bar.text for bar in bars.bars
    ]
    value = max(map(len, texts))
    room = max(4, width - label - value - 4)
    title = f"{bars.title}{_scale(bars)}"
    yield title if len(title) <= width else bars.title
    for name, bar, text in zip(names, bars.bars, texts, strict=True):
        drawn = [" "] * room
        ends = [round(bars.place(end) * room) for end in (bar.low, bar.value, bar.high) if end is not None]
        at = round(bars.place(bar.value) * room)
        if bars.log:
            first, last = max(0, min(ends) - 1), max(0, max(ends) - 1)
            for i in range(first, last + 1):
                drawn[i] = line
            if last - first >= 2:
                drawn[first], drawn[last] = left, right
            drawn[max(0, at - 1)] = mark
        else:
            for i in range(min(ends)):
                drawn[i] = full
            for i in range(min(ends), max(ends)):
                drawn[i] = interval
            # a value above nothing is seen
            if bar.value > 0 and not at:
                drawn[0] = interval
        shown = name if len(name) <= label else f"{name[: label - 1]}{'.' if plain else '…'}"
        yield f"{shown:<{label}}  {''.join(drawn)}  {text:>{value}}".rstrip()


def _scale(bars: Bars) -> str:
    if not bars.log:
        return ""
    ends = (format_value(bars.metric, end, bars.unit) for end in (bars.least, bars.most))
    return f" (log scale, {' to '.join(ends)})"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
