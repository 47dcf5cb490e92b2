from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.bench.suites import Scripted
from vsim.bench.drivers import InstanceSpec, all_drivers
from vsim.bench.errors import StageError
from vsim.bench.perform import Report, read_report
from vsim.bench.suites import network
from vsim.bench.suites.network import SUITE
from vsim.bench.workspace import Workspace
from vsim.model.plan import DriveNetwork

STEP = DriveNetwork(mode="loopback", round_trips=1000, bytes=2_000_000)
# 1000 round trips in 20 ms, 2 MB in 1 ms
TALK = "begin ping\nend ping 20000000\nbegin send\nend send 1000000\nready\n"


def test_within_an_instance_it_talks_to_itself() -> None:
    bench = Scripted(TALK)
    SUITE.run(STEP, bench.context)
    assert bench.values == {"network_round_trip_s": [20e-6], "network_throughput_bytes_per_s": [2e9]}
    assert bench.flags["network_throughput_bytes_per_s"] == {"network-loopback"}
    words = [argument.partition("=")[0] for argument in bench.specs[0].arguments]
    assert words == ["lo", "echo", "sink", "aside", "ping", "send"]
    assert bench.specs[0].network == "loopback"


def test_from_outside_a_client_on_the_host_visits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    visits: list[Sequence[str]] = []

    def visit(workspace: Workspace, arguments: Sequence[str], *, timeout_s: float) -> Report:
        visits.append(arguments)
        return read_report(TALK)

    monkeypatch.setattr(network, "visit", visit)
    bench = Scripted()
    SUITE.run(DriveNetwork(mode="bridge", round_trips=1000, bytes=2_000_000), bench.context)
    echo, sink = bench.specs[0].ports
    assert visits == [(f"ping=127.0.0.1:{echo}:1000", f"send=127.0.0.1:{sink}:2000000")]
    assert bench.values["network_round_trip_s"] == [20e-6]
    assert bench.log == ["create", "start", "stop", "remove"]


def test_on_a_network_of_their_own_two_instances_talk() -> None:
    def says(spec: InstanceSpec) -> str:
        return TALK if spec.arguments[0].startswith("ping") else "ready\n"

    bench = Scripted(says)
    SUITE.run(DriveNetwork(mode="user_defined", round_trips=1000, bytes=2_000_000), bench.context)
    assert [spec.network for spec in bench.specs] == ["user_defined", "user_defined"]
    assert bench.values["network_throughput_bytes_per_s"] == [2e9]
    assert bench.alive == 0


def test_published_without_a_proxy_is_not_taken_for_one_with() -> None:
    bench = Scripted()
    with pytest.raises(StageError, match="without a userland proxy"):
        SUITE.run(DriveNetwork(mode="published"), bench.context)
    assert bench.values == {}
    assert bench.alive == 0


def test_a_connection_that_is_refused_is_a_failure_of_the_work() -> None:
    bench = Scripted("error connect 111\n")
    with pytest.raises(StageError, match="error connect 111") as caught:
        SUITE.run(STEP, bench.context)
    assert caught.value.stage == "work"
    assert bench.alive == 0


def test_modes_that_a_driver_has_not_are_left_out_with_a_reason() -> None:
    drivers = {driver.name: driver for driver in all_drivers()}
    assert SUITE.lack(DriveNetwork(mode="bridge"), drivers["docker"]) is None
    assert SUITE.lack(DriveNetwork(mode="bridge"), drivers["namespace"]) == "it has no network bridge"
    assert SUITE.lack(STEP, drivers["null"]) is not None
    two = SUITE.demand(DriveNetwork(mode="user_defined"), drivers["docker"])
    assert two.memory_bytes == 2 * SUITE.demand(STEP, drivers["docker"]).memory_bytes
