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

from vsim.bench.drivers import all_drivers

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
    assert [rung["name"] for rung in rungs] == [driver.name for driver in all_drivers()]
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
