"""An application on a given number of machines: how many replicas of each service, where they go, and how busy that is.

All of it is worked out without simulating any time: what has no room, and what is asked for more than there is, needn't
be tried.

Services that keep data have the replicas that they are stated with. Of the others, those that are asked for something
have as many as let them use all machines: one on each, and of one with a CPU limit so many that together they may use
the part of the machine's cores that the service has in all the work; fewer where memory is short, in proportion. Where
the architecture gives each instance a machine to itself, the next machine goes to the service whose replicas are
busiest.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass

import simpy

from vsim.engine.cluster import Cluster
from vsim.engine.failures import SECONDS_PER_YEAR
from vsim.engine.host import Host
from vsim.engine.requests import Way, way_of
from vsim.model.quantity import value_of
from vsim.model.stack import Architecture
from vsim.scenario.calls import Called, call_tree, rates_per_s
from vsim.scenario.scenario import Connection, Run, Scenario

__all__ = ["Deployment", "Deployments", "Shortage", "percent"]

# A service with a tiny CPU limit gets no more replicas than this on each machine.
MOST_ON_A_MACHINE = 64
# An overcommitment that leaves nothing scarce.
BOUNDLESS = 1e9


@dataclass(frozen=True, slots=True)
class Shortage:
    """What there is too little of: `resource` in a word or two, and the sentence that says how much is lacking."""

    resource: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A scenario on `machines`: `replicas` by service, where the instances go, and how busy that makes the machines.

    `busy` is, for what is shared in time (``CPU``, ``disk``, ``network``, ``CPU limit of web``), the part of the
    busiest one that is asked for on average; `memory` the part of the fullest machine's that is promised.
    `unplaced` instances have no place; `short` is what makes it impossible, whatever the goals; None if nothing does.
    """

    machines: int
    scenario: Scenario
    replicas: Mapping[str, int]
    busy: Mapping[str, float]
    memory: float
    unplaced: int
    short: Shortage | None

    @property
    def busiest(self) -> tuple[str, float]:
        """What is asked for most, and how much of it."""
        name = max(self.busy, key=lambda one: self.busy[one], default="CPU")
        return name, self.busy.get(name, 0.0)


class Deployments:
    """The deployments of one scenario on one architecture, by the number of machines. Each is worked out once.

    `fixed` are the services whose number of replicas doesn't change; `spare` asks for one replica more than are
    needed where that is possible. Raises InputError when one replica of a service doesn't fit on an empty machine.
    """

    def __init__(
        self,
        scenario: Scenario,
        architecture: Architecture,
        *,
        fixed: frozenset[str] = frozenset(),
        spare: bool = False,
    ) -> None:
        self.scenario = scenario
        self.architecture = architecture
        self._fixed = fixed
        self._spare = spare
        self._rates = rates_per_s(scenario)
        self._known: dict[int, Deployment] = {}
        probe = Cluster(simpy.Environment(), architecture, scenario, 0)
        self.dedicated = probe.dedicated
        self._hardware = probe.hardware
        self._cores = probe.hardware.cores
        self._ways: dict[str, Way] = {}
        requests = {one.name: one.request for one in scenario.workload.services}
        for service in scenario.workload.services:
            if service.request is not None:
                called = [request for name in service.calls if (request := requests.get(name)) is not None]
                self._ways[service.name] = way_of(architecture, service, service.request, probe.hardware, called)
        # what fits nowhere is an error, and not a matter of how many machines there are
        probe.place_all()

    @property
    def most(self) -> float:
        """The number of machines beyond which nothing changes: without services that grow, that of the instances."""
        grows = any(self._grows(one.name) for one in self.scenario.workload.services)
        return math.inf if grows else sum(one.replicas for one in self.scenario.workload.services)

    def _grows(self, name: str) -> bool:
        return name not in self._fixed and (self._rates[name] > 0 or self._spare)

    def _work(self, name: str) -> float:
        """The cores that a service is asked for on average."""
        way = self._ways.get(name)
        return 0.0 if way is None else self._rates[name] * (way.cpu_core_s + way.fixed_core_s)

    def run_for(self, run: Run) -> None:
        """Let replications last as `run` says from now on."""
        self.scenario = dataclasses.replace(self.scenario, run=run)
        self._known.clear()

    def on(self, machines: int) -> Deployment:
        """Return the deployment on so many machines."""
        found = self._known.get(machines)
        if found is None:
            found = self._known[machines] = self._dedicated(machines) if self.dedicated else self._shared(machines)
        return found

    # -- replicas ---------------------------------------------------------------------------------------------------

    def _stated(self) -> dict[str, int]:
        return {one.name: one.replicas for one in self.scenario.workload.services}

    def _dedicated(self, machines: int) -> Deployment:
        replicas = self._stated()
        left = machines - sum(replicas.values())
        if left < 0:
            sentence = f"not each of the {sum(replicas.values())} instances has one, and nothing less keeps them apart"
            return self._deployment(machines, replicas, Shortage("isolation", sentence))
        needs = {one.name: one.needs for one in self.scenario.workload.services}
        limits = {one.name: one.cpu_limit_cores or self._cores for one in self.scenario.workload.services}

        def rank(name: str) -> tuple[bool, float]:
            spare_missing = self._spare and replicas[name] <= needs[name]
            return not spare_missing, -self._work(name) / (replicas[name] * min(limits[name], self._cores))

        heap = [(rank(name), name) for name in replicas if self._grows(name)]
        heapq.heapify(heap)
        while left and heap:
            (satisfied, busy), name = heapq.heappop(heap)
            if satisfied and not busy:
                continue  # neither spares nor work ask for more of it
            replicas[name] += 1
            left -= 1
            heapq.heappush(heap, (rank(name), name))
        return self._deployment(machines, replicas)

    def _shared(self, machines: int) -> Deployment:
        stated = self._stated()
        wanted = {name: max(stated[name], self._wanted(name, machines)) for name in stated}
        most = max(wanted[name] - stated[name] for name in stated)
        # all of it if that has room, otherwise as much as has, in proportion
        low, high = -1, most
        best: Deployment | None = None
        part = most
        while low < high:
            replicas = {
                name: stated[name] + (math.ceil((wanted[name] - stated[name]) * part / most) if most else 0)
                for name in stated
            }
            found = self._deployment(machines, replicas)
            if not found.unplaced:
                low, best = part, found
            else:
                high = part - 1
                if part == 0:
                    return found
            part = (low + high + 1) // 2
        assert best is not None
        return best

    def _wanted(self, name: str, machines: int) -> int:
        service = next(one for one in self.scenario.workload.services if one.name == name)
        if not self._grows(name):
            return service.replicas
        work, limit = self._work(name), service.cpu_limit_cores
        if work == 0:
            return min(machines, service.needs + 1)
        if limit is None:
            return machines
        share = self._cores * work / sum(self._work(one.name) for one in self.scenario.workload.services)
        return machines * max(1, min(MOST_ON_A_MACHINE, math.ceil(share / limit)))

    # -- placement and load -----------------------------------------------------------------------------------------

    def _deployment(self, machines: int, replicas: Mapping[str, int], short: Shortage | None = None) -> Deployment:
        scenario = _placed_on(self.scenario, machines, replicas)
        if short is not None:
            return Deployment(machines, scenario, dict(replicas), {}, 0.0, sum(replicas.values()) - machines, short)
        cluster = Cluster(simpy.Environment(), self.architecture, scenario, 0)
        cluster.place_all()
        if cluster.unplaced:
            short = self._no_room(scenario, cluster.unplaced)
        hosts = cluster.used_hosts
        fixed = self.architecture.host_memory_bytes
        memory = max((host.promised_bytes + fixed for host in hosts), default=0.0) / self._hardware.memory_bytes
        busy = self._busy(hosts, replicas)
        most = max(busy, key=lambda one: busy[one], default=None)
        if short is None and most is not None and busy[most] >= 1:
            short = Shortage(most, f"{percent(busy[most])} of the busiest {most} would be asked for")
        return Deployment(machines, scenario, dict(replicas), busy, memory, cluster.unplaced, short)

    def _no_room(self, scenario: Scenario, unplaced: int) -> Shortage:
        """Return what a placement lacks: what there has to be more of for all instances to have a place."""
        what = "one instance has" if unplaced == 1 else f"{unplaced} instances have"
        if self._all_placed(scenario, memory_overcommit=BOUNDLESS):
            return Shortage("memory", f"{what} no room in memory")
        if self._all_placed(scenario, cpu_overcommit=BOUNDLESS):
            return Shortage("reserved CPU", f"{what} no cores left to reserve")
        return Shortage("limit", f"{what} no place: so many instances are the most on one machine")

    def _all_placed(self, scenario: Scenario, **changes: float) -> bool:
        fleet = dataclasses.replace(scenario.fleet, **changes)  # type: ignore[arg-type]  # both are floats
        cluster = Cluster(simpy.Environment(), self.architecture, dataclasses.replace(scenario, fleet=fleet), 0)
        cluster.place_all()
        return not cluster.unplaced

    def _busy(self, hosts: list[Host], replicas: Mapping[str, int]) -> dict[str, float]:
        hardware = self._hardware
        busy: dict[str, float] = {}

        def note(what: str, part: float) -> None:
            busy[what] = max(part, busy.get(what, 0.0))

        for host in hosts:
            cores, disk, received, sent = host.background_cores, 0.0, 0.0, 0.0
            for instance in host.instances:
                service = instance.service.service
                way = self._ways.get(service.name)
                if way is None:
                    continue
                rate = self._rates[service.name] / replicas[service.name]
                work = rate * (way.cpu_core_s + way.fixed_core_s)
                cores += work
                disk += rate * (way.read_s + way.write_s)
                # what comes from outside; whether a call passes a link depends on whose turn it is
                outside = service.arrivals.rate_per_s / replicas[service.name] if service.arrivals is not None else 0.0
                received += outside * way.receive_bytes
                sent += outside * way.send_bytes
                if service.cpu_limit_cores is not None:
                    note(f"CPU limit of {service.name}", work / service.cpu_limit_cores)
            note("CPU", cores / hardware.cores)
            note("disk", disk)
            note("network", max(received, sent) / hardware.link_bytes_per_s)
        return busy

    def unloaded_s(self) -> float:
        """Return how long a request takes on average when there is no other, on more than one machine, the longest of
        those from outside."""

        def takes(called: Called) -> float:
            way = self._ways[called.service.name]
            cap = min(way.cap, self._cores)
            own = (way.cpu_core_s + way.fixed_core_s) / cap + max(way.read_s, way.read_latency_s)
            return own + max(way.write_s, way.write_latency_s) + sum(map(takes, called.calls))

        return max(
            (
                self._ways[one.name].latency_s + takes(call_tree(one, self.scenario))
                for one in self.scenario.workload.services
                if one.request is not None and one.arrivals is not None
            ),
            default=0.0,
        )

    def unavailability(self) -> float:
        """Return the part of the time that one machine and what is on it are down, to first order: failures per second
        times the time until repaired."""
        machine = self.architecture.machine
        down = machine.failures_per_year.value * machine.repair_s.value
        down += sum(one.per_year * one.repair_s for one in self.architecture.failures)
        if machine.chassis is not None:
            for part in machine.chassis.parts.values():
                if value_of(part.needed) >= value_of(part.count):
                    down += part.count.value * part.failures_per_year.value * part.repair_s.value
        return down / SECONDS_PER_YEAR


def _placed_on(scenario: Scenario, machines: int, replicas: Mapping[str, int]) -> Scenario:
    """Return `scenario` with so many machines and replicas, spread over them; networks span the machines if there are
    several, as those of a swarm do."""
    services = tuple(dataclasses.replace(one, replicas=replicas[one.name]) for one in scenario.workload.services)
    return dataclasses.replace(
        scenario,
        workload=dataclasses.replace(scenario.workload, services=services),
        fleet=dataclasses.replace(scenario.fleet, hosts=machines, placement="spread"),
        connections=tuple(_spanning(one) if machines > 1 else one for one in scenario.connections),
        sweep=None,
    )


def _spanning(connection: Connection) -> Connection:
    return dataclasses.replace(connection, networks="overlay") if connection.networks == "joined" else connection


def percent(part: float) -> str:
    """Return a part of something for reading, in percent with two significant digits."""
    return f"{100 * part:.0f} %" if part >= 0.1 else f"{100 * part:.2g} %"
