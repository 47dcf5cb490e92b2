"""Density: add instances until a limit is reached, and say which.

    ended-limit     as many as the step asked for
    ended-memory    less of the host's memory than the step's reserve would be left
    ended-pids      the same for processes
    ended-disk      the same for room on the disk
    ended-slow      the last start took longer than the step allows
    ended-time      the ramp had used up its time
    ended-failure   an instance could not be started; the failure is a record of its own

The ramp stops before a reserve is touched, and not when the host gives way. Each start-up is a sample with the number
of the instance, so that its growth shows; the slope of the available memory is what one more instance costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import Launched
from vsim.bench.paths import state_dir
from vsim.bench.suites._cost import nothing_runs
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.model.plan import Density, Step
from vsim.samples.summary import slope

__all__ = ["SUITE"]

MIB = 2**20
_MARGIN_BYTES = 64 * MIB
# Instances taken down at a time.
_HANDS = 4


@dataclass(frozen=True, slots=True)
class _Room:
    """What the host has left of each resource."""

    memory: float
    pids: float
    disk: float


class _Density(Suite):
    name = "density"
    headline = ("density_instances", "density_memory_bytes", "density_startup_s")

    def run(self, step: Step, context: Context) -> None:
        assert isinstance(step, Density)
        running: list[Launched] = []
        weighed: list[tuple[float, float]] = []
        try:
            cause = _ramp(step, context, running, weighed)
        finally:
            _take_down(context, running)
        flags = (f"ended-{cause}",)
        if running:
            # None at all is a failure, which is on record, and no density of zero.
            context.record.sample("density_instances", len(running), "1", flags=flags)
        if len(weighed) > 1:
            context.record.sample("density_memory_bytes", -slope(weighed), "bytes", flags=flags)

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, Density)
        # It stops by itself before the host runs short, so what has to fit beforehand is the first instance.
        ramp_s = min(step.limit * 1.2 * driver.typical_start_s, step.time_s + driver.typical_start_s)
        return Demand(
            memory_bytes=driver.overhead_bytes + step.touch_bytes,
            pids=driver.pids_per_instance,
            seconds=1.6 * ramp_s + 0.1 * sum(map(step.weighs_at, range(step.limit + 1))),
        )

    def lack(self, step: Step, driver: Driver) -> str | None:
        return nothing_runs(driver)


def _ramp(step: Density, context: Context, running: list[Launched], weighed: list[tuple[float, float]]) -> str:
    """Start instances one by one into `running` and return the cause that ended it."""
    driver, host = context.driver, context.host
    spec = InstanceSpec(
        arguments=(f"touch={step.touch_bytes}",) if step.touch_bytes else (),
        memory_bytes=step.touch_bytes + _MARGIN_BYTES,
    )
    begin = context.clock()
    at_first = _room(context)
    while True:
        count = len(running)
        if step.weighs_at(count):
            available = host.settled_available_bytes()
            weighed.append((count, available))
            context.record.sample(
                "density_available_bytes", available, "bytes", concurrency=max(1, count), instance=count
            )
        if count == step.limit:
            return "limit"
        if (short := _shortage(step, driver, at_first, _room(context))) is not None:
            return short
        if context.clock() - begin > step.time_s:
            return "time"
        try:
            launched = context.launch(spec)
        except StageError as error:
            context.record.failure(error, instance=count)
            return "failure"
        running.append(launched)
        context.record.sample("density_startup_s", launched.startup_s, "s", instance=count)
        if launched.startup_s > step.slowest_start_s:
            return "slow"


def _room(context: Context) -> _Room:
    host = context.host
    return _Room(host.available_bytes(), host.free_pids(), host.free_disk_bytes(state_dir()))


def _shortage(step: Density, driver: Driver, first: _Room, now: _Room) -> str | None:
    """Return what would be short after one more instance, measured by the room that there was at first."""
    if now.memory - driver.overhead_bytes - step.touch_bytes < step.reserve * first.memory:
        return "memory"
    if now.pids - driver.pids_per_instance < step.reserve * first.pids:
        return "pids"
    if now.disk < step.reserve * first.disk:
        return "disk"
    return None


def _take_down(context: Context, running: Sequence[Launched]) -> None:
    """Remove all instances, some at a time; what can't be removed is tried again when the session closes."""

    def remove(launched: Launched) -> StageError | None:
        try:
            launched.instance.remove()
        except StageError as error:
            return error
        context.session.forget(launched.instance)
        return None

    with ThreadPoolExecutor(max_workers=_HANDS) as pool:
        errors = list(pool.map(remove, running))
    for number, error in enumerate(errors):
        if error is not None:
            context.record.failure(error, instance=number)


SUITE = _Density()
