"""A real Dask cluster: a scheduler and two workers, each a process of its own, and the command that uses them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import SMALL, environment, vsim

SWEEP = (
    SMALL.replace("replications: 3", "replications: 40")
    + """\
sweep:
  parameters:
    services.web.replicas: [2, 4, 8, 16]
    container-engine.memory.unit_bytes: [1e6, 8e6]
"""
)
START_S = 30


class Cluster:
    """A scheduler on a free port, and workers that can be added and killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.address = f"tcp://127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        self._spawn("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        self._wait(f"Scheduler at: *{self.address}", "scheduler")

    def add_worker(self) -> subprocess.Popen[bytes]:
        name = f"worker{len(self.processes)}"
        # One process, without a nanny that would start it again: what is killed stays dead.
        options = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(self._folder))
        process = self._spawn("worker", self.address, *options, log=name)
        self._wait(f"Registered to: *{self.address}", name)
        return process

    def _spawn(self, role: str, *arguments: str, log: str = "") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{role}", *arguments]
        with (self._folder / f"{log or role}.log").open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment())
        self.processes.append(process)
        return process

    def _wait(self, pattern: str, log: str) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            text = (self._folder / f"{log}.log").read_text()
            if re.search(pattern, text):
                return
            time.sleep(0.1)
        pytest.fail(f"no {pattern!r} from the {log}:\n{text}")

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@contextlib.contextmanager
def cluster_of(workers: int, folder: Path) -> Iterator[Cluster]:
    made = Cluster(folder)
    try:
        for _ in range(workers):
            made.add_worker()
        yield made
    finally:
        made.close()


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP)
    return path


def on_cluster(scenario: Path, address: str) -> list[str]:
    words = ["simulate", str(scenario), "--format", "json", "--backend", "dask", "--scheduler", address]
    return [sys.executable, "-m", "vsim", *words]


def test_the_same_bytes_from_a_cluster_and_after_a_worker_was_killed(sweep: Path, tmp_path: Path):
    local = vsim("simulate", sweep, "--format", "json", "--jobs", 1)
    assert local.returncode == 0, local.stderr
    with cluster_of(2, tmp_path) as cluster:
        done = subprocess.run(
            on_cluster(sweep, cluster.address), capture_output=True, env=environment(), timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == local.stdout

        victim, result = cluster.processes[-1], tmp_path / "result.json"
        # To a file: into a pipe that nobody reads yet, the command would still be writing long after its last task.
        with (
            result.open("wb") as stdout,
            subprocess.Popen(
                on_cluster(sweep, cluster.address), stdout=stdout, stderr=subprocess.PIPE, env=environment()
            ) as running,
        ):
            # A tenth of what the sweep takes of each worker: an idle one's heartbeats take longer than the sweep.
            assert worker_is_busy(victim.pid, 0.3)
            os.kill(victim.pid, signal.SIGKILL)
            assert running.poll() is None, "the sweep was over before a worker could be killed"
            assert not result.stat().st_size
            stderr = running.communicate(timeout=120)[1]
        assert running.returncode == 0, stderr
        assert result.read_bytes() == local.stdout


def test_a_lone_worker_is_used_later_ones_too_and_a_lost_scheduler_is_said_so(tmp_path: Path):
    scenario, out = tmp_path / "long.yaml", tmp_path / "out"
    scenario.write_text(SMALL.replace("replications: 3", "replications: 5000"))
    with cluster_of(1, tmp_path) as cluster:
        scheduler, first = cluster.processes
        command = [*on_cluster(scenario, cluster.address), "--out", str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as running:
            assert worker_is_busy(first.pid, 1.0)
            assert worker_is_busy(cluster.add_worker().pid, 1.0)
            os.kill(scheduler.pid, signal.SIGKILL)
            stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 3
    assert stdout == b""
    assert stderr.startswith(b"error: the connection to the Dask cluster was lost")
    assert b"Traceback" not in stderr
    assert not out.exists()


def worker_is_busy(pid: int, seconds: float) -> bool:
    """Wait until the process has had `seconds` of CPU time more than now: it is in the middle of its tasks."""

    def cpu_s() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    target, deadline = cpu_s() + seconds, time.monotonic() + START_S
    while time.monotonic() < deadline:
        if cpu_s() >= target:
            return True
        time.sleep(0.02)
    return False


def test_no_scheduler_is_said_so_within_seconds(sweep: Path):
    start = time.monotonic()
    done = vsim("simulate", sweep, "--backend", "dask", "--scheduler", f"tcp://127.0.0.1:{free_port()}")
    assert time.monotonic() - start < 25
    assert done.returncode == 3
    assert b"no Dask scheduler answers" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_scheduler_without_workers_is_said_so(sweep: Path, tmp_path: Path):
    with cluster_of(0, tmp_path) as cluster:
        done = vsim("simulate", sweep, "--backend", "dask", "--scheduler", cluster.address)
    assert done.returncode == 3
    assert b"has no workers" in done.stderr
    assert b"dask worker" in done.stderr
    assert b"Traceback" not in done.stderr
