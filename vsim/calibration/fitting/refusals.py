"""What samples are refused for as a whole: two worlds, two hosts, a lowered clock, figures that drift."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from vsim.errors import InputError, Place
from vsim.samples.records import Run, Sample, Samples
from vsim.scenario.validation import listed

__all__ = ["Origin", "not_throttled", "one_host", "one_world", "steady", "trend"]

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
# Drift from the first block to the last beyond which a figure has no steady state, if it is significant.
_DRIFT, _SIGNIFICANT = 0.15, 0.01
# What each suite is judged by.
_STEADY = ("startup_s", "cpu_user_s", "cpu_system_call_s", "cpu_page_fault_s", "latency_p50_s", "fork_exec_s")


class Origin:
    """Where in the files the records come from; without any, errors have no place."""

    def run(self, run_id: str) -> Place | None:
        """Return where the record of that run stands."""
        return None

    def flagged(self, run_id: str, flags: Collection[str]) -> Place | None:
        """Return where the first sample or failure of that run with one of the flags stands."""
        return None


def one_world(runs: Sequence[Run], simulated: bool, origin: Origin) -> None:
    """Refuse samples of both worlds, and simulated ones that weren't asked for."""
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


def one_host(runs: Sequence[Run], origin: Origin) -> None:
    """Refuse runs of several hosts, or of one that was changed."""
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


def not_throttled(runs: Sequence[Run], samples: Samples, origin: Origin) -> None:
    """Refuse runs of a host that has lowered its clock, and samples that say so."""
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
    for failure in samples.failures:
        if failure.run_id in ids and "throttled" in failure.flags:
            raise InputError(
                f"while {failure.driver} was measured in the run {failure.run_id}, {failure.message}",
                place=origin.flagged(failure.run_id, ("throttled",)),
                hint=hint,
            )


def steady(samples: Sequence[Sample], origin: Origin) -> None:
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
