"""Start-up in waves: all of a wave are asked for at once, and the next wave comes when all are ready and removed.

Of several starts the harness asks for one after another; a start's clock begins when its turn has come.
"""

from __future__ import annotations

import simpy

from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.plans.world import Launched, StageError
from vsim.engine.script import Steps
from vsim.model.plan import Start, Step

__all__ = ["SUITE"]


class _Startup(Suite):
    name = "startup"

    def run(self, step: Step, context: Context) -> Steps:
        assert isinstance(step, Start)
        for numbers in step.waves():
            yield from _wave(context, numbers, step.concurrency)

    def lack(self, step: Step, rung: Rung) -> str | None:
        assert isinstance(step, Start)
        if step.cold:
            return "there is no page cache in the model: cold starts can't be told from warm ones"
        return rung.lacks_start()


def _wave(context: Context, numbers: range, concurrency: int) -> Steps:
    world, record = context.world, context.record
    running: dict[int, Launched] = {}

    def start(number: int, asked: simpy.Event | None) -> Steps:
        if asked is not None:
            yield asked, None
        try:
            running[number] = yield from world.launch(number)
        except StageError as error:
            record.failure(error, concurrency=concurrency, instance=number)

    busy, begin = world.busy_core_s(), world.now
    yield from world.at_once(map(start, numbers, world.launches(len(numbers))))
    wave_s, busy = world.now - begin, world.busy_core_s() - busy
    for number, launched in sorted(running.items()):
        world.retire(launched.instance)
        for metric, value in (
            ("startup_s", launched.startup_s),
            ("create_s", launched.create_s),
            ("start_s", launched.start_s),
            ("first_instruction_s", launched.first_instruction_s),
            ("ready_s", launched.ready_s),
        ):
            if value is not None:
                record.sample(metric, value, "s", concurrency=concurrency, instance=number)
    # A wave that lost some of its instances contended less than it says.
    if len(running) == len(numbers):
        if wave_s > 0:
            record.sample("starts_per_s", len(numbers) / wave_s, "1/s", concurrency=concurrency)
        record.sample("startup_cpu_core_s", busy / len(numbers), "core-s", concurrency=concurrency)


SUITE = _Startup()
