"""What whole blocks say about the uncertainty of statistics: the bootstrap, and Student's t for means over blocks.

Values of one block share its disturbances: blocks are drawn with replacement, never single values (Davison & Hinkley,
Bootstrap Methods and their Application, 1997, 3.8). The spread of a resampled mean of B blocks is too small by
(B − 1) / B, which is put right here; that it is itself uncertain with few blocks is what Student's t is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsim.model.student import student_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["RESAMPLES", "Statistic", "Table", "covariance", "mean", "mean_interval", "quantiles", "resampled"]

RESAMPLES = 200


class Table:
    """Values of one metric by block: an array (blocks, most values in a block), with NaN where a block has fewer."""

    def __init__(self, blocks: Sequence[Sequence[float]]) -> None:
        width = max(map(len, blocks), default=0)
        self.values: Floats = np.full((len(blocks), width), np.nan)
        for row, block in enumerate(blocks):
            self.values[row, : len(block)] = block
        self.ragged = bool(np.isnan(self.values).any())

    def __len__(self) -> int:
        return int((~np.isnan(self.values)).sum())

    @property
    def flat(self) -> Floats:
        """All values, block by block."""
        found: Floats = self.values[~np.isnan(self.values)]
        return found


# Takes rows of values, and whether there are NaN among them; returns a row of statistics for each.
Statistic = Callable[["Floats", bool], "Floats"]


def quantiles(*wanted: float) -> Statistic:
    """Return the statistic that takes these quantiles of each row (interpolated: type 7 of Hyndman & Fan, 1996)."""

    def statistic(rows: Floats, ragged: bool) -> Floats:
        take = np.nanquantile if ragged else np.quantile
        found: Floats = take(rows, wanted, axis=1).T
        return found

    return statistic


def mean(rows: Floats, ragged: bool) -> Floats:
    """Return the mean of each row, as a column."""
    found: Floats = (np.nanmean if ragged else np.mean)(rows, axis=1, keepdims=True)
    return found


def resampled(tables: Sequence[tuple[Table, Statistic]], seed: int, times: int = RESAMPLES) -> tuple[Floats, Floats]:
    """Return the statistics of all values (a vector) and of `times` resamples of whole blocks (a row each).

    All tables must be of the same blocks, in the same order: a resample draws the same blocks of each.
    """
    count = len(tables[0][0].values)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, count, (times, count))
    alone, many = [], []
    for table, statistic in tables:
        alone.append(statistic(table.values.reshape(1, -1), table.ragged)[0])
        many.append(statistic(table.values[chosen].reshape(times, -1), table.ragged))
    return np.concatenate(alone), np.concatenate(many, axis=1)


def covariance(many: Floats, blocks: int) -> Floats:
    """Return the covariance of statistics of which `many` are resamples of so many blocks."""
    found: Floats = np.atleast_2d(np.cov(many, rowvar=False)) * (blocks / (blocks - 1) if blocks > 1 else 1.0)
    return found


def mean_interval(values: Sequence[float] | Floats, level: float = 0.95) -> tuple[float, float, float]:
    """Return the mean of values of independent blocks, and the ends of its interval by Student's t.

    With a single value there is no telling, and the interval is the value itself.
    """
    array = np.asarray(values, dtype=float)
    middle = float(array.mean())
    if len(array) < 2:
        return middle, middle, middle
    half = student_t(len(array) - 1, level) * float(array.std(ddof=1)) / len(array) ** 0.5
    return middle, middle - half, middle + half
