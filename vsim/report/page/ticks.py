"""Axes in units that people use: from where to where, on which scale, and with which marks.

An axis covers all points of a page, so that what moves when a slider moves is the value and not the axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vsim.samples.human import format_value
from vsim.samples.metrics import METRICS

__all__ = ["Scale", "scale_of", "scale_up_to"]

# From this ratio of the largest to the smallest value on an axis is logarithmic.
LOGARITHMIC = 20.0
# About so many marks fit below the narrowest chart.
MARKS = 5
_TIMES = (
    *(1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36000.0),
    *(86400.0, 7 * 86400.0, 70 * 86400.0, 700 * 86400.0, 7000 * 86400.0),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`, and its marks: where, and what is written there."""

    logarithmic: bool
    low: float
    high: float
    marks: tuple[tuple[float, str], ...]


def scale_of(metric: str, values: Iterable[float], unit: str) -> Scale:
    """Return the axis for all `values` of `metric` (in `unit`, the ends of intervals among them)."""
    found = sorted(values)
    positive = [value for value in found if value > 0]
    if not positive:
        return Scale(False, 0.0, 1.0, ((0.0, format_value(metric, 0.0, unit)),))
    low, high = positive[0], positive[-1]
    if METRICS[metric].most == 1.0:
        return _near_one(metric, found[0], unit)
    if found[0] <= 0 or high / low < LOGARITHMIC:
        return scale_up_to(metric, high, unit)
    inside = [step for step in _decades(low, high, unit) if low * 0.8 <= step <= high * 1.25]
    if len(inside) < 3:
        inside = [step for step in _finer(low, unit) if low * 0.8 <= step <= high * 1.25]
    thinned = inside[:: max(1, math.ceil(len(inside) / MARKS))] if len(inside) > 1 else [low, high]
    marks = tuple((step, format_value(metric, step, unit, digits=1)) for step in thinned)
    return Scale(True, low * 0.8, high * 1.25, _told_apart(marks))


def scale_up_to(metric: str, high: float, unit: str) -> Scale:
    """Return a linear axis from zero to `high` or a little beyond."""
    divisor = _divisor(high, unit)
    step = _nice(high / divisor / MARKS) * divisor
    count = math.ceil(high / step - 1e-9)
    marks = tuple((step * n, format_value(metric, step * n, unit)) for n in range(count + 1))
    return Scale(False, 0.0, max(high * 1.02, step * count), _told_apart(marks))


def _told_apart(marks: Iterable[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """Return the marks without those that read like one before them (a hundredth of a cent is $0.00)."""
    texts: dict[str, float] = {}
    for value, text in marks:
        texts.setdefault(text, value)
    return tuple((value, text) for text, value in texts.items())


def _near_one(metric: str, low: float, unit: str) -> Scale:
    """Return the axis of a fraction: from below its smallest value to 1."""
    missing = max(1 - low, 1e-9)
    step = _nice(missing / (MARKS - 1))
    start = max(0.0, 1 - step * math.ceil(missing / step - 1e-9))
    # the marks are worth as many digits as tell them apart
    digits = max(3, 3 - math.floor(math.log10(step)))
    count = round((1 - start) / step)
    marks = tuple(
        (start + step * n, format_value(metric, round(start + step * n, 12), unit, digits=digits))
        for n in range(count + 1)
    )
    return Scale(False, start, 1.0, marks)


def _decades(low: float, high: float, unit: str) -> list[float]:
    if unit == "s":
        return list(_TIMES)
    if unit == "bytes":
        return [2.0**n * factor for n in range(0, 60, 10) for factor in (1, 8, 64)]
    return [10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def _finer(low: float, unit: str) -> list[float]:
    """Return 1, 2 and 5 times powers of ten from below `low` on; from a minute on what clocks and calendars have."""
    if unit == "bytes":
        return [2.0**n for n in range(0, 60, 2)]
    first = math.floor(math.log10(low))
    steps = [factor * 10.0**n for n in range(first, first + 4) for factor in (1, 2, 5)]
    if unit != "s":
        return steps
    hours = (1, 2, 5, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24, 56 * 24, 112 * 24, 365 * 24)
    clock = [60.0 * n for n in (1, 2, 5, 10, 20)] + [3600.0 * n for n in hours]
    return [step for step in steps if step < 60] + clock


def _divisor(high: float, unit: str) -> float:
    if unit == "bytes":
        return max([2.0**n for n in range(0, 60, 10) if 2.0**n <= high], default=1.0)
    if unit == "s":
        return max([size for size in (60.0, 3600.0, 86400.0, 7 * 86400.0) if size * 3 <= high], default=1.0)
    return 1.0


def _nice(step: float) -> float:
    """Return the next larger one of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))
