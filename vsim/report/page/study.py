"""What a page shows: a comparison, at every point that its sliders can stand at."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsim.calibration.catalogue import with_catalogue
from vsim.errors import InputError
from vsim.experiment.describe import recall
from vsim.experiment.runner import Runner
from vsim.experiment.simulate import Analysis, compare
from vsim.experiment.sweep import expand, vary
from vsim.report.page.axes import Axis, axes_of, combinations, default_axes, merged, sweep_over
from vsim.samples.result import ArchitectureResult, Result
from vsim.scenario import load_scenario
from vsim.scenario.loading import preset_names
from vsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["Point", "Study", "command_of", "settings", "study", "study_around", "study_of"]

# More points than this are more than anybody looks at, and more than a page should weigh.
MOST_POINTS = 500
_SCREENING = Analysis()


@dataclass(frozen=True, slots=True)
class Point:
    """Where the sliders stand, the scenario and the profile there, and what came out."""

    at: tuple[int, ...]
    values: Mapping[str, object]
    scenario: Scenario
    profile: Profile
    replications: int
    architectures: tuple[ArchitectureResult, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """A comparison with its sliders: `points` has one for each combination of the `axes`' positions.

    `result` is what the page says where nothing else is said: parameters, sensitivity, findings. `command` are the
    words of the command that simulates the scenario as it is, without ``--on``; `on` says that its architectures aren't
    those that the scenario states.
    """

    result: Result
    scenario: Scenario
    profile: Profile
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    command: tuple[str, ...]
    on: bool = False


def study(
    scenario: Scenario,
    profile: Profile,
    runner: Runner,
    *,
    sliders: bool = True,
    command: Sequence[str] = (),
    on: bool = False,
    version: str = "",
    analysis: Analysis = _SCREENING,
) -> Study:
    """Simulate `scenario` at all positions of its sliders and return the study.

    The sliders are those of the scenario's own sweep, or the default ones; none with `sliders` False. `command` is as
    in :class:`Study` (default: ``vsim simulate`` and the scenario's name), `analysis` the one of sensitivity. Raises
    InputError as :func:`vsim.experiment.simulate.compare` does, and for more than :data:`MOST_POINTS` points.
    """
    words = tuple(command) or command_of(scenario)
    on = on or not command
    if not sliders:
        scenario = dataclasses.replace(scenario, sweep=None)
    if scenario.sweep is not None:
        _check_number(len(expand(scenario, profile)))
        result = compare(scenario, profile, runner, analysis=analysis, version=version)
        return study_of(result, profile, scenario=scenario, command=words, on=on)
    axes = default_axes(scenario) if sliders else ()
    swept = dataclasses.replace(scenario, sweep=sweep_over(axes, scenario))
    result = compare(swept, profile, runner, analysis=analysis, version=version)
    found = list(result.sweep.points) if result.sweep else []
    start = tuple(axis.start for axis in axes)
    points = []
    for at in combinations(axes):
        values = merged(axes, at)
        if at == start:
            architectures, replications = result.architectures, result.replications
        else:
            swept_point = found.pop(0)
            architectures, replications = swept_point.architectures, swept_point.replications
        points.append(_point(at, values, scenario, profile, replications, architectures))
    return Study(dataclasses.replace(result, sweep=None), scenario, profile, axes, tuple(points), words, on)


def study_of(
    result: Result,
    profile: Profile,
    *,
    scenario: Scenario | None = None,
    command: Sequence[str] = (),
    options: Sequence[str] = (),
    on: bool = False,
) -> Study:
    """Return the study of a result that is there already, whose numbers are those of `profile`.

    The sliders are those of its sweep. Without the `scenario` it is made from the result's description of it, and
    without the `command` that is made from the scenario's name and the `options` (``--profile FILE``). Raises
    InputError when that leaves out what a layout is made from (recorded demands, long lists of jobs), when the profile
    lacks an architecture, and for more than :data:`MOST_POINTS` points.
    """
    if scenario is None:
        scenario = recall(Scenario, {**result.scenario, "sweep": None})
    scenario = dataclasses.replace(scenario, sweep=None)
    words = tuple(command) or command_of(scenario, options)
    on = on or not command
    if result.sweep is None:
        point = _point((), {}, scenario, profile, result.replications, result.architectures)
        return Study(result, scenario, profile, (), (point,), words, on)
    _check_number(len(result.sweep.points))
    axes = axes_of(result.sweep)
    left = list(result.sweep.points)
    points = []
    for at in combinations(axes):
        values = merged(axes, at)
        swept_point = next(point for point in left if dict(point.values) == values)
        left.remove(swept_point)
        points.append(
            _point(at, values, scenario, profile, swept_point.replications, swept_point.architectures),
        )
    return Study(result, scenario, profile, axes, tuple(points), words, on)


def study_around(result: Result, profile: Profile, runner: Runner, *, options: Sequence[str] = ()) -> Study:
    """Simulate what surrounds a result that is there already: the default sliders begin where it is.

    The study of the result alone (:func:`study_of`, whose arguments are the same) when it has a sweep of its own, or
    when this version of vsim doesn't come to its values again: nothing on a page is to contradict the result. Raises
    InputError as :func:`study_of` does.
    """
    if result.sweep is not None:
        return study_of(result, profile, options=options)
    scenario = recall(Scenario, result.scenario)
    words = command_of(scenario, options)
    # each point as often as the result, whatever precision that was made for: differences are paired
    often = dataclasses.replace(scenario.run, replications=result.replications)
    scenario = dataclasses.replace(scenario, run=often)
    # a preset states its architectures; what a file states isn't known
    on = scenario.name not in words
    made = study(scenario, profile, runner, command=words, on=on, version=result.version, analysis=Analysis("none"))
    if made.result.architectures != result.architectures:
        return study_of(result, profile, options=options)
    return dataclasses.replace(made, result=result)


def _check_number(points: int) -> None:
    if points > MOST_POINTS:
        raise InputError(
            f"a page of {points:,} points can't be looked through",
            hint=f"sweep fewer values: at most {MOST_POINTS} points",
        )


def _point(
    at: tuple[int, ...],
    values: Mapping[str, object],
    scenario: Scenario,
    profile: Profile,
    replications: int,
    architectures: tuple[ArchitectureResult, ...],
) -> Point:
    varied = vary(scenario, profile, values)
    filled = with_catalogue(varied.scenario, varied.profile, list(values))
    return Point(at, values, filled, varied.profile, replications, architectures)


def command_of(scenario: Scenario, options: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the command for a scenario of which only the name is known: a preset's, or that of some file."""
    run = scenario.run
    name = f"{scenario.name}.yaml"
    if scenario.name in preset_names():
        preset = load_scenario(scenario.name)
        same = dataclasses.replace(preset, architectures=scenario.architectures, run=run, sweep=scenario.sweep)
        if same == scenario:
            name = scenario.name
    replications = "auto" if run.replications is None else str(run.replications)
    return ("vsim", "simulate", name, *options, "--seed", str(run.seed), "--replications", replications)


def settings(values: Mapping[str, object]) -> list[str]:
    """Return the words that set `values` on the command line, quoted for a shell; ``--on`` sets architectures."""
    words: list[str] = []
    for path, value in values.items():
        if path != "architectures":
            words += ["--set", shlex.quote(f"{path}={'null' if value is None else value}")]
    return words
