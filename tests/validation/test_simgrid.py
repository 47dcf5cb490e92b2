"""Job by job against SimGrid, an independent simulator with another algorithm in another language."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.validation.quoted import quoted
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


def mixed(hosts: int, seed: int) -> Jobs:
    """Every host with a load, a number of jobs and a kind of demand of its own; some jobs ask for nothing at all."""
    random = np.random.default_rng(seed)
    columns = []
    for host in range(hosts):
        count = int(random.integers(1, 120))
        demands = [random.exponential(1, count), random.integers(0, 5, count) / 2, random.pareto(1.5, count)][host % 3]
        gaps = random.exponential(1 / random.uniform(0.2, 6), count) * (random.random(count) < 0.8)  # bursts of equals
        columns.append((np.full(count, host), gaps.cumsum(), demands))
    host, arrivals, demands = (np.concatenate(column) for column in zip(*columns, strict=True))
    return host, arrivals, demands


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
        *[pytest.param(c, partial(mixed, 150, seed=20 + c), id=f"mixed on {c} cores") for c in (1, 2, 5, 12)],
    ],
)
def test_every_completion_agrees_with_simgrid(
    request: pytest.FixtureRequest, simgrid_replay: Path, tmp_path: Path, cores: int, jobs: Callable[[], Jobs]
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
    worst = float(np.abs(ours.completion_s - expected).max())
    assert worst < 1e-6
    # SimGrid's times are written with nine decimals, and its own tolerance is 1e-9 s; the page rounds up
    bound = next(limit for limit in (1e-9, 1e-8, 1e-7, 1e-6) if worst <= limit)
    case = request.node.callspec.id
    quoted(f"| {case} | {hosts} | {cores} | {len(host)} | {ours.completion_s.max():.0f} | {bound:.0e} |")
