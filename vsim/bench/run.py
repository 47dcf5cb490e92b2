"""A whole `vsim bench`: choose drivers, check the budget, run the plan, write samples, leave nothing behind."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsim.bench import budget
from vsim.bench.awake import processors_awake
from vsim.bench.clean import clean, end_processes
from vsim.bench.drivers import Driver, all_drivers
from vsim.bench.environment import record_environment
from vsim.bench.host import Host
from vsim.bench.payload import build_payload, probe_digest
from vsim.bench.runner import Observer, Outcome, Runner
from vsim.bench.suites import all_suites
from vsim.bench.workspace import Workspace, new_run_id
from vsim.errors import HostError, InputError
from vsim.model.plan import Plan
from vsim.samples.plans import plan_from_data, plan_to_data
from vsim.samples.records import Resume, Run, SampleWriter, read_samples
from vsim.samples.summary import BASE

__all__ = ["Lacking", "choose_drivers", "plan_from_data", "plan_to_data", "resume", "run"]

# Always measured: what the harness itself costs, and what ratios refer to.
_ALWAYS = ("null", BASE)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lacking:
    """A driver that this host can't run, and why."""

    driver: Driver
    reason: str


def choose_drivers(names: Sequence[str] = ()) -> tuple[tuple[Driver, ...], tuple[Lacking, ...]]:
    """Return the drivers to run, in the ladder's order, and those that this host lacks.

    With `names`, exactly those, plus `null` and `process`. Raises InputError for a name that there is none of,
    HostError when the host lacks one that was named, or all.
    """
    known = [driver.name for driver in all_drivers()]
    for name in names:
        if name not in known:
            raise InputError(f"there is no driver {name!r}", hint=f"one of {', '.join(known)}")
    wanted = {*names, *_ALWAYS} if names else set(known)
    chosen: list[Driver] = []
    lacking: list[Lacking] = []
    for driver in all_drivers():
        if driver.name not in wanted:
            continue
        reason = driver.lack()
        if reason is None and driver.detection_only:
            reason = "it is detected only: vsim has no way to start it yet"
        if reason is None:
            chosen.append(driver)
        else:
            lacking.append(Lacking(driver, reason))
    for each in lacking:
        if each.driver.name in names:
            # Most reasons end with what to do about it, in brackets.
            why, _, remedy = each.reason.partition(" (")
            hint = remedy.removesuffix(")") or "`vsim doctor` says more"
            raise HostError(f"{each.driver.name} can't be measured here: {why}", hint=hint)
    if not any(driver.name == BASE for driver in chosen):
        reason = next((each.reason for each in lacking if each.driver.name == BASE), "it is not there")
        raise HostError(f"nothing can be measured here: {reason}")
    return tuple(chosen), tuple(lacking)


def run(
    plan: Plan,
    drivers: Sequence[Driver],
    out: Path,
    *,
    observer: Observer | None = None,
    fit: bool = False,
    note: str | None = None,
) -> Outcome:
    """Carry the plan out and write its samples to the new file `out`.

    `fit` takes fewer blocks where the plan's time limit has no room for all. `note` is kept in the run's record.
    Raises HostError or InputError before anything is started when the budget doesn't allow the plan or the file
    can't be made.
    """
    _check_suites(plan)
    host = Host()
    if fit:
        plan = budget.fit_blocks(plan, drivers)
    # A plan made to fit runs into its limit on a slow host at worst, with what it has measured until then.
    budget.check(plan if not fit else _without_limit(plan), drivers, host)
    with processors_awake() as awake:
        record = Run(
            run_id=new_run_id(),
            world="real",
            started=_now().isoformat(timespec="milliseconds"),
            plan=plan_to_data(plan),
            environment={**_environment(note), "processors_awake": awake},
            seed=plan.seed,
            drivers=tuple(driver.name for driver in drivers),
            left_out=tuple(budget.left_out(plan, drivers)),
        )
        with SampleWriter(out) as writer:
            writer.write(record)
            return _measure(plan, drivers, record, writer, observer=observer, host=host)


def resume(out: Path, *, observer: Observer | None = None) -> Outcome:
    """Go on with the last run in `out`, where it was interrupted; a run that is complete stays as it is.

    Raises InputError when the file isn't one of a real run, HostError when a driver of it has gone since.
    """
    samples = read_samples(out)
    record = samples.runs[-1]
    if record.world != "real":
        raise InputError(f"the last run in {out} was simulated", hint="only a run of a real host can be resumed")
    plan = plan_from_data(record.plan)
    _check_suites(plan)
    drivers, _ = choose_drivers(record.drivers)
    drivers = tuple(driver for driver in drivers if driver.name in record.drivers)
    host = Host()
    budget.check(_without_limit(plan), drivers, host)
    elapsed = max(0.0, (_now() - datetime.datetime.fromisoformat(record.started)).total_seconds())
    # What the interrupted attempt has left would take part in what is measured, and has the names of what comes.
    clean()
    # As in the attempt before: the blocks of one run are measured alike.
    awake = processors_awake() if record.environment.get("processors_awake") else contextlib.nullcontext()
    with awake, SampleWriter(out, resume=True) as writer:
        writer.write(Resume(record.run_id, elapsed))
        return _measure(
            plan, drivers, record, writer, observer=observer, host=host, done=samples.done, elapsed_s=elapsed
        )


def _measure(
    plan: Plan, drivers: Sequence[Driver], record: Run, writer: SampleWriter, *, host: Host, **more: Any
) -> Outcome:
    payloads = functools.cache(build_payload)
    with Workspace(record.run_id) as workspace:
        try:
            # A damaged or unwritable cache shows before the first session opens.
            payloads(None)
            return Runner(plan, drivers, workspace, payloads, writer.write, host=host, **more).run()
        finally:
            # Whatever a runtime has detached from its session: nothing of this run outlives it.
            end_processes(record.run_id)


def _environment(note: str | None) -> dict[str, Any]:
    """Return what is known of this host, what the user notes of it, and which probe is measured with."""
    own = {"probe_digest": probe_digest()} if note is None else {"probe_digest": probe_digest(), "note": note}
    return {**record_environment(), **own}


def _without_limit(plan: Plan) -> Plan:
    return dataclasses.replace(plan, time_limit_s=float("inf"))


def _check_suites(plan: Plan) -> None:
    for step in plan.steps:
        if step.suite not in all_suites():
            raise InputError(
                f"the suite {step.suite} can't be measured yet", hint=f"there are {', '.join(sorted(all_suites()))}"
            )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
