"""CPU, disk, network and exchange: what the probe's work takes, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.plans.profiles import m, performed, profile, values
from vsim.calibration import Profile
from vsim.model.plan import DriveCpu, DriveDisk, DriveNetwork, Exchange, Step
from vsim.samples.records import Samples

MIB = 2**20
DISK = {
    "read_bytes_per_s": m(400, "MB/s"),
    "write_bytes_per_s": m(200, "MB/s"),
    "iops": m(10_000, "1/s"),
    "latency_s": m(500, "us"),
}


def known(folder: Path, *, machine: dict[str, Any] | None = None, **engine: Any) -> Profile:
    """A rung whose user code is half as fast, system calls a tenth, and disk and network cost something."""
    rung = {
        "boundary": "namespace",
        "cpu": {"user_factor": m(2), "system_call_factor": m(10)},
        "disk": {
            "root": {"latency_s": m(100, "us"), "iops_factor": m(0.5), "throughput_factor": m(0.8)},
            "bind": {"latency_s": m(0, "us")},
        },
        "network": {
            "bridge": {"latency_s": m(50, "us"), "throughput_factor": m(0.5)},
            "user_defined": {"latency_s": m(40, "us"), "cpu_core_s_per_message": m(5, "us")},
        },
        **engine,
    }
    reference = {
        "probe_user_operation_core_s": m(1, "ns"),
        "probe_system_call_core_s": m(100, "ns"),
        "probe_page_fault_core_s": m(500, "ns"),
        "probe_request_core_s": m(30, "us"),
        "probe_network_bytes_per_s": m(2, "GB/s"),
        "probe_file_message_core_s": m(3, "us"),
        "probe_sqlite_write_core_s": m(10, "us"),
        "probe_sqlite_read_core_s": m(20, "us"),
        "probe_sqlite_disk_operations": m(2),
    }
    host = {"network": {"host": {"latency_s": m(10, "us")}}}
    return profile(
        folder, {"engine": rung, "host": host}, reference=reference, machine={"disk": DISK, **(machine or {})}
    )


def reason(samples: Samples) -> str:
    assert samples.samples == ()
    return samples.runs[0].left_out[0].partition(": ")[2]


def test_an_operation_takes_the_probe_s_work_times_the_slowdown(tmp_path: Path) -> None:
    step = DriveCpu(work="system_call", operations=1000)
    found = performed(known(tmp_path), step, drivers=("process", "docker"))
    assert values(found, "cpu_system_call_s", driver="process") == pytest.approx([100e-9])
    assert values(found, "cpu_system_call_s", driver="docker") == pytest.approx([1e-6])
    slower = performed(known(tmp_path, machine={"core_speed": m(0.5)}), DriveCpu(work="user", operations=1000))
    assert values(slower, "cpu_user_s") == pytest.approx([4e-9])
    assert slower.done
    assert reason(performed(known(tmp_path), DriveCpu(work="page_fault"))).endswith("its cpu.page_fault_factor")


def test_what_varies_in_an_operation_varies_from_block_to_block_alike_for_all_rungs(tmp_path: Path) -> None:
    varying = m(1, "ns", distribution={"family": "lognormal", "cv": 0.2})
    engine = {"boundary": "namespace", "cpu": {"user_factor": m(2)}}
    both = profile(tmp_path, {"engine": engine}, reference={"probe_user_operation_core_s": varying})
    found = performed(both, DriveCpu(operations=1000), drivers=("process", "docker"), blocks=400)
    alone = {s.block: s.value for s in found.samples if s.driver == "process"}
    beside = {s.block: s.value for s in found.samples if s.driver == "docker"}
    assert [beside[block] / alone[block] for block in alone] == pytest.approx([2] * 400)
    mean = sum(alone.values()) / 400
    assert mean == pytest.approx(1e-9, rel=0.04)
    assert (sum((x - mean) ** 2 for x in alone.values()) / 400) ** 0.5 == pytest.approx(0.2e-9, rel=0.2)


def disk(samples: Samples) -> dict[str, float]:
    return {s.metric.removeprefix("disk_"): s.value for s in samples.samples}


def test_one_operation_at_a_time_takes_the_latency(tmp_path: Path) -> None:
    found = performed(known(tmp_path), DriveDisk(path="root", duration_s=1.2))
    # 500 µs of the machine and 100 µs of the layer
    latencies = dict.fromkeys(("latency_mean_s", "latency_p50_s", "latency_p95_s", "latency_p99_s"), 0.0006)
    rates = {"iops": 1 / 600e-6, "throughput_bytes_per_s": 4096 / 600e-6}
    assert disk(found) == pytest.approx(latencies | rates)
    assert {s.flags for s in found.samples} == {("path-root",)}
    assert found.samples[0].t == pytest.approx(1.2)


def test_many_at_a_time_are_as_fast_as_the_device(tmp_path: Path) -> None:
    # Half of 10,000 IOPS are left; by Little's law each of 32 operations takes 32 / 5,000 s, but for the first ones.
    found = disk(performed(known(tmp_path), DriveDisk(path="root", depth=32, duration_s=2.0)))
    assert found["iops"] == pytest.approx(5000, rel=0.01)
    assert found["latency_p50_s"] == pytest.approx(32 / 5000)
    # Two of them overlap and don't wait for each other: 2 / 600 µs is less than 5,000 a second.
    few = disk(performed(known(tmp_path), DriveDisk(path="root", depth=2, duration_s=2.0)))
    assert few["iops"] == pytest.approx(2 / 600e-6, rel=0.01)


def test_random_writes_have_a_rate_of_their_own_where_it_is_stated(tmp_path: Path) -> None:
    slower = known(tmp_path, machine={"disk": {**DISK, "write_iops": m(1000, "1/s")}})
    for pattern, rate in (("random_read", 5000), ("random_write", 500)):
        step = DriveDisk(pattern=pattern, path="root", depth=32, duration_s=5.0)  # type: ignore[arg-type]
        assert disk(performed(slower, step))["iops"] == pytest.approx(rate, rel=0.02)


def test_large_blocks_are_limited_by_throughput(tmp_path: Path) -> None:
    for pattern, rate in (("read", 400e6), ("write", 200e6)):
        step = DriveDisk(pattern=pattern, block_bytes=MIB, depth=8, path="root", duration_s=4.0)  # type: ignore[arg-type]
        found = disk(performed(known(tmp_path), step))
        assert found["throughput_bytes_per_s"] == pytest.approx(0.8 * rate, rel=0.01)


def test_latencies_of_a_disk_that_varies(tmp_path: Path) -> None:
    # Equally often half of 500 µs and one and a half times as much; the device itself is busy for less.
    latency = m(500, "us", distribution={"family": "empirical", "relative": [0.5, 1.5]})
    varying = known(tmp_path, machine={"disk": {**DISK, "latency_s": latency}})
    found = disk(performed(varying, DriveDisk(path="bind", duration_s=10.0)))
    assert found["latency_mean_s"] == pytest.approx(500e-6, rel=0.02)
    assert (found["latency_p95_s"], found["latency_p99_s"]) == pytest.approx((750e-6, 750e-6))


def test_a_path_that_was_not_measured_is_left_out_but_for_a_process(tmp_path: Path) -> None:
    assert reason(performed(known(tmp_path), DriveDisk(path="volume"))).endswith("what its disk path volume costs")
    process = disk(performed(known(tmp_path), DriveDisk(path="volume"), drivers=("process",)))
    assert process["latency_p50_s"] == pytest.approx(500e-6)


def test_a_round_trip_is_the_latency_twice_and_throughput_a_part_of_the_host_s_own(tmp_path: Path) -> None:
    step = DriveNetwork(mode="bridge", round_trips=1000, bytes=10**9)
    found = performed(known(tmp_path), step)
    assert values(found, "network_round_trip_s") == pytest.approx([100e-6])
    assert values(found, "network_throughput_bytes_per_s") == pytest.approx([1e9])
    assert found.samples[0].t == pytest.approx(1000 * 100e-6 + 1)
    assert reason(performed(known(tmp_path), DriveNetwork(mode="published"))).endswith("its network published costs")
    # A process has the host's own network, a container has not.
    own: Step = DriveNetwork(mode="host")
    assert values(performed(known(tmp_path), own, drivers=("process",)), "network_round_trip_s") == pytest.approx(
        [20e-6]
    )
    assert reason(performed(known(tmp_path), own)).endswith("its network host costs")


def test_messages_over_http_take_an_answer_and_the_way(tmp_path: Path) -> None:
    found = performed(known(tmp_path), Exchange(over="http", messages=100))
    # 30 µs, two messages of 5 µs, and 40 µs each way on the network that two containers share
    assert values(found, "exchange_s") == pytest.approx([120e-6])
    assert found.samples[0].t == pytest.approx(100 * 120e-6)
    assert values(performed(known(tmp_path), Exchange(), drivers=("process",)), "exchange_s") == pytest.approx([50e-6])


def test_messages_through_a_file_are_system_calls(tmp_path: Path) -> None:
    found = performed(known(tmp_path), Exchange(over="file"), drivers=("process", "docker"))
    assert values(found, "exchange_s", driver="process") == pytest.approx([3e-6])
    assert values(found, "exchange_s", driver="docker") == pytest.approx([30e-6])


def test_messages_through_a_database_wait_for_the_disk(tmp_path: Path) -> None:
    found = performed(known(tmp_path), Exchange(over="sqlite"))
    # Ten times the work of the transaction, and two disk operations of 500 µs on the bind mount
    assert values(found, "exchange_write_s") == pytest.approx([100e-6 + 1e-3])
    assert values(found, "exchange_read_s") == pytest.approx([200e-6 + 1e-3])
    assert values(found, "exchange_s") == pytest.approx([300e-6 + 2e-3])
    assert {s.flags for s in found.samples} == {("over-sqlite",)}


def test_messages_that_nobody_has_measured_are_left_out(tmp_path: Path) -> None:
    lonely = profile(tmp_path, {"engine": {"boundary": "namespace"}})
    assert reason(performed(lonely, Exchange(over="file"))) == (
        "the profile doesn't state reference.probe_file_message_core_s"
    )
    assert reason(performed(known(tmp_path), Exchange(over="postgresql"))) == (
        "nothing states what a message over postgresql costs"
    )
    apart = known(tmp_path, network={"bridge": {}})
    assert reason(performed(apart, Exchange())).endswith("a network that two instances have in common")
