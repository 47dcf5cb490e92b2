"""Whole replications on toys: every expected value is worked out in the comment next to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.toys import (
    GIB,
    SITE,
    architecture,
    layer,
    q,
    scenario,
    service,
    toy_chassis,
    toy_machine,
    toy_part,
)
from vsim.engine.run import run_replication
from vsim.errors import InputError
from vsim.model.layer import CpuCost, Failure, MemoryCost, Stage
from vsim.model.workload import Arrivals, Image, Job, Request, Workload
from vsim.scenario.scenario import Fleet, Incident, Reliability, Run, Start


def run(arch, scen, replication: int = 0) -> dict[str, float]:
    return dict(run_replication(arch, scen, SITE, replication).metrics)


def test_memory_decides_how_many_hosts():
    # 8 GiB machine, 1 GiB for the host's layer, 2 GiB + 0.5 GiB of layer per instance: 7 / 2.5 = 2 instances a host
    arch = architecture(layer(memory=MemoryCost(environment_bytes=q(GIB), unit_bytes=q(GIB / 2))))
    metrics = run(arch, scenario(service(replicas=5, memory_bytes=2 * GIB)))
    assert metrics["hosts"] == 3
    assert metrics["instances_per_host"] == pytest.approx(5 / 3)
    # three hosts' gigabyte and five halves, over five instances
    assert metrics["memory_overhead_bytes"] == pytest.approx((3 + 2.5) * GIB / 5)
    assert metrics["blast_radius_instances"] == 2


def test_equal_instances_share_pages_once_per_host():
    # 3 GiB each, of which half is shared: 3 + 1.5 + 1.5 + 1.5 = 7.5 GiB for four, and a fifth would need 9.
    # Placement asks for the whole 3 GiB before it counts what is shared, so the fourth (6 + 3 > 8) goes elsewhere.
    arch = architecture(layer())
    metrics = run(arch, scenario(service(replicas=4, memory_bytes=3 * GIB, shareable=0.5)))
    assert metrics["hosts"] == 2
    alone = architecture(layer(memory=MemoryCost(sharing=q(0))))
    metrics = run(alone, scenario(service(replicas=4, memory_bytes=3 * GIB, shareable=0.5)))
    assert metrics["hosts"] == 2


def test_a_weak_boundary_gives_every_instance_a_host_of_its_own():
    weak = architecture(layer(boundary="process"))
    strong = architecture(layer(boundary="namespace"))
    scen = scenario(service(replicas=4), fleet=Fleet(isolation="namespace"))
    assert run(weak, scen)["hosts"] == 4
    assert run(strong, scen)["hosts"] == 1


def test_instances_share_guests_of_the_given_size():
    # A guest costs 1 GiB whatever it holds: 3 instances of 1 GiB in one guest are 4 GiB; two such guests fill 8 GiB.
    guest = layer("guest", opens_guest=True, memory=MemoryCost(unit_bytes=q(GIB)))
    arch = architecture(guest, layer("engine"), guest_size=3)
    metrics = run(arch, scenario(service(replicas=7)))
    assert metrics["hosts"] == 2
    assert metrics["memory_overhead_bytes"] == pytest.approx(3 * GIB / 7)


def test_stages_run_one_after_another():
    # 2 s of waiting, 100 MB read at 100 MB/s, 3 core-seconds, then the application: 0.5 s
    stage = Stage("create", wait_s=q(2), read_bytes=q(1e8), cpu_core_s=q(3))
    arch = architecture(layer(startup=(stage,)))
    metrics = run(arch, scenario(service(startup_wait_s=0.5)))
    assert metrics["startup_p50_s"] == pytest.approx(6.5)


def test_starts_contend_for_the_cores():
    # 8 starts of 1 core-second on 4 cores, all at once: each has half a core, so all are ready after 2 s
    arch = architecture(layer(startup=(Stage("create", cpu_core_s=q(1)),)))
    metrics = run(arch, scenario(service(replicas=8, memory_bytes=0)))
    assert metrics["startup_p50_s"] == pytest.approx(2)
    # four at a time they take 1 s each: half of them are ready after 1 s, half after 2
    limited = scenario(service(replicas=8, memory_bytes=0), start=Start(concurrency=4))
    metrics = run(arch, limited)
    assert metrics["startup_p50_s"] == pytest.approx(1.5)
    assert metrics["startup_p99_s"] == pytest.approx(2)


def test_a_slower_core_takes_longer():
    arch = architecture(layer(startup=(Stage("s", cpu_core_s=q(1)),)), machine=toy_machine(core_speed=q(0.25)))
    assert run(arch, scenario(service()))["startup_p50_s"] == pytest.approx(4)


def test_a_section_admits_one_start_at_a_time():
    # 4 starts of 1 s in a section: ready after 1, 2, 3 and 4 s
    arch = architecture(layer(startup=(Stage("lock", wait_s=q(1), section="store"),)))
    metrics = run(arch, scenario(service(replicas=4)))
    assert metrics["startup_p50_s"] == pytest.approx(2.5)
    assert metrics["startup_p99_s"] == pytest.approx(4, abs=0.04)


def test_an_image_is_pulled_once_per_host():
    # 1 GB at 1 GB/s once; the others wait for it: all four are ready after 1 s + 1 s
    pull = Stage("pull", per="image", image_pull=q(1))
    arch = architecture(layer(startup=(pull, Stage("create", wait_s=q(1)))))
    cold = scenario(service(replicas=4, image=Image("web", 1e9)), start=Start(images="cold"))
    assert run(arch, cold)["startup_p99_s"] == pytest.approx(2)
    warm = replace(cold, start=Start(images="warm"))
    assert run(arch, warm)["startup_p99_s"] == pytest.approx(1)


def test_a_dedicated_host_boots_with_its_instance():
    boot = Stage("boot", per="environment", wait_s=q(60))
    arch = architecture(layer(startup=(boot, Stage("exec", wait_s=q(1)))))
    scen = scenario(service(replicas=2), fleet=Fleet(isolation="namespace"), start=Start(hosts_up="shared"))
    assert run(arch, scen)["startup_p50_s"] == pytest.approx(61)
    assert run(arch, replace(scen, start=Start(hosts_up="all")))["startup_p50_s"] == pytest.approx(1)
    shared = replace(scen, fleet=Fleet())
    assert run(arch, shared)["startup_p50_s"] == pytest.approx(1)


def test_provisioning_is_a_start_up_where_there_is_room_and_a_purchase_where_there_is_none():
    machine = toy_machine(provision=(Stage("buy", wait_s=q(1000)), Stage("install", wait_s=q(10))))
    boot = Stage("boot", per="environment", wait_s=q(60))
    arch = architecture(layer(startup=(boot, Stage("exec", wait_s=q(1)))), machine=machine)
    assert run(arch, scenario(service()))["provision_s"] == pytest.approx(1)
    alone = scenario(service(), fleet=Fleet(isolation="namespace"))
    assert run(arch, alone)["provision_s"] == pytest.approx(1071)


def test_constant_requests_that_never_meet():
    # a request of 10 ms every 100 ms: no queue. The layer makes user code 2 times and system calls 3 times as slow.
    arch = architecture(layer(cpu=CpuCost(user_factor=q(2), system_call_factor=q(3))))
    request = Request(user_core_s=0.008, system_call_core_s=0.002, cv=0)
    web = service(request=request, arrivals=Arrivals("constant", 10), slo_s=0.03)
    metrics = run(arch, scenario(web))
    assert metrics["latency_p50_s"] == pytest.approx(0.022)
    assert metrics["latency_p99_s"] == pytest.approx(0.022)
    assert metrics["slo_fraction"] == 1
    # the request that arrives at the end of the window isn't in it, and neither is its answer
    assert metrics["throughput_per_s"] == pytest.approx(10, abs=0.011)
    assert metrics["cpu_overhead_fraction"] == pytest.approx(1.2)


def test_disk_and_link_add_to_a_request():
    # 1 MB in at 1 GB/s: 1 ms; two reads at 1,000 IOPS: 2 ms; 3 ms of CPU;
    # 1 MB written at 100 MB/s: 10 ms; 2 MB out: 2 ms
    request = Request(
        user_core_s=0.003,
        cv=0,
        disk_reads=2,
        disk_read_bytes=8192,
        disk_writes=1,
        disk_write_bytes=1e6,
        receive_bytes=1e6,
        send_bytes=2e6,
    )
    metrics = run(architecture(layer()), scenario(service(request=request, arrivals=Arrivals("constant", 1))))
    assert metrics["latency_p50_s"] == pytest.approx(0.018)


def test_writes_are_as_many_a_second_as_the_disk_says_of_writes():
    # 4 reads at 1,000 a second and 3 writes at 100 a second: 4 ms and 30 ms
    disk = replace(toy_machine().disk, write_iops=q(100))
    request = Request(cv=0, disk_reads=4, disk_writes=3)
    web = service(request=request, arrivals=Arrivals("constant", 1))
    metrics = run(architecture(layer(), machine=toy_machine(disk=disk)), scenario(web))
    assert metrics["latency_p50_s"] == pytest.approx(0.034)


def test_a_cpu_limit_is_kept():
    # four requests at once, 1 core-second each, limit 2 cores: two at a time on one core each
    request = Request(user_core_s=1, cv=0)
    arrivals = Arrivals("trace", 0, times_s=(0.0, 0.0, 0.0, 0.0), period_s=1000)
    limited = service(request=request, arrivals=arrivals, cpu_limit_cores=2)
    metrics = run(architecture(layer()), scenario(limited))
    assert metrics["latency_p50_s"] == pytest.approx(1.5)
    free = replace(limited, cpu_limit_cores=None)
    assert run(architecture(layer()), scenario(free))["latency_p50_s"] == pytest.approx(1)
    half = replace(limited, cpu_limit_cores=0.5)
    # one at a time at half a core: 2, 4, 6, 8 s
    assert run(architecture(layer()), scenario(half))["latency_p50_s"] == pytest.approx(5)


def test_energy_of_an_idle_and_a_busy_host():
    # idle for 100 s at 100 W: 10,000 J = 2.778 Wh
    assert run(architecture(layer()), scenario(service()))["energy_wh"] == pytest.approx(10_000 / 3600)
    # one job of 50 core-seconds: a quarter of the load for 50 s, 125 W; then 50 s at 100 W
    scen = scenario(workload=Workload(jobs=(Job(0, 0.0, 50.0),)))
    assert run(architecture(layer()), scen)["energy_wh"] == pytest.approx((50 * 125 + 50 * 100) / 3600)


def test_pue_and_the_chassis_count():
    machine = toy_machine(chassis=toy_chassis())
    site = replace(SITE, pue=q(1.5))
    # two blades and one enclosure of 50 W, for 100 s
    scen = scenario(service(replicas=2), fleet=Fleet(isolation="namespace"))
    metrics = run_replication(architecture(layer(), machine=machine), scen, site, 0).metrics
    assert metrics["energy_wh"] == pytest.approx(250 * 100 * 1.5 / 3600)
    assert metrics["rack_units"] == 10


def test_cost_per_month():
    # 1,200 over a year is 100 a month; 100 W for 730 h are 73 kWh at 0.10; one rack unit at 5
    site = replace(SITE, energy_price_per_kwh=q(0.1), rack_unit_price_per_month=q(5))
    metrics = run_replication(architecture(layer()), scenario(service()), site, 0).metrics
    assert metrics["cost_per_month"] == pytest.approx(100 + 7.3 + 5)


def test_jobs_share_the_cores():
    # five jobs of 4 core-seconds on 4 cores at once: 0.8 cores each, 5 s
    jobs = tuple(Job(0, 0.0, 4.0) for _ in range(5))
    metrics = run(architecture(layer()), scenario(workload=Workload(jobs=jobs)))
    assert metrics["latency_p50_s"] == pytest.approx(5)
    assert metrics["throughput_per_s"] == pytest.approx(5 / 100)


def test_an_incident_takes_a_chassis_down_and_repair_starts_it_again():
    # down from 10 s; repaired after 20 s; then 60 s of boot and 1 s of start: back at 91 s, so up for 19 of 100 s
    boot = Stage("boot", per="environment", wait_s=q(60))
    machine = toy_machine(chassis=toy_chassis(psu=toy_part(2, 2, 0, 20)))
    arch = architecture(layer(startup=(boot, Stage("exec", wait_s=q(1)))), machine=machine)
    scen = scenario(service(), incidents=(Incident("psu", at_s=10.0, repair_s=20.0),))
    metrics = run(arch, scen)
    assert metrics["availability"] == pytest.approx(0.19)
    assert metrics["blast_radius_instances"] == 1
    spare = toy_machine(chassis=toy_chassis(psu=toy_part(2, 1, 0, 20)))
    arch = architecture(layer(startup=(boot,)), machine=spare)
    assert run(arch, scen)["availability"] == 1


def test_requests_in_flight_are_lost_with_their_host_and_counted():
    # 1 request a second of 0.5 s; the host is gone from 10.25 s for good: the one that came at 10 s is lost, as are the
    # 89 that come from 11 s to 99 s. 9 of the 99 counted are answered in time.
    request = Request(user_core_s=0.5, cv=0)
    web = service(request=request, arrivals=Arrivals("constant", 1), slo_s=1)
    scen = scenario(web, incidents=(Incident("machine", at_s=10.25, repair_s=1e6),))
    metrics = run(architecture(layer()), scen)
    assert metrics["throughput_per_s"] == pytest.approx(9 / 100)
    assert metrics["slo_fraction"] == pytest.approx(9 / 99, rel=0.02)


def test_rescheduled_instances_start_elsewhere():
    # first fit puts both on host 0; it fails at 10 s for good. Elsewhere they are up 5 s later.
    arch = architecture(layer(startup=(Stage("create", wait_s=q(5)),)))
    scen = scenario(
        service(replicas=2, needs=2),
        fleet=Fleet(hosts=2, recovery="reschedule"),
        incidents=(Incident("machine", at_s=10.0, repair_s=1e6),),
    )
    assert run(arch, scen)["availability"] == pytest.approx(0.95)
    stays = replace(scen, fleet=Fleet(hosts=2))
    assert run(arch, stays)["availability"] == pytest.approx(0.10)


def test_memory_overcommit_refuses_or_kills():
    # 8 GiB, overcommitted twice: 16 replicas of 1 GiB are placed, 8 fit
    fleet = Fleet(hosts=1, memory_overcommit=2)
    refused = run(architecture(layer()), scenario(service(replicas=16), fleet=fleet))
    assert refused["unplaced"] == 8
    killed = run(architecture(layer()), scenario(service(replicas=16), fleet=replace(fleet, beyond_memory="killed")))
    assert killed["unplaced"] == 8
    # what is reserved and not touched leaves room for all
    half = run(architecture(layer()), scenario(service(replicas=16, memory_touched=0.5), fleet=fleet))
    assert half["unplaced"] == 0


def test_overcommit_leaves_something_beside_the_work_of_the_layers():
    # Half a core in the background for each instance: the eighth would take the last of the four cores, whatever may be
    # promised. So 7 on each of two hosts and 1 on the third, and every start ends.
    arch = architecture(
        layer(cpu=CpuCost(unit_cores=q(0.5)), startup=(Stage("s", cpu_core_s=q(1)),)), machine=toy_machine()
    )
    scen = scenario(service(replicas=15, memory_bytes=0, startup_core_s=1.0), fleet=Fleet(cpu_overcommit=10))
    metrics = run(arch, scen)
    assert metrics["hosts"] == 3
    # seven starts of two core-seconds on the half core that is left
    assert metrics["startup_p50_s"] == pytest.approx(28)
    busy = architecture(layer(cpu=CpuCost(environment_cores=q(3), unit_cores=q(1))))
    with pytest.raises(InputError, match="keep all cores"):
        run(busy, scen)


def test_what_cannot_fit_says_why():
    with pytest.raises(InputError, match=r"needs 9\.00 GiB.*empty machine has 8\.00 GiB"):
        run(architecture(layer()), scenario(service(memory_bytes=9 * GIB)))
    with pytest.raises(InputError, match=r"reserves 5 cores.*has 4"):
        run(architecture(layer()), scenario(service(cpu_cores=5)))
    with pytest.raises(InputError, match="requires live-migration"):
        run(architecture(layer(offers=frozenset())), scenario(service(requires=frozenset({"live-migration"}))))


def test_a_layer_that_fails_takes_down_its_domain():
    # the process crashes 87.6 times a year and takes 0.01 year (87.6 h) to repair: up for 1 / (1 + 0.876) of the time
    arch = architecture(layer(failure=Failure(per_year=q(87.6), kills="unit", repair_s=q(0.01 * 365 * 86400))))
    scen = scenario(service(), reliability=Reliability(years=500), run=Run(duration_s=1, warmup_s=0, replications=1))
    assert run(arch, scen)["availability"] == pytest.approx(1 / 1.876, rel=0.02)


def test_replications_differ_and_repeat():
    request = Request(user_core_s=0.1)
    scen = scenario(service(request=request, arrivals=Arrivals("poisson", 5)))
    arch = architecture(layer())
    assert run(arch, scen, 3) == run(arch, scen, 3)
    assert run(arch, scen, 3) != run(arch, scen, 4)


def test_architectures_see_the_same_workload():
    # the same arrivals and demands: on a machine twice as fast with no queueing every latency is halved
    request = Request(user_core_s=0.1, cv=1.5)
    scen = scenario(service(request=request, arrivals=Arrivals("constant", 0.5)))
    slow = run(architecture(layer()), scen)
    fast = run(architecture(layer(), machine=toy_machine(core_speed=q(2))), scen)
    for name in ("latency_p50_s", "latency_p95_s", "latency_p99_s"):
        assert fast[name] == pytest.approx(slow[name] / 2)


def test_start_up_is_that_of_the_fleet_and_not_a_restart_after_an_incident():
    # a unit's start waits 2 s; the machine, which is up at first, takes 30 s more to boot after its repair
    machine = toy_machine(startup=(Stage("boot", per="environment", wait_s=q(30)),))
    arch = architecture(layer(startup=(Stage("create", wait_s=q(2)),)), machine=machine)
    broken = scenario(service(replicas=2), incidents=(Incident("machine", at_s=1.0, repair_s=2.0),))
    assert run(arch, broken)["startup_p99_s"] == pytest.approx(2)
