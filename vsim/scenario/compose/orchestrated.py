"""How the services of a compose project come up: what each waits for, how its health is checked, how it is stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vsim.errors import InputError
from vsim.model.orchestration import HealthCheck, Launch, Prerequisite
from vsim.scenario.compose.demands import scenario_name
from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.project import ComposeProject, ComposeService, Healthcheck
from vsim.scenario.compose.units import duration_s
from vsim.scenario.fields import MOST_SECONDS
from vsim.scenario.units import parse
from vsim.scenario.validation import Refused, did_you_mean, listed, shown

__all__ = ["USED", "Orchestration", "orchestration_of"]

# What is used of a service here, and of nothing else that is simulated.
USED = frozenset({"depends_on", "healthcheck", "stop_grace_period"})
# How long Docker waits for a container that was asked to stop before it kills it.
_GRACE_S = 10.0
_OF_HEALTHCHECK = ("cpu", "wait")


@dataclass(frozen=True, slots=True)
class Orchestration:
    """How each service of a scenario comes up, by its name there; `notes` are what the reader should know."""

    launches: Mapping[str, Launch]
    notes: tuple[str, ...]


def orchestration_of(project: ComposeProject) -> Orchestration:
    """Return how the services of `project` come up.

    Raises InputError, with its place, when a service waits for the health of one whose healthcheck is disabled, and
    for an annotation (`stop`, `healthcheck`) that can't be used.
    """
    services = {service.name: service for service in project.services.values() if service.replicas > 0}
    watched = {name: list(_watchers(name, services)) for name in services}
    notes = []
    launches = {}
    for name, service in services.items():
        conditions = {condition for _, condition in watched[name]}
        stated, costs = service.healthcheck, _healthcheck_costs(service)
        if stated is None and "service_healthy" in conditions:
            stated = Healthcheck()
            others = listed([other for other, condition in watched[name] if condition == "service_healthy"], "and")
            notes.append(
                f"{name}: {others} waits until it is healthy, and the file states no healthcheck: its image must have "
                f"one, and Docker's defaults are taken for it (every {stated.interval_s:g} s)"
            )
        launches[scenario_name(name)] = Launch(
            service=scenario_name(name),
            after=tuple(
                Prerequisite(scenario_name(one.service), one.condition, one.required)
                for one in service.depends_on
                if one.service in services
            ),
            check=None if stated is None or stated.disabled else _check(stated, costs),
            ends="service_completed_successfully" in conditions,
            stop_grace_s=_grace_s(service),
            stop_s=_stop_s(service),
        )
    return Orchestration(launches, tuple(notes))


def _watchers(name: str, services: Mapping[str, ComposeService]) -> Iterator[tuple[str, str]]:
    """Yield the services that wait for the service `name`, and for what."""
    for other in services.values():
        for dependency in other.depends_on:
            if dependency.service != name:
                continue
            healthcheck = services[name].healthcheck
            disabled = healthcheck is not None and healthcheck.disabled
            if dependency.condition == "service_healthy" and disabled and dependency.required:
                raise InputError(
                    f"{other.name!r} waits until {name!r} is healthy, whose healthcheck is disabled",
                    place=dependency.place,
                    hint="wait for `service_started`, or give it a healthcheck",
                )
            yield other.name, dependency.condition


def _check(stated: Healthcheck, costs: Mapping[str, float]) -> HealthCheck:
    return HealthCheck(
        interval_s=stated.interval_s,
        timeout_s=stated.timeout_s,
        retries=stated.retries,
        start_period_s=stated.start_period_s,
        start_interval_s=stated.start_interval_s,
        cpu_core_s=costs.get("cpu", 0.0),
        wait_s=costs.get("wait", 0.0),
    )


def _healthcheck_costs(service: ComposeService) -> dict[str, float]:
    """Return what the command of the healthcheck takes, as far as `x-vsim` says it."""
    part = service.annotation.get("healthcheck") if service.annotation is not None else None
    if part is None:
        return {}
    if not isinstance(part.value, dict):
        raise part.error(
            f"`healthcheck` must state {listed(_OF_HEALTHCHECK, 'and')}, not {shown(part.plain())}",
            "write `{cpu: 20 ms}`",
        )
    for key, child in part.mapping.items():
        if key not in _OF_HEALTHCHECK:
            hint = did_you_mean(key, _OF_HEALTHCHECK) or f"the keys here are {listed(_OF_HEALTHCHECK, 'and')}"
            raise child.error(f"unknown key {shown(key)} in `healthcheck`", hint, key=True)
    return {key: _measured(child, "core-s" if key == "cpu" else "s") for key, child in part.mapping.items()}


def _grace_s(service: ComposeService) -> float:
    part = service.parts.get("stop_grace_period")
    return _GRACE_S if part is None or part.value is None else duration_s(part)


def _stop_s(service: ComposeService) -> float | None:
    part = service.annotation.get("stop") if service.annotation is not None else None
    return None if part is None else _measured(part, "s")


def _measured(part: Part, base: str) -> float:
    try:
        return parse(part.value, base, maximum=MOST_SECONDS)
    except Refused as refused:
        raise part.error(str(refused), refused.hint) from None
