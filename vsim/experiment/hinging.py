"""Which parameter the number of machines hangs on most.

Each parameter that has an interval is moved to both of its ends, all others staying where they are. That is worked out
without simulating time first: how full the memory, how busy the machines, how long a request takes by itself, how
often a machine is down, what it costs, each as a part of what there is or may be. The parameter that moves any of these
most is then given a search of its own at both ends, on the requests that the answer was found with; if the number of
machines stays what it is, the next one as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vsim.calibration.catalogue import quantities_of, with_catalogue
from vsim.errors import InputError
from vsim.experiment.deploying import Deployment, Deployments
from vsim.experiment.runner import Runner
from vsim.experiment.searching import Goals, Search
from vsim.experiment.sensitivity import used_quantities
from vsim.model.power import monthly, rack_units
from vsim.model.quantity import Quantity
from vsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["Hinge", "hinges"]

# How many parameters get a search at both ends, for each architecture, until one of them changes the number.
LEADERS = 2
# Below this part of what there is, nothing is scarce: there is room to move without consequences.
SCARCE = 0.2


@dataclass(frozen=True, slots=True)
class Hinge:
    """A parameter, its interval in `unit`, and the fewest machines at both ends: None where no number is enough.

    `kind` is that of its source.
    """

    parameter: str
    kind: str
    low: float
    high: float
    unit: str
    machines_at_low: int | None
    machines_at_high: int | None


def hinges(
    scenario: Scenario,
    profile: Profile,
    goals: Goals,
    runner: Runner,
    deployed: Mapping[str, Deployment],
    fixed: frozenset[str],
) -> dict[str, Hinge]:
    """Return the parameter that the number of machines of each architecture in `deployed` hangs on most.

    An architecture whose parameters are all certain has none.
    """
    tries = _Tries(scenario, profile, goals, runner, deployed, fixed)
    used = used_quantities(profile, [profile.architecture(name) for name in deployed], quantities_of(scenario))
    scores: dict[str, list[tuple[float, str]]] = {name: [] for name in deployed}
    base = {name: tries.pressures(profile, name) for name in deployed}
    for quantity, users in used.values():
        if quantity.high <= quantity.low:
            continue
        ends = [profile.with_value(quantity.name, at) for at in (quantity.low, quantity.high) if at != quantity.value]
        for name in users:
            score = max(_moved(base[name], tries.pressures(end, name)) for end in ends)
            if score > 0:
                scores[name].append((score, quantity.name))
    found: dict[str, Hinge] = {}
    for name, scored in scores.items():
        for _, parameter in sorted(scored, key=_first)[:LEADERS]:
            hinge = tries.hinge(profile.quantities[parameter], name)
            found.setdefault(name, hinge)
            if {hinge.machines_at_low, hinge.machines_at_high} != {deployed[name].machines}:
                found[name] = hinge
                break
    return found


def _first(scored: tuple[float, str]) -> tuple[float, str]:
    return -scored[0], scored[1]


def _moved(base: Mapping[str, float], there: Mapping[str, float]) -> float:
    """Return how far the pressure that moves most has moved, not counting what stays far from scarce."""
    return max(abs(max(there[what], SCARCE) - max(base[what], SCARCE)) for what in base)


class _Tries:
    def __init__(
        self,
        scenario: Scenario,
        profile: Profile,
        goals: Goals,
        runner: Runner,
        deployed: Mapping[str, Deployment],
        fixed: frozenset[str],
    ) -> None:
        self._scenario = scenario
        self._profile = profile
        self._goals = goals
        self._runner = runner
        self._deployed = deployed
        self._fixed = fixed

    def _deployments(self, profile: Profile, name: str) -> Deployments:
        # the requests of the answer, whatever the number of machines
        scenario = with_catalogue(replace(self._scenario, run=self._deployed[name].scenario.run), profile)
        spare = self._goals.availability is not None
        return Deployments(scenario, profile.architecture(name), fixed=self._fixed, spare=spare)

    def pressures(self, profile: Profile, name: str) -> dict[str, float]:
        """Return what is scarce on the machines of the answer, each as a part of what there is or may be."""
        return dict(self._pressures(profile, name))

    def _pressures(self, profile: Profile, name: str) -> Iterator[tuple[str, float]]:
        machines = self._deployed[name].machines
        try:
            deployments = self._deployments(profile, name)
        except InputError:
            # one instance alone is too large: whatever else there is, there is too little of it
            yield from ((what, 100.0) for what in self._kinds())
            return
        deployment = deployments.on(machines)
        architecture = deployments.architecture
        yield "memory", deployment.memory + deployment.unplaced / sum(deployment.replicas.values())
        yield "busy", deployment.busiest[1]
        if self._goals.p95_s is not None:
            yield "latency", deployments.unloaded_s() / self._goals.p95_s
        if self._goals.availability is not None:
            yield "availability", deployments.unavailability() / (1 - self._goals.availability)
        if self._goals.budget is not None:
            units, chassis = rack_units(architecture.machine, machines)
            cost = machines * monthly(architecture.machine.price) + units * profile.site.rack_unit_price_per_month.value
            if architecture.machine.chassis is not None:
                cost += chassis * monthly(architecture.machine.chassis.price)
            yield "budget", cost / self._goals.budget

    def _kinds(self) -> Iterator[str]:
        yield from ("memory", "busy")
        goals = self._goals
        for what, goal in (("latency", goals.p95_s), ("availability", goals.availability), ("budget", goals.budget)):
            if goal is not None:
                yield what

    def hinge(self, quantity: Quantity, name: str) -> Hinge:
        """Return how many machines it takes at both ends of a parameter's interval."""
        numbers = [self._machines(quantity, at, name) for at in (quantity.low, quantity.high)]
        unit, kind = quantity.unit, quantity.source.kind
        return Hinge(quantity.name, kind, float(quantity.low), float(quantity.high), unit, numbers[0], numbers[1])

    def _machines(self, quantity: Quantity, at: float, name: str) -> int | None:
        if at == quantity.value:
            return self._deployed[name].machines
        moved = self._profile.with_value(quantity.name, at)
        try:
            deployments = self._deployments(moved, name)
        except InputError:
            return None
        # a few replications: they are those of the answer, so what differs is the parameter's doing
        found = Search(deployments, self._goals, moved.site, self._runner, forgiven=0, own_window=True).find()
        return found.deployment.machines if found.meets else None
