"""Two sets of samples of the same steps, compared: the error of each statistic, with its interval.

The sets are called measured and predicted, but nothing here knows which world either comes from. The error is
predicted / measured − 1. Its interval is a bootstrap over whole blocks of both (see :mod:`vsim.experiment.resampling`):
the uncertainty of what was measured is in it as well as that of what was predicted.

What is compared, of each driver in each step:

- values that each instance has: their median, and their 95th percentile where both sets have 20 of them or more (with
  fewer it is the largest, more or less);
- rates: their mean;
- what a step or a host has once per block: its median over the blocks;
- memory that is available with n instances: not itself, as it is the host's business, but what n instances have taken,
  which is the difference to what was available with none in the same block (`density_taken_bytes`,
  `memory_taken_bytes`). `concurrency` is n there. What less than a quarter of the step's instances take is left out:
  the host's memory moves by as much on its own.

Two steps are the same if they have the same sizes, whatever their number in the plan. Steps that offer the same
requests at the same random moments in both sets are compared block by block: only blocks that both have count, and the
same blocks are drawn for both.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vsim.experiment.resampling import RESAMPLES, Blocked, Statistic, draw, percentile_interval
from vsim.model.plan import STEPS

if TYPE_CHECKING:
    from vsim.samples.records import Run, Sample, Samples

__all__ = ["Comparison", "Side", "compare", "describe", "unmatched"]

# What makes a value incomparable with the others, in either world.
_LEFT_OUT = frozenset({"warmup", "throttled"})
# What isn't a rung: the harness itself, and the host's pulse.
_NO_RUNG = frozenset({"null", "canary"})
# The least number of values of which a 95th percentile is worth something.
_FOR_P95 = 20
_TAKEN = {"density_available_bytes": "density_taken_bytes", "memory_available_bytes": "memory_taken_bytes"}

# (seed of the run, run, block); runs with the same seed see the same arrivals in the same block
_Block = tuple[int, str, int]
_Blocks = dict[_Block, list[tuple[int | None, float]]]


@dataclass(frozen=True, slots=True)
class Side:
    """One set's value of a statistic: its 95 % interval (None with a single block), of how many values and blocks."""

    value: float
    low: float | None
    high: float | None
    values: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One statistic of one metric of a driver in a step, in both sets, and the error: predicted / measured − 1.

    `low` and `high` are the error's 95 % interval, None where a set has a single block. `error` is None where nothing
    was measured (0) and something predicted. `at` says which step in a few words. `machine` and `held_out` are for who
    compares several machines, or what was left out of a calibration.
    """

    driver: str
    suite: str
    step: int
    at: str
    metric: str
    unit: str
    concurrency: int
    statistic: Statistic
    measured: Side
    predicted: Side
    error: float | None
    low: float | None
    high: float | None
    machine: str = ""
    held_out: str = ""

    def exceeds(self, limit: float) -> bool:
        """Return whether the error is larger than `limit` (a fraction) in either direction."""
        return self.error is None or abs(self.error) > limit


def compare(
    measured: Samples,
    predicted: Samples,
    *,
    metrics: Collection[str] = (),
    paired: bool = True,
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> list[Comparison]:
    """Return one row for each statistic that both sets have, in the order of `measured`; of `metrics` only, if given.

    Without `paired`, blocks with the same arrivals aren't looked for: of two parts of one set, there are none. The same
    sets and the same seed give the same intervals.
    """
    ours = _groups(predicted)
    rows: list[Comparison] = []
    for key, group in _groups(measured).items():
        other = ours.get(key)
        if other is None or (metrics and key.metric not in metrics):
            continue
        rows.extend(_compared(key, group, other, paired, seed, resamples))
    return rows


def unmatched(measured: Samples, predicted: Samples) -> list[str]:
    """Return what `measured` has and `predicted` lacks, by driver: ``docker: memory_pss_bytes, stop_s``."""
    ours, lacking = _groups(predicted), dict[str, dict[str, None]]()
    for key in _groups(measured):
        if key not in ours:
            lacking.setdefault(key.driver, {})[key.metric] = None
    return [f"{driver}: {', '.join(names)}" for driver, names in lacking.items()]


def describe(step: Mapping[str, Any]) -> str:
    """Return a step of a plan in a few words: what makes it differ from others of its suite."""
    match step.get("suite"):
        case "startup":
            return f"{step.get('concurrency')} at once" + (", cold" if step.get("cold") else "")
        case "density":
            return f"up to {step.get('limit')}"
        case "memory":
            return f"{step.get('count')}" + (", touched" if step.get("touch_bytes") else ", idle")
        case "requests":
            return f"{step.get('rate_per_s'):g}/s"
        case "cpu":
            return str(step.get("work")).replace("_", " ")
        case "disk":
            return f"{str(step.get('pattern')).replace('_', ' ')} {step.get('path')} depth {step.get('depth')}"
        case "network":
            return str(step.get("mode")).replace("_", " ")
        case "exchange":
            return f"over {step.get('over')}"
        case other:
            return str(other)


# -- what belongs together ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Key:
    driver: str
    suite: str
    what: str
    metric: str
    unit: str
    concurrency: int


@dataclass(slots=True)
class _Group:
    """The values of one key by block, each with the number of its instance."""

    step: int
    data: Mapping[str, Any]
    blocks: _Blocks = field(default_factory=dict)

    @property
    def instances(self) -> set[int | None]:
        return {instance for values in self.blocks.values() for instance, _ in values}


def _groups(samples: Samples) -> dict[_Key, _Group]:
    runs = {run.run_id: run for run in samples.runs}
    groups: dict[_Key, _Group] = {}
    steps: dict[tuple[str, int, str], tuple[Mapping[str, Any], str]] = {}
    for sample in _with_taken(samples.samples):
        if sample.driver in _NO_RUNG or not _LEFT_OUT.isdisjoint(sample.flags):
            continue
        run = runs[sample.run_id]
        place = (sample.run_id, sample.step, sample.suite)
        if place not in steps:
            data = _step(run, sample)
            steps[place] = data, json.dumps(data, sort_keys=True)
        data, what = steps[place]
        key = _Key(sample.driver, sample.suite, what, sample.metric, sample.unit, sample.concurrency)
        group = groups.setdefault(key, _Group(sample.step, data))
        block = (run.seed, run.run_id, sample.block)
        group.blocks.setdefault(block, []).append((sample.instance, sample.value))
    return groups


def _step(run: Run, sample: Sample) -> Mapping[str, Any]:
    """Return the step of the plan that the sample belongs to; what no plan describes is told apart by its number."""
    steps = run.plan.get("steps")
    if isinstance(steps, Sequence) and 0 <= sample.step < len(steps) and isinstance(steps[sample.step], Mapping):
        return _completed(steps[sample.step])
    return {"suite": sample.suite, "step": sample.step}


def _completed(step: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the step with the sizes that an earlier version didn't write down, and had no choice about."""
    fields = dict(step)
    suite = fields.pop("suite", None)
    try:
        return {"suite": suite, **dataclasses.asdict(STEPS[suite](**fields))}
    except (KeyError, TypeError):
        # A suite or a size of a later version.
        return step


def _with_taken(samples: Iterable[Sample]) -> Iterable[Sample]:
    """Yield the samples, with what instances have taken of the host's memory in place of what is left of it."""
    none: dict[tuple[str, int, int, str, str], float] = {}
    most: dict[tuple[str, int, int, str, str], int] = {}
    left = []
    for sample in samples:
        if sample.metric not in _TAKEN:
            yield sample
            continue
        place = (sample.run_id, sample.block, sample.step, sample.driver, sample.metric)
        # With none running a step of density says concurrency 1, one of memory 0.
        if (sample.instance if sample.suite == "density" else sample.concurrency) == 0:
            none[place] = sample.value
        else:
            most[place] = max(most.get(place, 0), sample.concurrency)
            left.append((place, sample))
    for place, sample in left:
        if place in none and sample.concurrency >= most[place] / 4:
            taken = none[place] - sample.value
            yield dataclasses.replace(sample, metric=_TAKEN[sample.metric], value=taken, instance=None)


# -- one group in both sets --------------------------------------------------------------------------------------------


def _compared(
    key: _Key, measured: _Group, predicted: _Group, paired: bool, seed: int, resamples: int
) -> Iterable[Comparison]:
    per_instance = None not in measured.instances
    if per_instance and key.suite == "density":
        # The ramps may have ended, or been cut, at different places: what both have is compared.
        common = measured.instances & predicted.instances
        theirs, ours = _restricted(measured, common), _restricted(predicted, common)
    else:
        theirs, ours = dict(measured.blocks), dict(predicted.blocks)
    paired = paired and key.suite == "requests" and measured.data.get("arrivals") == "poisson"
    if paired:
        theirs, ours = _matched(theirs, ours)
    if not theirs or not ours:
        return
    sides = Blocked([_values(block) for block in theirs.values()]), Blocked([_values(block) for block in ours.values()])
    rng = np.random.default_rng([seed, zlib.crc32(repr(key).encode())])
    counts = [draw(side.blocks, rng, resamples) for side in sides]
    if paired:
        counts[1] = counts[0]
    for statistic in _statistics(key, per_instance, min(len(side.values) for side in sides)):
        many = [side.resampled(statistic, count) for side, count in zip(sides, counts, strict=True)]
        alone = [_side(side, statistic, values) for side, values in zip(sides, many, strict=True)]
        low, high = _error_interval(many[0], many[1], min(side.blocks for side in sides))
        yield Comparison(
            driver=key.driver,
            suite=key.suite,
            step=measured.step,
            at=f"{key.concurrency} running" if key.metric in _TAKEN.values() else describe(measured.data),
            metric=key.metric,
            unit=key.unit,
            concurrency=key.concurrency,
            statistic=statistic,
            measured=alone[0],
            predicted=alone[1],
            error=_error(alone[0].value, alone[1].value),
            low=low,
            high=high,
        )


def _statistics(key: _Key, per_instance: bool, values: int) -> tuple[Statistic, ...]:
    if key.unit.endswith("/s"):
        return ("throughput",)
    return ("median", "p95") if per_instance and values >= _FOR_P95 else ("median",)


def _restricted(group: _Group, instances: set[int | None]) -> _Blocks:
    kept = {block: [pair for pair in values if pair[0] in instances] for block, values in group.blocks.items()}
    return {block: values for block, values in kept.items() if values}


def _matched(theirs: _Blocks, ours: _Blocks) -> tuple[_Blocks, _Blocks]:
    """Return the blocks that saw the same arrivals, in the same order; those of several runs count as one."""
    pooled: list[_Blocks] = []
    for blocks in (theirs, ours):
        together: _Blocks = {}
        for (seed, _, block), values in sorted(blocks.items(), key=lambda item: item[0]):
            together.setdefault((seed, "", block), []).extend(values)
        pooled.append(together)
    both = [block for block in pooled[0] if block in pooled[1]]
    return {block: pooled[0][block] for block in both}, {block: pooled[1][block] for block in both}


def _values(block: Sequence[tuple[int | None, float]]) -> list[float]:
    return [value for _, value in block]


def _side(side: Blocked, statistic: Statistic, resampled: Any) -> Side:
    low, high = percentile_interval(resampled) if side.blocks > 1 else (None, None)
    return Side(side.statistic(statistic), low, high, len(side.values), side.blocks)


def _error(measured: float, predicted: float) -> float | None:
    if measured == 0:
        return 0.0 if predicted == 0 else None
    return predicted / measured - 1


def _error_interval(measured: Any, predicted: Any, blocks: int) -> tuple[float, float] | tuple[None, None]:
    if blocks < 2:
        return None, None
    nothing = measured == 0
    if nothing.any():
        # Both nothing: no error. Otherwise there is no telling how far it is off.
        return (0.0, 0.0) if nothing.all() and not predicted.any() else (None, None)
    return percentile_interval(predicted / measured - 1)
