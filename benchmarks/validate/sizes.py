"""What is measured, and which part of it is predicted: in full, and in the sizes of a test."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from vsim.model.plan import Density, DriveCpu, DriveNetwork, OfferRequests, Plan, Start
from vsim.scenario.plan_file import read_plan

__all__ = ["FULL", "QUICK", "Sizes"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sizes:
    """The plans with their drivers; `levels` and `instances` are the most that calibration sees of them.

    `requests` is the plan at low load; its last step is what is offered at `loads`, fractions of each rung's capacity.
    """

    startup: Plan
    startup_drivers: tuple[str, ...]
    levels: int
    density: Plan
    density_drivers: tuple[str, ...]
    instances: int
    requests: Plan
    requests_drivers: tuple[str, ...]
    loads: tuple[float, ...]

    @property
    def limit(self) -> int:
        """With how many instances the longest ramp ends."""
        return max(step.limit for step in self.density.steps if isinstance(step, Density))


FULL = Sizes(
    startup=read_plan(str(_HERE / "startup.yaml")),
    startup_drivers=("process", "runc", "docker", "gvisor", "uml"),
    levels=4,
    density=read_plan(str(_HERE / "density.yaml")),
    density_drivers=("docker",),
    instances=40,
    requests=read_plan(str(_HERE / "requests.yaml")),
    requests_drivers=("process", "docker", "docker-runsc"),
    loads=(0.3, 0.6, 0.8),
)

# Whether the loop closes, not how well: on a host that does other things meanwhile.
QUICK = Sizes(
    startup=dataclasses.replace(FULL.startup, steps=(Start(2, 1), Start(4, 2), Start(8, 4)), blocks=3, warmup_blocks=0),
    startup_drivers=("process", "runc", "docker"),
    levels=2,
    # A rung that starts so fast that the ramp ends within its time on a busy host, too.
    density=dataclasses.replace(FULL.density, steps=(Density(limit=4), Density(limit=8)), blocks=3),
    density_drivers=("runc",),
    instances=4,
    requests=dataclasses.replace(
        FULL.requests,
        steps=(
            DriveCpu(operations=5_000_000),
            DriveNetwork(mode="host", round_trips=200, bytes=2**20),
            DriveNetwork(mode="bridge", round_trips=200, bytes=2**20),
            OfferRequests(rate_per_s=100, duration_s=2, operations=1_000_000, arrivals="poisson"),
        ),
        blocks=3,
        warmup_blocks=0,
    ),
    requests_drivers=("process", "docker"),
    loads=(0.5,),
)
