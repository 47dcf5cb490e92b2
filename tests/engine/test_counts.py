"""Counts that noise can't change: events and bytes, so that a hot path that grows is seen without a stopwatch."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
import simpy

from tests.engine.toys import SITE, architecture, layer, q, scenario, service
from vsim.engine.capacity import SharedCapacity
from vsim.engine.host import Hardware, Host
from vsim.engine.run import run_replication
from vsim.model.layer import Stage
from vsim.model.workload import Arrivals, Job, Request, Workload


def bytes_each(make: Callable[[], object], count: int = 500) -> float:
    make()
    tracemalloc.start()
    kept = [make() for _ in range(count)]
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(kept) == count
    return used / count


def test_what_is_idle_is_small() -> None:
    env, hardware = simpy.Environment(), Hardware(architecture(layer()))
    assert bytes_each(lambda: SharedCapacity(env, 4.0, 1.0)) < 320
    assert bytes_each(lambda: Host(env, 0, hardware, None)) < 1536


def test_idle_hosts_take_no_events() -> None:
    # The window's opening and its end are all that happens.
    few = run_replication(architecture(layer()), scenario(service(replicas=8)), SITE, 0).events
    many = run_replication(architecture(layer()), scenario(service(replicas=800)), SITE, 0).events
    assert few == many <= 4


@pytest.mark.parametrize("hosts", [10, 100])
def test_a_job_takes_an_arrival_and_a_timer(hosts: int) -> None:
    # Jobs that don't meet take two events each, whatever the number of hosts.
    jobs = tuple(Job(n % hosts, 0.01 * n, 0.005) for n in range(10 * hosts))
    events = run_replication(architecture(layer()), scenario(workload=Workload(jobs=jobs)), SITE, 0).events
    assert 2 * len(jobs) <= events <= 2 * len(jobs) + 4


def test_a_request_takes_one_event_for_each_thing_that_it_asks_for() -> None:
    # An arrival, then in turn: link in, disk, cores, disk, link out. 100 requests that never meet.
    request = Request(user_core_s=0.01, cv=0, disk_reads=1, disk_writes=1, receive_bytes=1000, send_bytes=1000)
    web = service(request=request, arrivals=Arrivals("constant", 1))
    events = run_replication(architecture(layer()), scenario(web), SITE, 0).events
    assert 600 <= events <= 604


def test_a_start_takes_one_event_for_each_thing_that_it_asks_for() -> None:
    # A host each, so that no start meets another: wait, read, compute. A few more for the window, and for the replica
    # that is provisioned at the end.
    stage = Stage("create", wait_s=q(1), read_bytes=q(1e6), cpu_core_s=q(1))
    big = service(replicas=50, memory_bytes=7 * 2**30)
    events = run_replication(architecture(layer(startup=(stage,))), scenario(big), SITE, 0).events
    assert 150 <= events <= 160
