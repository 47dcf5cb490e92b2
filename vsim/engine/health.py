"""Health checks of one instance, as Docker Engine makes them (moby, ``daemon/health.go``)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Literal

import simpy

from vsim.engine.host import Host
from vsim.engine.launched import Launched
from vsim.engine.script import Step, Steps
from vsim.engine.startup import stage_steps
from vsim.errors import InputError
from vsim.model.orchestration import HealthCheck

if TYPE_CHECKING:
    from vsim.engine.startup import _StageCost

__all__ = ["monitor"]

# An instance that isn't healthy after so many checks is no case for a simulation; after so many more that it has
# passed, they tell nothing new.
_MOST_CHECKS = 10_000
_ENOUGH_CHECKS = 1000


def monitor(unit: Launched, check: HealthCheck, probe: Sequence[_StageCost], work_core_s: float) -> Steps:
    """Check an instance again and again, as long as it runs.

    `probe` is what the layers take to run a command in it, `work_core_s` the command's own CPU work on this machine.
    Raises InputError when it would be checked more than ten thousand times before it is healthy.
    """
    host = unit.instance.host
    assert host is not None
    env = host.env
    started = env.now
    failures = checks = passed = 0
    while passed < _ENOUGH_CHECKS:
        yield simpy.Timeout(env, _interval(check, env.now - started, unit.health == "starting")), None
        begin = env.now
        if (yield from _passes(unit, check, probe, work_core_s, host)):
            failures, passed = 0, passed + 1
            _become(unit, "healthy")
            continue
        checks += 1
        if unit.health != "starting" or begin - started >= check.start_period_s:
            failures += 1
        if failures >= check.retries:
            _become(unit, "unhealthy")
            if unit.ready_s is not None:  # the check itself takes too long: it will hardly pass later
                unit.span("check")
                unit.settle("unhealthy")
        if checks >= _MOST_CHECKS:
            raise InputError(
                f"the health of {unit.launch.service!r} would be checked more than {_MOST_CHECKS:,} times in vain",
                hint="state a longer `interval`, or a shorter start in `x-vsim`",
            )


def _interval(check: HealthCheck, elapsed: float, starting: bool) -> float:
    """Return how long the engine waits before the next check."""
    if check.start_interval_s is not None and starting and elapsed < check.start_period_s:
        return check.start_interval_s
    return check.interval_s


def _become(unit: Launched, health: Literal["healthy", "unhealthy"]) -> None:
    if unit.health == health:
        return
    unit.health = health
    if health == "healthy":
        unit.span("check")
        unit.settle("healthy")
    unit.change()


def _passes(
    unit: Launched, check: HealthCheck, probe: Sequence[_StageCost], work_core_s: float, host: Host
) -> Generator[Step, None, bool]:
    """Run the command of a check once; return whether it says, in time, that all is well.

    It sees the state of the application when it begins to run. What the engine does before that doesn't count as its
    time.
    """
    env = host.env
    for stage in probe:
        yield from stage_steps(host, stage)
    well = unit.ready_s is not None
    left = check.timeout_s
    if check.wait_s:
        yield simpy.Timeout(env, min(check.wait_s, left)), None
        left -= check.wait_s
    if left <= 0:
        return False
    if work_core_s:
        done = host.cpu.submit(work_core_s)
        yield simpy.AnyOf(env, [done, simpy.Timeout(env, left)]), None
        if not done.triggered:
            host.cpu.cancel(done)
            return False
    return well
