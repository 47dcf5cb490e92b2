"""Put a rate of requests on an application: who is asked, who calls whom for that, and what each request demands.

What the user states is taken; the rest comes from the profile's catalogue of images, as a parameter like any other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from vsim.errors import InputError
from vsim.experiment.paths import did_you_mean
from vsim.model.workload import Arrivals, Request, Service
from vsim.samples.human import format_value
from vsim.scenario.compose.demands import UNKNOWN, image_named
from vsim.scenario.scenario import Catalogued, Scenario
from vsim.scenario.validation import listed

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["entry", "offered"]


def offered(
    scenario: Scenario, profile: Profile, rate_per_s: float | None, rates_per_s: Mapping[str, float]
) -> Scenario:
    """Return `scenario` with requests at `rate_per_s` in all, or at `rates_per_s` for each service named there.

    Without a service, stated arrivals are scaled, all by the same factor; where there are none, the requests go to the
    service where they enter (:func:`entry`). A service that is asked calls those that it depends on, once per request,
    unless they have arrivals of their own. Raises InputError for a service that isn't there, and for recorded arrivals,
    which can't be scaled.
    """
    services = {service.name: service for service in scenario.workload.services}
    for name in rates_per_s:
        if name not in services:
            raise InputError(f"there is no service {name!r} to ask", hint=did_you_mean(name, services))
    if rate_per_s is None and not rates_per_s:
        return scenario
    notes: list[str] = []
    if rate_per_s is not None:
        rates_per_s = {**_shared_out(scenario, rate_per_s), **rates_per_s}
    for name, rate in rates_per_s.items():
        services[name] = _asked(services[name], rate)
        notes.append(f"{name} is asked {rate:g} times a second")
    callers = list(rates_per_s)
    catalogued: list[Catalogued] = []
    done: set[str] = set()
    while callers:
        name = callers.pop(0)
        if name in done:
            continue
        done.add(name)
        service = services[name]
        if service.request is None:
            quantity, known = _usual(service, profile)
            catalogued.append(Catalogued(name, "request.user_core_s", quantity))
            work = profile.quantities[quantity].value
            service = dataclasses.replace(service, request=Request(user_core_s=work))
            notes.append(f"{name}: {format_value('latency_p50_s', work, 's')} of CPU work per request, {known}")
        if not service.calls:
            calls = (one.to for one in scenario.connections if one.of == name)
            service = dataclasses.replace(service, calls=tuple(c for c in calls if services[c].arrivals is None))
            if service.calls:
                notes.append(f"{name} calls {listed(service.calls, 'and')} for each request")
        callers += service.calls
        services[name] = service
    return dataclasses.replace(
        scenario,
        workload=dataclasses.replace(scenario.workload, services=tuple(services.values())),
        catalogued=(*scenario.catalogued, *catalogued),
        notes=(*_still_true(scenario.notes), *notes),
    )


def _still_true(notes: Sequence[str]) -> Iterator[str]:
    """Yield the notes about how the file was read that hold when requests are put on it: dependencies are calls."""
    unused = "not used by the model: "
    for note in notes:
        if note.startswith(unused):
            left = [part for part in note.removeprefix(unused).split("; ") if not part.startswith("depends_on ")]
            if left:
                yield unused + "; ".join(left)
        elif "nobody asks it" not in note:
            yield note


def entry(scenario: Scenario) -> str:
    """Return the service where requests enter: of those that nobody depends on, one with a published port before the
    others, then the one that depends on most, directly and through others; of equals the first.

    Raises InputError when there are no services.
    """
    services = scenario.workload.services
    if not services:
        raise InputError("there is no service to ask", hint="requests go with `services:`")
    called = {one.to for one in scenario.connections}
    candidates = [service for service in services if service.name not in called] or list(services)
    return max(candidates, key=lambda one: (one.network_mode == "published", len(_below(one.name, scenario)))).name


def _below(name: str, scenario: Scenario) -> set[str]:
    found: set[str] = set()
    ahead = [name]
    while ahead:
        for one in scenario.connections:
            if one.of == ahead[0] and one.to not in found:
                found.add(one.to)
                ahead.append(one.to)
        ahead.pop(0)
    return found


def _shared_out(scenario: Scenario, rate_per_s: float) -> dict[str, float]:
    arriving = {s.name: s.arrivals for s in scenario.workload.services if s.arrivals is not None}
    if not arriving:
        return {entry(scenario): rate_per_s}
    for name, arrivals in arriving.items():
        if arrivals.kind == "trace":
            raise InputError(
                f"the arrivals at {name!r} are recorded: they have a rate of their own", hint="leave --rate out"
            )
    total = sum(arrivals.rate_per_s for arrivals in arriving.values())
    return {name: rate_per_s * arrivals.rate_per_s / total for name, arrivals in arriving.items()}


def _asked(service: Service, rate_per_s: float) -> Service:
    arrivals = Arrivals("poisson", rate_per_s)
    if service.arrivals is not None and service.arrivals.kind != "trace":
        arrivals = dataclasses.replace(service.arrivals, rate_per_s=rate_per_s)
    return dataclasses.replace(service, arrivals=arrivals)


def _usual(service: Service, profile: Profile) -> tuple[str, str]:
    """Return the parameter for the work of a request to what the image runs, and where it is from, in words."""
    image = service.image.name
    built = image.startswith("build ")  # as a compose file's images that are built here are called
    known = image_named(None if built else image, profile.images)
    request = known.request_core_s
    if request is None:
        known = profile.images[UNKNOWN]
        request = known.request_core_s
    if request is None:
        raise InputError(f"nothing is known about a request to {service.name!r}", hint="state `request` for it")
    return request.name, "as of an unknown application" if known.name == UNKNOWN else f"the catalogue's {known.name}"
