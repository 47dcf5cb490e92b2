"""Density: add instances until a limit is reached, and say which.

    ended-limit     as many as the step asked for
    ended-memory    less of the host's memory than the step's reserve would be left
    ended-slow      the last start took longer than the step allows
    ended-time      the ramp had used up its time
    ended-failure   an instance could not be started: the layers allow no more; the failure is a record of its own

The harness has two more: the host's room for processes and on its disk, which the model doesn't have. Nor does the
harness know what the next instance will take: it reckons with the driver's rough bound, where the model knows.
"""

from __future__ import annotations

from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.plans.world import StageError
from vsim.engine.script import Steps
from vsim.model.plan import Density, Step
from vsim.samples.summary import slope

__all__ = ["SUITE"]


class _Density(Suite):
    name = "density"

    def run(self, step: Step, context: Context) -> Steps:
        assert isinstance(step, Density)
        world, record = context.world, context.record
        weighed: list[tuple[float, float]] = []
        begin, at_first = world.now, world.available_bytes()
        count, cause = 0, ""
        while not cause:
            if step.weighs_at(count):
                available = yield from world.weigh()
                weighed.append((count, available))
                record.sample("density_available_bytes", available, "bytes", concurrency=max(1, count), instance=count)
            if count == step.limit:
                cause = "limit"
            elif world.available_bytes() - world.next_bytes() < step.reserve * at_first:
                cause = "memory"
            elif world.now - begin > step.time_s:
                cause = "time"
            else:
                try:
                    launched = yield from world.launch(count)
                except StageError as error:
                    record.failure(error, instance=count)
                    cause = "failure"
                else:
                    record.sample("density_startup_s", launched.startup_s, "s", instance=count)
                    count += 1
                    if launched.startup_s > step.slowest_start_s:
                        cause = "slow"
        flags = (f"ended-{cause}",)
        if count:
            # None at all is a failure, which is on record, and no density of zero.
            record.sample("density_instances", count, "1", flags=flags)
        if len(weighed) > 1:
            record.sample("density_memory_bytes", -slope(weighed), "bytes", flags=flags)

    def lack(self, step: Step, rung: Rung) -> str | None:
        return rung.lacks_start() or rung.lacks_memory()


SUITE = _Density()
