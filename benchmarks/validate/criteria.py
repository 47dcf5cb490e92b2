"""The thresholds, stated before anything is measured, and whether they are met."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vsim.experiment.validation import Comparison

__all__ = ["CRITERIA", "Criterion", "Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """What must be within `limit` (a fraction): the median or the largest of the errors' sizes of one statistic.

    `last` looks at the end of the ramp alone.
    """

    title: str
    suite: str
    metric: str
    statistic: str
    judged: Literal["median", "largest"]
    limit: float
    last: bool = False

    def rows(self, rows: Sequence[Comparison], limit: int) -> list[Comparison]:
        """Return those of `rows` that it is about; the ramp ends with `limit` instances."""
        own = [
            row
            for row in rows
            if (row.suite, row.metric, row.statistic) == (self.suite, self.metric, self.statistic)
            # The rungs of a ramp are docker's; what a process takes is lost in the host's own comings and goings.
            and (self.suite != "density" or row.driver != "process")
        ]
        return [row for row in own if not self.last or row.concurrency == limit]

    def value(self, rows: Sequence[Comparison], limit: int) -> float | None:
        """Return the size of the error that is judged, None where there is no row to judge."""
        sizes = [math.inf if row.error is None else abs(row.error) for row in self.rows(rows, limit)]
        if not sizes:
            return None
        return statistics.median(sizes) if self.judged == "median" else max(sizes)


CRITERIA = (
    Criterion("start-up, median", "startup", "startup_s", "median", "median", 0.10),
    Criterion("start-up, 95th percentile", "startup", "startup_s", "p95", "median", 0.10),
    Criterion("starts per second", "startup", "starts_per_s", "throughput", "median", 0.10),
    Criterion("memory of all containers", "density", "density_taken_bytes", "median", "largest", 0.10, last=True),
    Criterion("start-up beside the others", "density", "density_startup_s", "median", "largest", 0.10),
    Criterion("latency of requests, p50", "requests", "latency_p50_s", "median", "largest", 0.15),
    Criterion("latency of requests, p95", "requests", "latency_p95_s", "median", "largest", 0.15),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A criterion, its value, and the same value between two halves of what was measured: what noise alone does.

    `worst` is the row with the largest error.
    """

    criterion: Criterion
    value: float | None
    noise: float | None
    worst: Comparison | None

    @property
    def met(self) -> bool:
        """Whether there was something to judge, and it is within the limit."""
        return self.value is not None and self.value <= self.criterion.limit


def judge(rows: Sequence[Comparison], halves: Sequence[Comparison], limit: int) -> list[Verdict]:
    """Return the verdict on each criterion.

    `halves` compares every second block measured with the others; the ramp should end with `limit` instances.
    """
    verdicts = []
    for criterion in CRITERIA:
        own = criterion.rows(rows, limit)
        worst = max(own, key=lambda row: math.inf if row.error is None else abs(row.error), default=None)
        verdicts.append(Verdict(criterion, criterion.value(rows, limit), criterion.value(halves, limit), worst))
    return verdicts
