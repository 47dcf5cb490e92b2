"""One start, alone on its machine, stage by stage: what each layer does, in order, and how long it takes.

Every stage is at the mean of its costs, and nothing else runs: no start waits for another one. In the engine the costs
vary around these means, and starts contend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vsim.engine.host import Hardware
from vsim.engine.startup import StartPlan
from vsim.model.layer import BOUNDARIES
from vsim.model.stack import Architecture
from vsim.model.workload import Service
from vsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from vsim.engine.startup import _StageCost

__all__ = ["StageTime", "stages_of", "start_stages"]


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage: the layer (or machine, or service) that it belongs to, and its seconds by what they are spent on.

    `application`: it is the service itself that gets ready.
    """

    layer: str
    stage: str
    wait_s: float
    pull_s: float
    disk_s: float
    cpu_s: float
    application: bool = False

    @property
    def seconds(self) -> float:
        """How long the stage takes."""
        return self.wait_s + self.pull_s + self.disk_s + self.cpu_s


def start_stages(scenario: Scenario, architecture: Architecture, service: Service) -> tuple[StageTime, ...]:
    """Return the stages of one start of `service` on `architecture`, as `scenario` starts its first instance there.

    A host that isn't up by then boots first; images are fetched where the scenario says that they are cold. Stages that
    take no time are left out.
    """
    dedicated = BOUNDARIES.index(architecture.boundary) < BOUNDARIES.index(scenario.fleet.isolation)
    policy = scenario.start
    up = policy.hosts_up == "all" or (policy.hosts_up == "shared" and not dedicated)
    return stages_of(architecture, service, boot=not up, cold=policy.images == "cold")


def stages_of(
    architecture: Architecture, service: Service, *, boot: bool = False, cold: bool = False
) -> tuple[StageTime, ...]:
    """Return the stages of one start on a machine of its own that runs, unless it is to `boot`, and has the image.

    `cold`: it doesn't, and fetches it. Stages that take no time are left out.
    """
    hardware = Hardware(architecture)
    # the generator is for the factors around the means, which nothing is drawn from here
    plan = StartPlan(architecture, service, hardware, np.random.default_rng(0))
    stages: list[_StageCost] = [
        *(plan.boot if boot else ()),
        *(plan.host_image if cold else ()),
        *plan.guest,
        *(plan.guest_image if cold else ()),
        *plan.unit,
        *(() if plan.app is None else (plan.app,)),
    ]
    cores = max(0.0, hardware.cores - architecture.host_cores - architecture.guest_cores - architecture.instance_cores)
    return tuple(_times(stages, hardware, cores, plan.app))


def _times(
    stages: Iterable[_StageCost], hardware: Hardware, cores: float, app: _StageCost | None
) -> Iterator[StageTime]:
    for stage in stages:
        most = min(cores, 1.0 if stage.cores is None else stage.cores)
        time = StageTime(
            layer=stage.layer,
            stage=stage.name,
            wait_s=_mean(stage.wait_s),
            pull_s=_mean(stage.pull_bytes) / hardware.link_bytes_per_s,
            disk_s=_mean(stage.disk_s),
            cpu_s=_mean(stage.cpu_core_s) / most,
            application=stage is app,
        )
        if time.seconds > 0:
            yield time


def _mean(amounts: tuple[tuple[float, object], ...]) -> float:
    """Return the sum of the costs; the factors that they vary by have the mean 1."""
    return sum(value for value, _ in amounts)
