"""How long an application takes to come up on each architecture, and to go down: some runs, and one to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsim.calibration.catalogue import Application, quantities_of, with_catalogue
from vsim.calibration.profile import Profile
from vsim.engine.bringing_up import simulate_bringing_up
from vsim.engine.timeline import Timeline
from vsim.errors import InputError
from vsim.experiment.capabilities import check_capabilities
from vsim.experiment.statistics import Interval, interval
from vsim.model.orchestration import Launch, Orchestrator, Supervision
from vsim.model.quantity import Quantity, quantities
from vsim.model.stack import Architecture
from vsim.scenario.scenario import Scenario
from vsim.scenario.written import located

__all__ = ["BroughtUp", "bring_up", "orchestrator_of", "parameters_of"]


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


def bring_up(
    application: Application,
    profile: Profile,
    *,
    replications: int | None = None,
) -> list[BroughtUp]:
    """Return how an application comes up on each architecture of its scenario.

    Raises InputError for an architecture that doesn't exist or can't carry the application.
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
    return [_runs(scenario, application.launches, one, profile, runs) for one in architectures]


def _runs(
    scenario: Scenario,
    launches: Mapping[str, Launch],
    architecture: Architecture,
    profile: Profile,
    runs: int,
) -> BroughtUp:
    orchestrator = orchestrator_of(profile)
    timelines = [
        simulate_bringing_up(architecture, scenario, launches, profile.supervision, orchestrator, number)
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


def parameters_of(scenario: Scenario, profile: Profile) -> list[Quantity]:
    """Return the parameters that the answer rests on, each once: of architectures, their supervision, and images."""
    described: list[object] = [orchestrator_of(profile)]
    for name in scenario.architectures:
        architecture = profile.architecture(name)
        described += [architecture.stack, architecture.machine]
        described += [_supervision(architecture, profile.supervision)]
    found = {quantity.name: quantity for one in described for quantity in quantities(one)}
    return [*found.values(), *(profile.quantities[name] for name in quantities_of(scenario))]


def _supervision(architecture: Architecture, known: Mapping[str, Supervision]) -> tuple[Supervision, ...]:
    return tuple(known[layer.name] for layer in architecture.stack.layers if layer.name in known)
