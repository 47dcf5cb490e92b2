"""Sweeps: the scenario at every stated value of some parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from vsim.errors import InputError
from vsim.experiment.paths import did_you_mean, has_path, replace_path
from vsim.scenario.scenario import Scenario, Sweep
from vsim.scenario.written import located

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["Variant", "expand", "vary"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One point of a sweep: the swept values, and the scenario and the profile in which they are set."""

    values: dict[str, object]
    scenario: Scenario
    profile: Profile


def expand(scenario: Scenario, profile: Profile) -> list[Variant]:
    """Return the points of the scenario's sweep in the stated order (in a grid the last parameter runs fastest).

    A path that starts at a field of the scenario is set there, any other is a quantity of the profile. Raises
    InputError for a path that is neither, a value that doesn't fit, and lists of different lengths.
    """
    if scenario.sweep is None:
        return []
    base = replace(scenario, sweep=None)
    return [vary(base, profile, values) for values in _combinations(scenario.sweep)]


def _combinations(sweep: Sweep) -> Iterator[dict[str, object]]:
    paths = list(sweep.parameters)
    lists = list(sweep.parameters.values())
    for path, values in sweep.parameters.items():
        if not values:
            raise InputError(f"the sweep states no values for {path!r}")
    if sweep.mode == "list" and len({len(values) for values in lists}) > 1:
        lengths = ", ".join(f"{path}: {len(values)}" for path, values in sweep.parameters.items())
        raise InputError(
            f"a sweep of mode list takes values side by side, but the lists differ in length ({lengths})",
            hint="make them equally long, or use mode: grid",
        )
    for values in zip(*lists, strict=True) if sweep.mode == "list" else itertools.product(*lists):
        yield dict(zip(paths, values, strict=True))


def vary(scenario: Scenario, profile: Profile, values: Mapping[str, object]) -> Variant:
    """Return the scenario and the profile with `values`, by path, set in them.

    Raises InputError for a path that is in neither, and for a value that doesn't fit.
    """
    for path, value in values.items():
        with located(path):
            if has_path(scenario, path):
                scenario = replace_path(scenario, path, value)
            else:
                profile = _in_profile(profile, path, value)
    return Variant(dict(values), scenario, profile)


def _in_profile(profile: Profile, path: str, value: object) -> Profile:
    if path not in profile.quantities:
        known = [*profile.quantities, *(field.name for field in fields(Scenario))]
        raise InputError(f"{path!r} is neither in the scenario nor in the profile", hint=did_you_mean(path, known))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{path!r} is a number, not {value!r}", hint=f"in {profile.quantities[path].unit}")
    return profile.with_value(path, float(value))
