"""Which samples are fitted: one host, one world, in a steady state, in enough blocks; and why the others aren't.

Refused as a whole: samples of several hosts (unless one is named), of both worlds, simulated ones that weren't asked
for, throttled ones, runs whose figures drift from block to block. Left out with a reason: rungs under full emulation
(unless they are named), rungs with too few blocks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vsim.calibration.fitting.refusals import Origin, not_throttled, one_host, one_world, steady
from vsim.errors import InputError
from vsim.samples.records import Run, Sample, Samples
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["LEAST_BLOCKS", "NO_RUNG", "Block", "Host", "LeftOut", "Selected", "by_block", "machine_name", "select"]

# With two blocks a 95 % interval spans a factor of 13 (Student's t), and there is no telling a trend from noise.
LEAST_BLOCKS = 3
NO_RUNG = ("null", "canary")
_EMULATED = frozenset({"emulated", "foreign-cpu"})
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


@dataclass(frozen=True)
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

    @cached_property
    def drivers(self) -> list[str]:
        """The rungs, in the order in which they were first measured."""
        return list(dict.fromkeys(sample.driver for sample in self.samples if sample.driver not in NO_RUNG))

    def step(self, sample: Sample) -> Mapping[str, Any]:
        """Return the step of the plan that a sample belongs to; empty for what no plan describes."""
        steps = self._plans[sample.run_id].get("steps")
        if isinstance(steps, Sequence) and 0 <= sample.step < len(steps):
            found: Mapping[str, Any] = steps[sample.step]
            return found
        return {}

    @cached_property
    def _plans(self) -> dict[str, Mapping[str, Any]]:
        return {run.run_id: run.plan for run in self.runs}

    def of(self, driver: str, suite: str) -> list[Sample]:
        """Return the samples of a rung in a suite."""
        return self._index.get((driver, suite), [])

    @cached_property
    def _index(self) -> dict[tuple[str, str], list[Sample]]:
        found: dict[tuple[str, str], list[Sample]] = {}
        for sample in self.samples:
            found.setdefault((sample.driver, sample.suite), []).append(sample)
        return found


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
    one_world(runs, simulated, origin)
    one_host(runs, origin)
    not_throttled(runs, samples, origin)
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
    steady(kept, origin)
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


def _known_drivers(samples: Sequence[Sample], drivers: Collection[str]) -> None:
    known = dict.fromkeys(sample.driver for sample in samples if sample.driver not in NO_RUNG)
    for driver in drivers:
        if driver not in known:
            raise InputError(
                f"there are no samples of {driver!r}",
                hint=did_you_mean(driver, known) or f"there are samples of {listed(known, 'and')}",
            )


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
