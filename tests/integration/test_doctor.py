"""``vsim doctor`` on this host, whatever it is: quick, true to the drivers, and nothing keeps running."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vsim.bench.clean import clean, processes_of
from vsim.bench.rungs import ladder
from vsim.bench.rungs.trial import try_rungs
from vsim.bench.workspace import dead_runs, is_alive

DOCTOR = [sys.executable, "-m", "vsim", "doctor"]


def _run(*arguments: str, prefix: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, *DOCTOR, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=os.environ | environment,
        cwd=Path(__file__).parents[2],
    )


def _guests() -> list[str]:
    """Return the command lines of what the doctor might have left running."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if "environment/_guest.py" in words or "vsim-kvm-" in words:
                found.append(words)
    return found


@pytest.fixture(scope="module")
def data() -> dict[str, object]:
    begin = time.monotonic()
    done = _run("--format", "json")
    assert time.monotonic() - begin < 20
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_it_takes_at_most_20_s_and_leaves_nothing(data: dict[str, object]) -> None:
    # Other tests may be trying KVM at the same time; theirs end as well.
    end = time.monotonic() + 20
    while (left := _guests()) and time.monotonic() < end:
        time.sleep(0.2)
    assert left == []


def test_the_rungs_are_what_the_drivers_say(data: dict[str, object]) -> None:
    rungs = data["rungs"]
    assert isinstance(rungs, list)
    assert [rung["name"] for rung in rungs] == [driver.name for driver in ladder()]
    assert next(rung for rung in rungs if rung["name"] == "process")["measurable"]
    for rung in rungs:
        assert rung["measurable"] == (rung["reason"] is None)


def test_the_record_says_what_the_host_is(data: dict[str, object]) -> None:
    facts = data["environment"]
    assert isinstance(facts, dict)
    for name in ("host_kind", "cpu_model", "cpu_count", "memory_bytes", "kernel", "cgroup_version", "kvm"):
        assert name in facts
    if Path("/dev/kvm").exists() and facts["kvm"] == "no-guest-boots":
        host = data["host"]
        assert isinstance(host, list)
        assert any(line.startswith("KVM present but no guest boots") for line in host)


def test_text_in_a_pipe_has_80_columns_and_no_colour() -> None:
    done = _run(NO_COLOR="1")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert re.search(r"^Can be measured \(\d+\)$", done.stdout, re.MULTILINE)


def test_without_docker(data: dict[str, object]) -> None:
    done = _run("--format", "json", DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert "docker_version" not in found["environment"]
    docker = next(rung for rung in found["rungs"] if rung["name"] == "docker")
    assert "no Docker daemon" in docker["reason"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; who isn't root tests it anyway")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_without_root(tmp_path: Path) -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if subprocess.run([*nobody, sys.executable, "-c", "import vsim"], capture_output=True, check=False).returncode:
        pytest.skip("nobody may not read this checkout")
    done = _run("--format", "json", prefix=nobody, HOME="/nonexistent", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "needs root" in next(rung for rung in found["rungs"] if rung["name"] == "runc")["reason"]


def test_it_loads_nothing_that_a_small_computer_lacks() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *DOCTOR[1:]], capture_output=True, text=True, timeout=30, check=True
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not loaded & {"pandas", "scipy", "matplotlib", "simpy", "numpy", "docker"}


@pytest.mark.slow
def test_the_rungs_really_start_within_20_s_and_nothing_is_left() -> None:
    """Those that are quick on any host; the slow ones may be cut off, and say so."""
    before = _dead()
    begin = time.monotonic()
    done = _run("--try", "--format", "json")
    assert time.monotonic() - begin < 20
    assert done.returncode == 0, done.stderr
    rungs = {rung["name"]: rung for rung in json.loads(done.stdout)["rungs"]}
    assert rungs["process"]["tried"]
    assert rungs["process"]["measurable"]
    for rung in rungs.values():
        assert rung["reason"] is None or "breaks" not in rung["reason"], rung
    assert _left(before) == {}


def test_a_trial_without_enough_time_is_cut_off_and_leaves_nothing() -> None:
    able = [driver.name for driver in ladder() if not driver.detection_only and driver.lack() is None]
    before = _dead()
    begin = time.monotonic()
    found = try_rungs(able, limit_s=0.5)
    assert time.monotonic() - begin < 12
    assert set(found) < set(able)
    assert _left(before) == {}


def test_when_the_doctor_is_killed_its_trial_ends_too() -> None:
    before = _dead()
    doctor = subprocess.Popen([*DOCTOR, "--try"], stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
    end = time.monotonic() + 15
    while not (trials := _children(doctor.pid)) and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.5)
    doctor.kill()
    doctor.wait()
    end = time.monotonic() + 15
    while any(_runs(pid) for pid in trials) and time.monotonic() < end:
        time.sleep(0.05)
    assert trials
    assert not any(_runs(pid) for pid in trials)
    # What an engine holds isn't gone with its client: that is what `vsim clean` is for.
    clean()
    assert _left(before) == {}


def _runs(pid: int) -> bool:
    """Return whether the process goes on. One that has ended may wait for seconds until init takes note."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(state[1]) == parent and b"vsim.bench.rungs.trial" in words:
                found.append(int(entry.name))
    return found


def _dead() -> dict[str, list[str]]:
    """Return what runs that don't live any more have left; those of others may be going on."""
    found = {
        "processes": [*processes_of(None).values()],
        "files": [path.name for path in dead_runs()],
        "groups": [str(path) for path in Path("/sys/fs/cgroup").glob("*/vsim-*") if _is_dead(path.name)],
        "mounts": [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if _is_dead(line)],
    }
    if shutil.which("docker"):
        for kind, command in (("containers", ("ps", "-a")), ("images", ("images",))):
            words = ("docker", *command, "--filter", "label=vsim.run", "--format", "{{.ID}}")
            ids = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False).stdout.split()
            labels = ("docker", "inspect", "--format", '{{index .Config.Labels "vsim.run"}}', *ids)
            runs = subprocess.run(labels, capture_output=True, text=True, timeout=20, check=False).stdout if ids else ""
            found[kind] = [line for line in runs.splitlines() if _is_dead(line)]
    return found


def _is_dead(text: str) -> bool:
    run = re.search(r"\d{8}-\d{6}-[0-9a-f]{4}", text)
    return run is not None and not is_alive(run[0])


def _left(before: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what is left that wasn't there before; another run that is just ending gets some time for it."""
    end = time.monotonic() + 5
    while True:
        left = {kind: [each for each in found if each not in before.get(kind, [])] for kind, found in _dead().items()}
        left = {kind: found for kind, found in left.items() if found}
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.2)
