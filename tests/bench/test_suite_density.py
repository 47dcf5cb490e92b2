from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.suites import Scripted
from vsim.bench.drivers import InstanceSpec, all_drivers
from vsim.bench.host import Host
from vsim.bench.suites.density import SUITE
from vsim.model.plan import Density

MIB = 2**20


class Shrinking(Host):
    """A host with 1000 MiB, 1000 processes and 100 GB, from which each living instance takes its part."""

    def __init__(self, *, memory: int = 0, pids: int = 0, disk: int = 0) -> None:
        super().__init__(sleep=lambda seconds: None)
        self.alive: Callable[[], int] = lambda: 0
        self.takes = (memory, pids, disk)

    def available_bytes(self) -> int:
        return 1000 * MIB - self.takes[0] * self.alive()

    def _listed_bytes(self) -> int:
        return 0

    def free_pids(self) -> int:
        return 1000 - self.takes[1] * self.alive()

    def free_disk_bytes(self, path: Path) -> int:
        return 100 * 10**9 - self.takes[2] * self.alive()


def ramp(host: Shrinking, step: Density, says: str | Callable[[InstanceSpec], str] = "ready\n") -> Scripted:
    bench = Scripted(says, host=host)
    host.alive = lambda: bench.alive
    SUITE.run(step, bench.context)
    assert bench.alive == 0
    return bench


def test_the_limit_of_the_step_ends_it() -> None:
    bench = ramp(Shrinking(memory=10 * MIB), Density(limit=20, reserve=0.25))
    assert bench.values["density_instances"] == [20]
    assert bench.flags["density_instances"] == {"ended-limit"}
    # 10 MiB for each of them, and nothing else happens on this host
    assert bench.values["density_memory_bytes"] == [pytest.approx(10 * MIB)]
    assert len(bench.values["density_startup_s"]) == 20
    # weighed at 0, 2, 4, …, 20 instances
    assert bench.values["density_available_bytes"] == [(1000 - 20 * i) * MIB * 1.0 for i in range(11)]


@pytest.mark.parametrize(
    ("host", "cause", "count"),
    [
        # 250 MiB are kept: 74 × 10 MiB leave 260, and the next (4 MiB by the driver's word) still fits
        (Shrinking(memory=10 * MIB), "memory", 75),
        # 250 processes are kept; one more instance needs 4
        (Shrinking(pids=10), "pids", 75),
        (Shrinking(disk=10**9), "disk", 76),
    ],
    ids=["memory", "pids", "disk"],
)
def test_it_stops_before_the_host_s_reserve_is_touched(host: Shrinking, cause: str, count: int) -> None:
    bench = ramp(host, Density(limit=100, reserve=0.25))
    assert bench.flags["density_instances"] == {f"ended-{cause}"}
    assert bench.values["density_instances"] == [pytest.approx(count, abs=1)]


def test_a_start_that_fails_ends_it_and_is_recorded() -> None:
    started = 0

    def says(spec: InstanceSpec) -> str:
        nonlocal started
        started += 1
        return "ready\n" if started <= 3 else "error touch 12\n"

    bench = ramp(Shrinking(), Density(limit=10, touch_bytes=MIB), says)
    assert bench.values["density_instances"] == [3]
    assert bench.flags["density_instances"] == {"ended-failure"}
    assert [failure.stage for failure in bench.failures] == ["ready"]
    assert bench.specs[0].arguments == (f"touch={MIB}",)


def test_not_even_one_is_a_failure_and_not_a_zero() -> None:
    bench = ramp(Shrinking(), Density(limit=10), "error touch 12\n")
    assert "density_instances" not in bench.values
    assert len(bench.failures) == 1


def test_a_slow_start_ends_it() -> None:
    bench = ramp(Shrinking(), Density(limit=10, slowest_start_s=1e-9))
    assert bench.values["density_instances"] == [1]
    assert bench.flags["density_instances"] == {"ended-slow"}


def test_time_ends_it() -> None:
    bench = Scripted(host=Shrinking())
    ticks = iter(range(1000))
    context = dataclasses.replace(bench.context, clock=lambda: float(next(ticks)))
    SUITE.run(Density(limit=10, slowest_start_s=float("inf")), context)
    # 3 s are allowed, and this clock passes one whenever it is asked
    assert bench.flags["density_instances"] == {"ended-time"}
    assert bench.alive == 0


def test_an_interrupt_takes_everything_down() -> None:
    started = 0

    def says(spec: InstanceSpec) -> str:
        nonlocal started
        started += 1
        if started == 5:
            raise KeyboardInterrupt
        return "ready\n"

    bench = Scripted(says, host=Shrinking())
    with pytest.raises(KeyboardInterrupt):
        SUITE.run(Density(limit=10), bench.context)
    assert bench.alive == 0


def test_the_budget_is_that_of_a_ramp_and_not_of_its_limit() -> None:
    drivers = {driver.name: driver for driver in all_drivers()}
    demand = SUITE.demand(Density(limit=200), drivers["qemu-tcg"])
    assert demand.memory_bytes < 1024 * MIB
    assert demand.seconds < 120
