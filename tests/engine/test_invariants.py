"""What must hold in every scenario: random small ones, with things failing in the middle of others."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.toys import architecture, layer, q, scenario, service, toy_chassis, toy_machine, toy_part
from vsim.engine.capacity import SharedCapacity
from vsim.engine.cluster import Cluster
from vsim.engine.failures import Failures
from vsim.engine.jobs import JobRun
from vsim.engine.requests import Offered
from vsim.engine.timer import call_later
from vsim.model.layer import CpuCost, Failure, MemoryCost, Stage
from vsim.model.stack import Architecture
from vsim.model.workload import Arrivals, Image, Job, Request, Workload
from vsim.scenario.scenario import Fleet, Incident, Run, Scenario, Start

MB = 1e6
END_S = 40.0


def stages(per: str) -> st.SearchStrategy[Stage]:
    amounts = st.sampled_from([None, q(0.5), q(2), q(0.1, cv=1.0)])
    sizes = st.sampled_from([None, q(20 * MB), q(100 * MB, cv=0.5)])
    return st.builds(
        Stage,
        st.just(per),
        per=st.just(per),
        cpu_core_s=amounts,
        wait_s=amounts,
        read_bytes=sizes,
        write_bytes=sizes,
        pull_bytes=sizes,
        image_pull=st.sampled_from([None, q(1)]),
        section=st.sampled_from([None, "lock"]),
    )


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """One to three layers, with a guest or without, on blades or on boxes."""
    opener = draw(st.sampled_from([None, 0]))
    count = draw(st.integers(1 if opener is None else 2, 3))
    layers = []
    for index in range(count):
        kills = draw(st.sampled_from(["environment", "unit"]))
        layers.append(
            layer(
                f"layer-{index}",
                opens_guest=index == opener,
                boundary=draw(st.sampled_from(["process", "namespace", "hypervisor"])),
                startup=tuple(draw(stages(per)) for per in draw(st.sets(st.sampled_from(["environment", "unit"])))),
                memory=MemoryCost(
                    environment_bytes=draw(st.sampled_from([None, q(100 * MB)])),
                    unit_bytes=draw(st.sampled_from([None, q(50 * MB)])),
                    unit_fraction=draw(st.sampled_from([None, q(0.02)])),
                    unit_shared=draw(st.sampled_from([None, q(0.5)])),
                ),
                cpu=CpuCost(
                    user_factor=draw(st.sampled_from([None, q(1.1)])),
                    unit_cores=draw(st.sampled_from([None, q(0.05)])),
                ),
                failure=Failure(per_year=q(1), kills=kills, repair_s=q(draw(st.sampled_from([0.0, 1.0, 7.0])))),
            )
        )
    chassis = draw(st.sampled_from([None, toy_chassis(slots=2, psu=toy_part(2, 1, 0, 5))]))
    size = draw(st.sampled_from([None, 2, 3])) if opener is not None else None
    return architecture(*layers, machine=toy_machine(chassis=chassis, repair_s=q(5)), guest_size=size)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    services = []
    for index in range(draw(st.integers(1, 3))):
        request = Request(
            user_core_s=draw(st.sampled_from([0.0, 0.2, 1.0])),
            disk_reads=draw(st.sampled_from([0, 20])),
            disk_write_bytes=draw(st.sampled_from([0, 5 * MB])),
            receive_bytes=draw(st.sampled_from([0, 100 * MB])),
            send_bytes=draw(st.sampled_from([0, 100 * MB])),
        )
        services.append(
            service(
                f"service-{index}",
                replicas=draw(st.integers(1, 5)),
                memory_bytes=draw(st.sampled_from([500 * MB, 3000 * MB])),
                memory_cv=draw(st.sampled_from([0.0, 0.2])),
                memory_touched=draw(st.sampled_from([1.0, 0.5])),
                shareable=draw(st.sampled_from([0.0, 0.3])),
                image=Image(draw(st.sampled_from(["a", "b"])), 200 * MB),
                startup_core_s=draw(st.sampled_from([0.0, 0.5])),
                cpu_limit_cores=draw(st.sampled_from([None, 0.5, 2])),
                request=request,
                arrivals=Arrivals(draw(st.sampled_from(["poisson", "bursty"])), draw(st.sampled_from([0.5, 4.0]))),
            )
        )
    names = ["machine", "chassis", "psu", "layer-0", "layer-1", "layer-2"]
    times = st.floats(0, END_S)
    incident = st.builds(
        Incident, st.sampled_from(names), times, st.integers(1, 3), st.sampled_from([None, 0.0, 1.0, 10.0])
    )
    jobs = st.lists(st.builds(Job, st.integers(0, 1), times, st.floats(0, 5)), max_size=8)
    return scenario(
        workload=Workload(services=tuple(services), jobs=tuple(draw(jobs))),
        fleet=Fleet(
            hosts=draw(st.sampled_from([None, 3])),
            placement=draw(st.sampled_from(["first-fit", "best-fit", "spread"])),
            memory_overcommit=draw(st.sampled_from([1.0, 1.5])),
            beyond_memory=draw(st.sampled_from(["refused", "killed"])),
            recovery=draw(st.sampled_from(["in-place", "reschedule"])),
        ),
        start=Start(
            concurrency=draw(st.sampled_from([None, 1, 2])),
            hosts_up=draw(st.sampled_from(["all", "none"])),
            images=draw(st.sampled_from(["warm", "cold"])),
        ),
        run=Run(duration_s=END_S, warmup_s=0.0, replications=1, seed=draw(st.integers(0, 1000))),
        incidents=tuple(draw(st.lists(incident, max_size=6))),
    )


@dataclass
class Ledger:
    """What was asked of each capacity, and how much of that was withdrawn."""

    asked: dict[SharedCapacity, float] = field(default_factory=lambda: defaultdict(float))
    withdrawn: dict[SharedCapacity, float] = field(default_factory=lambda: defaultdict(float))


@contextmanager
def bookkeeping() -> Iterator[Ledger]:
    ledger = Ledger()
    submit, cancel = SharedCapacity.submit, SharedCapacity.cancel

    def submitting(self: SharedCapacity, work: float, *rest: Any, **more: Any) -> Any:
        ledger.asked[self] += work
        return submit(self, work, *rest, **more)

    def cancelling(self: SharedCapacity, event: Any) -> float:
        left = cancel(self, event)
        ledger.withdrawn[self] += left
        return left

    with patch.object(SharedCapacity, "submit", submitting), patch.object(SharedCapacity, "cancel", cancelling):
        yield ledger


class Watched:
    """A scenario run step by step, with a meter of its own that looks at every host after every event."""

    def __init__(self, arch: Architecture, scen: Scenario) -> None:
        self.env = env = simpy.Environment()
        self.cluster = cluster = Cluster(env, arch, scen, 0)
        cluster.place_all()
        cluster.start_all()
        self.joules: dict[int, float] = defaultdict(float)
        self.steps = 0
        self.go()
        begin = env.now
        self.offered = [
            Offered(cluster, state, state.service.request, state.service.arrivals)
            for state in cluster.services
            if state.service.request is not None and state.service.arrivals is not None
        ]
        self.jobs = JobRun(cluster, scen.workload.jobs)
        failures = Failures(cluster)
        for incident in scen.incidents:
            call_later(env, incident.at_s, lambda _, what=incident: failures.incident(what))
        self.go(until=begin + END_S)
        self.go()

    def go(self, until: float = math.inf) -> None:
        """Run until nothing is going on any more, or to the first event after `until`."""
        env, hardware = self.env, self.cluster.hardware
        while env.peek() <= until and env.peek() < math.inf:
            watts = {
                host.index: hardware.power(host.busy_cores / hardware.cores) if host.state in ("up", "booting") else 0.0
                for host in self.cluster.hosts
            }
            before = env.now
            env.step()
            assert env.now >= before
            for index, drawn in watts.items():
                self.joules[index] += drawn * (env.now - before)
            self.steps += 1
            assert self.steps < 200_000  # it comes to an end

    def check_requests(self) -> None:
        alive: dict[int, int] = defaultdict(int)
        for state in self.cluster.services:
            for instance in state.instances:
                alive[state.index] += len(instance.requests or ())
        for state, offered in zip(self.cluster.services, self.offered, strict=True):
            assert offered.in_flight == alive[state.index] == 0
            assert offered.submitted == offered.done + offered.failed


@settings(deadline=None, max_examples=60)
@given(arch=architectures(), scen=scenarios())
def test_invariants(arch: Architecture, scen: Scenario) -> None:
    with bookkeeping() as ledger:
        run = Watched(arch, scen)
        cluster = run.cluster

        # nothing is lost, and everything that was broken came back
        run.check_requests()
        assert run.jobs.submitted == run.jobs.done == len(scen.workload.jobs)
        for host in cluster.hosts:
            assert host.state in ("up", "off")
            assert host.starting == 0
            assert not host.waiting_to_start
            assert not host.waiting_for_boot
            assert {one.state for one in host.instances} <= {"up", "killed", "refused"}
            for instance in host.instances:
                assert instance.busy_workers == 0
                assert not instance.queue

        # core-seconds, device-seconds and bytes are conserved
        for capacity, asked in ledger.asked.items():
            assert capacity.jobs == 0
            assert capacity.served == pytest.approx(asked - ledger.withdrawn[capacity], rel=1e-9, abs=1e-9)

        # energy is the integral that a meter of one's own finds
        for host in cluster.hosts:
            assert host.energy_j() == pytest.approx(run.joules[host.index], rel=1e-9)

        # memory: the layers' and what is up; the layers' alone when all is down
        for host in cluster.hosts:
            up = sum(one.used_bytes for one in host.instances if one.state == "up")
            assert host.used_bytes == pytest.approx(arch.host_memory_bytes + up, abs=1)
            promised = sum(one.promised_bytes for one in host.instances)
            assert host.promised_bytes == pytest.approx(promised, abs=1)
            assert host.background_cores == pytest.approx(
                arch.host_cores + len(host.guests) * arch.guest_cores + len(host.instances) * arch.instance_cores
            )
            for instance in list(host.instances):
                cluster.take_down(instance)
            assert host.used_bytes == pytest.approx(arch.host_memory_bytes, abs=1)


@settings(deadline=None, max_examples=30)
@given(arch=architectures(), scen=scenarios(), every_s=st.sampled_from([0.1, 0.37, 3.0]))
def test_looking_changes_nothing(arch: Architecture, scen: Scenario, every_s: float) -> None:
    """A run that is looked at all the time gives what an undisturbed one gives."""

    def results(every_s: float | None) -> tuple[list[float], list[float], list[list[float]]]:
        env = simpy.Environment()
        cluster = Cluster(env, arch, scen, 0)
        cluster.place_all()
        cluster.start_all()
        env.run()
        offered = [Offered(cluster, s, s.service.request, s.service.arrivals) for s in cluster.services]
        JobRun(cluster, scen.workload.jobs)
        failures = Failures(cluster)
        for incident in scen.incidents:
            call_later(env, incident.at_s, lambda _, what=incident: failures.incident(what))
        end = env.now + END_S
        time = env.now
        while every_s is not None and (time := time + every_s) < end:
            env.run(until=time)
            for host in cluster.hosts:
                host.energy_j()
                assert host.served_core_s >= 0
            for state in cluster.services:
                state.available_s()
        env.run(until=end)
        energy = [host.energy_j() for host in cluster.hosts]
        available = [state.available_s() for state in cluster.services]
        env.run()
        return energy, available, [list(one.latencies_s) for one in offered]

    quiet, looked_at = results(None), results(every_s)
    assert looked_at[0] == quiet[0]
    assert looked_at[1] == pytest.approx(quiet[1], rel=1e-12)
    assert looked_at[2] == quiet[2]
