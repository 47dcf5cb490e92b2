"""Memory: four numbers that are never merged.

    memory_pss_bytes       proportional set size of the instance: shared pages are divided among those who share them
    memory_cgroup_bytes    what the kernel charges to its control group: page cache and kernel memory included
    memory_helpers_bytes   proportional set size of the processes that exist for it alone (shim, file server)
    memory_host_bytes      what the host has less of with each further instance: the slope of available memory

and, once per step, memory_daemon_bytes of the processes that serve all instances together.
"""

from __future__ import annotations

from collections.abc import Sequence

from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import Launched, discard
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.model.plan import HoldMemory, Step
from vsim.samples.summary import slope

__all__ = ["SUITE"]

MIB = 2**20
# What an instance may take beyond what it touches: its runtime's own part, and a margin.
_MARGIN_BYTES = 64 * MIB


class _Memory(Suite):
    name = "memory"
    headline = ("memory_pss_bytes", "memory_cgroup_bytes", "memory_helpers_bytes", "memory_host_bytes")

    def run(self, step: Step, context: Context) -> None:
        assert isinstance(step, HoldMemory)
        flags: tuple[str, ...] = ("touched",) if step.touch_bytes else ("idle",)
        spec = InstanceSpec(
            arguments=(f"touch={step.touch_bytes}",) if step.touch_bytes else (),
            memory_bytes=step.touch_bytes + _MARGIN_BYTES,
            accounted=True,
        )
        if "pss" not in context.driver.capabilities:
            # Memory that the instance has and that is mapped nowhere: its control group knows better.
            flags = (*flags, "pss-partial")
        running: list[Launched] = []
        weighed: list[tuple[int, int]] = []
        try:
            for count in step.counts():
                while len(running) < count:
                    running.append(context.launch(spec))
                available = context.host.settled_available_bytes()
                weighed.append((count, available))
                context.record.sample("memory_available_bytes", available, "bytes", concurrency=count, flags=flags)
            self._weigh(context, running, flags)
            if len(weighed) > 1:
                per_instance = -slope(weighed)
                context.record.sample("memory_host_bytes", per_instance, "bytes", concurrency=len(running), flags=flags)
        finally:
            self._end(context, running)

    def _weigh(self, context: Context, running: Sequence[Launched], flags: tuple[str, ...]) -> None:
        count = len(running)
        for number, launched in enumerate(running):
            instance = launched.instance
            own, helpers = instance.pids(), instance.helpers()
            values = (
                ("memory_pss_bytes", context.host.pss_bytes(own)),
                ("memory_cgroup_bytes", instance.cgroup_bytes()),
                # An instance that has processes but no helpers needs none: that zero was measured.
                ("memory_helpers_bytes", context.host.pss_bytes(helpers) if helpers else 0 if own else None),
            )
            for metric, value in values:
                # What this rung doesn't have (no group of its own) is no sample, never a zero.
                if value is not None:
                    context.record.sample(metric, value, "bytes", concurrency=count, instance=number, flags=flags)
        daemons = context.session.daemons()
        if daemons and (size := context.host.pss_bytes(daemons)) is not None:
            context.record.sample("memory_daemon_bytes", size, "bytes", concurrency=count, flags=flags)

    def _end(self, context: Context, running: list[Launched]) -> None:
        while running:
            launched = running.pop()
            try:
                context.retire(launched)
            except StageError as error:
                context.record.failure(error, concurrency=1, instance=len(running))
            except BaseException:
                for other in running:
                    discard(context.session, other.instance)
                raise

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, HoldMemory)
        return Demand(
            memory_bytes=step.count * (driver.overhead_bytes + step.touch_bytes),
            pids=step.count * driver.pids_per_instance,
            # 0.1 s for each weighing, and 4 GB/s for touching
            seconds=step.count * (1.5 * driver.typical_start_s + step.touch_bytes / 4e9) + 0.1 * step.points,
        )


SUITE = _Memory()
