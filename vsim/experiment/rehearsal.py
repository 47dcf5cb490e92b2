"""Validation: the plans of a set of samples carried out in simulated time, and the error of what comes out.

Each run is repeated with the profile's own idea of the host that it was measured on: machine and stacks named like the
host and the drivers, as calibration makes them. Cross-validation calibrates on one part of a data set and predicts the
other.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from vsim.errors import InputError
from vsim.experiment.holding_out import Key, Selection, each_in_turn, split
from vsim.experiment.validation import Comparison, Side, compare, unmatched
from vsim.samples.plans import plan_from_data
from vsim.samples.records import Samples
from vsim.scenario.validation import did_you_mean, listed

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.model.plan import Plan
    from vsim.samples.records import Run

__all__ = ["BLOCKS", "SCHEMA", "Ran", "Summary", "Validation", "cross_validate", "validate"]

SCHEMA = "vsim.validation/1"
# So many blocks are simulated at least: a prediction's own noise is no error of the model.
BLOCKS = 30
# What is measured, but isn't a rung.
_NO_RUNG = ("null", "canary")
# What of an environment record says which host it was.
_HOST = ("pi_model", "cpu_model", "cpu_cores", "cpu_count", "architecture", "host_hypervisor")


class Perform(Protocol):
    """Carries out a plan in simulated time, with some drivers' stacks on a machine of the profile."""

    def __call__(self, plan: Plan, profile: Profile, drivers: Sequence[str], machine: str, /) -> Samples:
        """Return the samples."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One statistic of one metric over all its rows: the median of the errors' sizes, and the worst row."""

    metric: str
    statistic: str
    rows: int
    median_error: float
    worst: Comparison


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that was predicted: in which world, when, with which seed, and what `environment` says of the host."""

    run_id: str
    world: str
    started: str
    seed: int
    environment: Mapping[str, Any]

    @classmethod
    def of(cls, run: Run) -> Ran:
        """Return what is kept of a run."""
        environment = {key: run.environment[key] for key in _HOST if run.environment.get(key) is not None}
        return cls(run.run_id, run.world, run.started, run.seed, environment)


@dataclass(frozen=True, slots=True)
class Validation:
    """The errors, the largest first; `notes` say what could not be compared, and why; `runs` what was predicted."""

    profile: str
    rows: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()
    runs: tuple[Ran, ...] = ()

    def summaries(self) -> list[Summary]:
        """Return a summary for each statistic of each metric, the worst median first."""
        groups: dict[tuple[str, str], list[Comparison]] = {}
        for row in self.rows:
            groups.setdefault((row.metric, row.statistic), []).append(row)
        found = [
            Summary(metric, name, len(rows), statistics.median(map(_size, rows)), max(rows, key=_size))
            for (metric, name), rows in groups.items()
        ]
        return sorted(found, key=lambda summary: -summary.median_error)

    def exceeding(self, limit: float) -> list[Comparison]:
        """Return the rows with an error above `limit` (a fraction), the largest first."""
        return [row for row in self.rows if row.exceeds(limit)]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it; an error that has no value (nothing was measured) is null."""
        return {
            "schema": SCHEMA,
            "profile": self.profile,
            "rows": [dataclasses.asdict(row) for row in self.rows],
            "notes": list(self.notes),
            "runs": [dataclasses.asdict(run) for run in self.runs],
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Validation:
        """Return what :meth:`to_dict` wrote."""
        rows = (
            Comparison(**{**row, "measured": Side(**row["measured"]), "predicted": Side(**row["predicted"])})
            for row in content["rows"]
        )
        runs = (Ran(**run) for run in content.get("runs", ()))
        return cls(content["profile"], tuple(rows), tuple(content["notes"]), tuple(runs))


def validate(
    profile: Profile,
    samples: Samples,
    *,
    machine: str | None = None,
    blocks: int = BLOCKS,
    metrics: Collection[str] = (),
    perform: Perform | None = None,
) -> Validation:
    """Predict every run in `samples` with `profile`, and return the errors of `metrics` (default: all).

    `machine` names the machine of the profile that the samples were taken on; without it, the one that is named like
    the run's host. `blocks` is how many blocks are simulated at least; requests at random moments are simulated in the
    blocks that were measured, with the same moments.

    Raises InputError when the profile lacks the machine or all of the drivers, or nothing can be compared.
    """
    perform = perform or _performer()
    by_machine: dict[str, list[Run]] = {}
    for run in samples.runs:
        by_machine.setdefault(_machine(run, profile, machine), []).append(run)
    rows: list[Comparison] = []
    notes: dict[str, None] = {}
    drivers: dict[str, None] = {}
    for name, runs in by_machine.items():
        measured = _of(samples, runs)
        predicted = []
        for run in runs:
            own = dict.fromkeys(sample.driver for sample in measured.samples if sample.run_id == run.run_id)
            drivers.update(own)
            able = []
            for driver in own:
                reason = _misfit(profile, driver, name)
                if reason is None:
                    able.append(driver)
                elif driver not in _NO_RUNG:
                    notes[f"{driver} is not predicted: {reason}"] = None
            if able:
                predicted += _predicted(run, profile, able, name, blocks, perform)
        together = _joined(predicted)
        notes.update(dict.fromkeys(word for run in together.runs for word in run.left_out))
        found = compare(measured, together, metrics=metrics)
        rows += [dataclasses.replace(row, machine=name) for row in found]
        if not metrics:
            simulated = {sample.driver for sample in together.samples}
            lacking = unmatched(_driven(measured, simulated), together)
            notes.update(dict.fromkeys(f"measured but not simulated, {each}" for each in lacking))
    if not rows:
        raise InputError(
            "there is nothing to compare",
            hint=_why_nothing(metrics, samples, profile, [name for name in drivers if name not in _NO_RUNG]),
        )
    ordered = tuple(sorted(rows, key=_size, reverse=True))
    return Validation(profile.name, ordered, tuple(notes), tuple(map(Ran.of, samples.runs)))


def cross_validate(
    samples: Samples,
    selections: Sequence[Selection] = (),
    *,
    one_by_one: Key | None = None,
    blocks: int = BLOCKS,
    metrics: Collection[str] = (),
    perform: Perform | None = None,
) -> Validation:
    """Calibrate on a part of `samples` and predict the other; return the errors of what was predicted.

    What the `selections` select is left out, all of it at once. With `one_by_one`, each value of that key is left out
    after another, and the rows say in `held_out` which one they belong to.

    Raises InputError when a selection leaves out nothing or all, or calibration refuses what is kept.
    """
    folds = [[selection] for selection in each_in_turn(samples, one_by_one)] if one_by_one else [list(selections)]
    parts = [split(samples, fold) for fold in folds]
    from vsim.calibration.fitting import fit, machine_name

    rows: list[Comparison] = []
    notes: dict[str, None] = {}
    for fold, (kept, left) in zip(folds, parts, strict=True):
        held_out = " and ".join(selection.text for selection in fold)
        # Of the hosts of a class, each is calibrated on its own.
        for machine in dict.fromkeys(map(machine_name, left.runs)):
            known, hidden = (_of(part, [r for r in part.runs if machine_name(r) == machine]) for part in (kept, left))
            if not known.runs:
                raise InputError(f"{held_out} leaves nothing to calibrate {machine} on", hint="leave out less")
            simulated = all(run.world == "simulated" for run in known.runs)
            profile = fit(known, simulated=simulated).profile
            found = validate(profile, hidden, machine=machine, blocks=blocks, metrics=metrics, perform=perform)
            rows += [dataclasses.replace(row, held_out=held_out) for row in found.rows]
            notes.update(dict.fromkeys(found.notes))
    ordered = tuple(sorted(rows, key=_size, reverse=True))
    return Validation("calibrated on the rest", ordered, tuple(notes), tuple(map(Ran.of, samples.runs)))


# -- one run -----------------------------------------------------------------------------------------------------------


def _predicted(
    run: Run, profile: Profile, drivers: Sequence[str], machine: str, blocks: int, perform: Perform
) -> list[Samples]:
    """Return the run in simulated time: as it was, and further blocks of all that isn't tied to the blocks measured."""
    plan = plan_from_data(run.plan)
    parts = [perform(plan, profile, drivers, machine)]
    free = tuple(step for step in plan.steps if getattr(step, "arrivals", None) != "poisson")
    if free and blocks > plan.blocks:
        more = dataclasses.replace(
            plan, steps=free, blocks=blocks - plan.blocks, warmup_blocks=0, seed=plan.seed + 1_000_003
        )
        again = perform(more, profile, drivers, machine)
        # What it leaves out has been said, with the number that the step has in the plan.
        runs = tuple(dataclasses.replace(each, left_out=()) for each in again.runs)
        parts.append(dataclasses.replace(again, runs=runs))
    return parts


def _performer() -> Perform:
    from vsim.engine.plans import perform

    return perform


def _machine(run: Run, profile: Profile, machine: str | None) -> str:
    if machine is None:
        from vsim.calibration.fitting import machine_name

        name = machine_name(run)
    else:
        name = machine
    if name not in profile.machines:
        whose = "" if machine else f", the host of the run {run.run_id}"
        raise InputError(
            f"the profile has no machine {name!r}{whose}",
            hint=did_you_mean(name, profile.machines)
            or f"say which machine of the profile it is with --machine: {listed(profile.machines)}",
        )
    return name


def _misfit(profile: Profile, driver: str, machine: str) -> str | None:
    """Return why the driver can't be simulated on the machine, or None."""
    stack = profile.stacks.get(driver)
    if stack is None:
        return "the profile has no stack of that name"
    return stack.misfit(profile.machines[machine])


def _why_nothing(metrics: Collection[str], samples: Samples, profile: Profile, drivers: Sequence[str]) -> str:
    if not any(driver in profile.stacks for driver in drivers):
        return (
            f"the samples have the drivers {listed(drivers, 'and') or 'none'}, and the profile has no stack named like "
            "one of them: is it one that `vsim calibrate` has made?"
        )
    known = dict.fromkeys(sample.metric for sample in samples.samples if sample.driver not in _NO_RUNG)
    wrong = [name for name in metrics if name not in known]
    if wrong:
        return did_you_mean(wrong[0], known) or f"the samples have {listed(known, 'and')}"
    return "none of what was measured is simulated"


def _size(row: Comparison) -> float:
    return math.inf if row.error is None else abs(row.error)


# -- sets of samples ---------------------------------------------------------------------------------------------------


def _of(samples: Samples, runs: Sequence[Run]) -> Samples:
    names = {run.run_id for run in runs}
    return Samples(
        tuple(runs),
        tuple(sample for sample in samples.samples if sample.run_id in names),
        tuple(failure for failure in samples.failures if failure.run_id in names),
        frozenset(key for key in samples.done if key[0] in names),
    )


def _driven(samples: Samples, drivers: Collection[str]) -> Samples:
    return Samples(samples.runs, tuple(sample for sample in samples.samples if sample.driver in drivers), ())


def _joined(parts: Iterable[Samples]) -> Samples:
    """Return all of them as one, with run ids of their own: a plan that is simulated twice is so under one id."""
    runs: list[Any] = []
    samples: list[Any] = []
    for number, part in enumerate(parts):
        runs += [dataclasses.replace(run, run_id=f"{number}/{run.run_id}") for run in part.runs]
        samples += [dataclasses.replace(sample, run_id=f"{number}/{sample.run_id}") for sample in part.samples]
    return Samples(tuple(runs), tuple(samples), ())
