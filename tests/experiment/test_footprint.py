"""Layer by layer, the memory of an instance adds up to the metric, and is what the profile states."""

from __future__ import annotations

import dataclasses

import pytest

from vsim.calibration import builtin
from vsim.engine.run import run_replication
from vsim.experiment.footprint import footprint
from vsim.experiment.layout import layout
from vsim.model.quantity import value_of
from vsim.scenario import load_scenario

STACKS = ("bare-metal", "vm", "microvm", "container", "sandboxed-container", "container-in-vm")


@pytest.mark.parametrize("stack", STACKS)
def test_the_layers_add_up_to_the_overhead_that_the_engine_states(stack: str) -> None:
    scenario = load_scenario("evolution")
    quick = tuple(dataclasses.replace(s, request=None, arrivals=None) for s in scenario.workload.services)
    scenario = dataclasses.replace(
        scenario,
        workload=dataclasses.replace(scenario.workload, services=quick),
        reliability=dataclasses.replace(scenario.reliability, years=0.0),
    )
    profile = builtin()
    architecture = profile.architecture(f"{stack}@rack-server")
    rows = footprint(layout(scenario, architecture))
    replicas = sum(service.replicas for service in quick)
    asked = sum(service.replicas * service.memory_bytes for service in quick) / replicas
    total = sum(row.fixed_bytes + row.fraction * asked for row in rows)
    metrics = run_replication(architecture, scenario, profile.site, 0).metrics
    assert total == pytest.approx(metrics["memory_overhead_bytes"], rel=1e-9)
    assert [row.layer for row in rows] == [layer.name for layer in architecture.stack.layers]


def test_what_is_there_once_is_divided_by_hand() -> None:
    profile = builtin()
    scenario = load_scenario("evolution")
    placed = layout(scenario, profile.architecture("vm@rack-server"))
    hosts, instances = len(placed.hosts), 24 + 14 + 5
    layers = {row.layer: row for row in footprint(placed)}
    hypervisor = profile.layers["hypervisor"].memory
    per_guest = value_of(hypervisor.unit_bytes)
    assert layers["hypervisor"].fixed_bytes == pytest.approx(
        hosts * value_of(hypervisor.environment_bytes) / instances + per_guest
    )
    # a guest for each instance: nothing to divide by
    assert layers["guest-os"].fixed_bytes == value_of(profile.layers["guest-os"].memory.environment_bytes)


def test_nothing_placed_has_no_layers() -> None:
    scenario = load_scenario("evolution")
    empty = dataclasses.replace(scenario, workload=dataclasses.replace(scenario.workload, services=()))
    assert footprint(layout(empty, builtin().architecture("vm@rack-server"))) == ()
