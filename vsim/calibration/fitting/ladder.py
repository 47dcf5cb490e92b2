"""The ladder: what a start on each rung takes, beyond a process and beyond the rung below, paired within blocks."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from vsim.calibration.fitting.lines import paired_differences
from vsim.calibration.fitting.resampling import mean_interval
from vsim.calibration.fitting.rungs import BELOW
from vsim.calibration.fitting.selection import Block, Selected, by_block

__all__ = ["Rung", "ladder"]

Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Rung:
    """What starts one at a time take on a rung, in seconds: the mean over blocks of their medians, with its interval.

    `beyond_process_s` and `beyond_below_s` are the differences within blocks to a process and to the rung `below`; None
    where that wasn't measured.
    """

    driver: str
    alone_s: Interval
    beyond_process_s: Interval | None
    below: str | None
    beyond_below_s: Interval | None


def ladder(selected: Selected) -> list[Rung]:
    """Return the rungs, the quickest first."""
    medians = {driver: _medians(selected, driver) for driver in selected.drivers}
    found = []
    for driver, own in medians.items():
        if not own:
            continue
        below = BELOW.get(driver)
        rung = Rung(
            driver,
            mean_interval(list(own.values())),
            _difference(own, medians.get("process")) if driver != "process" else None,
            below if below in medians else None,
            _difference(own, medians.get(below)) if below else None,
        )
        found.append(rung)
    return sorted(found, key=lambda rung: rung.alone_s[0])


def _difference(own: dict[Block, float], other: dict[Block, float] | None) -> Interval | None:
    found = paired_differences(own, other) if other else None
    return None if found is None else found[0]


def _medians(selected: Selected, driver: str) -> dict[Block, float]:
    own = (
        s
        for s in selected.of(driver, "startup")
        if s.metric == "startup_s" and s.concurrency == 1 and "cold" not in s.flags
    )
    return {block: statistics.median(s.value for s in samples) for block, samples in by_block(own).items()}
