"""The Python interface: what the commands do, without printing. Everything here is also an attribute of :mod:`vsim`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import vsim

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.calibration.fitting import Calibration
    from vsim.experiment.holding_out import Key
    from vsim.experiment.rehearsal import Validation
    from vsim.experiment.runner import Backend, Progress
    from vsim.experiment.sizing import Sizing
    from vsim.model.plan import Plan
    from vsim.samples.records import Samples
    from vsim.samples.result import Result
    from vsim.scenario import Scenario

__all__ = [
    "calibrate",
    "load_compose",
    "load_plan",
    "load_profile",
    "load_scenario",
    "simulate",
    "simulate_plan",
    "size",
    "validate",
]

DEFAULT_SCENARIO = "evolution"


def load_scenario(source: str | Path = DEFAULT_SCENARIO, *, trace: str | Path | None = None) -> Scenario:
    """Return the scenario of the preset or the file `source`, with the recorded demands in `trace` if given.

    Raises InputError, with file, line and column, for a scenario or a trace that can't be used.
    """
    from vsim.scenario import load_scenario as load

    return load(source, trace=trace)


def load_compose(
    *paths: str | Path,
    profile: Profile | Sequence[str | Path] = (),
    environment: Mapping[str, str] | None = None,
    compose_profiles: Sequence[str] = (),
) -> Scenario:
    """Return the scenario that the compose files at `paths` stand for, the later ones on top of the first.

    A folder stands for the file in it. `profile` has the catalogue of images: a profile, or profile files to put on top
    of the built-in one. `environment` are the variables that the files may use besides those of their `.env` file
    (default: none, so that the result depends on the files alone; `os.environ` is what the commands pass), and
    `compose_profiles` makes services with `profiles` active.

    Raises InputError, with file, line and column, for the first thing that can't be used.
    """
    from vsim.calibration.catalogue import load_compose as load

    loaded = load_profile(*profile) if isinstance(profile, Sequence) else profile
    return load(*paths, profile=loaded, environment=environment, compose_profiles=compose_profiles)


def load_plan(path: str | Path) -> Plan:
    """Return the plan of an experiment in the file at `path`.

    Raises InputError, with file, line and column, for a file that can't be used.
    """
    from vsim.scenario.plan_file import read_plan

    return read_plan(path)


def load_profile(*paths: str | Path) -> Profile:
    """Return the built-in profile with the profile files `paths` on top, one after another.

    Raises InputError, with file, line and column, for a file that can't be used.
    """
    from vsim.calibration import load_profile as load

    return load(*paths)


def simulate(
    scenario: Scenario | str | Path = DEFAULT_SCENARIO,
    *,
    trace: str | Path | None = None,
    on: Sequence[str] = (),
    profile: Profile | Sequence[str | Path] = (),
    seed: int | None = None,
    replications: int | Literal["auto"] | None = None,
    jobs: int | None = None,
    backend: Backend = "local",
    scheduler: str | None = None,
    sensitivity: bool = False,
    metrics: Sequence[str] = (),
    progress: Progress | None = None,
) -> Result:
    """Simulate a scenario on its architectures and return the result.

    `on` replaces the scenario's architectures (names of the form STACK@MACHINE), `seed` and `replications` what it
    states about its run; `metrics` is what ``replications="auto"`` and `sensitivity` look at. `profile` is a profile,
    or profile files to put on top of the built-in one. `jobs`, `backend` and `scheduler` say where the work is done
    (see :class:`vsim.experiment.runner.Runner`) and never change the result. `progress` is called with the number of
    tasks done and known.

    Raises InputError for what can't be used and HostError for what this host (or the cluster) lacks.
    """
    from vsim.experiment.runner import Runner
    from vsim.experiment.simulate import Analysis, compare

    if isinstance(scenario, str | Path):
        scenario = load_scenario(scenario, trace=trace)
    elif trace is not None:
        raise vsim.InputError("a trace goes with the name or the file of a scenario, not with a loaded one")
    run = scenario.run
    if seed is not None:
        run = dataclasses.replace(run, seed=seed)
    if replications is not None:
        run = dataclasses.replace(run, replications=None if replications == "auto" else replications)
    if metrics:
        run = dataclasses.replace(run, precision=dataclasses.replace(run.precision, metrics=tuple(metrics)))
    if on and scenario.sweep is not None and "architectures" in scenario.sweep.parameters:
        raise vsim.InputError(
            "the sweep of this scenario states architectures of its own",
            hint="leave out --on, or the sweep's `architectures`",
        )
    scenario = dataclasses.replace(scenario, run=run, architectures=tuple(on) or scenario.architectures)
    analysis = Analysis("full", tuple(metrics)) if sensitivity else Analysis()
    with Runner(jobs=jobs, backend=backend, scheduler=scheduler, progress=progress) as runner:
        loaded = load_profile(*profile) if isinstance(profile, Sequence) else profile
        return compare(scenario, loaded, runner, analysis=analysis, version=vsim.__version__)


def simulate_plan(
    plan: Plan | str | Path,
    *,
    profile: Profile | Sequence[str | Path] | str | Path = (),
    drivers: Sequence[str] = (),
    on: Sequence[str] = (),
    seed: int | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Carry a plan out in simulated time and return its samples, one run for each machine.

    `profile` is a profile, or profile files to put on top of the built-in one. `drivers` are stacks of it, simulated on
    the machine that it was measured on (the only one that isn't built in); `on` are names of the form STACK@MACHINE.
    Without either, all of its own stacks are. `seed` replaces the plan's. The samples are also written to the new file
    `out`. `progress` is called with the number of steps done and known.

    Raises InputError for what can't be used, HostError when `out` can't be written to its end.
    """
    from vsim.experiment.plans import chosen
    from vsim.experiment.plans import simulate_plan as carry_out

    if isinstance(plan, str | Path):
        plan = load_plan(plan)
    if seed is not None:
        plan = dataclasses.replace(plan, seed=seed)
    if isinstance(profile, str | Path):
        profile = [profile]
    loaded = load_profile(*profile) if isinstance(profile, Sequence) else profile
    return carry_out(plan, loaded, chosen(loaded, drivers, on), out=out, progress=progress)


def size(
    app: Scenario | str | Path,
    *,
    rate_per_s: float | Mapping[str, float] | None = None,
    p95_s: float | None = None,
    availability: float | None = None,
    budget: float | None = None,
    probability: float = 0.95,
    on: Sequence[str] = (),
    profile: Profile | Sequence[str | Path] = (),
    scale: Sequence[str] = (),
    seed: int | None = None,
    replications: int | None = None,
    jobs: int | None = None,
    environment: Mapping[str, str] | None = None,
    compose_profiles: Sequence[str] = (),
    progress: Progress | None = None,
) -> Sizing:
    """Return the fewest machines of each architecture on which an application meets its goals.

    `app` is a compose file, a scenario's file or the name of a preset, or a loaded scenario. `rate_per_s` is how often
    it is asked in all, or how often each service named is. The goals are the 95th percentile of the response time, the
    availability (a part of 1), and what it may cost per month in the site's currency; all of them hold together with
    the `probability`. `scale` are services that keep data and may be replicated all the same. The other arguments are
    those of :func:`simulate` and of :func:`load_compose`.

    Raises InputError for what can't be used.
    """
    from vsim.calibration.apps import load_app
    from vsim.experiment.offering import offered
    from vsim.experiment.runner import Runner
    from vsim.experiment.sizing import REPLICATIONS, Goals, find_sizes

    loaded = load_profile(*profile) if isinstance(profile, Sequence) else profile
    if isinstance(app, str | Path):
        app = load_app(app, profile=loaded, environment=environment, compose_profiles=compose_profiles)
    rates = rate_per_s if isinstance(rate_per_s, Mapping) else {}
    total = None if isinstance(rate_per_s, Mapping) else rate_per_s
    run = app.run if seed is None else dataclasses.replace(app.run, seed=seed)
    scenario = dataclasses.replace(app, run=run, architectures=tuple(dict.fromkeys(on)) or app.architectures)
    scenario = offered(scenario, loaded, total, rates)
    goals = Goals(p95_s, availability, budget, probability)
    with Runner(jobs=jobs, progress=progress) as runner:
        return find_sizes(
            scenario,
            loaded,
            goals,
            runner,
            replications=REPLICATIONS if replications is None else replications,
            scalable=scale,
        )


def calibrate(
    samples: Samples | Sequence[str | Path] | str | Path,
    *,
    name: str | None = None,
    host: str | None = None,
    drivers: Sequence[str] = (),
    simulated: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Calibration:
    """Turn samples, or files of them, into a profile: its `text`, the `profile` itself, and a `report`.

    `name` is what the profile calls the machine (default: the host's name); `host` picks the runs of one host,
    `drivers` the rungs. Samples of a simulation are taken with `simulated` only.
    `progress` is called with the rung whose starts are fitted next, how many were, and of how many.

    Raises InputError, with file and line where there are any, for samples that can't be used: of several hosts,
    throttled, in too few blocks, not in a steady state.
    """
    from vsim.calibration.fitting import calibrate as from_files
    from vsim.calibration.fitting import fit
    from vsim.samples.records import Samples

    if isinstance(samples, str | Path):
        samples = [samples]
    if isinstance(samples, Samples):
        return fit(samples, name=name, host=host, drivers=drivers, simulated=simulated, observer=progress)
    return from_files(samples, name=name, host=host, drivers=drivers, simulated=simulated, observer=progress)


def validate(
    profile: Profile | str | Path | None,
    samples: Samples | Sequence[str | Path] | str | Path,
    *,
    leave_out: Sequence[str] = (),
    leave_one_out: Key | None = None,
    machine: str | None = None,
    metrics: Sequence[str] = (),
    blocks: int | None = None,
) -> Validation:
    """Predict runs that were measured, and return how far off that is: one row per statistic, the worst first.

    `profile` is a profile, or the file that a calibration has made, and `samples` are samples or files of them. Each
    plan in them is carried out in simulated time on the machine named like the host it was measured on (or `machine`),
    in at least `blocks` blocks. With `profile` None the samples are calibrated themselves, without what `leave_out`
    (``concurrency=8,16``, ``density>40``, …) or `leave_one_out` (a key: each of its values in turn) says, and that part
    is predicted. `metrics` restricts what is compared.

    Raises InputError for what can't be used.
    """
    from vsim.experiment.holding_out import parse
    from vsim.experiment.rehearsal import BLOCKS, cross_validate
    from vsim.experiment.rehearsal import validate as rehearse
    from vsim.samples.merge import read_all
    from vsim.samples.records import Samples

    selections = [parse(text) for text in leave_out]
    crossed = bool(selections) or leave_one_out is not None
    if (profile is None) is not crossed or (selections and leave_one_out is not None):
        raise vsim.InputError("a validation takes either a profile, or one of leave_out and leave_one_out")
    if isinstance(samples, str | Path):
        samples = [samples]
    if isinstance(profile, str | Path):
        profile = load_profile(profile)
    read = samples if isinstance(samples, Samples) else read_all(samples)
    least = BLOCKS if blocks is None else blocks
    if profile is None:
        return cross_validate(read, selections, one_by_one=leave_one_out, blocks=least, metrics=metrics)
    return rehearse(profile, read, machine=machine, blocks=least, metrics=metrics)
