"""A whole scenario of tens of thousands of hosts: place, start, serve jobs. Run as a program it prints what it took.

python -m benchmarks.simulator.fleet HOSTS INSTANCES JOBS
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from vsim.calibration import builtin
from vsim.engine.run import run_replication
from vsim.model.stack import Architecture
from vsim.model.workload import Image, Job, Service, Workload
from vsim.scenario.scenario import Fleet, Run, Scenario, Start

__all__ = ["architecture", "scenario"]

SERVICES = 100


def architecture() -> Architecture:
    """Containers on rack servers, with the numbers of the built-in profile."""
    return builtin().architecture("container@rack-server")


def scenario(arch: Architecture, hosts: int, instances: int, jobs: int) -> Scenario:
    """A hundred services whose replicas fill the hosts, and jobs on hosts chosen at random for ten minutes."""
    per_host = instances / hosts
    memory = (arch.machine.memory_bytes.value - arch.host_memory_bytes) / (per_host + 0.5)
    services = tuple(
        Service(
            f"service-{n}",
            instances // SERVICES,
            memory - arch.instance_memory_bytes,
            Image(f"image-{n}", 1e8),
            startup_core_s=0.5,
        )
        for n in range(SERVICES)
    )
    random = np.random.default_rng(1)
    columns = (random.integers(0, hosts, jobs), random.uniform(0, 600, jobs), random.exponential(10.0, jobs))
    listed = tuple(Job(h, a, d) for h, a, d in zip(*(column.tolist() for column in columns), strict=True))
    return Scenario(
        name="fleet",
        title="A large fleet",
        architectures=(arch.name,),
        workload=Workload(services=services, jobs=listed),
        fleet=Fleet(hosts=hosts),
        start=Start(images="warm"),
        run=Run(duration_s=600.0, warmup_s=0.0, replications=1),
    )


def main() -> None:
    hosts, instances, jobs = (int(word) for word in sys.argv[1:])
    begin = time.perf_counter()
    arch = architecture()
    what = scenario(arch, hosts, instances, jobs)
    built = time.perf_counter()
    found = run_replication(arch, what, builtin().site, 0)
    took = {"build_s": built - begin, "run_s": time.perf_counter() - built}
    sys.stdout.write(json.dumps({"metrics": dict(found.metrics), "events": found.events, **took}))


if __name__ == "__main__":
    main()
