"""Starting a large fleet: host by host or all on one clock, the outcome is the same."""

from __future__ import annotations

import numpy as np
import pytest
import simpy

from tests.engine.toys import architecture, layer, q, scenario, service
from vsim.engine import cluster as cluster_module
from vsim.engine import startup, variates
from vsim.engine.cluster import Cluster
from vsim.model.contention import Phase, wave
from vsim.model.layer import MemoryCost, Stage
from vsim.model.workload import Image
from vsim.scenario.scenario import Fleet, Start


def fleet(concurrency: int | None, hosts_up: str) -> Cluster:
    """Five hosts with up to three replicas each that contend for cores, disk, link and a section."""
    boot = Stage("boot", per="environment", wait_s=q(20), cpu_core_s=q(3))
    pull = Stage("pull", per="image", image_pull=q(1), image_write=q(1))
    create = Stage("create", cpu_core_s=q(2), read_bytes=q(2e8))
    lock = Stage("lock", wait_s=q(0.5), section="store")
    arch = architecture(layer(startup=(boot, pull, create, lock), memory=MemoryCost(environment_bytes=q(1e9))))
    scen = scenario(
        service("web", replicas=7, memory_bytes=2e9, image=Image("web", 1e9), startup_core_s=1.0),
        service("db", replicas=6, memory_bytes=2.5e9, image=Image("db", 2e9), startup_wait_s=3.0),
        fleet=Fleet(placement="spread", hosts=5, memory_overcommit=1.4),
        start=Start(concurrency=concurrency, hosts_up=hosts_up, images="cold"),  # type: ignore[arg-type]
    )
    cluster = Cluster(simpy.Environment(), arch, scen, 0)
    cluster.place_all()
    return cluster


def outcome(cluster: Cluster) -> list[object]:
    instances = [one for state in cluster.services for one in state.instances]
    return [
        cluster.env.now,
        [(one.state, one.start_s) for one in instances],
        [(host.state, host.used_bytes, host.energy_j(), host.served_core_s) for host in cluster.hosts],
        [len(state.up) for state in cluster.services],
        cluster.unplaced,
    ]


@pytest.mark.parametrize("hosts_up", ["all", "none"])
@pytest.mark.parametrize("concurrency", [None, 1])
def test_hosts_start_alike_on_one_clock_or_several(
    monkeypatch: pytest.MonkeyPatch, concurrency: int | None, hosts_up: str
) -> None:
    together = fleet(concurrency, hosts_up)
    together.start_all()
    together.env.run()
    for at_a_time in (1, 2, 100):
        monkeypatch.setattr(cluster_module, "_HOSTS_AT_A_TIME", at_a_time)
        apart = fleet(concurrency, hosts_up)
        apart.start_up()
        assert outcome(apart) == outcome(together)
    assert together.env.now > 3


def test_what_happened_before_does_not_count_as_time_in_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_HOSTS_AT_A_TIME", 1)
    cluster = fleet(None, "all")
    cluster.start_up()
    assert [state.available_s() for state in cluster.services] == [0, 0]
    cluster.env.run(until=cluster.env.now + 10)
    assert [state.available_s() for state in cluster.services] == [10, 10]


@pytest.mark.parametrize("count", [1, 2, 5, 9])
@pytest.mark.parametrize("parallelism", [1.0, 1.7])
def test_a_wave_is_what_the_exact_model_says(monkeypatch: pytest.MonkeyPatch, count: int, parallelism: float) -> None:
    """Sections, parallelism, turns, busy waiting: the engine and the model that fits are one."""
    drawn: list[list[float]] = []

    def cut(rng: np.random.Generator, n: int) -> list[float]:
        drawn.append(variates.cut(rng, n))
        return drawn[-1]

    monkeypatch.setattr(startup, "cut", cut)
    stages = (
        Stage("lock", wait_s=q(0.2), cpu_core_s=q(0.3), section="store"),
        Stage("create", wait_s=q(1.0), cpu_core_s=q(2.0), rounds=q(3), parallelism=q(parallelism)),
        Stage("probe", wait_s=q(0.7), busy_cores=q(0.9), cpu_core_s=q(0.1)),
        Stage("exec", cpu_core_s=q(0.5)),
    )
    scen = scenario(
        service("web", replicas=count, memory_bytes=1e6),
        fleet=Fleet(hosts=1, cpu_overcommit=100),
        start=Start(hosts_up="all", images="warm"),
    )
    cluster = Cluster(simpy.Environment(), architecture(layer(startup=stages)), scen, 0)
    cluster.place_all()
    cluster.start_up()
    took = sorted(one.start_s for state in cluster.services for one in state.instances)

    turns = list(zip(drawn[::2], drawn[1::2], strict=True))
    assert len(turns) == count
    starts = [
        [
            Phase(((0.2, 0.3),), section="store"),
            Phase(tuple((1.0 * w, 2.0 * c) for w, c in zip(*turn, strict=True)), cap=parallelism),
            Phase(((0.7, 0.1),), busy=0.9),
            Phase(((0, 0.5),)),
        ]
        for turn in turns
    ]
    assert took == pytest.approx(sorted(wave(starts, 4).done_s))


def test_parts_are_cut_anywhere() -> None:
    parts = np.array([variates.cut(np.random.default_rng(seed), 4) for seed in range(2000)])
    assert parts.sum(axis=1) == pytest.approx(np.ones(2000))
    # Each of n parts of 1 cut at uniform points has the mean 1/n and the variance (n − 1) / (n² (n + 1)).
    assert parts.mean(axis=0) == pytest.approx(np.full(4, 0.25), abs=0.02)
    assert parts.var(axis=0) == pytest.approx(np.full(4, 3 / 80), rel=0.15)
