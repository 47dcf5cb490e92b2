"""Random numbers: streams by purpose, and factors with mean 1 drawn in blocks.

Streams are spawned from the scenario's seed by replication and purpose, never by architecture: all architectures of
one replication see the same arrivals, demands and failures of the hardware, and differences between them are paired.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from vsim.model.quantity import Distribution

__all__ = ["Factors", "cut", "factors", "stream"]

Purpose = Literal["sizes", "arrivals", "demands", "stages", "failures", "repairs", "provision", "supervision"]

# The position in this tuple enters the seed: append, never reorder, or every result changes.
_PURPOSES: tuple[Purpose, ...] = (
    *("sizes", "arrivals", "demands", "stages"),
    *("failures", "repairs", "provision", "supervision"),
)
_BLOCK = 256


def stream(seed: int, replication: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """Return the random stream for one purpose of one replication; `index` tells services or hosts apart."""
    key = (replication, _PURPOSES.index(purpose), index)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=key)))


def lognormal(rng: np.random.Generator, cv: float, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return `n` lognormal factors with mean 1 and coefficient of variation `cv`.

    With sigma² = ln(1 + cv²) and mu = −sigma²/2 the mean is 1 and the standard deviation cv.
    """
    sigma2 = math.log1p(cv * cv)
    return rng.lognormal(-sigma2 / 2, math.sqrt(sigma2), n)


def cut(rng: np.random.Generator, n: int) -> list[float]:
    """Return the lengths of `n` parts of 1, cut at random points: each has the mean 1 / n."""
    points = np.sort(rng.random(n - 1))
    parts: list[float] = np.diff(points, prepend=0.0, append=1.0).tolist()
    return parts


class Factors:
    """An endless supply of factors with mean 1 from one distribution, drawn a block at a time."""

    __slots__ = ("_block", "_draw", "_next")

    def __init__(self, draw: Callable[[int], np.ndarray[tuple[int], np.dtype[np.float64]]]) -> None:
        self._draw = draw
        self._block: list[float] = []
        self._next = 0

    def __call__(self) -> float:
        """Return the next factor."""
        if self._next >= len(self._block):
            self._block = self._draw(_BLOCK).tolist()
            self._next = 0
        value = self._block[self._next]
        self._next += 1
        return value


def factors(distribution: Distribution, rng: np.random.Generator) -> Factors:
    """Return a supply of factors with mean 1 that follow `distribution`."""
    if distribution.family == "empirical":
        relative = np.asarray(distribution.relative)
        return Factors(lambda n: relative[rng.integers(0, len(relative), n)])
    if distribution.family == "exponential":
        return Factors(lambda n: rng.exponential(1.0, n))
    cv = distribution.cv
    if cv == 0:
        return Factors(np.ones)
    if distribution.family == "gamma":
        shape = 1 / (cv * cv)
        return Factors(lambda n: rng.gamma(shape, 1 / shape, n))
    return Factors(lambda n: lognormal(rng, cv, n))
