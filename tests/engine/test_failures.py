"""Failures in the middle of things: starts, pulls, sections and requests are left in order."""

from __future__ import annotations

import simpy

from tests.engine.toys import SITE, architecture, layer, q, scenario, service, toy_chassis, toy_machine, toy_part
from vsim.engine.cluster import Cluster
from vsim.engine.failures import Failures
from vsim.engine.run import run_replication
from vsim.model.layer import Failure, MemoryCost, Stage
from vsim.model.workload import Arrivals, Image, Request
from vsim.scenario.scenario import Fleet, Incident, Reliability, Run, Start


def started(arch, scen, until: float | None = None) -> Cluster:
    env = simpy.Environment()
    cluster = Cluster(env, arch, scen, 0)
    cluster.place_all()
    cluster.start_all()
    env.run(until)
    return cluster


def test_memory_returns_to_its_baseline_after_a_failure():
    arch = architecture(layer(memory=MemoryCost(environment_bytes=q(1e9))))
    cluster = started(arch, scenario(service(replicas=3)))
    host = cluster.hosts[0]
    full = host.used_bytes
    cluster.take_host_down(host)
    assert host.used_bytes == 1e9
    cluster.bring_back(host)
    cluster.env.run()
    assert host.used_bytes == full
    assert all(instance.state == "up" for instance in host.instances)


def test_a_failure_during_a_pull_lets_the_next_start_pull_again():
    arch = architecture(layer(startup=(Stage("pull", per="image", image_pull=q(1)),)))
    scen = scenario(service(replicas=3, image=Image("web", 10e9)), start=Start(images="cold"))
    cluster = started(arch, scen, until=5)
    host = cluster.hosts[0]
    cluster.take_host_down(host)
    cluster.env.run(until=6)
    cluster.bring_back(host)
    cluster.env.run()
    # 10 GB at 1 GB/s, anew from 6 s on
    assert cluster.env.now == 16
    assert [instance.start_s for instance in host.instances] == [10, 10, 10]


def test_an_instance_that_fails_in_a_section_or_its_queue_leaves_it():
    arch = architecture(layer(startup=(Stage("lock", wait_s=q(10), section="store"),)))
    cluster = started(arch, scenario(service(replicas=4)), until=5)
    first, second, third, fourth = cluster.hosts[0].instances
    cluster.take_down(first)  # is in the section: the second enters at 5
    cluster.take_down(third)  # is in the queue: the fourth is next at 15
    cluster.env.run()
    assert (second.start_s, fourth.start_s) == (15, 25)
    assert first.start_s is None
    assert third.start_s is None


def test_starts_that_wait_for_a_slot_survive_the_loss_of_another():
    arch = architecture(layer(startup=(Stage("create", wait_s=q(10)),)))
    cluster = started(arch, scenario(service(replicas=3), start=Start(concurrency=1)), until=5)
    first, second, third = cluster.hosts[0].instances
    cluster.take_down(second)
    cluster.take_down(first)
    cluster.env.run()
    assert third.start_s == 15


def test_a_guest_that_crashes_takes_its_instances_and_no_others():
    # The layer that opens guests runs on the host: its units are the guests.
    guest = layer("guest", opens_guest=True, failure=Failure(per_year=q(1), kills="unit"))
    arch = architecture(guest, layer("engine"), guest_size=2)
    cluster = started(arch, scenario(service(replicas=4)))
    Failures(cluster).incident(Incident("guest", at_s=0))
    down = [instance.number for instance in cluster.hosts[0].instances if instance.state == "down"]
    assert down == [0, 1]
    cluster.env.run()
    assert all(instance.state == "up" for instance in cluster.hosts[0].instances)


def test_a_kernel_in_a_guest_that_crashes_takes_that_guest():
    # A layer above the opener has the guest as its environment.
    kernel = layer("kernel", failure=Failure(per_year=q(1), kills="environment"))
    arch = architecture(layer("monitor", opens_guest=True), kernel, layer("engine"), guest_size=2)
    cluster = started(arch, scenario(service(replicas=4)))
    Failures(cluster).incident(Incident("kernel", at_s=0))
    down = [instance.number for instance in cluster.hosts[0].instances if instance.state == "down"]
    assert down == [0, 1]


def test_a_hypervisor_that_crashes_takes_its_host_and_all_guests():
    hypervisor = layer("hypervisor", opens_guest=True, failure=Failure(per_year=q(1), kills="environment"))
    arch = architecture(hypervisor, layer("engine"), guest_size=2)
    cluster = started(arch, scenario(service(replicas=4)))
    Failures(cluster).incident(Incident("hypervisor", at_s=0))
    host = cluster.hosts[0]
    assert host.state == "down"
    assert {instance.state for instance in host.instances} == {"down"}
    cluster.env.run()
    assert host.state == "up"
    assert {instance.state for instance in host.instances} == {"up"}


def test_a_crash_of_an_engine_takes_all_that_it_runs():
    engine = layer("engine", failure=Failure(per_year=q(1), kills="environment"))
    arch = architecture(engine, layer("process"))
    cluster = started(arch, scenario(service(replicas=3)))
    Failures(cluster).incident(Incident("engine", at_s=0))
    assert {instance.state for instance in cluster.hosts[0].instances} == {"down"}


def test_a_blade_that_failed_by_itself_stays_down_when_its_chassis_is_back():
    machine = toy_machine(chassis=toy_chassis(psu=toy_part(1, 1, 0, 10)), repair_s=q(100))
    arch = architecture(layer(boundary="process"), machine=machine)
    cluster = started(arch, scenario(service(replicas=2), fleet=Fleet(isolation="namespace")))
    failures = Failures(cluster)
    failures.incident(Incident("machine", at_s=0))
    failures.incident(Incident("psu", at_s=0, repair_s=10))
    assert [host.state for host in cluster.hosts] == ["down", "down"]
    cluster.env.run(until=20)
    assert [host.state for host in cluster.hosts] == ["down", "up"]
    cluster.env.run()
    assert [host.state for host in cluster.hosts] == ["up", "up"]


def test_nothing_is_lost_when_everything_fails_all_the_time():
    """Submitted = answered + failed, whatever fails when; `run_replication` asserts it at its end."""
    guest = layer(
        "guest",
        opens_guest=True,
        startup=(Stage("boot", wait_s=q(3), cpu_core_s=q(1)),),
        failure=Failure(per_year=q(1), kills="unit", repair_s=q(1)),
    )
    process = layer("process", startup=(Stage("exec", cpu_core_s=q(0.5), section="lock"),))
    arch = architecture(guest, process, guest_size=2)
    request = Request(user_core_s=0.5, disk_reads=5, receive_bytes=1e8, send_bytes=1e8)
    web = service(
        replicas=6,
        memory_bytes=1e8,
        request=request,
        arrivals=Arrivals("bursty", 10),
        cpu_limit_cores=1,
        slo_s=1,
    )
    incidents = tuple(Incident(what, at_s=at, repair_s=3) for at in range(5, 95, 5) for what in ("machine", "guest"))
    metrics = run_replication(arch, scenario(web, incidents=incidents), SITE, 0).metrics
    assert 0 < metrics["slo_fraction"] < 1
    assert 0 < metrics["availability"] < 1


def test_failures_of_the_hardware_are_the_same_for_all_stacks():
    """The same machines fail at the same times: the availability of two equal stacks is equal, not only alike."""
    machine = toy_machine(failures_per_year=q(10), repair_s=q(86400, cv=1.0))
    scen = scenario(
        service(replicas=3, needs=3),
        fleet=Fleet(isolation="namespace"),
        reliability=Reliability(years=20),
        run=Run(duration_s=1, warmup_s=0, replications=1),
    )
    first = run_replication(architecture(layer("a"), machine=machine), scen, SITE, 0).metrics["availability"]
    second = run_replication(architecture(layer("b"), machine=machine), scen, SITE, 0).metrics["availability"]
    assert first == second < 1
