"""The catalogue of common images, put into scenarios that were made from compose files.

A scenario remembers which of its services' fields come from the catalogue; here their values are those of a profile, so
that a profile of the user's own, a sweep and the sensitivity analysis move them like any other parameter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsim.calibration.profile import Profile
from vsim.calibration.profile_file import builtin
from vsim.model.catalogue import CataloguedImage
from vsim.model.orchestration import Launch
from vsim.model.workload import Request, Service
from vsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from vsim.scenario.compose.builds import ImageBuild

__all__ = ["Application", "load_application", "load_compose", "quantities_of", "with_catalogue"]


def load_compose(
    *paths: str | Path,
    profile: Profile | None = None,
    environment: Mapping[str, str] | None = None,
    compose_profiles: Collection[str] = (),
) -> Scenario:
    """Return the scenario that the compose files at `paths` stand for, the later ones on top of the first.

    `profile` (default: the built-in one) has the catalogue of images; `environment` are the variables that the files
    may use besides their `.env` file; `compose_profiles` makes services with `profiles` active. Raises InputError, with
    file, line and column, for the first thing that can't be used.
    """
    from vsim.scenario.compose import load_project
    from vsim.scenario.compose.demands import scenario_of

    images: Mapping[str, CataloguedImage] = (profile or builtin()).images
    project = load_project(paths, environment=environment, profiles=compose_profiles)
    return scenario_of(project, images)


@dataclasses.dataclass(frozen=True, slots=True)
class Application:
    """A scenario made from compose files; by its services, how they come up and what their images are built from."""

    scenario: Scenario
    launches: Mapping[str, Launch]
    builds: Mapping[str, ImageBuild]


def load_application(
    *paths: str | Path,
    profile: Profile | None = None,
    environment: Mapping[str, str] | None = None,
    compose_profiles: Collection[str] = (),
    builds: bool = False,
) -> Application:
    """Return the same scenario as :func:`load_compose`, and how each of the services comes up.

    `builds`: also what their images are built from, which has to be there then.
    """
    from vsim.scenario.compose import load_project
    from vsim.scenario.compose.builds import builds_of
    from vsim.scenario.compose.demands import scenario_of
    from vsim.scenario.compose.orchestrated import USED, orchestration_of

    images: Mapping[str, CataloguedImage] = (profile or builtin()).images
    project = load_project(paths, environment=environment, profiles=compose_profiles)
    ignored = tuple(one for one in project.ignored if one.key not in USED)
    scenario = scenario_of(dataclasses.replace(project, ignored=ignored), images)
    orchestration = orchestration_of(project)
    notes = (*scenario.notes, *orchestration.notes)
    return Application(
        dataclasses.replace(scenario, notes=notes),
        orchestration.launches,
        builds_of(project) if builds else {},
    )


def with_catalogue(scenario: Scenario, profile: Profile, kept: Collection[str] = ()) -> Scenario:
    """Return `scenario` with what its services take from the catalogue at the values of `profile`.

    `kept` are paths in the scenario (``services.db.memory_bytes``) that were set by hand.
    """
    if not scenario.catalogued:
        return scenario
    services = {service.name: service for service in scenario.workload.services}
    for one in scenario.catalogued:
        if f"services.{one.service}.{one.field}" in kept:
            continue
        service = services[one.service]
        services[one.service] = _set(service, one.field, profile.quantities[one.quantity].value)
    workload = dataclasses.replace(scenario.workload, services=tuple(services.values()))
    return dataclasses.replace(scenario, workload=workload)


def quantities_of(scenario: Scenario) -> Sequence[str]:
    """Return the names of the parameters that `scenario` takes from the catalogue, each once."""
    return list(dict.fromkeys(one.quantity for one in scenario.catalogued))


def _set(service: Service, field: str, value: float) -> Service:
    if field == "image.bytes":
        return dataclasses.replace(service, image=dataclasses.replace(service.image, bytes=value))
    if field == "request.user_core_s":
        request = dataclasses.replace(service.request or Request(), user_core_s=value)
        return dataclasses.replace(service, request=request)
    if field == "memory_touched":
        return dataclasses.replace(service, memory_touched=min(1.0, value / service.memory_bytes))
    return dataclasses.replace(service, **{field: value})  # type: ignore[arg-type]  # fields that are floats
