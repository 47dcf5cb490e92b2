"""The suites for real: CPU on every rung that this host has, the others on those that differ in them."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsim.bench.clean import processes_of
from vsim.bench.drivers import Driver, all_drivers
from vsim.bench.payload import build_payload
from vsim.bench.runner import Runner
from vsim.bench.suites import suite_of
from vsim.bench.workspace import Workspace, new_run_id
from vsim.model.plan import (
    Density,
    DriveCpu,
    DriveDisk,
    DriveNetwork,
    Exchange,
    OfferRequests,
    Plan,
    Step,
)
from vsim.samples.records import Failure, Record, Sample

MIB = 2**20
DRIVERS = {driver.name: driver for driver in all_drivers() if not driver.detection_only and driver.name != "null"}
EXCUSED = {name.strip() for name in os.environ.get("VSIM_EXCUSED", "").split(",") if name.strip()}

payloads = functools.cache(build_payload)


def need(driver: Driver, *steps: Step) -> None:
    reasons = [driver.lack(), *(suite_of(step).lack(step, driver) for step in steps)]
    for reason in filter(None, reasons):
        message = f"{driver.name}: {reason}"
        if os.environ.get("VSIM_REQUIRE_ALL") == "1" and driver.name not in EXCUSED:
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    before = docker("volume", "ls")
    with Workspace(new_run_id()) as made:
        yield made
    assert left_by(made) == []
    # A volume without a name has no label to tell whose it is.
    assert not set(docker("volume", "ls")) - set(before)


def left_by(workspace: Workspace) -> list[str]:
    """Return what this run has left on the host: others may be going on beside it."""
    label = f"label=vsim.run={workspace.run_id}"
    return [
        *processes_of(workspace.run_id).values(),
        *(str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{workspace.label}*")),
        *(line for line in Path("/proc/self/mountinfo").read_text().splitlines() if workspace.run_id in line),
        *([str(workspace.path)] if workspace.path.exists() else []),
        *docker("ps", "--all", "--filter", label),
        *docker("images", "--filter", label),
        *docker("network", "ls", "--filter", label),
    ]


def docker(*words: str) -> list[str]:
    """Return the identities that a docker command lists; none where there is no Docker."""
    try:
        done = subprocess.run(["docker", *words, "--quiet"], capture_output=True, text=True, timeout=20, check=False)
    except FileNotFoundError:
        return []
    return done.stdout.split()


def measure(name: str, workspace: Workspace, *steps: Step) -> dict[tuple[int, str], list[Sample]]:
    """Carry the steps out and return the samples by number of the step and metric; there must be no failure."""
    driver = DRIVERS[name]
    need(driver, *steps)
    records: list[Record] = []
    plan = Plan("test", steps, blocks=1, warmup_blocks=0, time_limit_s=120.0)
    Runner(plan, [driver], workspace, payloads, records.append).run()
    assert [record for record in records if isinstance(record, Failure)] == []
    found: dict[tuple[int, str], list[Sample]] = {}
    for record in records:
        if isinstance(record, Sample) and record.driver == name:
            assert record.stack == driver.stack
            assert set(driver.flags) <= set(record.flags)
            found.setdefault((record.step, record.metric), []).append(record)
    return found


@pytest.mark.parametrize("name", DRIVERS)
def test_cpu(name: str, workspace: Workspace) -> None:
    found = measure(
        name,
        workspace,
        DriveCpu(work="user", operations=5_000_000),
        DriveCpu(work="system_call", operations=5_000),
        DriveCpu(work="page_fault", operations=2_000),
    )
    values = {metric: samples[0].value for (_, metric), samples in found.items()}
    assert set(values) == {"cpu_user_s", "cpu_system_call_s", "cpu_page_fault_s"}
    # Three shifts and three exclusive ors, one after another, take longer than a tenth of a nanosecond anywhere, and
    # a way into the kernel and back longer than the fastest of them.
    assert 1e-10 < values["cpu_user_s"] < 1e-6
    assert values["cpu_user_s"] < values["cpu_system_call_s"] < 1e-3
    assert values["cpu_user_s"] < values["cpu_page_fault_s"] < 1e-2


@pytest.mark.alone
@pytest.mark.parametrize(
    ("name", "path"),
    [
        *((name, "root") for name in ("process", "namespace", "runc", "gvisor", "docker")),
        *((name, "bind") for name in ("bubblewrap", "crun")),
        *((name, "volume") for name in ("podman", "docker")),
    ],
)
def test_disk(name: str, path: str, workspace: Workspace) -> None:
    step = DriveDisk(pattern="random_write", depth=4, path=path, size_bytes=8 * MIB, duration_s=0.3)  # type: ignore[arg-type]
    found = {metric: samples[0] for (_, metric), samples in measure(name, workspace, step).items()}
    assert f"path-{path}" in found["disk_iops"].flags
    assert 0 < found["disk_latency_p50_s"].value <= found["disk_latency_p99_s"].value < 1
    # both are fio's, worked out in different ways
    assert found["disk_throughput_bytes_per_s"].value == pytest.approx(4096 * found["disk_iops"].value, rel=0.1)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("process", "host"),
        ("namespace", "host"),
        ("runc", "bridge"),
        ("crun", "bridge"),
        ("gvisor", "bridge"),
        ("docker", "bridge"),
        ("docker-runsc", "bridge"),
        ("qemu-tcg", "published"),
    ],
)
def test_requests(name: str, network: str, workspace: Workspace) -> None:
    step = OfferRequests(rate_per_s=100, duration_s=0.5, operations=1000)
    found = {metric: samples[0] for (_, metric), samples in measure(name, workspace, step).items()}
    assert found["latency_p50_s"].flags[-1] == f"network-{network}"
    assert 0 < found["latency_p50_s"].value <= found["latency_p95_s"].value <= found["latency_p99_s"].value < 5
    assert found["requests_failed"].value == 0
    assert found["requests_per_s"].value == pytest.approx(100, rel=0.3)


@pytest.mark.parametrize(
    ("name", "modes"),
    [
        ("process", ("loopback", "host")),
        ("namespace", ("loopback", "host")),
        ("lxc", ("loopback",)),
        ("runc", ("loopback", "host", "bridge")),
        ("crun", ("bridge",)),
        ("gvisor", ("loopback", "bridge")),
        ("uml", ("loopback",)),
        ("docker", ("bridge", "published", "published_no_proxy", "user_defined")),
    ],
)
def test_network(name: str, modes: tuple[str, ...], workspace: Workspace) -> None:
    steps = [DriveNetwork(mode=mode, round_trips=50, bytes=MIB) for mode in modes]  # type: ignore[arg-type]
    found = measure(name, workspace, *steps)
    for number, mode in enumerate(modes):
        (trip,), (rate,) = found[number, "network_round_trip_s"], found[number, "network_throughput_bytes_per_s"]
        assert trip.flags[-1] == f"network-{mode}"
        assert 1e-6 < trip.value < 1
        assert 1e4 < rate.value < 1e12


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("process", ("http", "file", "sqlite", "postgresql")),
        ("runc", ("http", "file", "sqlite", "postgresql")),
        ("gvisor", ("file",)),
        ("podman", ("postgresql",)),
        ("docker", ("http", "file", "sqlite", "postgresql")),
        ("docker-runsc", ("postgresql",)),
    ],
)
def test_exchange(name: str, ways: tuple[str, ...], workspace: Workspace) -> None:
    steps = [Exchange(over=way, messages=20, message_bytes=512) for way in ways]  # type: ignore[arg-type]
    found = measure(name, workspace, *steps)
    for number, way in enumerate(ways):
        (sample,) = found[number, "exchange_s"]
        assert sample.flags[-1] == f"over-{way}"
        assert 1e-7 < sample.value < 1


def test_a_database_server_that_dies_is_a_failure_and_leaves_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not enough memory for its settings: the server says so, in its own words, and ends at once."""
    step = Exchange(over="postgresql", messages=5)
    need(DRIVERS["process"], step)
    monkeypatch.setattr("vsim.bench.suites._postgresql._SETTINGS", ("shared_buffers=1PB",))
    records: list[Record] = []
    plan = Plan("test", (step,), blocks=1, warmup_blocks=0, time_limit_s=120.0)
    segments = Path("/proc/sysvipc/shm").read_text()
    Runner(plan, [DRIVERS["process"]], workspace, payloads, records.append).run()
    (failure,) = [record for record in records if isinstance(record, Failure)]
    assert failure.stage == "work"
    assert "the server did not come up: it ended" in failure.message
    assert "shared_buffers" in failure.message
    assert Path("/proc/sysvipc/shm").read_text() == segments


@pytest.mark.parametrize("name", ["process", "runc", "docker"])
def test_density(name: str, workspace: Workspace) -> None:
    found = measure(name, workspace, Density(limit=4, reserve=0.05))
    (reached,) = found[0, "density_instances"]
    assert (reached.value, reached.flags[-1]) == (4, "ended-limit")
    assert [sample.instance for sample in found[0, "density_startup_s"]] == [0, 1, 2, 3]


def test_what_a_driver_can_not_do_is_said_in_the_run_s_record() -> None:
    from vsim.bench.budget import left_out

    steps = (DriveDisk(), DriveNetwork(mode="bridge"))
    said = list(left_out(Plan("test", steps), [DRIVERS["uml"], DRIVERS["process"]]))
    assert said == [
        "step 1 (disk) with uml: its guest has nothing but the probe: no fio, and no disk",
        "step 2 (network) with uml: it has no network bridge",
        "step 2 (network) with process: it has no network bridge",
    ]
