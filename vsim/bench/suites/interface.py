"""What a suite is: one module with a SUITE, found by `vsim.bench.suites`.

A suite turns a step of a plan into instances of one driver's session and writes down what it measures. It raises
StageError for what goes wrong: the runner records it with the stage.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from vsim.bench.drivers.interface import Driver, InstanceSpec, Session
from vsim.bench.errors import StageError
from vsim.bench.host import Host
from vsim.bench.lifecycle import Launched, Retired, launch, retire
from vsim.model.plan import Step

__all__ = ["Context", "Demand", "Recorder", "Suite"]


class Recorder(Protocol):
    """Takes what a suite has found; the runner completes it to a record."""

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
        """Write one value down, in the base unit `unit`."""

    def failure(self, error: StageError, *, concurrency: int = 1, instance: int | None = None) -> None:
        """Write down what went wrong; for a suite that goes on after it."""


@dataclass(frozen=True)
class Context:
    """Where a step runs: a driver's session on a host, a place for the results, and the clock.

    `seed` is the plan's and `block` the number of the block: what a suite draws at random depends on these two and on
    the step, so that all rungs of a block get the same.
    """

    driver: Driver
    session: Session
    record: Recorder
    host: Host
    clock: Callable[[], float] = time.monotonic
    seed: int = 1
    block: int = 0

    def launch(self, spec: InstanceSpec) -> Launched:
        """Create and start an instance and wait until it is ready."""
        return launch(self.session, spec, timeout_s=self.driver.start_timeout_s, clock=self.clock)

    def retire(self, launched: Launched) -> Retired:
        """Stop and remove it."""
        return retire(self.session, launched.instance, clock=self.clock)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a step needs at once, roughly and rather too much: the budget is checked with it before anything starts."""

    memory_bytes: int = 0
    pids: int = 0
    disk_bytes: int = 0
    seconds: float = 0.0


class Suite(ABC):
    """Steps of one kind."""

    name: str
    # Shown in the summary, in this order.
    headline: tuple[str, ...] = ()

    @abstractmethod
    def run(self, step: Step, context: Context) -> None:
        """Carry the step out with the context's driver. Leaves no instance behind, whatever happens."""

    @abstractmethod
    def demand(self, step: Step, driver: Driver) -> Demand:
        """Return what the step needs with this driver."""

    def lack(self, step: Step, driver: Driver) -> str | None:
        """Return why this driver can't do the step (it is then left out), or None."""
        return None
