"""The run: blocks in random order, sessions opened once, every sample written as soon as it is known.

A block runs each step on every rung once. The order is drawn anew for each block and step from the plan's seed, the
block and the step alone, so a resumed run goes on in the order that it would have had.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vsim.bench.budget import work_of
from vsim.bench.canary import CANARY, fork_exec_s
from vsim.bench.drivers.interface import Driver, Session
from vsim.bench.environment.raspberry import Throttling
from vsim.bench.errors import StageError, says
from vsim.bench.host import Host
from vsim.bench.payload import Payload
from vsim.bench.suites import Context, suite_of
from vsim.bench.workspace import Workspace
from vsim.model.plan import Plan, Step, in_order
from vsim.samples.records import Done, Failure, Key, Record, Sample

__all__ = ["Observer", "Outcome", "Runner", "Unit", "schedule"]

# After as many failed steps in a row a rung is given up: its time-outs would cost the others their time.
PATIENCE = 3
# The flag of what was measured while the board had lowered its clock.
THROTTLED = "throttled"

Flags = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One step on one rung in one block; `order` is its place in the block (the canary has place 0)."""

    block: int
    order: int
    number: int
    step: Step
    driver: Driver


class Observer(Protocol):
    """Is told how the run goes: for progress."""

    def begin(self, units: int, blocks: int) -> None:
        """The run begins, with so many units left to do; it has so many blocks in all, with the warm-up."""

    def unit(self, unit: Unit) -> None:
        """This unit begins."""

    def record(self, record: Record) -> None:
        """This record was written."""

    def done(self, unit: Unit) -> None:
        """This unit has ended."""


@dataclass(slots=True)
class Outcome:
    """How a run ended.

    `stopped` says why it ended early, if it did; `given_up` which rungs failed for good, `left_behind` which could not
    take down everything that they had built, and why.
    """

    stopped: str | None = None
    given_up: dict[str, str] = field(default_factory=dict)
    left_behind: dict[str, str] = field(default_factory=dict)


def schedule(plan: Plan, drivers: Sequence[Driver], block: int) -> Iterator[Unit]:
    """Yield the units of a block in their random order."""
    order = 1
    by_step: dict[int, list[tuple[Step, Driver]]] = {}
    for number, step, driver in work_of(plan, drivers):
        by_step.setdefault(number, []).append((step, driver))
    for number, work in by_step.items():
        for step, driver in in_order(plan, block, number, work):
            yield Unit(block, order, number, step, driver)
            order += 1


class Runner:
    """Carries a plan out with some drivers. `write` takes each record; `done` are the units of earlier attempts.

    `elapsed_s` is how long ago the run started, for a run that is resumed.
    """

    def __init__(
        self,
        plan: Plan,
        drivers: Sequence[Driver],
        workspace: Workspace,
        payloads: Callable[[str | None], Payload],
        write: Callable[[Record], None],
        *,
        observer: Observer | None = None,
        done: frozenset[Key] = frozenset(),
        elapsed_s: float = 0.0,
        host: Host | None = None,
        clock: Callable[[], float] = time.monotonic,
        canary: Callable[[], Iterable[float]] | None = None,
        throttling: Callable[[], str | None] | None = None,
    ) -> None:
        self.plan = plan
        self.drivers = tuple(drivers)
        self.workspace = workspace
        self._payloads = payloads
        self._write = write
        self._observer = observer
        self._done = done
        self._host = host or Host()
        self._clock = clock
        self._begun = clock() - elapsed_s
        self._deadline = clock() + plan.time_limit_s
        self._lock = threading.Lock()
        self._canary = canary or (
            lambda: fork_exec_s(self._payloads(None).probe, self.workspace.environment(), times=5)
        )
        # Looked at before the first unit and after each, never while something is timed.
        self._throttling = Throttling(throttling or _firmware)

    @property
    def t(self) -> float:
        """Seconds since the run started."""
        return self._clock() - self._begun

    def emit(self, record: Record) -> None:
        """Write a record and tell the observer; from any thread."""
        with self._lock:
            self._write(record)
            if self._observer is not None:
                self._observer.record(record)

    def run(self) -> Outcome:
        """Run what is left of the plan. An interrupt ends it with every session closed, and goes on upwards."""
        outcome = Outcome()
        sessions: dict[str, Session] = {}
        try:
            self._open(sessions, outcome)
            self._blocks(sessions, outcome)
        finally:
            with _undisturbed():
                for name, session in reversed(sessions.items()):
                    self._close(name, session, outcome)
        return outcome

    def _open(self, sessions: dict[str, Session], outcome: Outcome) -> None:
        for driver in self.drivers:
            try:
                with _in_stage("open"):
                    sessions[driver.name] = driver.open(self.workspace, self._payloads(driver.architecture))
            except StageError as error:
                outcome.given_up[driver.name] = str(error)
                self._outside(driver).failure(error)

    def _close(self, name: str, session: Session, outcome: Outcome) -> None:
        try:
            with _in_stage("close"):
                session.close()
        except StageError as error:
            outcome.left_behind[name] = error.message
            driver = next(driver for driver in self.drivers if driver.name == name)
            self._outside(driver).failure(error)

    def _blocks(self, sessions: dict[str, Session], outcome: Outcome) -> None:
        plan = self.plan
        left = [unit for block in range(plan.all_blocks) for unit in self._left(block, sessions)]
        if self._observer is not None:
            self._observer.begin(len(left), plan.all_blocks)
        failed: dict[str, int] = dict.fromkeys(sessions, 0)
        for block in range(plan.all_blocks):
            units = [unit for unit in left if unit.block == block]
            if units:
                self._sing(block)
            for unit in units:
                name = unit.driver.name
                if name in outcome.given_up:
                    continue
                if self._clock() > self._deadline:
                    outcome.stopped = f"the time limit of {plan.time_limit_s:g} s was reached in block {block + 1}"
                    return
                if self._observer is not None:
                    self._observer.unit(unit)
                error = self._unit(unit, sessions[name])
                failed[name] = failed[name] + 1 if error is not None else 0
                if failed[name] >= PATIENCE:
                    outcome.given_up[name] = str(error)
                if self._observer is not None:
                    self._observer.done(unit)

    def _left(self, block: int, sessions: dict[str, Session]) -> Iterator[Unit]:
        for unit in schedule(self.plan, self.drivers, block):
            key = (self.workspace.run_id, block, unit.number, unit.driver.name)
            if unit.driver.name in sessions and key not in self._done:
                yield unit

    def _sing(self, block: int) -> None:
        """Measure the canary, unless an earlier attempt has done so for this block."""
        run_id = self.workspace.run_id
        if (run_id, block, -1, CANARY) in self._done:
            return
        recorder = _Recorder(self, CANARY, "none", CANARY, block=block, order=0, step=-1, flags=self._flags(block))
        for number, value in enumerate(self._canary()):
            recorder.sample("fork_exec_s", value, "s", instance=number)
        self.emit(Done(run_id, block, -1, CANARY, self.t))

    def _unit(self, unit: Unit, session: Session) -> StageError | None:
        driver = unit.driver
        recorder = _Recorder(
            self,
            driver.name,
            driver.stack,
            unit.step.suite,
            block=unit.block,
            order=unit.order,
            step=unit.number,
            flags=(*self._flags(unit.block), *driver.flags),
        )
        context = Context(driver, session, recorder, self._host, self._clock, seed=self.plan.seed, block=unit.block)
        ended: StageError | None = None
        try:
            with _in_stage("work"):
                suite_of(unit.step).run(unit.step, context)
        except StageError as error:
            recorder.failure(error)
            ended = error
        lowered = self._throttling.look()
        if lowered and THROTTLED not in recorder.flags:
            recorder.throttled(lowered)
        # Samples of this unit are whole from here on; without this line a resumed run measures it again.
        self.emit(Done(self.workspace.run_id, unit.block, unit.number, driver.name, self.t))
        # What was noted down before a step had to be given up is no sign that the rung works.
        return ended or (recorder.last_failure if not recorder.samples else None)

    def _flags(self, block: int) -> Flags:
        warmup = ("warmup",) if block < self.plan.warmup_blocks else ()
        return (*warmup, THROTTLED) if self._throttling.now else warmup

    def _outside(self, driver: Driver) -> _Recorder:
        """Return the recorder for what happens to a driver outside of any unit."""
        return _Recorder(self, driver.name, driver.stack, "", block=-1, order=0, step=-1, flags=driver.flags)


class _Recorder:
    """Completes what is found in a unit, or by a driver outside of any, to records."""

    def __init__(
        self, runner: Runner, driver: str, stack: str, suite: str, *, block: int, order: int, step: int, flags: Flags
    ) -> None:
        self._runner = runner
        self._at: dict[str, Any] = {
            "run_id": runner.workspace.run_id,
            "driver": driver,
            "stack": stack,
            "suite": suite,
            "block": block,
            "order": order,
            "step": step,
        }
        self.flags = flags
        self.samples = 0
        self.last_failure: StageError | None = None

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
        self.samples += 1
        self._runner.emit(
            Sample(
                **self._at,
                metric=metric,
                value=float(value),
                unit=unit,
                concurrency=concurrency,
                instance=instance,
                t=self._runner.t,
                flags=(*self.flags, *flags),
            )
        )

    def failure(self, error: StageError, *, concurrency: int = 1, instance: int | None = None) -> None:
        self.last_failure = error
        self._fail(error, concurrency, instance, self.flags)

    def throttled(self, states: Iterable[str]) -> None:
        """Note down that the clock was lowered meanwhile: the samples of this unit are written, and don't say so."""
        said = StageError("work", f"the board lowered its clock: {', '.join(states)}")
        self._fail(said, 1, None, (*self.flags, THROTTLED))

    def _fail(self, error: StageError, concurrency: int, instance: int | None, flags: Flags) -> None:
        self._runner.emit(
            Failure(
                **self._at,
                stage=error.stage,
                message=error.message,
                concurrency=concurrency,
                instance=instance,
                t=self._runner.t,
                flags=flags,
            )
        )


def _firmware() -> str | None:
    from vsim.bench.environment.commands import ask

    return ask(("vcgencmd", "get_throttled"))


@contextlib.contextmanager
def _in_stage(stage: str) -> Iterator[None]:
    """Turn what the system refuses (mostly for want of room) into a failure of that stage."""
    try:
        yield
    except OSError as error:
        raise StageError(stage, says(error)) from None


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep further Ctrl-C away while instances are taken down: the first one already ends the run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: a handler that wasn't set from Python can't be put back
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
