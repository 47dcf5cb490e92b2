"""Samples of made-up hosts, whose parameters are known: what a calibration is to find again.

Starts are carried out by :func:`vsim.model.contention.wave`, one wave after another: not by the model of many waves
that the fit uses.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsim.model.contention import Phase, wave
from vsim.model.plan import Plan, Start, Step
from vsim.samples.plans import plan_to_data
from vsim.samples.records import Run, Sample, Samples

__all__ = ["Rung", "change", "environment", "joined", "starts", "table_samples"]

CORES = 2


@dataclass(frozen=True)
class Rung:
    """One start of a rung: waiting, work of which a part is in a section, on so many cores, and how it varies.

    `varies` says what does: the wait or the work, lognormally with the coefficient of variation `cv`. Before all that
    the harness works for it `turns` times, each for `turn_core_s`, which is in none of the others.
    """

    wait_s: float
    cpu_core_s: float
    section_core_s: float = 0.0
    parallelism: float = 1.0
    cv: float = 0.1
    varies: str = "wait"
    turns: int = 0
    turn_core_s: float = 0.0

    def phases(self, rng: np.random.Generator) -> tuple[list[Phase], float]:
        """Return what one start goes through, and the work in it."""
        sigma = math.sqrt(math.log1p(self.cv**2))
        factor = rng.lognormal(-sigma * sigma / 2, sigma)
        wait = self.wait_s * (factor if self.varies == "wait" else 1)
        work = (self.cpu_core_s - self.section_core_s) * (factor if self.varies == "work" else 1)
        locked = [Phase(((0.0, self.section_core_s),), "lock")] if self.section_core_s else []
        turns = [Phase(((0.0, self.turn_core_s),), "launcher")] * self.turns
        total = work + self.section_core_s + self.turns * self.turn_core_s
        return [*turns, *locked, Phase(((wait, work),), None, self.parallelism)], total


def environment(**changes: Any) -> dict[str, Any]:
    facts = {
        "hostname": "Box 1",
        "architecture": "x86_64",
        "cpu_model": "A CPU",
        "cpu_count": CORES,
        "cpu_usable": CORES,
        "memory_bytes": 8 * 2**30,
        "kernel": "6.1.0",
    }
    return {key: value for key, value in {**facts, **changes}.items() if value is not None}


def starts(
    rungs: Mapping[str, Rung],
    *,
    levels: Sequence[int] = (1, 2, 4),
    count: int = 8,
    blocks: int = 8,
    seed: int = 1,
    run_id: str = "r1",
    environment: Mapping[str, Any] = environment(),
    drift: float = 0.0,
    launch_core_s: float = 0.0,
) -> Samples:
    """Return the samples of starts at each concurrency, `count` in each block; `drift` per block slows all down.

    Of several starts the harness asks for one after another, each with `launch_core_s` of work.
    """
    rng = np.random.default_rng(seed)
    steps: tuple[Step, ...] = tuple(Start(count=count, concurrency=level) for level in levels)
    found: list[Sample] = []
    for block in range(blocks):
        slower = 1 + drift * block
        for driver, rung in rungs.items():
            for number, level in enumerate(levels):
                at = {"run_id": run_id, "block": block, "driver": driver, "step": number, "concurrency": level}
                for first in range(0, count, level):
                    made = [rung.phases(rng) for _ in range(level)]
                    launch = launch_core_s if level > 1 else 0.0
                    asking = Phase(((0.0, launch),), "launcher")
                    gone = wave([[asking, *phases] for phases, _ in made], CORES, one_by_one=True)
                    for i, (begin, end) in enumerate(zip(gone.first_s, gone.done_s, strict=True)):
                        found.append(_sample("startup_s", slower * (end - begin), "s", instance=first + i, **at))
                    found.append(_sample("starts_per_s", level / (slower * max(gone.done_s)), "1/s", **at))
                    work = launch + sum(work for _, work in made) / level
                    found.append(_sample("startup_cpu_core_s", work, "core-s", **at))
    return _samples(run_id, steps, environment, found, blocks)


def table_samples(
    values: Mapping[tuple[str, str, int], Sequence[Sequence[float]]],
    steps: Sequence[Step],
    *,
    unit: str = "s",
    run_id: str = "r1",
    environment: Mapping[str, Any] = environment(),
    flags: Sequence[str] = (),
) -> Samples:
    """Return samples from lists of blocks: by (driver, metric, number of the step)."""
    found = [
        _sample(metric, value, unit, run_id=run_id, block=block, driver=driver, step=step, suite=steps[step].suite)
        for (driver, metric, step), blocks in values.items()
        for block, own in enumerate(blocks)
        for value in own
    ]
    found = [dataclasses.replace(sample, flags=tuple(flags)) for sample in found]
    return _samples(run_id, tuple(steps), environment, found, 1 + max(sample.block for sample in found))


def _samples(
    run_id: str, steps: tuple[Step, ...], environment: Mapping[str, Any], found: Sequence[Sample], blocks: int
) -> Samples:
    plan = Plan("made up", steps, blocks=blocks, warmup_blocks=0)
    run = Run(run_id, "real", "2026-03-02T10:00:00+00:00", plan_to_data(plan), dict(environment), 1)
    return Samples((run,), tuple(found), ())


def _sample(metric: str, value: float, unit: str, *, instance: int | None = None, **at: Any) -> Sample:
    given = {"order": 1, "t": 0.0, "suite": "startup", "concurrency": 1, **at}
    stack = {"process": "bare-metal", "null": "none", "vm": "vm"}.get(given["driver"], "container")
    return Sample(stack=stack, metric=metric, value=float(value), unit=unit, instance=instance, **given)


def joined(*parts: Samples) -> Samples:
    runs = {run.run_id: run for part in parts for run in part.runs}
    return Samples(tuple(runs.values()), tuple(sample for part in parts for sample in part.samples), ())


def change(samples: Samples, **fields: Any) -> Samples:
    """Return the samples with fields of all runs changed."""
    return dataclasses.replace(samples, runs=tuple(dataclasses.replace(run, **fields) for run in samples.runs))
