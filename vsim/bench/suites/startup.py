"""Start-up by stage: create, start, first instruction, ready, stop, remove; alone and several at a time.

A wave is `concurrency` instances that are asked for at once. All of a wave are ready before the first is stopped, so
that no stop contends with a start. Beside the stages of each instance, a wave tells what only all of them together can:

    starts_per_s           instances over the time from asking for the first to the last being ready
    startup_cpu_core_s     the host's CPU time over that time, for each instance: everybody's work for it, the harness's
                           own calls included
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import Launched, discard
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.model.plan import Start, Step

__all__ = ["SUITE"]

_From = TypeVar("_From")
_To = TypeVar("_To")


class _Startup(Suite):
    name = "startup"
    headline = ("startup_s", "ready_s", "stop_s", "remove_s")

    def run(self, step: Step, context: Context) -> None:
        assert isinstance(step, Start)
        flags = ("cold",) if step.cold else ()
        for numbers in step.waves():
            if step.cold and not context.host.drop_caches():
                raise StageError("create", "the page cache can't be dropped here: cold starts need root")
            _wave(context, numbers, step.concurrency, flags)

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, Start)
        waves = -(-step.count // step.concurrency)
        # On few cores, a wave takes nearly as long as its starts one after another.
        each = driver.typical_start_s * (1 + 0.7 * (step.concurrency - 1)) * (3 if step.cold else 1)
        return Demand(
            memory_bytes=step.concurrency * driver.overhead_bytes,
            pids=step.concurrency * driver.pids_per_instance,
            seconds=waves * each * 1.5,
        )


def _wave(context: Context, numbers: Sequence[int], concurrency: int, flags: tuple[str, ...]) -> None:
    """Start the instances with these numbers at once; when all are ready, stop and remove them at once."""
    running: dict[int, Launched] = {}
    record, clock, host = context.record, context.clock, context.host

    def start(number: int) -> None:
        try:
            # Remembered by the thread that made it: an interrupt of the main thread can't lose it.
            running[number] = context.launch(InstanceSpec())
        except StageError as error:
            record.failure(error, concurrency=concurrency, instance=number)

    def end(number: int) -> None:
        launched = running.pop(number)
        try:
            retired = context.retire(launched)
        except StageError as error:
            record.failure(error, concurrency=concurrency, instance=number)
            return
        for metric, value in (
            ("startup_s", launched.startup_s),
            ("create_s", launched.create_s),
            ("start_s", launched.start_s),
            ("first_instruction_s", launched.first_instruction_s),
            ("ready_s", launched.ready_s),
            ("stop_s", retired.stop_s),
            ("remove_s", retired.remove_s),
        ):
            record.sample(metric, value, "s", concurrency=concurrency, instance=number, flags=flags)

    try:
        busy, begin = host.busy_core_s(), clock()
        _at_once(start, numbers)
        wave_s, busy_then = clock() - begin, host.busy_core_s()
        started = len(running)
        _at_once(end, sorted(running))
        # A wave that lost some of its instances contended less than it says.
        if started == len(numbers):
            record.sample("starts_per_s", started / wave_s, "1/s", concurrency=concurrency, flags=flags)
            if busy is not None and busy_then is not None:
                each = (busy_then - busy) / started
                record.sample("startup_cpu_core_s", each, "core-s", concurrency=concurrency, flags=flags)
    finally:
        for launched in running.values():
            discard(context.session, launched.instance)


def _at_once(do: Callable[[_From], _To], items: Sequence[_From]) -> list[_To]:
    """Call `do` for all items at once, each in a thread; a single one without. Returns when all have returned."""
    if len(items) <= 1:
        return [do(item) for item in items]
    with ThreadPoolExecutor(max_workers=len(items)) as pool:
        return list(pool.map(do, items))


SUITE = _Startup()
