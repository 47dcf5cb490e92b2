"""How long an application takes to come up on each architecture, and to go down: some runs, and one to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vsim.calibration.catalogue import Application, quantities_of, with_catalogue
from vsim.calibration.profile import Profile
from vsim.engine.bringing_up import simulate_bringing_up
from vsim.engine.pulling import Pulling, plain_name
from vsim.engine.timeline import Timeline
from vsim.errors import InputError
from vsim.experiment.capabilities import check_capabilities
from vsim.experiment.statistics import Interval, interval
from vsim.model.orchestration import Launch, Orchestrator, Supervision
from vsim.model.quantity import Quantity, quantities
from vsim.model.stack import Architecture
from vsim.scenario.images import DescribedImage
from vsim.scenario.scenario import Scenario
from vsim.scenario.validation import did_you_mean, listed
from vsim.scenario.written import located

__all__ = ["BroughtUp", "bring_up", "orchestrator_of", "parameters_of", "pulling_of"]


@dataclass(frozen=True, slots=True)
class BroughtUp:
    """The runs of one architecture: means with 95 % intervals over those that came up, and a run to look at.

    `shown` is the run whose time is in the middle of those that came up, or the first one if none did; `failed` of
    `runs` did not come up, and `failure` says why the first of these didn't. Times in seconds.
    """

    architecture: str
    shown: Timeline
    started: Interval | None
    up: Interval | None
    down: Interval
    runs: int
    failed: int
    failure: str | None


def orchestrator_of(profile: Profile) -> Orchestrator:
    """Return what brings applications up, as the profile has it: Docker Compose."""
    return profile.orchestrators["compose"]


def pulling_of(images: Sequence[DescribedImage], profile: Profile, registry: str) -> Pulling:
    """Return what is known about `images`, and that they are pulled from the profile's registry of that name.

    Sizes that aren't known are estimated. Raises InputError for a registry that the profile doesn't have.
    """
    if registry not in profile.registries:
        hint = did_you_mean(registry, profile.registries) or f"the profile has {listed(profile.registries, 'and')}"
        raise InputError(f"there is no registry {registry!r}", hint=hint)
    ratio = profile.quantities["process.startup.fetch.image_write"].value
    known = {plain_name(one.name): one.to_image(ratio)[0] for one in images}
    return Pulling(known, profile.pullers["docker-pull"], profile.registries[registry])


def bring_up(
    application: Application,
    profile: Profile,
    *,
    replications: int | None = None,
    changes: Sequence[str] = (),
    pulling: Pulling | None = None,
) -> list[BroughtUp]:
    """Return how an application comes up on each architecture of its scenario.

    If it says what images are built from, these are built on the machines in place of being fetched: with nothing in
    the cache, or, with `changes`, with all but what these paths change. The images of `pulling` are pulled layer by
    layer. Raises InputError for an architecture that doesn't exist or can't carry the application, a Dockerfile that a
    builder would refuse, and a path that no build sees.
    """
    scenario = application.scenario
    if not scenario.architectures:
        raise InputError("no architecture to bring it up on", hint="state some under `architectures`, or with --on")
    architectures = []
    for name in scenario.architectures:
        with located(name):
            architectures.append(profile.architecture(name))
    scenario = with_catalogue(scenario, profile)
    check_capabilities(scenario, architectures, profile)
    runs = replications or scenario.run.replications or scenario.run.precision.minimum
    _check_changes(application, changes)
    built = {
        machine: _with_builds(application, machine, profile, changes)
        for machine in dict.fromkeys(one.machine.name for one in architectures)
    }
    return [_runs(scenario, built[one.machine.name], one, profile, runs, pulling) for one in architectures]


def _check_changes(application: Application, changes: Sequence[str]) -> None:
    contexts = [build.context for build in application.builds.values()]
    for change in changes:
        if not any(_is_in(change, context) for context in contexts):
            raise InputError(
                f"no image is built from {change!r}", hint="name a file or a folder in one of the build contexts"
            )


def _is_in(change: str, context: Path) -> bool:
    return Path(change).resolve().is_relative_to(context.resolve())


def _with_builds(
    application: Application, machine: str, profile: Profile, changes: Sequence[str]
) -> Mapping[str, Launch]:
    """Return how the services come up where their images are built on machines of the kind `machine`."""
    from vsim.experiment.builds import BuildRequest, model_build

    launches = dict(application.launches)
    for name, build in application.builds.items():
        request = BuildRequest(
            dockerfile=build.dockerfile,
            context=build.context,
            changes=[change for change in changes if _is_in(change, build.context)],
            build_args=build.arguments,
            target=build.target,
            machine=machine,
        )
        model = model_build(request, profile)
        launches[name] = replace(launches[name], build_s=(model.warm if changes else model.cold).seconds)
    return launches


def _runs(
    scenario: Scenario,
    launches: Mapping[str, Launch],
    architecture: Architecture,
    profile: Profile,
    runs: int,
    pulling: Pulling | None,
) -> BroughtUp:
    orchestrator = orchestrator_of(profile)
    timelines = [
        simulate_bringing_up(architecture, scenario, launches, profile.supervision, orchestrator, number, pulling)
        for number in range(runs)
    ]
    up = sorted((one for one in timelines if one.up_s is not None), key=lambda one: one.up_s or 0.0)
    failures = [one.failure for one in timelines if one.failure is not None]
    return BroughtUp(
        architecture=architecture.name,
        shown=up[len(up) // 2] if up else timelines[0],
        started=_interval([one.started_s for one in up]),
        up=_interval([one.up_s for one in up]),
        down=interval([one.down_s for one in timelines]),
        runs=runs,
        failed=len(failures),
        failure=failures[0] if failures else None,
    )


def _interval(values: Sequence[float | None]) -> Interval | None:
    known = [value for value in values if value is not None]
    return interval(known) if known else None


def parameters_of(scenario: Scenario, profile: Profile, pulling: Pulling | None = None) -> list[Quantity]:
    """Return the parameters that the answer rests on, each once: of architectures, their supervision, and images."""
    described: list[object] = [orchestrator_of(profile)]
    if pulling is not None:
        described += [pulling.puller, pulling.registry]
    for name in scenario.architectures:
        architecture = profile.architecture(name)
        described += [architecture.stack, architecture.machine]
        described += [_supervision(architecture, profile.supervision)]
    found = {quantity.name: quantity for one in described for quantity in quantities(one)}
    return [*found.values(), *(profile.quantities[name] for name in quantities_of(scenario))]


def _supervision(architecture: Architecture, known: Mapping[str, Supervision]) -> tuple[Supervision, ...]:
    return tuple(known[layer.name] for layer in architecture.stack.layers if layer.name in known)
