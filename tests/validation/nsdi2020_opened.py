"""What was measured at 50 and 100 starts at a time, opened after the blind prediction had been committed.

Agache et al., raw data, github:firecracker-microvm/nsdi2020-data: ``data/m5d.metal/boot-parallel-{50,100}-*-cdf.dat``
at 47fd4af and ``data/rn.haswell/…`` at e13778f; Firecracker is the variant ``fc-api``, QEMU has its quick firmware. The
rows at 0.500 and 0.990 of the cumulative distribution, in microseconds. (The row at 0.500 of ten at a time is the
median of the raw samples.)
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from joblib import Parallel, delayed

from tests.validation.nsdi2020 import MONITORS
from tests.validation.nsdi2020_blind import LEVELS, STATISTICS, Prediction, Statistics, statistics
from tests.validation.nsdi2020_unknowns import Vector, read, times

# (monitor, machine, starts at a time): median, 99th percentile
MEASURED_US: Mapping[tuple[str, str, int], tuple[int, int]] = {
    ("firecracker", "m5d-metal", 50): (205_880, 246_432),
    ("firecracker", "m5d-metal", 100): (217_198, 262_157),
    ("firecracker", "rn-haswell", 50): (776_733, 1_065_697),
    ("firecracker", "rn-haswell", 100): (794_463, 1_106_327),
    ("cloud-hypervisor", "m5d-metal", 50): (127_686, 158_751),
    ("cloud-hypervisor", "m5d-metal", 100): (133_908, 167_517),
    ("cloud-hypervisor", "rn-haswell", 50): (528_165, 723_419),
    ("cloud-hypervisor", "rn-haswell", 100): (548_204, 745_699),
    ("qemu", "m5d-metal", 50): (231_008, 279_025),
    ("qemu", "m5d-metal", 100): (239_881, 295_623),
    ("qemu", "rn-haswell", 50): (1_471_339, 1_659_980),
    ("qemu", "rn-haswell", 100): (1_649_774, 1_944_711),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A prediction next to what was measured."""

    prediction: Prediction
    measured_s: float

    @property
    def inside(self) -> bool:
        """Whether the measured value lies in the interval."""
        return self.prediction.low_s <= self.measured_s <= self.prediction.high_s

    @property
    def error(self) -> float:
        """Predicted over measured, less one."""
        return self.prediction.value_s / self.measured_s - 1

    @property
    def engine_error(self) -> float:
        """The engine's prediction over measured, less one."""
        return self.prediction.engine_s / self.measured_s - 1


def opened(predictions: Sequence[Prediction]) -> list[Opened]:
    """Return each prediction with what was measured; those that miss most come first."""
    found = [
        Opened(each, MEASURED_US[each.monitor, each.machine, each.level][list(STATISTICS).index(each.statistic)] / 1e6)
        for each in predictions
    ]
    return sorted(found, key=lambda each: -abs(each.error))


# Fitted after the fact, by running this module: core-seconds of rn.haswell that one start after another costs before
# its clock runs. GNU xargs forks and then waits until the new process runs its program, and only then forks the next.
SPAWN_CORE_S = 1.9e-3
TRIED = tuple(round(tenths * 1e-4, 4) for tenths in range(10, 31))


def plain(monitor: str) -> Vector:
    """Return the first vector that was kept of those without a section and without busy waiting."""
    return next(vector for vector in read()[monitor] if not vector.section and not vector.busy)


def afterwards(folder: Path, monitor: str, level: int, spawn_core_s: float = SPAWN_CORE_S) -> Statistics:
    """Return median and 99th percentile on rn.haswell if launchers come one after another, with one simple vector."""
    return statistics(times(plain(monitor), folder, "rn-haswell", monitor, level, spawn_core_s=spawn_core_s))


def loss(folder: Path, spawn_core_s: float) -> float:
    """Return the sum of squared logarithms of simulated over measured, for all monitors at both levels."""
    return sum(
        math.log(1e6 * ours / theirs) ** 2
        for monitor in MONITORS
        for level in LEVELS
        for ours, theirs in zip(
            afterwards(folder, monitor, level, spawn_core_s),
            MEASURED_US[monitor, "rn-haswell", level],
            strict=True,
        )
    )


def main() -> None:
    """Print the loss of each value that is tried, the best one last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    folder = parser.parse_args().data
    losses = Parallel(-1)(delayed(loss)(folder, value) for value in TRIED)
    for less, value in sorted(zip(losses, TRIED, strict=True), reverse=True):
        print(f"{1e3 * value:.1f} ms: {less:.3f}")  # noqa: T201


if __name__ == "__main__":
    main()
