"""Who calls whom: the calls that one request to a service sets off, and how often each service is asked for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsim.errors import InputError
from vsim.model.workload import Request, Service
from vsim.scenario.scenario import Connection, Scenario
from vsim.scenario.written import place_of

__all__ = ["MOST_CALLS", "Called", "call_tree", "rates_per_s"]

# One request that sets off more calls than this is taken to be a slip; services that call each other in many ways
# multiply.
MOST_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Called:
    """A service that is asked, what a request to it demands, over which connection, and what it calls for that."""

    service: Service
    request: Request
    connection: Connection
    calls: tuple[Called, ...] = ()


def call_tree(service: Service, scenario: Scenario) -> Called:
    """Return the calls that a request to `service` sets off, one after another, each once.

    Where the scenario states no connection between two services, they are taken to be on one network, with a published
    port. Raises InputError for a call to what isn't there or takes no requests, for a circle, and for more than
    :data:`MOST_CALLS` calls.
    """
    services = {one.name: one for one in scenario.workload.services}
    connections = {(one.of, one.to): one for one in scenario.connections}
    left = MOST_CALLS

    def follow(name: str, above: tuple[str, ...]) -> Called:
        nonlocal left
        caller = above[-1] if above else ""
        left -= 1
        asked = services.get(name)
        if asked is None or asked.request is None:
            what = "which isn't there" if asked is None else "which takes no requests"
            raise InputError(f"the service {caller!r} calls {name!r}, {what}", place=place_of(service.name))
        if name in above:
            circle = " → ".join([*above[above.index(name) :], name])
            raise InputError(f"services call each other in a circle: {circle}", place=place_of(service.name))
        if left < 0:
            raise InputError(
                f"a request to {service.name!r} sets off more than {MOST_CALLS:,} calls", place=place_of(service.name)
            )
        connection = connections.get((caller, name)) or Connection(caller, name, "joined", published=True)
        return Called(asked, asked.request, connection, tuple(follow(one, (*above, name)) for one in asked.calls))

    return follow(service.name, ())


def rates_per_s(scenario: Scenario) -> Mapping[str, float]:
    """Return how often each service is asked, from outside and by others, in requests per second on average."""
    rates = {service.name: 0.0 for service in scenario.workload.services}

    def add(called: Called, rate: float) -> None:
        rates[called.service.name] += rate
        for one in called.calls:
            add(one, rate)

    for service in scenario.workload.services:
        if service.request is not None and service.arrivals is not None:
            add(call_tree(service, scenario), service.arrivals.rate_per_s)
    return rates
