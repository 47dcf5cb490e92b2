"""100,000 jobs on 1,000 hosts of four cores, against SimGrid's C++ replay of the same list in the same run."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pairs import interleaved, seconds
from benchmarks.simulator.joblists import CORES, Jobs, job_list, write_jobs
from vsim.engine.replay import replay

HOSTS, PER_HOST = 1000, 100
ROUNDS = 7
Figure = Callable[..., None]


@pytest.fixture(scope="module")
def jobs() -> Jobs:
    return job_list(HOSTS, PER_HOST)


@pytest.fixture(scope="module")
def jobs_file(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jobs") / "jobs.csv"
    write_jobs(path, jobs)
    return path


def simgrid(program: Path, jobs_file: Path, done: Path) -> float:
    """Run the peer and return the seconds that it states for its simulation alone, input and output left out."""
    with done.open("w") as out:
        command = [str(program), str(HOSTS), str(CORES), str(jobs_file)]
        peer = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=True)
    stated = re.search(r"wall_s=([\d.]+)", peer.stderr)
    assert stated is not None
    return float(stated[1])


# SimGrid keeps all hosts on one clock; the replay gives each host its own. Both ways have to be fast enough.
@pytest.mark.parametrize("hosts_per_clock", [1, HOSTS], ids=["a clock per host", "one clock"])
def test_the_simulation_is_as_fast_as_simgrids(
    benchmark: Any, figure: Figure, simgrid_replay: Path, jobs: Jobs, jobs_file: Path, hosts_per_clock: int
) -> None:
    """Ours: the call of `replay` on arrays, sorting and checking included. SimGrid's: `engine.run()` on its actors."""
    done = jobs_file.with_name("done.csv")
    pairs = interleaved(
        benchmark,
        lambda: seconds(lambda: replay(jobs, HOSTS, CORES, hosts_per_clock=hosts_per_clock)),
        lambda: simgrid(simgrid_replay, jobs_file, done),
        rounds=ROUNDS,
    )
    clocks = "a clock per host" if hosts_per_clock == 1 else "one clock"
    figure(f"100,000 jobs, simulation alone, {clocks}: time over SimGrid's", pairs.ratio, 1.0)
    assert pairs.ratio <= 1.0


def test_the_whole_process_is_as_fast_as_simgrids(
    benchmark: Any, figure: Figure, simgrid_replay: Path, jobs_file: Path
) -> None:
    """Both: start, read the list, build the platform, simulate, write every completion, end."""
    done, ours = jobs_file.with_name("done.csv"), jobs_file.with_name("ours.csv")

    def whole() -> None:
        with ours.open("w") as out:
            command = [sys.executable, "-m", "benchmarks.simulator.replay_file"]
            subprocess.run([*command, str(HOSTS), str(CORES), str(jobs_file)], stdout=out, check=True)

    pairs = interleaved(
        benchmark, whole, lambda: seconds(lambda: simgrid(simgrid_replay, jobs_file, done)), rounds=ROUNDS
    )
    figure("100,000 jobs, whole process: time over SimGrid's", pairs.ratio, 1.0)
    assert pairs.ratio <= 1.0
    # and it is the same answer that was computed
    worst = max(
        abs(float(a.rsplit(",", 1)[1]) - float(b.rsplit(",", 1)[1]))
        for a, b in zip(ours.read_text().splitlines(), done.read_text().splitlines(), strict=True)
    )
    assert worst < 1e-6


def test_events_per_job(benchmark: Any, figure: Figure, jobs: Jobs) -> None:
    """An arrival and a completion are two events; a timer that an arrival overtook is the rest."""
    found = benchmark.pedantic(lambda: replay(jobs, HOSTS, CORES), rounds=1)
    events = found.events / len(jobs[0])
    figure("events per job", events, 2.6)
    assert events < 2.6


def cpu_seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def test_a_job_costs_the_same_among_a_million(benchmark: Any, figure: Figure) -> None:
    """10,000 jobs on 100 hosts, fifty times over, and 1,000,000 on 10,000: CPU seconds per job, in turn.

    Both are means over seconds of work. The processor's time, because the two don't run for equally long and a machine
    that is busy with other things would take more away from the longer one.
    """
    small, large, times = job_list(100, 100), job_list(10_000, 100), 50

    def few() -> float:
        return cpu_seconds(lambda: [replay(small, 100, CORES) for _ in range(times)]) / (10_000 * times)

    def many() -> float:
        return cpu_seconds(lambda: replay(large, 10_000, CORES)) / 1_000_000

    pairs = interleaved(benchmark, many, few, rounds=5, unit="s_per_job")
    figure("CPU time per job, a million over ten thousand jobs", pairs.ratio, 1.3)
    assert pairs.ratio < 1.3
