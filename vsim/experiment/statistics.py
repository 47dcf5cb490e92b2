"""Intervals from replications: Student's t, alone and for paired differences.

Sums are exact (:func:`math.fsum`), so they don't depend on the order in which workers deliver.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vsim.model.student import student_t, student_t_central

__all__ = ["CONFIDENCE", "Interval", "interval", "paired_difference", "student_t", "student_t_central"]

# The level of every interval in a result.
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean of `n` values and its confidence interval; None where one value can't tell how far off it is."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def half_width(self) -> float:
        """Half the interval's length; infinite when there is no interval."""
        return math.inf if self.low is None or self.high is None else (self.high - self.low) / 2


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the mean of `values` and its confidence interval, mean ± t·s/√n (Law, Simulation Modeling, 4.5).

    Values that are all equal give an interval of length zero; a single value gives none. Raises ValueError without
    values or with one that is not finite.
    """
    if not values:
        raise ValueError("no values to average")
    n = len(values)
    if not all(map(math.isfinite, values)):
        raise ValueError("a value to average is not finite")
    # All equal: the mean is exactly that value, not one rounding beside it.
    mean = values[0] if min(values) == max(values) else math.fsum(values) / n
    if n == 1:
        return Interval(mean, None, None, 1)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = student_t(n - 1, confidence) * math.sqrt(variance / n)
    return Interval(mean, mean - half, mean + half, n)


def paired_difference(
    of: Sequence[float | None], versus: Sequence[float | None], confidence: float = CONFIDENCE
) -> Interval | None:
    """Return the mean of `of` minus `versus`, replication by replication, and its interval.

    Both saw the same workload in each replication (common random numbers), so what the workload adds to both cancels
    out and the interval is shorter than that of two independent means (Law, Simulation Modeling, 10.2.1 and 11.2).
    Replications in which either has no value are left out; None when none is left.
    """
    pairs = [a - b for a, b in zip(of, versus, strict=True) if a is not None and b is not None]
    return interval(pairs, confidence) if pairs else None
