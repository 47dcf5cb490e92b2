"""A profile of toys and an engine whose answers are worked out by hand: what the experiment layer is tested against."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from tests.engine.toys import SITE, layer, toy_machine
from vsim.engine.run import Replication
from vsim.errors import InputError, Place
from vsim.experiment.runner import Runner
from vsim.model.layer import Layer
from vsim.model.machine import Chassis, Site
from vsim.model.quantity import Quantity, Source
from vsim.model.stack import Architecture, Stack
from vsim.model.workload import Image, Service, Workload
from vsim.scenario.scenario import Run, Scenario

SOURCES = {
    "cpu": Source("published", citation="A. Nonymous, A paper"),
    "disk": Source("assumed", why="nobody measured it"),
    "fixed": Source("measured", run="r1", host="h", date="2024-01-01", n=5),
}


def quantity(name: str, value: float, low: float, high: float) -> Quantity:
    return Quantity(name, value, "1", SOURCES[name.rpartition(".")[2]], low, high)


class ToyProfile:
    """Two stacks `slow` and `fast` on the machine `box`; the engine below reads `max_units` of their layer.

    `slow.cpu` may be 3 to 8 and `fast.disk` 0.9 to 1.2; `slow.fixed` is known for certain.
    """

    name = "toys"
    site: Site = SITE
    chassis: ClassVar[dict[str, Chassis]] = {}
    layers: ClassVar[dict[str, Layer]] = {}

    def __init__(self, **values: float) -> None:
        self.quantities = {
            "slow.cpu": quantity("slow.cpu", 4.0, 3.0, 8.0),
            "slow.fixed": quantity("slow.fixed", 2.0, 2.0, 2.0),
            "fast.disk": quantity("fast.disk", 1.0, 0.9, 1.2),
        }
        for name, value in values.items():
            self.quantities[name] = self.quantities[name].with_value(value)
        self._values = values

    def with_value(self, name: str, value: float) -> ToyProfile:
        return ToyProfile(**{**self._values, name: value})

    def architecture(self, name: str) -> Architecture:
        stack, _, machine = name.partition("@")
        if stack not in ("slow", "fast"):
            raise InputError(f"there is no stack {stack!r}", hint="did you mean 'slow'?")
        limit = self.quantities["slow.cpu" if stack == "slow" else "fast.disk"]
        return Architecture(Stack(stack, stack, (layer(stack, max_units=limit),)), toy_machine(name=machine))

    def used_by(self, architecture: Architecture) -> list[Quantity]:
        return [q for name, q in self.quantities.items() if name.startswith(architecture.stack.name + ".")]


def toy_scenario(*, architectures: Iterable[str] = ("slow@box", "fast@box"), **run: object) -> Scenario:
    services = (Service("web", 2, 1e9, Image("web", 0.0)), Service("db.main", 1, 1e9, Image("db", 0.0)))
    options = {"replications": 3, "duration_s": 10.0, **run}
    return Scenario("toy", "A toy", tuple(architectures), Workload(services), run=Run(**options))  # type: ignore[arg-type]


def noise(scenario: Scenario, replication: int) -> float:
    """A workload that differs by seed and replication: 0 to 1, the same for all architectures."""
    return ((scenario.run.seed * 7919 + replication * 104729 + 13) % 1000) / 1000


def run(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    """start-up = layer's number + noise; hosts = replicas of the first service times the layer's number."""
    number = architecture.max_instances_per_environment
    return Replication(
        {
            "hosts": scenario.workload.services[0].replicas * number,
            "startup_p95_s": number + noise(scenario, replication),
            "cost_per_month": 100.0,
        },
        events=10,
    )


def later_ones_first(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    """The first tasks take longest, so that two processes end them in another order."""
    time.sleep(max(0.0, 0.2 - 0.05 * replication))
    return run(architecture, scenario, site, replication)


def first_is_quick(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    if replication or architecture.name != "slow@box":
        time.sleep(60)
    return run(architecture, scenario, site, replication)


def says_where(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    """The number of the process in place of the number of events."""
    time.sleep(0.01)
    return Replication({}, os.getpid())


def refuses(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    place = Place("scenario.yaml", 3, 4, "   web: {}")
    raise InputError("the machine is too small", place=place, hint="a larger machine")


def always_dies(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("dead")


@dataclasses.dataclass(frozen=True)
class DiesOnce:
    """Kills its own process, once: the file at `marker` says that it has happened."""

    marker: Path

    def __call__(self, architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
        if replication == 2 and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return run(architecture, scenario, site, replication)


def serial() -> Runner:
    return Runner(jobs=1, run=run)
