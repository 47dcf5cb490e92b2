"""The host's rungs for those who live in pytest: one benchmark per driver and stage, through the harness' own drivers.

    pytest benchmarks/host --benchmark-json host.json
    pytest-benchmark compare …
    vsim bench --import host.json --out host.jsonl

`vsim bench` measures the same with randomised blocks and paired ratios; here each rung is measured in one go.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from vsim.bench.drivers import Driver, all_drivers
from vsim.bench.drivers.interface import Instance, InstanceSpec, Session
from vsim.bench.lifecycle import discard
from vsim.bench.payload import build_payload
from vsim.bench.workspace import Workspace, new_run_id

DRIVERS = [driver for driver in all_drivers() if not driver.detection_only]
payloads = functools.cache(build_payload)


@dataclass(frozen=True)
class Rung:
    """A driver at work, and instances as far along as a stage needs them."""

    driver: Driver
    session: Session

    def created(self) -> Instance:
        return self.session.create(InstanceSpec())

    def ready(self) -> Instance:
        instance = self.created()
        instance.start()
        self.until_ready(instance)
        return instance

    def stopped(self) -> Instance:
        instance = self.ready()
        instance.stop()
        return instance

    def until_first(self, instance: Instance) -> None:
        assert instance.output.first(self.driver.start_timeout_s) is not None

    def until_ready(self, instance: Instance) -> None:
        assert instance.output.wait_for("ready", self.driver.start_timeout_s) is not None

    def rounds(self) -> int:
        """Some seconds for each benchmark, and five rounds at least."""
        return max(5, min(20, int(4 / self.driver.typical_start_s)))


@pytest.fixture(scope="module", params=DRIVERS, ids=lambda driver: driver.name)
def rung(request: pytest.FixtureRequest) -> Iterator[Rung]:
    driver: Driver = request.param
    reason = driver.lack()
    if reason is not None:
        pytest.skip(f"{driver.name}: {reason}")
    with Workspace(new_run_id()) as workspace, driver.open(workspace, payloads(driver.architecture)) as session:
        yield Rung(driver, session)


def measure(benchmark: Any, rung: Rung, prepare: Callable[[], Instance], stage: Callable[[Instance], Any]) -> None:
    """Time `stage` on a fresh instance in each round; what it leaves is removed outside the time."""
    used: list[Instance] = []

    def setup() -> tuple[tuple[Instance], dict[str, Any]]:
        drop(rung, used)
        used.append(prepare())
        return (used[-1],), {}

    benchmark.extra_info |= {"driver": rung.driver.name, "stack": rung.driver.stack, "flags": list(rung.driver.flags)}
    try:
        benchmark.pedantic(stage, setup=setup, rounds=rung.rounds(), warmup_rounds=1)
    finally:
        drop(rung, used)


def drop(rung: Rung, used: list[Instance]) -> None:
    while used:
        discard(rung.session, used.pop())


def test_startup(benchmark: Any, rung: Rung) -> None:
    """From asking for an instance to its first instruction."""
    used: list[Instance] = []

    def setup() -> None:
        drop(rung, used)

    def start() -> None:
        instance = rung.created()
        used.append(instance)
        instance.start()
        rung.until_first(instance)

    benchmark.extra_info |= {"driver": rung.driver.name, "stack": rung.driver.stack, "flags": list(rung.driver.flags)}
    try:
        benchmark.pedantic(start, setup=setup, rounds=rung.rounds(), warmup_rounds=1)
    finally:
        drop(rung, used)


def test_ready(benchmark: Any, rung: Rung) -> None:
    """From the call of start until the instance says that it is ready."""

    def start(instance: Instance) -> None:
        instance.start()
        rung.until_ready(instance)

    measure(benchmark, rung, rung.created, start)


def test_stop(benchmark: Any, rung: Rung) -> None:
    measure(benchmark, rung, rung.ready, lambda instance: instance.stop())


def test_remove(benchmark: Any, rung: Rung) -> None:
    measure(benchmark, rung, rung.stopped, lambda instance: instance.remove())
