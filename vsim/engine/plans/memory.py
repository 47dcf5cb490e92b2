"""Memory: what the host has less of with each further instance.

Whose pages these are (the instance's, its helpers') is for a real host to tell: no layer states it.
"""

from __future__ import annotations

from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.plans.world import Launched
from vsim.engine.script import Steps
from vsim.model.plan import HoldMemory, Step
from vsim.samples.summary import slope

__all__ = ["SUITE"]


class _Memory(Suite):
    name = "memory"

    def run(self, step: Step, context: Context) -> Steps:
        assert isinstance(step, HoldMemory)
        world, record = context.world, context.record
        flags = ("touched",) if step.touch_bytes else ("idle",)
        running: list[Launched] = []
        weighed: list[tuple[float, float]] = []
        for count in step.counts():
            while len(running) < count:
                running.append((yield from world.launch(len(running))))
            available = yield from world.weigh()
            weighed.append((count, available))
            record.sample("memory_available_bytes", available, "bytes", concurrency=count, flags=flags)
        if len(weighed) > 1:
            record.sample("memory_host_bytes", -slope(weighed), "bytes", concurrency=len(running), flags=flags)

    def lack(self, step: Step, rung: Rung) -> str | None:
        return rung.lacks_memory()


SUITE = _Memory()
