"""The stages of one start, against what the engine takes for the same start, and by hand."""

from __future__ import annotations

import dataclasses
import math
from statistics import mean, stdev

import pytest
import simpy

from vsim.calibration import builtin
from vsim.engine.cluster import Cluster
from vsim.experiment.start_stages import start_stages
from vsim.model.workload import Image, Service, Workload
from vsim.scenario.scenario import Fleet, Run, Scenario, Start

SERVICE = Service(
    name="web",
    replicas=1,
    memory_bytes=256 * 2**20,
    image=Image("web", 120e6),
    startup_core_s=0.5,
    startup_wait_s=0.25,
    startup_read_bytes=20e6,
)
STACKS = ("bare-metal", "vm", "microvm", "container", "sandboxed-container", "container-in-vm")


def scenario(**start: object) -> Scenario:
    return Scenario(
        name="one",
        title="One start",
        architectures=(),
        workload=Workload(services=(SERVICE,)),
        fleet=Fleet(isolation="namespace"),
        start=Start(**start),  # type: ignore[arg-type]
        run=Run(duration_s=1.0, warmup_s=0.0),
    )


@pytest.mark.parametrize("images", ["warm", "cold"])
@pytest.mark.parametrize("stack", STACKS)
def test_the_stages_add_up_to_the_mean_of_the_engine(stack: str, images: str) -> None:
    one = scenario(hosts_up="shared", images=images)
    architecture = builtin().architecture(f"{stack}@rack-server")
    taken = []
    for replication in range(200):
        cluster = Cluster(simpy.Environment(), architecture, one, replication)
        cluster.place_all()
        cluster.start_up()
        taken.append(cluster.services[0].instances[0].start_s)
    stages = start_stages(one, architecture, SERVICE)
    error = stdev(taken) / math.sqrt(len(taken))
    # the seeds are fixed: 4.5 standard errors are never reached by luck here
    assert sum(stage.seconds for stage in stages) == pytest.approx(mean(taken), abs=4.5 * error + 1e-9)


def test_a_start_by_hand() -> None:
    profile = builtin()
    machine = profile.machines["rack-server"]
    stages = start_stages(scenario(), profile.architecture("bare-metal@rack-server"), SERVICE)
    assert [stage.stage for stage in stages] == ["exec", "application"]
    application = stages[-1]
    # rack-server is the reference: its cores have speed 1, and bare metal slows nothing down
    assert application.cpu_s == pytest.approx(0.5)
    assert application.wait_s == 0.25
    assert application.disk_s == pytest.approx(20e6 / machine.disk.read_bytes_per_s.value)
    assert application.pull_s == 0
    assert application.layer == "web"


def test_a_host_that_is_off_boots_first_and_cold_images_are_fetched() -> None:
    architecture = builtin().architecture("container@rack-server")
    up = [s.stage for s in start_stages(scenario(), architecture, SERVICE)]
    off = [s.stage for s in start_stages(scenario(hosts_up="none"), architecture, SERVICE)]
    cold = start_stages(scenario(images="cold"), architecture, SERVICE)
    assert off[-len(up) :] == up
    assert off[: -len(up)], "a boot has stages"
    assert {"host-os", "rack-server"} <= {
        s.layer for s in start_stages(scenario(hosts_up="none"), architecture, SERVICE)
    }
    pulled = sum(stage.pull_s for stage in cold)
    assert pulled == pytest.approx(120e6 / architecture.machine.link.bytes_per_s.value)
    assert sum(stage.pull_s for stage in start_stages(scenario(), architecture, SERVICE)) == 0


def test_where_a_machine_of_its_own_boots_with_the_instance() -> None:
    # a process isn't kept apart as well as the scenario wants, so it has the machine to itself; a container is
    shared = scenario(hosts_up="shared")
    for stack, boots in (("bare-metal", True), ("container", False)):
        stages = start_stages(shared, builtin().architecture(f"{stack}@rack-server"), SERVICE)
        assert any(stage.layer == "rack-server" for stage in stages) is boots


def test_slow_cores_take_longer() -> None:
    slow = dataclasses.replace(SERVICE, startup_wait_s=0.0, startup_read_bytes=0.0)
    profile = builtin().with_value("raspberry-pi-4.core_speed", 0.25)
    stages = start_stages(scenario(), profile.architecture("bare-metal@raspberry-pi-4"), slow)
    assert stages[-1].seconds == pytest.approx(0.5 / 0.25)
