"""The job lists of the benchmarks: Poisson arrivals at 80 % of four cores per host, exponential demands of mean 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["CORES", "Jobs", "job_list", "write_jobs"]

CORES = 4
Jobs = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def job_list(hosts: int, per_host: int, seed: int = 1) -> Jobs:
    """Return host, arrival (s) and demand (core-seconds) of each job, host by host and by arrival."""
    random = np.random.default_rng(seed)
    arrivals = random.exponential(1 / (0.8 * CORES), (hosts, per_host)).cumsum(axis=1)
    return np.repeat(np.arange(hosts), per_host), arrivals.ravel(), random.exponential(1.0, hosts * per_host)


def write_jobs(path: Path, jobs: Jobs) -> None:
    """Write a job list as CSV, to the last bit."""
    rows = zip(*(column.tolist() for column in jobs), strict=True)
    path.write_text("".join(f"{h},{a!r},{d!r}\n" for h, a, d in rows))
