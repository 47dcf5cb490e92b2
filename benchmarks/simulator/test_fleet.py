"""50,000 hosts, 100,000 instances and 100,000 jobs, the size for which CloudSim Plus reports 6.4 minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

SECONDS, BYTES = 30.0, 2**30
HOSTS, INSTANCES, JOBS = 50_000, 100_000, 100_000


def in_a_process(*counts: int) -> tuple[dict[str, Any], float, int]:
    """Run the scenario in a process of its own; return its answer, its seconds and its peak resident bytes."""
    command = [sys.executable, "-m", "benchmarks.simulator.fleet", *map(str, counts)]
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        answer = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)  # unlike RUSAGE_CHILDREN: of this child alone
        child.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - begin
    assert child.returncode == 0
    return json.loads(answer), took, usage.ru_maxrss * 1024


def test_a_whole_scenario_of_fifty_thousand_hosts(benchmark: Any, figure: Callable[..., None]) -> None:
    answer, took, peak = benchmark.pedantic(lambda: in_a_process(HOSTS, INSTANCES, JOBS), rounds=1)
    metrics = answer["metrics"]
    # it did what it was asked to do
    assert metrics["hosts"] == HOSTS
    assert metrics["unplaced"] == 0
    assert metrics["instances_per_host"] == INSTANCES / HOSTS
    assert metrics["throughput_per_s"] > 0.95 * JOBS / 600
    figure("50,000 hosts, 100,000 instances, 100,000 jobs: whole process", took, SECONDS, "s")
    figure("the same: peak resident memory", peak / 2**20, BYTES / 2**20, "MiB")
    figure("the same: events per instance and job", answer["events"] / (INSTANCES + JOBS), 7)
    assert took <= SECONDS
    assert peak <= BYTES
    assert answer["events"] <= 7 * (INSTANCES + JOBS)
