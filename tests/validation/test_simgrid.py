"""Job by job against SimGrid, an independent simulator with another algorithm in another language."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vsim.engine.replay import replay

Jobs = tuple[np.ndarray, np.ndarray, np.ndarray]


def poisson(hosts: int, per_host: int, cores: int, load: float, seed: int) -> Jobs:
    """Poisson arrivals and exponential demands of mean 1 core-second at `load` of each host's cores."""
    random = np.random.default_rng(seed)
    arrivals = random.exponential(1 / (load * cores), (hosts, per_host)).cumsum(axis=1)
    return np.repeat(np.arange(hosts), per_host), arrivals.ravel(), random.exponential(1.0, hosts * per_host)


def ties(hosts: int, per_host: int, seed: int) -> Jobs:
    """Arrivals and demands on a grid of quarters: many begin, and many end, at the same time."""
    random = np.random.default_rng(seed)
    arrivals = np.sort(random.integers(0, per_host, (hosts, per_host)) / 4, axis=1)
    demands = random.integers(1, 9, hosts * per_host) / 4
    return np.repeat(np.arange(hosts), per_host), arrivals.ravel(), demands


def all_at_once(hosts: int, per_host: int) -> Jobs:
    """Everything arrives at time 0: 1, 2, 3, … core-seconds."""
    host = np.repeat(np.arange(hosts), per_host)
    return host, np.zeros(hosts * per_host), np.tile(np.arange(1.0, per_host + 1), hosts)


def wide(hosts: int, per_host: int, cores: int, seed: int) -> Jobs:
    """Demands over six orders of magnitude (log-uniform from 1 ms to 1000 s), so that short meet long."""
    random = np.random.default_rng(seed)
    demands = 10 ** random.uniform(-3, 3, hosts * per_host)
    arrivals = random.exponential(demands.mean() / cores, (hosts, per_host)).cumsum(axis=1)
    return np.repeat(np.arange(hosts), per_host), arrivals.ravel(), demands


@pytest.mark.parametrize(
    ("cores", "jobs"),
    [
        pytest.param(4, lambda: poisson(20, 200, 4, 0.3, seed=1), id="light"),
        pytest.param(4, lambda: poisson(20, 200, 4, 0.8, seed=2), id="80 percent"),
        pytest.param(4, lambda: poisson(20, 200, 4, 0.98, seed=3), id="heavy"),
        pytest.param(4, lambda: poisson(10, 300, 4, 1.5, seed=4), id="overload"),
        pytest.param(1, lambda: poisson(20, 200, 1, 0.8, seed=5), id="one core"),
        pytest.param(3, lambda: poisson(20, 200, 3, 0.9, seed=6), id="three cores"),
        pytest.param(64, lambda: poisson(5, 800, 64, 0.9, seed=7), id="64 cores"),
        pytest.param(1, lambda: ties(20, 100, seed=8), id="ties on one core"),
        pytest.param(4, lambda: ties(20, 100, seed=9), id="ties on four cores"),
        pytest.param(4, lambda: all_at_once(5, 200), id="all at once"),
        pytest.param(4, lambda: wide(20, 100, 4, seed=10), id="short and long"),
    ],
)
def test_every_completion_agrees_with_simgrid(
    simgrid_replay: Path, tmp_path: Path, cores: int, jobs: Callable[[], Jobs]
) -> None:
    host, arrival_s, demand_core_s = jobs()
    hosts = int(host.max()) + 1
    listed = zip(host.tolist(), arrival_s.tolist(), demand_core_s.tolist(), strict=True)
    (tmp_path / "jobs.csv").write_text("".join(f"{h},{a!r},{d!r}\n" for h, a, d in listed))

    theirs = subprocess.run(
        [simgrid_replay, str(hosts), str(cores), "jobs.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = np.loadtxt(theirs.stdout.splitlines(), delimiter=",", ndmin=2)[:, 3]
    ours = replay((host, arrival_s, demand_core_s), hosts, cores)

    assert len(expected) == len(host)
    assert np.abs(ours.completion_s - expected).max() < 1e-6
