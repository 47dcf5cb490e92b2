"""What a simulated suite is: one module with a SUITE, named like the plan's steps that it carries out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from vsim.engine.plans.rung import Rung
from vsim.engine.plans.world import StageError, World
from vsim.engine.script import Steps
from vsim.engine.variates import Factors, Purpose, factors, stream
from vsim.model.plan import Plan, Step

__all__ = ["Context", "Recorder", "Suite"]


class Recorder(Protocol):
    """Takes what a suite has found; the executor completes it to a record."""

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
        """Write one value down, in the base unit `unit`, at the moment that it is now."""

    def failure(self, error: StageError, *, concurrency: int = 1, instance: int | None = None) -> None:
        """Write down what went wrong; for a suite that goes on after it."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a step runs: a rung, an idle host of it, a place for the results, and random numbers.

    These depend on the plan's seed, the block and the number of the step, and not on the rung: all rungs of a block
    draw the same ones.
    """

    plan: Plan
    block: int
    number: int
    rung: Rung
    world: World
    record: Recorder
    _streams: dict[Purpose, np.random.Generator] = field(default_factory=dict)

    def draws(self, name: str, purpose: Purpose = "demands") -> Factors:
        """Return a supply of values of the profile's quantity `name`. Raises KeyError when it doesn't have it."""
        quantity = self.rung.quantities[name]
        if quantity.distribution is None:
            return Factors(lambda n: np.full(n, quantity.value))
        if purpose not in self._streams:
            self._streams[purpose] = stream(self.plan.seed, self.block, purpose, self.number)
        supply = factors(quantity.distribution, self._streams[purpose])
        return Factors(lambda n: np.array([quantity.value * supply() for _ in range(n)]))


class Suite(ABC):
    """Steps of one kind."""

    name: str

    @abstractmethod
    def run(self, step: Step, context: Context) -> Steps:
        """Carry the step out, in the context's world. Raises StageError for what ends it."""

    def lack(self, step: Step, rung: Rung) -> str | None:
        """Return why the step can't be carried out on this rung (it is then left out), or None."""
        return None
