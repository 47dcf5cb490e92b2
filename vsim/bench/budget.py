"""The budget: memory, processes, disk and time are counted before anything starts. A host is never taken down."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from vsim.bench.drivers.interface import Driver
from vsim.bench.host import Host
from vsim.bench.paths import state_dir
from vsim.bench.suites import suite_of
from vsim.bench.suites.interface import Demand
from vsim.errors import HostError, InputError
from vsim.model.plan import Plan, Step

__all__ = ["check", "estimate_s", "fit_blocks", "left_out", "work_of"]

# Some room is always left for the rest of the host.
_KEEP_DISK_BYTES = 512 * 2**20
_KEEP_PIDS = 200


def work_of(plan: Plan, drivers: Sequence[Driver]) -> Iterator[tuple[int, Step, Driver]]:
    """Yield what a block consists of: the number of the step, the step, and a driver that can do it."""
    for number, step in enumerate(plan.steps):
        for driver in drivers:
            if suite_of(step).lack(step, driver) is None:
                yield number, step, driver


def left_out(plan: Plan, drivers: Sequence[Driver]) -> Iterator[str]:
    """Yield which steps are left out with which drivers, and why, in words for the record of the run."""
    for number, step in enumerate(plan.steps):
        for driver in drivers:
            reason = suite_of(step).lack(step, driver)
            if reason is not None:
                yield f"step {number + 1} ({step.suite}) with {driver.name}: {reason}"


def estimate_s(plan: Plan, drivers: Sequence[Driver]) -> float:
    """Return how long the plan takes, roughly, in seconds."""
    return plan.all_blocks * _block_s(plan, drivers) + _opening_s(drivers)


def fit_blocks(plan: Plan, drivers: Sequence[Driver]) -> Plan:
    """Return the plan with as many blocks as its time limit has room for, at least one.

    Where there isn't even room for two and the warm-up, the warm-up goes first.
    """
    block = _block_s(plan, drivers)
    room = plan.time_limit_s - _opening_s(drivers)
    fitting = int(room / block) if block > 0 else plan.all_blocks
    if fitting < 2 + plan.warmup_blocks:
        return dataclasses.replace(plan, blocks=min(plan.blocks, max(1, fitting)), warmup_blocks=0)
    return dataclasses.replace(plan, blocks=min(plan.blocks, fitting - plan.warmup_blocks))


def _block_s(plan: Plan, drivers: Sequence[Driver]) -> float:
    return 0.05 + sum(_demand(step, driver).seconds for _, step, driver in work_of(plan, drivers))


def _opening_s(drivers: Sequence[Driver]) -> float:
    return sum(2 * driver.typical_start_s for driver in drivers)


def _demand(step: Step, driver: Driver) -> Demand:
    return suite_of(step).demand(step, driver)


def check(plan: Plan, drivers: Sequence[Driver], host: Host) -> None:
    """Raise HostError when the host has too little of something for the plan, InputError when its time is too short."""
    available = host.available_bytes()
    memory = int(available * plan.memory_fraction)
    pids = max(0, host.free_pids() - _KEEP_PIDS)
    disk = max(0, host.free_disk_bytes(state_dir()) - _KEEP_DISK_BYTES)
    for number, step, driver in work_of(plan, drivers):
        demand = _demand(step, driver)
        what = f"step {number + 1} ({step.suite}) with {driver.name} needs about"
        if demand.memory_bytes > memory:
            raise HostError(
                f"{what} {_mib(demand.memory_bytes)} of memory; {_mib(memory)} may be used "
                f"({plan.memory_fraction:.0%} of the {_mib(available)} that are available)",
                hint="lower the step's count in a plan of your own, leave the driver out, or free memory",
            )
        if demand.pids > pids:
            raise HostError(
                f"{what} {demand.pids} processes; this host has room for {pids}",
                hint="lower the step's count in a plan of your own, or raise kernel.pid_max",
            )
        if demand.disk_bytes > disk:
            raise HostError(
                f"{what} {_mib(demand.disk_bytes)} on the disk of {state_dir()}; {_mib(disk)} may be used",
                hint="free some, or set VSIM_STATE to a directory on another disk",
            )
    seconds = estimate_s(plan, drivers)
    if seconds > plan.time_limit_s:
        raise InputError(
            f"the plan takes about {_minutes(seconds)} here, and its limit is {_minutes(plan.time_limit_s)}",
            hint="name fewer drivers or suites, take fewer --blocks, or raise --time-limit",
        )


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
