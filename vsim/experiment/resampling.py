"""Statistics of values that come in blocks, and how far off they are: the bootstrap over whole blocks.

Values of one block share its disturbances, so it is blocks that are drawn with replacement, never single values
(Davison & Hinkley, Bootstrap Methods and their Application, 1997, 3.8: resampling of hierarchical data at the highest
level). The intervals are percentile intervals; with a handful of blocks they are somewhat too narrow.

A resample is a count for each block. Values are sorted once; the quantiles of all resamples together then come from
cumulative sums of counts, which takes milliseconds where sorting each resample would take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Values = NDArray[np.float64]

__all__ = ["RESAMPLES", "Blocked", "Statistic", "draw", "percentile_interval"]

RESAMPLES = 2000

# `throughput` is the mean of rates; the others are quantiles.
Statistic = Literal["median", "p95", "throughput"]
_QUANTILES = {"median": 0.5, "p95": 0.95}


def draw(blocks: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> Counts:
    """Return how often each block is in each resample: `resamples` rows of `blocks` counts that add up to `blocks`."""
    return rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)


def percentile_interval(values: Values, level: float = 0.95) -> tuple[float, float]:
    """Return the ends between which the middle `level` of `values` lies."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


class Blocked:
    """Values in blocks: their statistics, and those of resamples of whole blocks. No block may be empty."""

    def __init__(self, blocks: Sequence[Sequence[float]]) -> None:
        values = np.concatenate([np.asarray(block, dtype=float) for block in blocks])
        owners = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
        order = np.argsort(values, kind="stable")
        self.blocks = len(blocks)
        self.values: Values = values[order]
        self._owners: Counts = owners[order]

    def statistic(self, name: Statistic) -> float:
        """Return the statistic of all values; quantiles are interpolated (type 7 of Hyndman & Fan, 1996)."""
        if name == "throughput":
            # All equal: the mean is exactly that value, not one rounding beside it.
            equal = self.values[0] == self.values[-1]
            return float(self.values[0] if equal else np.mean(self.values))
        return float(np.quantile(self.values, _QUANTILES[name]))

    def resampled(self, name: Statistic, counts: Counts) -> Values:
        """Return the statistic of each resample, one for each row of `counts` (see :func:`draw`)."""
        weights = counts[:, self._owners]
        below = np.cumsum(weights, axis=1)
        total = below[:, -1]
        if name == "throughput":
            return np.asarray((weights @ self.values) / total)
        place = (total - 1) * _QUANTILES[name]
        first = np.floor(place).astype(np.int64)
        lower = self._ranked(below, first)
        upper = self._ranked(below, np.minimum(first + 1, total - 1))
        return np.asarray(lower + (upper - lower) * (place - first))

    def _ranked(self, below: Counts, rank: Counts) -> Values:
        """Return, for each resample, the value with this rank from 0 on in it, when it is sorted."""
        return np.asarray(self.values[(below <= rank[:, None]).sum(axis=1)])
