"""Student's t for whole degrees of freedom, from its closed form.

Importing scipy for this one number takes longer than all the rest of a small comparison's statistics, and 32-bit ARM
has no scipy.
"""

from __future__ import annotations

import functools
import math

__all__ = ["student_t", "student_t_central"]


def student_t_central(t: float, degrees: int) -> float:
    """Return P(|T| <= t) for Student's T with a whole number of `degrees` of freedom, at least 1.

    The finite trigonometric series of Abramowitz & Stegun, Handbook of Mathematical Functions, 26.7.3 (odd) and
    26.7.4 (even).
    """
    theta = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(theta), math.cos(theta)
    term, total = (cosine, 0.0) if degrees % 2 else (1.0, 0.0)
    for k in range(3 if degrees % 2 else 2, degrees + 1, 2):
        total += term
        term *= cosine * cosine * (k - 1) / k
    return 2 / math.pi * (theta + sine * total) if degrees % 2 else sine * total


@functools.cache
def student_t(degrees: int, confidence: float = 0.95) -> float:
    """Return t such that P(|T| <= t) is `confidence`, by bisection to the last bit that the series resolves.

    Raises ValueError for less than one degree of freedom or a confidence outside (0, 1).
    """
    if degrees < 1 or not 0 < confidence < 1:
        raise ValueError(f"no quantile for {degrees} degrees of freedom and the confidence {confidence}")
    low, high = 0.0, 1.0
    while student_t_central(high, degrees) < confidence:
        high *= 2
    while low < (middle := (low + high) / 2) < high:
        if student_t_central(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return high
