"""Disk: operations of one size, so many under way at a time, on one path.

The device serves one operation after another, first come, first served: each keeps it busy for its share of the IOPS,
or of the throughput if that takes longer. What the machine's and the layers' latency is longer than that, an operation
spends elsewhere, and the next one is served meanwhile.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.script import Steps
from vsim.engine.variates import factors, stream
from vsim.model.plan import DriveDisk, Step
from vsim.samples.summary import quantile

__all__ = ["SUITE"]


class _Disk(Suite):
    name = "disk"

    def run(self, step: Step, context: Context) -> Steps:
        assert isinstance(step, DriveDisk)
        world, record = context.world, context.record
        launched = yield from world.launch(0)
        latencies, elapsed_s = _drive(step, context)
        yield from world.pause(step.duration_s)
        flags = (f"path-{step.path}",)
        record.sample("disk_latency_mean_s", sum(latencies) / len(latencies), "s", flags=flags)
        for name, q in (("disk_latency_p50_s", 0.5), ("disk_latency_p95_s", 0.95), ("disk_latency_p99_s", 0.99)):
            record.sample(name, quantile(latencies, q), "s", flags=flags)
        record.sample("disk_iops", len(latencies) / elapsed_s, "1/s", flags=flags)
        moved = len(latencies) * step.block_bytes
        record.sample("disk_throughput_bytes_per_s", moved / elapsed_s, "bytes/s", flags=flags)
        world.retire(launched.instance)

    def lack(self, step: Step, rung: Rung) -> str | None:
        assert isinstance(step, DriveDisk)
        return rung.lacks_disk(step.path)


# After so many operations a loop of always the same ones has shown what it does.
_ENOUGH = 20_000


def _drive(step: DriveDisk, context: Context) -> tuple[list[float], float]:
    """Return the latencies of the operations within the step's time, and the seconds that they took together."""
    disk, path = context.world.host.hardware, context.rung.architecture.disk(step.path)
    reads = step.pattern.endswith("read")
    bandwidth = disk.disk_read_bytes_per_s if reads else disk.disk_write_bytes_per_s
    iops = disk.disk_iops if reads else disk.disk_write_iops
    busy_s = max(1 / (iops * path.iops_factor), step.block_bytes / (bandwidth * path.throughput_factor))
    latency = _latencies(context)
    arrivals = [(0.0, job) for job in range(step.depth)]
    latencies: list[float] = []
    free = end = 0.0
    while len(latencies) < _ENOUGH:
        arrived, job = heapq.heappop(arrivals)
        free = max(free, arrived) + busy_s
        done = free + max(0.0, next(latency) + path.latency_s - busy_s)
        if done > step.duration_s and latencies:
            break
        latencies.append(done - arrived)
        end = max(end, done)
        heapq.heappush(arrivals, (done, job))
    return latencies, end


def _latencies(context: Context) -> Iterator[float]:
    """Yield what an operation takes on the machine itself, in seconds."""
    quantity = context.rung.architecture.machine.disk.latency_s
    if quantity.distribution is None:
        while True:
            yield quantity.value
    rng = stream(context.plan.seed, context.block, "demands", context.number)
    supply = factors(quantity.distribution, rng)
    while True:
        yield quantity.value * supply()


SUITE = _Disk()
