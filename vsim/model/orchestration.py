"""How an application of several services is brought up and taken down: order, health checks, and what they cost.

The conditions, and the fields of a health check, are those of the Compose Specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vsim.model.layer import Layer, Stage
from vsim.model.quantity import Quantity
from vsim.model.stack import Architecture, StageOf

__all__ = ["Condition", "HealthCheck", "Launch", "Orchestrator", "Prerequisite", "Supervised", "Supervision"]

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A command that says whether an instance is healthy, and how often it is run. Times in seconds.

    The first run comes `interval_s` after the start, the next one `interval_s` after the end of the one before it;
    while the instance is not healthy yet and its `start_period_s` lasts, `start_interval_s` takes its place (None:
    for an engine that has no such thing). A run that takes longer than `timeout_s` has failed. So many `retries` that
    fail one after another, those in the start period not counted, make the instance unhealthy. `cpu_core_s` and
    `wait_s` are what the command itself takes once it runs.
    """

    interval_s: float
    timeout_s: float
    retries: int
    start_period_s: float = 0.0
    start_interval_s: float | None = None
    cpu_core_s: float = 0.0
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """A service that has to be in the state `condition` before another one starts, if it is `required`."""

    service: str
    condition: Condition
    required: bool = True


@dataclass(frozen=True, slots=True)
class Launch:
    """How one service is brought up and taken down.

    `ends` says that it is a task: it is done, and exits, when its own start-up work is. After being asked to stop it
    takes `stop_s` (None: as long as applications do); it is killed after `stop_grace_s`. `build_s` is how long its
    image is built for on the host, in place of being fetched (None: it is fetched).
    """

    service: str
    after: tuple[Prerequisite, ...] = ()
    check: HealthCheck | None = None
    ends: bool = False
    stop_grace_s: float = 0.0
    stop_s: float | None = None
    build_s: float | None = None


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """What brings an application up: it looks at what a service waits for every `poll_s` seconds.

    `stop_s` is how long applications take to end after they were asked to.
    """

    name: str
    title: str
    poll_s: Quantity
    stop_s: Quantity


@dataclass(frozen=True, slots=True)
class Supervision:
    """What a layer does for what runs on it, besides starting it: run a command in it, stop it, remove it.

    `name` is the layer's. The stages' `per` is as in :class:`vsim.model.layer.Stage`: `unit` for each instance (or
    guest) that the layer created, `environment` once for what the layer runs in (a guest's shutdown).
    """

    name: str
    title: str
    probe: tuple[Stage, ...] = ()
    stop: tuple[Stage, ...] = ()
    remove: tuple[Stage, ...] = ()


class Supervised:
    """The supervision of an architecture: the stages of its layers, in the order in which they happen.

    `probe`, `stop` and `remove` are of an instance, `shut_down` of the guest that it was the last one in. Machines
    stay on.
    """

    def __init__(self, architecture: Architecture, known: Mapping[str, Supervision]) -> None:
        below, above = architecture.stack.below, architecture.stack.above
        upper = above or below
        # a command goes through the layers from below, what ends, ends from above
        self.probe = tuple(_stages(upper, known, "probe", "unit"))
        self.stop = tuple(_stages(upper[::-1], known, "stop", "unit"))
        self.remove = tuple(_stages(upper[::-1], known, "remove", "unit"))
        self.shut_down: tuple[StageOf, ...] = ()
        if above:
            self.shut_down = (
                *_stages(above[::-1], known, "stop", "environment"),
                *_stages(below[::-1], known, "stop", "unit"),
                *_stages(below[::-1], known, "remove", "unit"),
            )


def _stages(layers: tuple[Layer, ...], known: Mapping[str, Supervision], what: str, per: str) -> list[StageOf]:
    found: list[StageOf] = []
    for layer in layers:
        if layer.name in known:
            stages: tuple[Stage, ...] = getattr(known[layer.name], what)
            found += [StageOf(layer.name, stage) for stage in stages if stage.per == per]
    return found
