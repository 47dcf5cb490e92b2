"""Intervals from replications: Student's t, alone and for paired differences; of a share, Clopper and Pearson's.

Sums are exact (:func:`math.fsum`), so they don't depend on the order in which workers deliver.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vsim.model.student import student_t, student_t_central

__all__ = [
    "CONFIDENCE",
    "Interval",
    "Share",
    "interval",
    "paired_difference",
    "share",
    "student_t",
    "student_t_central",
]

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


@dataclass(frozen=True, slots=True)
class Share:
    """In how many of `n` independent trials something held, and the confidence interval of its probability."""

    held: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The part of the trials in which it held."""
        return self.held / self.n


def share(held: int, n: int, confidence: float = CONFIDENCE) -> Share:
    """Return the interval of Clopper and Pearson (Biometrika 26, 1934) for `held` of `n` trials.

    Its ends are the probabilities at which so many, or more, and so few, or fewer, would be seen by a chance of half
    of what is left of `confidence`: it covers the truth at least as often as stated, for all of `n` and for none, too.
    Raises ValueError without trials, or for more that held than there were.
    """
    if not 0 <= held <= n or n < 1:
        raise ValueError(f"{held} of {n} trials can't hold")
    tail = (1 - confidence) / 2
    low = 0.0 if held == 0 else _crossing(lambda p: 1 - _binomial(held - 1, n, p), tail)
    high = 1.0 if held == n else 1 - _crossing(lambda p: _binomial(held, n, 1 - p), tail)
    return Share(held, n, low, high)


def _binomial(most: int, n: int, p: float) -> float:
    """Return the probability that at most `most` of `n` trials with the probability `p` (neither 0 nor 1) succeed."""
    constant = math.lgamma(n + 1)
    log_p, log_q = math.log(p), math.log1p(-p)
    return math.fsum(
        math.exp(constant - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q)
        for k in range(most + 1)
    )


def _crossing(rising: Callable[[float], float], level: float) -> float:
    """Return where a function that rises from 0 at 0 reaches `level`, by halving the interval from 0 to 1."""
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < level else (low, middle)
    return (low + high) / 2
