"""Which samples are fitted: one host, one world, in a steady state, in enough blocks; and why the others aren't.

Refused as a whole: samples of several hosts (unless one is named), of both worlds, simulated ones that weren't asked
for, throttled ones, runs whose figures drift from block to block. Left out with a reason: rungs under full emulation
(unless they are named), rungs with too few blocks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vsim.calibration.fitting.resampling import Table
from vsim.errors import InputError, Place
from vsim.samples.records import Run, Sample, Samples
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["LEAST_BLOCKS", "Block", "Host", "LeftOut", "Origin", "Selected", "machine_name", "select"]

# With two blocks a 95 % interval spans a factor of 13 (Student's t), and there is no telling a trend from noise.
LEAST_BLOCKS = 3
NO_RUNG = ("null", "canary")
# What makes two hosts different ones: figures of one say nothing about the other.
_IDENTITY: Mapping[str, str] = {
    "hostname": "host name",
    "architecture": "architecture",
    "cpu_model": "CPU",
    "cpu_count": "number of CPUs",
    "memory_bytes": "memory",
    "kernel": "kernel",
}
# A guest's or a board's memory differs by some pages from boot to boot.
_SAME_MEMORY = 0.01
_EMULATED = frozenset({"emulated", "foreign-cpu"})
# Drift from the first block to the last beyond which a figure has no steady state, if it is significant.
_DRIFT, _SIGNIFICANT = 0.15, 0.01
# What each suite is judged by.
_STEADY = ("startup_s", "cpu_user_s", "cpu_system_call_s", "cpu_page_fault_s", "latency_p50_s", "fork_exec_s")

# A run and the number of a block in it.
Block = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What wasn't fitted, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Host:
    """The host that was measured; `cores` are those that its processes may use."""

    name: str
    hostname: str
    cores: int
    memory_bytes: int | None
    environment: Mapping[str, Any]


class Origin:
    """Where in the files the records come from; without any, errors have no place."""

    def run(self, run_id: str) -> Place | None:
        """Return where the record of that run stands."""
        return None

    def flagged(self, run_id: str, flags: Collection[str]) -> Place | None:
        """Return where the first sample of that run with one of the flags stands."""
        return None


@dataclass(frozen=True, slots=True)
class Selected:
    """The samples of one host that are fitted."""

    runs: tuple[Run, ...]
    samples: tuple[Sample, ...]
    host: Host
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def run_ids(self) -> str:
        """The ids of the runs, as a source states them."""
        return ", ".join(run.run_id for run in self.runs)

    @property
    def date(self) -> str:
        """The days on which the runs began, as a source states them."""
        days = sorted({run.started[:10] for run in self.runs})
        return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"

    @property
    def drivers(self) -> list[str]:
        """The rungs, in the order in which they were first measured."""
        return list(dict.fromkeys(sample.driver for sample in self.samples if sample.driver not in NO_RUNG))

    def step(self, sample: Sample) -> Mapping[str, Any]:
        """Return the step of the plan that a sample belongs to; empty for what no plan describes."""
        for run in self.runs:
            if run.run_id == sample.run_id:
                steps = run.plan.get("steps")
                if isinstance(steps, Sequence) and 0 <= sample.step < len(steps):
                    found: Mapping[str, Any] = steps[sample.step]
                    return found
        return {}

    def of(self, driver: str, suite: str) -> list[Sample]:
        """Return the samples of a rung in a suite."""
        return [sample for sample in self.samples if sample.driver == driver and sample.suite == suite]


def machine_name(run: Run) -> str:
    """Return the name of the machine of a profile that stands for the host of `run`: a slug of its host name."""
    return _slug(str(run.environment.get("hostname") or "host"))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "host"


def by_block(samples: Iterable[Sample]) -> dict[Block, list[Sample]]:
    """Return the samples of each block, blocks in their order."""
    found: dict[Block, list[Sample]] = {}
    for sample in samples:
        found.setdefault((sample.run_id, sample.block), []).append(sample)
    return dict(sorted(found.items()))


def table(samples: Iterable[Sample], value: Callable[[Sample], float] = lambda sample: sample.value) -> Table:
    """Return the values of the samples as a table by block."""
    return Table([[value(sample) for sample in block] for block in by_block(samples).values()])


def select(
    samples: Samples,
    *,
    name: str | None = None,
    host: str | None = None,
    drivers: Collection[str] = (),
    simulated: bool = False,
    origin: Origin | None = None,
) -> Selected:
    """Return what of `samples` is fitted.

    `host` picks the runs of one host by its name, `drivers` the rungs; `name` is what the profile calls the machine.
    Raises InputError, with the place where there is one, for samples that can't be used.
    """
    origin = origin or Origin()
    runs = _of_host(samples.runs, host)
    _one_world(runs, simulated, origin)
    _one_host(runs, origin)
    _not_throttled(runs, samples, origin)
    ids = {run.run_id for run in runs}
    kept = [s for s in samples.samples if s.run_id in ids and "warmup" not in s.flags]
    _known_drivers(kept, drivers)
    if drivers:
        # Everything is compared with a process, and the harness's own cost is known from `null`.
        wanted = {*drivers, "process", *NO_RUNG}
        kept = [sample for sample in kept if sample.driver in wanted]
    left_out: list[LeftOut] = []
    kept = _without_emulated(kept, drivers, left_out, origin)
    kept = _without_few_blocks(kept, left_out)
    if not any(sample.driver not in NO_RUNG for sample in kept):
        reasons = "; ".join(f"{each.what}: {each.why}" for each in left_out)
        raise InputError(
            "there is nothing to calibrate with" + (f": {reasons}" if reasons else ""),
            place=origin.run(runs[0].run_id),
            hint=f"measure with `vsim bench` in at least {LEAST_BLOCKS} blocks",
        )
    _steady(kept, origin)
    environment = runs[0].environment
    hostname = str(environment.get("hostname") or "host")
    cores = environment.get("cpu_usable") or environment.get("cpu_count")
    if not isinstance(cores, int) or cores < 1:
        raise InputError(
            "the run's record doesn't say how many CPUs the host has",
            place=origin.run(runs[0].run_id),
            hint="it needs `cpu_usable` or `cpu_count` in its `environment`",
        )
    memory = environment.get("memory_bytes")
    found = Host(
        _slug(name) if name else machine_name(runs[0]),
        hostname,
        cores,
        memory if isinstance(memory, int) else None,
        environment,
    )
    return Selected(tuple(runs), tuple(kept), found, left_out)


# -- refused as a whole ------------------------------------------------------------------------------------------------


def _of_host(runs: Sequence[Run], host: str | None) -> list[Run]:
    if host is None:
        return list(runs)
    names = dict.fromkeys(str(run.environment.get("hostname") or "host") for run in runs)
    found = [run for run in runs if host in (run.environment.get("hostname"), machine_name(run))]
    if not found:
        raise InputError(
            f"there are no samples of the host {host!r}",
            hint=did_you_mean(host, names) or f"the samples are of {listed(names, 'and')}",
        )
    return found


def _one_world(runs: Sequence[Run], simulated: bool, origin: Origin) -> None:
    worlds = {run.world for run in runs}
    if len(worlds) > 1:
        odd = next(run for run in runs if run.world != runs[0].world)
        raise InputError(
            f"the run {odd.run_id} is {odd.world}, and {runs[0].run_id} is {runs[0].world}",
            place=origin.run(odd.run_id),
            hint="calibrate with one of the two worlds",
        )
    if worlds == {"simulated"} and not simulated:
        raise InputError(
            f"the run {runs[0].run_id} is simulated: its samples say what a profile says, not what a host does",
            place=origin.run(runs[0].run_id),
            hint="--simulated takes them all the same, to try out what calibration recovers",
        )


def _one_host(runs: Sequence[Run], origin: Origin) -> None:
    first = runs[0]
    for run in runs[1:]:
        for fact, word in _IDENTITY.items():
            ours, theirs = first.environment.get(fact), run.environment.get(fact)
            if ours is None or theirs is None or _alike(fact, ours, theirs):
                continue
            names = dict.fromkeys(str(each.environment.get("hostname")) for each in runs)
            hint = (
                f"pick one with --host: {listed(names)}"
                if len(names) > 1
                else "one host that was changed is two hosts: calibrate with the runs since, or before"
            )
            raise InputError(
                f"the run {run.run_id} is of another host than {first.run_id}: {word} {theirs}, not {ours}",
                place=origin.run(run.run_id),
                hint=hint,
            )


def _alike(fact: str, ours: Any, theirs: Any) -> bool:
    if fact == "memory_bytes" and isinstance(ours, int) and isinstance(theirs, int):
        return abs(ours - theirs) <= _SAME_MEMORY * max(ours, theirs)
    return bool(ours == theirs)


def _not_throttled(runs: Sequence[Run], samples: Samples, origin: Origin) -> None:
    hint = "cool the host or give it enough power, reboot it, and measure again"
    ids = {run.run_id for run in runs}
    for run in runs:
        states = run.environment.get("pi_throttled")
        if states:
            words = ", ".join(map(str, states)) if isinstance(states, Sequence) else str(states)
            raise InputError(
                f"the host lowered its clock in the run {run.run_id}: {words}", place=origin.run(run.run_id), hint=hint
            )
    for sample in samples.samples:
        if sample.run_id in ids and "throttled" in sample.flags:
            raise InputError(
                f"samples of {sample.driver} in the run {sample.run_id} were taken while the host was throttled",
                place=origin.flagged(sample.run_id, ("throttled",)),
                hint=hint,
            )


def _known_drivers(samples: Sequence[Sample], drivers: Collection[str]) -> None:
    known = dict.fromkeys(sample.driver for sample in samples if sample.driver not in NO_RUNG)
    for driver in drivers:
        if driver not in known:
            raise InputError(
                f"there are no samples of {driver!r}",
                hint=did_you_mean(driver, known) or f"there are samples of {listed(known, 'and')}",
            )


def _steady(samples: Sequence[Sample], origin: Origin) -> None:
    """Refuse drivers whose figures drift: by more than some percent, and more than chance explains."""
    for driver in dict.fromkeys(sample.driver for sample in samples):
        own = [s for s in samples if s.driver == driver and s.metric in _STEADY and s.value > 0]
        for run_id in dict.fromkeys(sample.run_id for sample in own):
            series = _series([sample for sample in own if sample.run_id == run_id])
            if series is None:
                continue
            drift, chance = trend(series)
            if abs(drift) > math.log1p(_DRIFT) and chance < _SIGNIFICANT:
                change = math.expm1(drift)
                raise InputError(
                    f"there is no steady state: {driver} changed by {change:+.0%} from the first block to the last of "
                    f"the run {run_id}",
                    place=origin.run(run_id),
                    hint="something else ran on the host, or it was warming up: measure again, or leave the rung out "
                    "with --driver",
                )


def _series(samples: Sequence[Sample]) -> list[float] | None:
    """Return the mean over all steps and metrics of each block's log median, in parts of the step's own level."""
    groups: dict[tuple[str, int, int], dict[int, list[float]]] = {}
    for s in samples:
        groups.setdefault((s.metric, s.step, s.concurrency), {}).setdefault(s.block, []).append(math.log(s.value))
    blocks = sorted({sample.block for sample in samples})
    rows = []
    for group in groups.values():
        if len(group) == len(blocks):
            medians = np.array([np.median(group[block]) for block in blocks])
            rows.append(medians - medians.mean())
    return None if not rows else [float(x) for x in np.mean(rows, axis=0)]


def trend(series: Sequence[float]) -> tuple[float, float]:
    """Return how much a line through the series rises from its first to its last value, and the chance of its trend.

    The line has the median of all slopes (Theil 1950, Sen 1968); the chance is that of a Kendall rank correlation with
    time as strong as this or stronger without any trend (Mann 1945), by its normal approximation.
    """
    n = len(series)
    slopes = [(series[j] - series[i]) / (j - i) for i in range(n) for j in range(i + 1, n)]
    if not slopes:
        return 0.0, 1.0
    score = sum((slope > 0) - (slope < 0) for slope in slopes)
    deviation = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    z = max(0.0, abs(score) - 1) / deviation
    return float(np.median(slopes)) * (n - 1), math.erfc(z / math.sqrt(2))


# -- left out with a reason --------------------------------------------------------------------------------------------


def _without_emulated(
    samples: list[Sample], drivers: Collection[str], left_out: list[LeftOut], origin: Origin
) -> list[Sample]:
    emulated: dict[str, set[bool]] = {}
    for sample in samples:
        emulated.setdefault(sample.driver, set()).add(not _EMULATED.isdisjoint(sample.flags))
    dropped = set()
    for driver, kinds in emulated.items():
        if kinds == {True, False}:
            run_id = next(s.run_id for s in samples if s.driver == driver and not _EMULATED.isdisjoint(s.flags))
            raise InputError(
                f"some samples of {driver} were taken under full emulation, and some were not",
                place=origin.flagged(run_id, _EMULATED),
                hint="calibrate with the runs of one kind",
            )
        if kinds == {True} and driver not in drivers:
            dropped.add(driver)
            why = "it ran under full emulation, which isn't compared with the other rungs (--driver takes it)"
            left_out.append(LeftOut(driver, why))
    return [sample for sample in samples if sample.driver not in dropped]


def _without_few_blocks(samples: list[Sample], left_out: list[LeftOut]) -> list[Sample]:
    blocks: dict[tuple[str, str], set[Block]] = {}
    for sample in samples:
        blocks.setdefault((sample.driver, sample.suite), set()).add((sample.run_id, sample.block))
    dropped = set()
    for (driver, suite), found in blocks.items():
        # A ramp of a density is a series of many instances by itself.
        if len(found) < LEAST_BLOCKS and suite != "density":
            dropped.add((driver, suite))
            if driver not in NO_RUNG:
                count = "1 block" if len(found) == 1 else f"{len(found)} blocks"
                left_out.append(LeftOut(f"{driver}, {suite}", f"{count}: at least {LEAST_BLOCKS} are needed"))
    return [sample for sample in samples if (sample.driver, sample.suite) not in dropped]
