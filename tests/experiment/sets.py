"""Sets of samples made by hand, as either world writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from vsim.samples.records import Failure, Run, Sample, Samples

__all__ = ["START", "failure", "joined", "run", "samples", "starts", "value"]

START: Mapping[str, Any] = {"suite": "startup", "count": 4, "concurrency": 4, "cold": False}


def run(
    run_id: str = "r",
    steps: Sequence[Mapping[str, Any]] = (START,),
    *,
    world: Literal["real", "simulated"] = "real",
    seed: int = 1,
    blocks: int = 3,
    **environment: Any,
) -> Run:
    plan = {"name": "p", "steps": [dict(step) for step in steps], "blocks": blocks, "warmup_blocks": 0, "seed": seed}
    plan |= {"memory_fraction": 0.5, "time_limit_s": 60.0}
    return Run(run_id, world, "2026-01-01T00:00:00+00:00", plan, {"hostname": "box", **environment}, seed=seed)


def value(metric: str, number: float, *, unit: str = "s", **fields: Any) -> Sample:
    given = {
        "run_id": "r",
        "block": 0,
        "order": 1,
        "stack": "container",
        "driver": "docker",
        "suite": "startup",
        "concurrency": 4,
        "instance": None,
        "t": 1.0,
        **fields,
    }
    return Sample(metric=metric, value=number, unit=unit, **given)


def failure(**fields: Any) -> Failure:
    given = {
        "run_id": "r",
        "block": 0,
        "order": 1,
        "stack": "container",
        "driver": "docker",
        "suite": "startup",
        "stage": "start",
        "message": "no",
        "concurrency": 4,
        "instance": 0,
        "t": 1.0,
        **fields,
    }
    return Failure(**given)


def starts(blocks: Iterable[Iterable[float]], *, factor: float = 1.0, **fields: Any) -> list[Sample]:
    """Return start-up times: one block after another, each with its instances from 0 on."""
    return [
        value("startup_s", factor * number, block=block, instance=instance, **fields)
        for block, values in enumerate(blocks)
        for instance, number in enumerate(values)
    ]


def samples(
    *parts: Sample | Iterable[Sample], runs: Sequence[Run] | None = None, failures: Sequence[Failure] = ()
) -> Samples:
    found: list[Sample] = []
    for part in parts:
        found += [part] if isinstance(part, Sample) else part
    return Samples(tuple(runs if runs is not None else (run(),)), tuple(found), tuple(failures))


def joined(*sets: Samples) -> Samples:
    return Samples(
        tuple(run for each in sets for run in each.runs),
        tuple(sample for each in sets for sample in each.samples),
        tuple(failure for each in sets for failure in each.failures),
    )
