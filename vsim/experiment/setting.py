"""Single values set by hand, in the scenario or in the profile: ``services.web.replicas=48``.

What a sweep does for many values, for one: a path that starts at a key of the scenario is set there, any other is a
parameter of the profile.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vsim.errors import InputError
from vsim.experiment.paths import has_path
from vsim.experiment.sweep import Variant, vary
from vsim.scenario.scenario import Scenario, Sweep
from vsim.scenario.sweeping import model_path
from vsim.scenario.units import UNITS, parse
from vsim.scenario.validation import Refused

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["apply", "read_setting"]

# What a path in the scenario ends in says what its value is measured in; the first that fits counts.
_UNITS = {
    "core_s": "core-s",
    "_per_s": "1/s",
    "_s": "s",
    "bytes": "bytes",
    "cores": "cores",
    "years": "years",
}


def read_setting(text: str, scenario: Scenario, profile: Profile) -> tuple[str, object]:
    """Return path and value of ``PATH=VALUE``, with the path and the base units of the scenario or the profile.

    A value is a number, a number with a unit (``512 MiB``), a word (``cold``), or ``null``. Raises InputError for
    anything else.
    """
    path, equals, value = (part.strip() for part in text.partition("="))
    if not (equals and path and value):
        raise InputError(f"{text!r} sets nothing", hint="write PATH=VALUE, for example services.web.replicas=48")
    if has_path(scenario, path):
        path = model_path(path, [service.name for service in scenario.workload.services])
        unit = next((unit for end, unit in _UNITS.items() if path.endswith(end)), "1")
    else:
        unit = profile.quantities[path].unit if path in profile.quantities else "1"
    return path, _value(path, value, unit)


def _value(path: str, value: str, unit: str) -> object:
    if value in ("null", "none"):
        return None
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    if not value[0].isdigit() or unit not in UNITS:
        return value
    try:
        return parse(value, unit)
    except Refused as error:
        raise InputError(f"{path}: {error}", hint=error.hint) from None


def apply(scenario: Scenario, profile: Profile, values: Mapping[str, object]) -> tuple[Scenario, Profile]:
    """Return the scenario and the profile with `values`, by path, set in them.

    A sweep over a path that is set here goes on without it. Raises InputError for a path that leads nowhere, a value
    that doesn't fit, and a service that would need more replicas than it has.
    """
    sweep = scenario.sweep
    if sweep is not None:
        left = {path: found for path, found in sweep.parameters.items() if path not in values}
        sweep = Sweep(left, sweep.mode) if left else None
    varied: Variant = vary(dataclasses.replace(scenario, sweep=None), profile, values)
    for service in varied.scenario.workload.services:
        if service.needs > service.replicas:
            raise InputError(
                f"the service {service.name!r} needs {service.needs} replicas, and would have {service.replicas}",
                hint=f"set services.{service.name}.needs as well",
            )
    # what was set by hand isn't taken from the catalogue of images any more
    catalogued = tuple(one for one in scenario.catalogued if f"services.{one.service}.{one.field}" not in values)
    return dataclasses.replace(varied.scenario, sweep=sweep, catalogued=catalogued), varied.profile
