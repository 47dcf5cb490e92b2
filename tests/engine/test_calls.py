"""Requests that call other services: their times worked out by hand, by the ways between the instances."""

from __future__ import annotations

import dataclasses

import pytest

from tests.engine.toys import SITE, architecture, layer, q, scenario, service, toy_machine
from vsim.engine.run import run_replication
from vsim.errors import InputError
from vsim.model.layer import NetworkCost
from vsim.model.machine import Link
from vsim.model.stack import Architecture
from vsim.model.workload import Arrivals, Request
from vsim.scenario.calls import call_tree, rates_per_s
from vsim.scenario.scenario import Connection, Fleet, Run, Scenario

# one way: 1 ms over the wire; 10 ms over the bridge, 20 ms through a published port, 40 ms through an overlay
MACHINE = toy_machine(link=Link(bytes_per_s=q(1e6), latency_s=q(0.001)))
ENGINE = layer(
    "engine",
    network={
        "host": NetworkCost(latency_s=q(0)),
        "bridge": NetworkCost(latency_s=q(0.010)),
        "published": NetworkCost(latency_s=q(0.020)),
        "overlay": NetworkCost(latency_s=q(0.040)),
    },
)
CONTAINERS = architecture(ENGINE, machine=MACHINE)
# 5 ms on each end
PLAIN = architecture(
    layer("os", network={"host": NetworkCost(latency_s=q(0.005))}, default_network="host"), machine=MACHINE
)

WEB = service(
    "web",
    request=Request(user_core_s=0.1, cv=0, send_bytes=1000),
    arrivals=Arrivals("constant", 1),
    network_mode="published",
    calls=("db",),
)
DB = service("db", request=Request(user_core_s=0.2, cv=0, receive_bytes=2000, send_bytes=3000))


def app(networks: str = "joined", *, published: bool = False, hosts: int = 1, **changes: object) -> Scenario:
    connection = Connection("web", "db", networks, published)  # type: ignore[arg-type]
    placement = "spread" if hosts > 1 else "first-fit"
    return scenario(
        dataclasses.replace(WEB, **changes),  # type: ignore[arg-type]
        DB,
        connections=(connection,),
        fleet=Fleet(hosts=hosts, placement=placement),  # type: ignore[arg-type]
        run=Run(duration_s=10.0, warmup_s=0.0, replications=1),
    )


def latency(on: Architecture, what: Scenario) -> float:
    return run_replication(on, what, SITE, 0).metrics["latency_p50_s"]


# Of every request: the wire and the published port there and back, 0.1 s of web, 0.2 s of db, and 1 ms for 1000 bytes
# of the answer over a link of 1 MB/s. The rest is the way to db and back.
OUTSIDE = 2 * (0.001 + 0.020) + 0.1 + 0.2 + 0.001


@pytest.mark.parametrize(
    ("what", "between"),
    [
        # on one kernel: the bridge once each way, and no link
        (app(), 2 * 0.010),
        # on two hosts: the overlay and the wire each way; 2000 and 3000 bytes over the link of the one that is asked
        (app("overlay", hosts=2), 2 * (0.040 + 0.001) + 0.005),
        # out over a bridge and in through a published port
        (app(published=True, hosts=2), 2 * (0.010 + 0.020 + 0.001) + 0.005),
    ],
)
def test_a_call_takes_the_way_between_the_instances(what: Scenario, between: float) -> None:
    assert latency(CONTAINERS, what) == pytest.approx(OUTSIDE + between)


def test_processes_of_one_kernel_call_each_other_for_nothing() -> None:
    # from outside: the wire and 5 ms, each way
    assert latency(PLAIN, app()) == pytest.approx(2 * 0.006 + 0.1 + 0.2 + 0.001)
    # on two hosts: both ends and the wire, each way
    assert latency(PLAIN, app(hosts=2)) == pytest.approx(2 * 0.006 + 0.301 + 2 * (0.005 + 0.005 + 0.001) + 0.005)


def test_calls_go_one_after_another_and_further_down() -> None:
    api = service("api", request=Request(user_core_s=0.05, cv=0), calls=("db", "db"))
    web = dataclasses.replace(WEB, calls=("api", "db"))
    what = scenario(web, api, DB, run=Run(duration_s=10.0, warmup_s=0.0, replications=1))
    # one to api and two from there, one more to db, each over the bridge
    assert latency(CONTAINERS, what) == pytest.approx(2 * 0.021 + 0.1 + 0.05 + 3 * 0.2 + 4 * 2 * 0.010 + 0.001)
    assert rates_per_s(what) == {"web": 1, "api": 1, "db": 3}


def test_nobody_answers_where_there_is_no_way() -> None:
    metrics = run_replication(CONTAINERS, app(hosts=2), SITE, 0).metrics
    assert "latency_p50_s" not in metrics
    assert metrics["throughput_per_s"] == 0


def test_a_called_service_keeps_its_limit_and_a_caller_keeps_no_worker() -> None:
    # Ten requests a second, 0.09 s of each service, which have a worker each: there is no queue anywhere only if web
    # doesn't keep its worker while it waits for db.
    web = dataclasses.replace(
        WEB,
        request=Request(user_core_s=0.09, cv=0),
        arrivals=Arrivals("constant", 10),
        cpu_limit_cores=1.0,
        network_mode="host",
    )
    db = dataclasses.replace(DB, request=Request(user_core_s=0.09, cv=0), cpu_limit_cores=1.0)
    what = scenario(web, db, run=Run(duration_s=10.0, warmup_s=0.0, replications=1))
    assert latency(CONTAINERS, what) == pytest.approx(2 * 0.001 + 0.09 + 0.09 + 2 * 0.010)


def test_messages_of_calls_are_work_at_both_ends() -> None:
    costly = layer("engine", network={"bridge": NetworkCost(cpu_core_s_per_message=q(0.01))}, default_network="bridge")
    what = scenario(
        dataclasses.replace(WEB, network_mode="bridge", request=Request(user_core_s=0.1, cv=0)),
        dataclasses.replace(DB, request=Request(user_core_s=0.2, cv=0)),
        run=Run(duration_s=10.0, warmup_s=0.0, replications=1),
    )
    # web has four messages and db two
    assert latency(architecture(costly), what) == pytest.approx(0.1 + 0.04 + 0.2 + 0.02)


def test_architectures_see_the_same_work_in_calls() -> None:
    what = scenario(
        dataclasses.replace(WEB, network_mode="host", request=Request(user_core_s=0.01)),
        dataclasses.replace(DB, request=Request(user_core_s=0.02)),
        run=Run(duration_s=100.0, warmup_s=0.0, replications=1),
    )
    twice = architecture(ENGINE, machine=dataclasses.replace(MACHINE, core_speed=q(0.5)))
    ways = 2 * 0.001 + 2 * 0.010
    # alone on a core of half the speed everything takes twice as long, draw by draw
    assert (latency(twice, what) - ways) == pytest.approx(2 * (latency(CONTAINERS, what) - ways), rel=1e-6)


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ((WEB,), "calls 'db', which isn't there"),
        ((WEB, dataclasses.replace(DB, request=None)), "calls 'db', which takes no requests"),
        ((WEB, dataclasses.replace(DB, calls=("web",))), "in a circle: web → db → web"),
    ],
)
def test_calls_that_can_not_be(services: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call_tree(WEB, scenario(*services))


def test_calls_do_not_multiply_without_end() -> None:
    # each level calls the next one twice: 2^10 calls at the last
    levels = [
        service(f"s{i}", request=Request(user_core_s=0.1), calls=(f"s{i + 1}",) * 2 if i < 10 else ())
        for i in range(11)
    ]
    with pytest.raises(InputError, match="more than 1,000 calls"):
        call_tree(levels[0], scenario(*levels))
