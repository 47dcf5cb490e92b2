"""One replication: a scenario on one architecture, in simulated time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsim.model.machine import Site
from vsim.model.stack import Architecture
from vsim.scenario.scenario import Scenario

__all__ = ["Replication", "run_replication"]


@dataclass(frozen=True, slots=True)
class Replication:
    """What one replication yields: one value per metric (names and units of the design), and the events it took.

    A metric that doesn't apply to the scenario (latency without requests) is absent, not zero.
    """

    metrics: Mapping[str, float]
    events: int


def run_replication(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    """Simulate `scenario` on `architecture`; the replication's number and the scenario's seed fix every random draw.

    Two architectures with the same seed and replication number see the same workload.
    """
    raise AssertionError("written next")
