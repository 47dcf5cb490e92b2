"""Every driver that this host has, for real: through start-up and memory, and nothing left behind."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.leftovers import leftovers
from vsim.bench.drivers import Driver, all_drivers
from vsim.bench.payload import Payload, build_payload
from vsim.bench.runner import Runner
from vsim.bench.workspace import Workspace, new_run_id
from vsim.model.plan import HoldMemory, Plan, Start
from vsim.samples.records import Failure, Record, Sample

MIB = 2**20
DRIVERS = [driver for driver in all_drivers() if not driver.detection_only]
# Where a rung can't be had for a reason that is no fault of the machine's set-up, CI names it here.
EXCUSED = {name.strip() for name in os.environ.get("VSIM_EXCUSED", "").split(",") if name.strip()}

payloads = functools.cache(build_payload)


def need(driver: Driver) -> None:
    reason = driver.lack()
    if reason is None:
        return
    message = f"{driver.name}: {reason}"
    if os.environ.get("VSIM_REQUIRE_ALL") == "1" and driver.name not in EXCUSED:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    before = leftovers()
    with Workspace(new_run_id()) as made:
        yield made
    assert leftovers() == before


def measure(driver: Driver, workspace: Workspace, plan: Plan) -> tuple[list[Sample], list[Failure]]:
    records: list[Record] = []

    def payload(architecture: str | None) -> Payload:
        return payloads(architecture)

    Runner(plan, [driver], workspace, payload, records.append).run()
    samples = [r for r in records if isinstance(r, Sample) and r.driver == driver.name]
    return samples, [r for r in records if isinstance(r, Failure)]


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
def test_start_up_and_memory(driver: Driver, workspace: Workspace) -> None:
    need(driver)
    touch = 16 * MIB
    steps = (
        Start(count=1),
        Start(count=2, concurrency=2),
        HoldMemory(count=2, touch_bytes=touch, points=2),
    )
    plan = Plan("test", steps, blocks=1, warmup_blocks=0, time_limit_s=120.0)
    samples, failures = measure(driver, workspace, plan)

    assert failures == []
    stages: dict[str, list[float]] = {}
    waves: dict[str, int] = {}
    for sample in samples:
        assert sample.stack == driver.stack
        assert set(driver.flags) <= set(sample.flags)
        if sample.suite == "startup" and sample.instance is not None:
            stages.setdefault(sample.metric, []).append(sample.value)
        elif sample.suite == "startup":
            waves[sample.metric] = waves.get(sample.metric, 0) + 1
    assert {name: len(values) for name, values in stages.items()} == dict.fromkeys(
        ("startup_s", "create_s", "start_s", "first_instruction_s", "ready_s", "stop_s", "remove_s"), 3
    )
    assert waves == {"starts_per_s": 2, "startup_cpu_core_s": 2}
    for first, ready, create, startup in zip(
        *(stages[name] for name in ("first_instruction_s", "ready_s", "create_s", "startup_s")), strict=True
    ):
        assert 0 < first <= ready < driver.start_timeout_s
        assert startup == pytest.approx(create + first)
    if driver.name == "null":
        return
    pss = [sample.value for sample in samples if sample.metric == "memory_pss_bytes"]
    assert len(pss) == 2
    for value in pss if "pss" in driver.capabilities else ():
        # what was touched is in the instance, and not much more than its rung's own part
        assert touch <= value <= touch + 2 * driver.overhead_bytes + 4 * MIB
    charged = [sample.value for sample in samples if sample.metric == "memory_cgroup_bytes"]
    if "cgroup" in driver.capabilities:
        assert len(charged) == 2
        assert all(value >= touch for value in charged)


@pytest.mark.parametrize("driver", [d for d in DRIVERS if d.name != "null"], ids=lambda driver: driver.name)
def test_a_probe_that_gives_up_is_a_failure_in_its_stage(driver: Driver, workspace: Workspace) -> None:
    need(driver)
    from vsim.bench.drivers import InstanceSpec
    from vsim.bench.errors import StageError
    from vsim.bench.lifecycle import launch

    with (
        driver.open(workspace, payloads(driver.architecture)) as session,
        pytest.raises(StageError, match="error nonsense") as caught,
    ):
        launch(session, InstanceSpec(arguments=("nonsense",)), timeout_s=driver.start_timeout_s, clock=_clock)
    assert caught.value.stage == "ready"


def _clock() -> float:
    import time

    return time.monotonic()


CONTAINERS = [driver.name for driver in DRIVERS if driver.stack in ("container", "sandboxed-container")]


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_are_locked_down(name: str, workspace: Workspace) -> None:
    """No capabilities, no new privileges, a read-only root, limits on memory and processes, no network."""
    driver = next(d for d in DRIVERS if d.name == name)
    need(driver)
    from vsim.bench.drivers import InstanceSpec
    from vsim.bench.lifecycle import launch, retire

    with driver.open(workspace, payloads(driver.architecture)) as session:
        spec = InstanceSpec(memory_bytes=48 * MIB, pids=40)
        launched = launch(session, spec, timeout_s=driver.start_timeout_s, clock=_clock)
        process = Path(f"/proc/{launched.instance.pids()[0]}")
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
        root = next(line.split() for line in (process / "mountinfo").read_text().splitlines() if line.split()[4] == "/")
        interfaces = [line.partition(":")[0].strip() for line in (process / "net/dev").read_text().splitlines()[2:]]
        routes = (process / "net/route").read_text().splitlines()[1:]
        namespace = (process / "ns/net").readlink()
        limits = {controller: _limit(process, controller) for controller in ("memory", "pids")}
        retire(session, launched.instance, clock=_clock)
    assert limits == {"memory": 48 * MIB, "pids": 40}
    assert namespace != Path("/proc/self/ns/net").readlink()
    assert routes == []
    assert not set(interfaces) & set(_own_interfaces())
    # What is seen of gVisor from here is its kernel, which keeps some privileges of its own; the application in it has
    # what the bundle says, like any other.
    if driver.stack == "container":
        for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(status[kind], 16) == 0, kind
        assert status["NoNewPrivs"] == "1"
        assert "ro" in root[5].split(",")


def _limit(process: Path, controller: str) -> int:
    """Return the tightest limit on the process's group and those above it."""
    from vsim.bench import cgroups

    found = cgroups.hierarchies()
    group = cgroups.cgroup_of(int(process.name), controller)
    base = found.root_of(controller)
    assert group is not None
    assert base is not None
    file = "pids.max" if controller == "pids" else "memory.max" if found.unified else "memory.limit_in_bytes"
    path = base / group.path.strip("/")
    limits = [
        int(text)
        for each in (path, *path.parents)
        if each != base and each.is_relative_to(base) and (text := (each / file).read_text().strip()) != "max"
    ]
    return min(limits)


def _own_interfaces() -> list[str]:
    """Return the interfaces of this host with which it could talk to others."""
    return [path.name for path in Path("/sys/class/net").iterdir() if (path / "device").exists()]


def test_payload_runs_without_this_machine_s_libraries(workspace: Workspace) -> None:
    """fio and sysbench come with what they need: they run with nothing but the payload as their root."""
    import shutil
    import subprocess

    payload = payloads(None)
    for name in ("fio", "sysbench"):
        if shutil.which(name) is None:
            if os.environ.get("VSIM_REQUIRE_ALL") == "1":
                pytest.fail(f"{name} is not installed")
            pytest.skip(f"{name} is not installed")
        done = subprocess.run(
            ["unshare", "--mount", f"--root={payload.root}", payload.programs[name], "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert name in done.stdout
