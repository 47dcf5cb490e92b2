"""The presets show what they are there to show; one replication each, without requests where they don't matter."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import pytest

from vsim.calibration import builtin
from vsim.engine.run import run_replication
from vsim.scenario import Scenario, load_scenario


def simulated(name: str) -> dict[str, Mapping[str, float]]:
    """Return the metrics of one replication by architecture, in the scenario's order."""
    scenario, profile = load_scenario(name), builtin()
    return {
        architecture: run_replication(profile.architecture(architecture), scenario, profile.site, 0).metrics
        for architecture in scenario.architectures
    }


def increasing(values: list[float]) -> bool:
    return all(a < b for a, b in itertools.pairwise(values))


def test_evolution() -> None:
    tower, blade, vm, container = simulated("evolution").values()
    assert tower["hosts"] == blade["hosts"] == 43
    assert increasing([container["hosts"], vm["hosts"], blade["hosts"]])
    assert increasing([container["rack_units"], vm["rack_units"], blade["rack_units"], tower["rack_units"]])
    assert increasing([container["provision_s"], vm["provision_s"], 7 * 86400, tower["provision_s"]])
    assert increasing([container["startup_p95_s"], vm["startup_p95_s"], tower["startup_p95_s"]])
    assert increasing([container["cost_per_month"], vm["cost_per_month"], blade["cost_per_month"]])
    assert tower["blast_radius_instances"] == 1 < vm["blast_radius_instances"] < container["blast_radius_instances"]
    for metrics in (tower, blade, vm, container):
        assert metrics["unplaced"] == 0
        assert metrics["slo_fraction"] > 0.9
        assert 0.99 < metrics["availability"] <= 1
        assert metrics["latency_p95_s"] < 1


def test_same_hardware() -> None:
    metrics = simulated("same-hardware")
    assert {name.partition("@")[2] for name in metrics} == {"rack-server"}
    # every stack that a server can have: Docker Desktop isn't for servers
    assert set(metrics) == {name for name in builtin().architectures() if name.endswith("@rack-server")}
    bare = metrics["bare-metal@rack-server"]
    for name, found in metrics.items():
        assert found["cpu_overhead_fraction"] >= bare["cpu_overhead_fraction"], name
        assert found["memory_overhead_bytes"] >= bare["memory_overhead_bytes"], name


def test_startup_storm() -> None:
    metrics = simulated("startup-storm")
    for found in metrics.values():
        assert found["instances_per_host"] == 200
    p95 = {name.partition("@")[0]: found["startup_p95_s"] for name, found in metrics.items()}
    assert max(p95["container"], p95["microvm"]) < p95["vm"] / 5


def test_consolidation() -> None:
    bare, vm, container = simulated("consolidation").values()
    assert bare["hosts"] == 60
    assert container["hosts"] <= vm["hosts"] < 10
    for found in (bare, vm, container):
        assert found["unplaced"] == 0
        assert found["slo_fraction"] == 1  # peaks are reserved
    assert vm["energy_wh"] < bare["energy_wh"] / 5


def test_pi_classroom() -> None:
    bare, container, vm, newer = simulated("pi-classroom").values()
    for found in (bare, container, vm, newer):
        assert (found["hosts"], found["unplaced"]) == (4, 0)
    assert increasing([newer["startup_p95_s"], container["startup_p95_s"], vm["startup_p95_s"]])
    assert newer["latency_p95_s"] < container["latency_p95_s"]


def test_blade_failure() -> None:
    bare, vm, container, rack = simulated("blade-failure").values()
    # one blade is a twelfth of the replicas, or all of them; the midplane is all of them; a rack server has none
    assert increasing([vm["availability"], container["availability"], bare["availability"]])
    assert container["availability"] < rack["availability"] < 1
    # All was on one host, and is up again once another one has booted and started it all: out of ten minutes that takes
    # as long as a start on a host that is off. Boots vary by a quarter: the means of a hundred are compared, and
    # requests, which matter to neither, are left out.
    shop, profile = load_scenario("blade-failure"), builtin()
    services = tuple(replace(service, request=None, arrivals=None) for service in shop.workload.services)
    shop = replace(shop, workload=replace(shop.workload, services=services))
    off = replace(shop, start=replace(shop.start, hosts_up="none"), incidents=())
    architecture = profile.architecture("container@rack-server")

    def mean(scenario: Scenario, metric: str) -> float:
        return sum(run_replication(architecture, scenario, profile.site, r).metrics[metric] for r in range(100)) / 100

    assert 1 - mean(shop, "availability") == pytest.approx(mean(off, "startup_p50_s") / 600, abs=0.02)
