"""What a run has found: medians with bootstrap intervals, and ratios to `process` paired within blocks.

The block is the unit of resampling: values of one block share its disturbances and are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vsim.samples.records import Sample

__all__ = ["BASE", "Interval", "Row", "median_interval", "paired_ratio", "quantile", "slope", "summarize"]

# The rung that all others are compared with.
BASE = "process"

_RESAMPLES = 2000
# So many values are resampled in one array (of 80 MB at most), more of them one resample after another.
_AT_ONCE = 5000
_LEVEL = 0.95
# Flags that make a value incomparable with the others of its rung.
_LEFT_OUT = frozenset({"warmup"})


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of one rung in one step. `ratio` is None for the base itself and where a block lacks either."""

    suite: str
    step: int
    metric: str
    unit: str
    concurrency: int
    driver: str
    flags: tuple[str, ...]
    n: int
    median: Interval
    ratio: Interval | None


def summarize(samples: Iterable[Sample], *, base: str = BASE) -> list[Row]:
    """Return a row for each step, metric, concurrency and driver, in the order of their first samples."""
    groups: dict[tuple[str, int, str, str, int], dict[str, dict[int, list[float]]]] = {}
    flags: dict[tuple[int, str, str], tuple[str, ...]] = {}
    for sample in samples:
        if _LEFT_OUT.intersection(sample.flags):
            continue
        key = (sample.suite, sample.step, sample.metric, sample.unit, sample.concurrency)
        drivers = groups.setdefault(key, {})
        drivers.setdefault(sample.driver, {}).setdefault(sample.block, []).append(sample.value)
        flags[(sample.step, sample.metric, sample.driver)] = sample.flags
    rows = []
    for (suite, step, metric, unit, concurrency), drivers in groups.items():
        for driver, blocks in drivers.items():
            comparable = driver != base and base in drivers
            rows.append(
                Row(
                    suite=suite,
                    step=step,
                    metric=metric,
                    unit=unit,
                    concurrency=concurrency,
                    driver=driver,
                    flags=flags[(step, metric, driver)],
                    n=sum(map(len, blocks.values())),
                    median=median_interval(list(blocks.values())),
                    ratio=paired_ratio(blocks, drivers[base]) if comparable else None,
                )
            )
    return rows


def median_interval(blocks: Sequence[Sequence[float]], *, seed: int = 1) -> Interval:
    """Return the median of all values; the interval comes from drawing whole blocks with replacement."""
    arrays = [np.asarray(block, dtype=float) for block in blocks]
    value = float(np.median(np.concatenate(arrays)))
    if len({len(array) for array in arrays}) == 1 < len(arrays) and len(arrays) * len(arrays[0]) <= _AT_ONCE:
        # blocks of one size, as a plan makes them: all resamples at once, with the same draws
        table = np.stack(arrays)
        return _interval(np.median(table[_draws(len(arrays), seed)], axis=(1, 2)), value)
    return _bootstrap(
        len(arrays), lambda chosen: float(np.median(np.concatenate([arrays[i] for i in chosen]))), value, seed
    )


def paired_ratio(
    of: Mapping[int, Sequence[float]], to: Mapping[int, Sequence[float]], *, seed: int = 1
) -> Interval | None:
    """Return the median, over the blocks that have both, of the ratio of the two medians within the block.

    None when no block has both or a base is zero.
    """
    both = sorted(set(of) & set(to))
    below = [float(np.median(to[block])) for block in both]
    if not both or not all(below):
        return None
    ratios = np.array([float(np.median(of[block])) / base for block, base in zip(both, below, strict=True)])
    return _bootstrap(len(ratios), lambda chosen: float(np.median(ratios[chosen])), float(np.median(ratios)), seed)


def quantile(values: Sequence[float], q: float) -> float:
    """Return the smallest value that at least the fraction `q` don't exceed. Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through the points (x, y), at least two of them with different x."""
    n = len(points)
    mean_x = sum(x for x, _ in points) / n
    mean_y = sum(y for _, y in points) / n
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / below


def _bootstrap(n: int, statistic: Callable[[NDArray[np.int64]], float], value: float, seed: int) -> Interval:
    """Return the percentile interval of `statistic` over resamples of n block numbers; of one block, no width."""
    if n < 2:
        return Interval(value, value, value)
    return _interval(np.array([statistic(chosen) for chosen in _draws(n, seed)]), value)


def _draws(n: int, seed: int) -> NDArray[np.int64]:
    """Return the block numbers of all resamples, one a row."""
    return np.random.default_rng(seed).integers(0, n, size=(_RESAMPLES, n))


def _interval(values: NDArray[np.float64], value: float) -> Interval:
    """Return `value` with the percentile interval of the resampled `values`."""
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(value, float(low), float(high))
