"""Rough guesses of how much slower work is on some rungs: for budgets and time limits, never for results."""

from __future__ import annotations

from collections.abc import Mapping

from vsim.bench.drivers.interface import Driver

__all__ = ["nothing_runs", "slowdown"]

# by what the driver says about itself -> by kind of work; what isn't named is as fast as on bare metal
_SLOWDOWN: Mapping[str, Mapping[str, float]] = {
    "emulated": {"user": 8, "system_call": 20, "page_fault": 5, "network": 10},
    "paravirtual": {"user": 1, "system_call": 200, "page_fault": 25, "network": 10},
    "foreign-cpu": {"user": 8, "system_call": 4, "page_fault": 2, "network": 3},
    "sandboxed-container": {"user": 1, "system_call": 120, "page_fault": 10, "network": 12},
}


def slowdown(driver: Driver, work: str) -> float:
    """Return how much slower that kind of work is with this driver, roughly and rather too much."""
    traits = (*driver.flags, driver.stack)
    return max((_SLOWDOWN[trait].get(work, 1.0) for trait in traits if trait in _SLOWDOWN), default=1.0)


def nothing_runs(driver: Driver) -> str | None:
    """Return the reason when the driver's instances only seem to run (it measures the harness itself), or None."""
    return "nothing runs in it: it measures what the harness itself costs" if driver.stack == "none" else None
