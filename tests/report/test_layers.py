"""What figures say about layers is what the engine makes of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import vsim
from vsim.calibration import builtin
from vsim.experiment.layout import layout
from vsim.model.stack import Architecture
from vsim.model.workload import Image, Service
from vsim.report.figures import FIGURES
from vsim.report.figures._layers import APPLICATION, limits, memory_by_layer, start_up
from vsim.report.figures.density import Density, _Row
from vsim.report.inputs import Inputs
from vsim.scenario import Scenario, load_scenario

SCENARIO = """\
schema: vsim.scenario/1
title: One service
architectures: [bare-metal@rack-server]
services:
  app:
    replicas: 1
    image: 50 MB
    memory: 700 MiB
    shareable: 25 %
    cpu: 0.05 cores
    startup: {cpu: 200 ms, read: 20 MB}
fleet: {hosts: 1}
start: {hosts_up: all, images: warm}
run: {duration: 1 s, warmup: 0 s, replications: 20}
"""
STACKS = ("bare-metal", "container", "sandboxed-container", "microvm", "vm", "container-in-vm")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path: Path = tmp_path_factory.mktemp("layers") / "one.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return load_scenario(path)


def on(stack: str) -> Architecture:
    return builtin().architecture(f"{stack}@rack-server")


def test_the_memory_of_layers_adds_up_to_the_simulated_overhead(scenario: Scenario) -> None:
    names = [f"{stack}@rack-server" for stack in STACKS]
    result = vsim.simulate(scenario, on=names, replications=1)
    service = scenario.workload.services[0]
    for one in result.architectures:
        architecture = builtin().architecture(one.name)
        parts = memory_by_layer(architecture, service)
        # a guest is whole, though this instance is alone in it
        whole = architecture.guest_memory_bytes * (1 - 1 / architecture.guest_size)
        overhead = sum(part.bytes for part in parts if part.layer != APPLICATION) + whole
        assert overhead == pytest.approx(one.metrics["memory_overhead_bytes"].value, rel=1e-6), one.name


def test_the_stages_add_up_to_the_simulated_start(scenario: Scenario) -> None:
    result = vsim.simulate(scenario, on=[f"{stack}@rack-server" for stack in STACKS])
    for one in result.architectures:
        stages = start_up(builtin().architecture(one.name), scenario.workload.services[0])
        found = one.metrics["startup_p50_s"]
        assert found.low is not None
        assert found.high is not None
        # the mean of twenty starts; stages vary around what the figure shows
        margin = 2 * (found.high - found.low) + 1e-6
        assert sum(stage.seconds for stage in stages) == pytest.approx(found.value, abs=margin), one.name


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(("memory", "cores"), [(700, 0.05), (100, 0.5), (64, 0.0)])
def test_as_many_fit_as_placement_puts_on_one_machine(
    scenario: Scenario, stack: str, memory: float, cores: float
) -> None:
    service = dataclasses.replace(
        scenario.workload.services[0], replicas=3000, memory_bytes=memory * 2**20, cpu_cores=cores, shareable=0.0
    )
    many = dataclasses.replace(scenario, workload=dataclasses.replace(scenario.workload, services=(service,)))
    placed = sum(host.instances for host in layout(many, on(stack)).hosts)
    assert min(limit.instances for limit in limits(on(stack), service)) == placed


def test_without_isolation_that_is_strong_enough_one_fits() -> None:
    service = Service("app", 1, 2**20, Image("app", 0.0))
    found = {limit.what: limit.instances for limit in limits(on("container"), service, "hypervisor")}
    assert found["isolation"] == 1
    assert "isolation" not in {limit.what for limit in limits(on("vm"), service, "hypervisor")}


def test_the_overhead_of_layers_adds_up_to_the_simulated_one(inputs: Inputs) -> None:
    rows = FIGURES["overhead"].table(inputs)[1]
    for one in inputs.result.result.architectures:
        own = [row for row in rows if row[0] == one.name]
        layers = sum(float(row[2] or 0) for row in own if row[1] != "simulated, all layers")
        (simulated,) = (float(row[2] or 0) for row in own if row[1] == "simulated, all layers")
        assert simulated == one.metrics["cpu_overhead_fraction"].value
        # some 240 requests of random size, against their expectation
        assert layers == pytest.approx(simulated, rel=0.25), one.name


@pytest.mark.parametrize(
    ("tightest", "said"),
    [
        ("memory", "40 instances fit on b, 40 times as many as on a: memory is the limit"),
        ("isolation", "40 instances fit on b, 40 times as many as on a, where isolation is the limit"),
    ],
)
def test_a_limit_of_one_architecture_is_not_said_of_both(
    tightest: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [_Row("a@m", ((tightest, 1.0), ("cores", 9.0))), _Row("b@m", (("memory", 40.0), ("cores", 90.0)))]
    monkeypatch.setattr(Density, "rows", lambda self, inputs: rows)
    title = Density().title(None)  # type: ignore[arg-type]
    assert title == said
