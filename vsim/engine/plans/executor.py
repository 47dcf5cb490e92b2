"""The executor: blocks in the plan's order, every rung once in each, every record written as soon as it is known.

As on a real host, the rungs of a block take turns in an order that the plan's seed fixes, and blocks that warm up are
flagged. Each step finds an idle host. What a plan says to protect a real host (the memory that it may use, the time
that it may take) doesn't apply: simulated memory and simulated hours cost nothing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vsim.engine.plans import cpu, density, disk, exchange, memory, network, requests, startup
from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.plans.world import StageError, World
from vsim.model.plan import Plan, Step, in_order
from vsim.model.probe import LAUNCH
from vsim.model.quantity import value_of
from vsim.samples.plans import plan_to_data
from vsim.samples.records import Done, Failure, Key, Record, Run, Sample, Samples

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.model.machine import Machine

__all__ = ["SUITES", "Observer", "execute", "gathered", "perform"]

SUITES: Mapping[str, Suite] = MappingProxyType(
    {module.SUITE.name: module.SUITE for module in (startup, memory, cpu, disk, network, exchange, density, requests)}
)
# The moment 0 of simulated time.
_EPOCH = "1970-01-01T00:00:00.000+00:00"
# Samples of one run tell its steps apart by their number; so do the random streams, in the low bits of the seed.
_STEP_BITS = 32

# Is told how many steps of how many are done.
Observer = Callable[[int, int], None]


def perform(plan: Plan, profile: Profile, drivers: Sequence[str], machine: str) -> Samples:
    """Carry `plan` out with the stacks `drivers` on `machine`, both of `profile`, and return the samples.

    Raises InputError for a stack or a machine that the profile doesn't have, or that don't go together.
    """
    records: list[Record] = []
    execute(plan, profile, drivers, machine, records.append)
    return gathered(records)


def gathered(records: Iterable[Record]) -> Samples:
    """Return records as a file of samples holds them."""
    runs: list[Run] = []
    samples: list[Sample] = []
    failures: list[Failure] = []
    done: set[Key] = set()
    for record in records:
        match record:
            case Run():
                runs.append(record)
            case Sample():
                samples.append(record)
            case Failure():
                failures.append(record)
            case Done():
                done.add((record.run_id, record.block, record.step, record.driver))
    return Samples(tuple(runs), tuple(samples), tuple(failures), frozenset(done))


def execute(
    plan: Plan,
    profile: Profile,
    drivers: Sequence[str],
    machine: str,
    write: Callable[[Record], None],
    *,
    stacks: Mapping[str, str] = MappingProxyType({}),
    observer: Observer | None = None,
) -> Run:
    """Carry `plan` out, give each record to `write`, and return the run's.

    `drivers` are stacks of the profile. `stacks` says what samples call the stack of a driver where that isn't the
    driver's own name. One seed of the plan makes one set of records, to the last bit. Raises InputError as
    :func:`perform`.
    """
    rungs = [
        Rung(driver, stacks.get(driver, driver), profile.architecture(f"{driver}@{machine}"), profile.quantities)
        for driver in drivers
    ]
    run = Run(
        run_id=_run_id(plan, profile, rungs, machine),
        world="simulated",
        started=_EPOCH,
        plan=plan_to_data(plan),
        environment=_environment(profile, profile.machines[machine]),
        seed=plan.seed,
        drivers=tuple(drivers),
        left_out=tuple(_left_out(plan, rungs)),
    )
    write(run)
    _Execution(plan, rungs, run.run_id, write, observer).run()
    return run


def _left_out(plan: Plan, rungs: Sequence[Rung]) -> Iterator[str]:
    for number, step in enumerate(plan.steps):
        for rung in rungs:
            reason = SUITES[step.suite].lack(step, rung)
            if reason is not None:
                yield f"step {number + 1} ({step.suite}) with {rung.driver}: {reason}"


def _run_id(plan: Plan, profile: Profile, rungs: Sequence[Rung], machine: str) -> str:
    """Return a name that two runs have in common if, and only if, they are the same."""
    used = {
        quantity.name: (quantity.value, str(quantity.distribution))
        for rung in rungs
        for quantity in profile.used_by(rung.architecture)
    }
    used |= {
        name: (quantity.value, str(quantity.distribution))
        for name, quantity in profile.quantities.items()
        if name.startswith("reference.")
    }
    what = [plan_to_data(plan), machine, [rung.driver for rung in rungs], sorted(used.items()), _version()]
    return "simulated-" + hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def _environment(profile: Profile, machine: Machine) -> dict[str, Any]:
    """Return what the record of a real host calls these things, as far as a machine has them."""
    cores = round(machine.cores.value)
    return {
        "vsim_version": _version(),
        "hostname": machine.name,
        "cpu_model": machine.title,
        "cpu_count": cores,
        "cpu_cores": cores,
        "cpu_usable": cores,
        "memory_bytes": round(machine.memory_bytes.value),
        "profile": profile.name,
    }


def _version() -> str:
    try:
        return importlib.metadata.version("vsim")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


class _Execution:
    def __init__(
        self,
        plan: Plan,
        rungs: Sequence[Rung],
        run_id: str,
        write: Callable[[Record], None],
        observer: Observer | None,
    ) -> None:
        self.plan = plan
        self.rungs = rungs
        self.run_id = run_id
        self.write = write
        self.observer = observer
        self.begun = 0.0
        self.launch_core_s = value_of(rungs[0].quantities.get(LAUNCH)) if rungs else 0.0

    def run(self) -> None:
        work = {
            number: [rung for rung in self.rungs if SUITES[step.suite].lack(step, rung) is None]
            for number, step in enumerate(self.plan.steps)
        }
        known, done = self.plan.all_blocks * sum(map(len, work.values())), 0
        for block in range(self.plan.all_blocks):
            order = 1
            for number, rungs in work.items():
                for rung in in_order(self.plan, block, number, rungs):
                    self._unit(block, order, number, self.plan.steps[number], rung)
                    order += 1
                    done += 1
                    if self.observer is not None:
                        self.observer(done, known)

    def _unit(self, block: int, order: int, number: int, step: Step, rung: Rung) -> None:
        world = World(
            rung.architecture,
            seed=(self.plan.seed << _STEP_BITS) + number,
            replication=block,
            touch_bytes=getattr(step, "touch_bytes", 0),
            launch_core_s=self.launch_core_s,
        )
        recorder = _Recorder(self, world, rung, step.suite, block=block, order=order, step=number)
        try:
            world.run(SUITES[step.suite].run(step, Context(self.plan, block, number, rung, world, recorder)))
        except StageError as error:
            recorder.failure(error)
        self.begun += world.now
        self.write(Done(self.run_id, block, number, rung.driver, self.begun))


class _Recorder:
    """Completes what is found in a step to records."""

    def __init__(
        self, execution: _Execution, world: World, rung: Rung, suite: str, *, block: int, order: int, step: int
    ) -> None:
        self._execution = execution
        self._world = world
        self._at: dict[str, Any] = {
            "run_id": execution.run_id,
            "driver": rung.driver,
            "stack": rung.stack,
            "suite": suite,
            "block": block,
            "order": order,
            "step": step,
        }
        self._flags = ("warmup",) if block < execution.plan.warmup_blocks else ()

    @property
    def _t(self) -> float:
        return self._execution.begun + self._world.now

    def sample(
        self,
        metric: str,
        value: float,
        unit: str,
        *,
        concurrency: int = 1,
        instance: int | None = None,
        flags: Iterable[str] = (),
    ) -> None:
        self._execution.write(
            Sample(
                **self._at,
                metric=metric,
                value=float(value),
                unit=unit,
                concurrency=concurrency,
                instance=instance,
                t=self._t,
                flags=(*self._flags, *flags),
            )
        )

    def failure(self, error: StageError, *, concurrency: int = 1, instance: int | None = None) -> None:
        self._execution.write(
            Failure(
                **self._at,
                stage=error.stage,
                message=error.message,
                concurrency=concurrency,
                instance=instance,
                t=self._t,
                flags=self._flags,
            )
        )
