"""Measures what is calibrated on and what is predicted, file by file, into one folder."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.validate.sizes import Sizes
from vsim.bench.run import choose_drivers, run
from vsim.calibration import Profile
from vsim.calibration.fitting import fit, machine_name
from vsim.cli._bench_progress import Progress
from vsim.engine.plans import perform
from vsim.errors import HostError, InputError
from vsim.experiment.holding_out import parse, split
from vsim.model.plan import OfferRequests, Plan
from vsim.samples.merge import read_all
from vsim.samples.records import Samples

__all__ = ["calibrated", "capacity_per_s", "kept_and_left", "measure"]

Say = Callable[[str], None]

# Far above what any rung can do: what comes out is its capacity.
_OVERLOAD = 20


def measure(folder: Path, sizes: Sizes, say: Say) -> None:
    """Measure all of `sizes` into `folder`. Raises HostError when the host lacks every rung of a part."""
    for name in ("startup", "density", "requests"):
        plan, drivers = getattr(sizes, name), getattr(sizes, f"{name}_drivers")
        say(f"measuring {plan.name}: {', '.join(drivers)}")
        _bench(plan, drivers, folder / f"{name}.jsonl", say)
    say("calibrating the service demand, for the loads")
    low = read_all([folder / "startup.jsonl", folder / "requests.jsonl"])
    profile, machine = fit(low).profile, machine_name(low.runs[0])
    step = sizes.requests.steps[-1]
    assert isinstance(step, OfferRequests)
    measured = {sample.driver for sample in low.samples if sample.suite == step.suite}
    for driver in (name for name in sizes.requests_drivers if name in measured):
        try:
            capacity = capacity_per_s(profile, machine, driver, step)
        except InputError as error:
            say(f"{driver} can't be put under load: {error}")
            continue
        rates = [round(load * capacity, 1) for load in sizes.loads]
        say(f"measuring {driver} at {', '.join(f'{rate:g}/s' for rate in rates)}; it can do {capacity:.0f}/s")
        steps = tuple(dataclasses.replace(step, rate_per_s=rate) for rate in rates)
        plan = dataclasses.replace(sizes.requests, name=f"{driver} under load", steps=steps)
        _bench(plan, (driver,), folder / f"requests-{driver}.jsonl", say, alone=True)


def capacity_per_s(profile: Profile, machine: str, driver: str, step: OfferRequests) -> float:
    """Return how many requests per second the rung answers at most: what it does, in simulation, when overloaded.

    Raises InputError, with the reason, when the profile doesn't say what it takes.
    """
    plan = Plan("capacity", (dataclasses.replace(step, duration_s=1.0),), blocks=1, warmup_blocks=0)
    alone = _simulated(plan, profile, machine, driver, "latency_p50_s")
    # Offered for so short a time that the last one is answered within its time-out.
    more = dataclasses.replace(step, rate_per_s=_OVERLOAD / alone, duration_s=100 * alone / _OVERLOAD)
    return _simulated(dataclasses.replace(plan, steps=(more,)), profile, machine, driver, "requests_per_s")


def _simulated(plan: Plan, profile: Profile, machine: str, driver: str, metric: str) -> float:
    found = perform(plan, profile, [driver], machine)
    values = [sample.value for sample in found.samples if sample.metric == metric]
    if not values:
        raise InputError("; ".join(found.runs[0].left_out) or f"no {metric} is simulated")
    return statistics.median(values)


def kept_and_left(folder: Path, sizes: Sizes) -> tuple[Samples, Samples]:
    """Return what calibration sees of the samples in `folder`, and what it is to predict."""
    samples = read_all(sorted(folder.glob("*.jsonl*")))
    left = [f"concurrency>{sizes.levels}", f"density>{sizes.instances}"]
    loads = sorted(folder.glob("requests-*.jsonl*"))
    if loads:
        # By name: on a slow host, 30 % of what it can do are fewer than the requests of the calibration.
        left.append(f"rate={','.join(map(str, _rates(read_all(loads))))}")
    return split(samples, [parse(text) for text in left])


def _rates(samples: Samples) -> list[float]:
    """Return the rates at which the plans of these runs offer requests."""
    steps = [step for run in samples.runs for step in run.plan["steps"]]
    return sorted({float(step["rate_per_s"]) for step in steps if "rate_per_s" in step})


def calibrated(kept: Samples, folder: Path) -> Profile:
    """Calibrate on `kept`, and leave the profile in `folder`."""
    calibration = fit(kept)
    (folder / "profile.yaml").write_text(calibration.text, encoding="utf-8")
    return calibration.profile


def _bench(plan: Plan, names: Sequence[str], out: Path, say: Say, *, alone: bool = False) -> None:
    """Run the plan with those of the drivers that this host has; with the harness and `process`, unless `alone`."""
    known, lacking = choose_drivers()
    for each in lacking:
        if each.driver.name in names:
            say(f"{each.driver.name} is left out: {each.reason}")
    wanted = {*names} if alone else {*names, "null", "process"}
    drivers = [driver for driver in known if driver.name in wanted]
    if not any(driver.name in names for driver in drivers):
        raise HostError(f"none of {', '.join(names)} is on this host", hint="`vsim doctor` says how to get them")
    progress = Progress()
    try:
        outcome = run(plan, drivers, out, observer=progress)
    finally:
        progress.close()
    for name, reason in outcome.given_up.items():
        say(f"{name} was given up: {reason}")
    if outcome.stopped:
        say(outcome.stopped)
