"""Two things timed in turn, so that whatever else the machine does falls on both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Pairs", "interleaved", "seconds"]


@dataclass(frozen=True)
class Pairs:
    """Seconds of each run, ours and the other's in the order in which they were taken."""

    ours: list[float]
    other: list[float]

    @property
    def ratio(self) -> float:
        """The ratio of the medians: below 1 when ours is the faster one."""
        return statistics.median(self.ours) / statistics.median(self.other)


def seconds(action: Callable[[], Any]) -> float:
    """Return how long `action` takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def interleaved(
    benchmark: Any, ours: Callable[[], float | None], other: Callable[[], float], *, rounds: int, unit: str = "s"
) -> Pairs:
    """Run `other` and `ours` in turn, `rounds` times each; `benchmark` reports ours and keeps the ratio.

    `other` returns its own figure, usually seconds. `ours` is timed, or returns a figure of its own. One round of each
    comes first and isn't counted: files, caches and compiled modules are then in place for both.
    """
    other()
    ours()
    theirs: list[float] = []
    figures: list[float] = []

    def before() -> None:
        theirs.append(other())

    def timed() -> None:
        start = time.perf_counter()
        figure = ours()
        figures.append(time.perf_counter() - start if figure is None else figure)

    benchmark.pedantic(timed, setup=before, rounds=rounds)
    pairs = Pairs(figures, theirs)
    benchmark.extra_info.update(
        {
            f"ours_median_{unit}": statistics.median(figures),
            f"other_median_{unit}": statistics.median(theirs),
            "ratio_of_medians": round(pairs.ratio, 3),
        }
    )
    return pairs
