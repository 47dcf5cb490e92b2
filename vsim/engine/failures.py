"""Failures and repairs: machines, the shared parts of a chassis, and the layers of the stack.

Every class of things that can fail (all machines, all power supplies, all guests, …) has one pending event: failures
of n independent things with the rate r each are a Poisson process with the rate n·r whose victims are equally likely.
A victim that is down already can't fail: the event passes. What failed comes back after its repair; instances then
start again as at first, stage by stage and in contention with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import simpy

from vsim.engine.cluster import Cluster
from vsim.engine.host import Host
from vsim.engine.instance import Guest, Instance
from vsim.engine.timer import call_later
from vsim.engine.variates import factors, stream
from vsim.model.quantity import Quantity
from vsim.scenario.scenario import Incident

__all__ = ["SECONDS_PER_YEAR", "ChassisState", "Failures"]

_T = TypeVar("_T")

SECONDS_PER_YEAR = 365 * 86400.0  # unit: the profile states failures per year


class ChassisState:
    """One chassis: how many pieces of each shared part work, and the hosts in its slots."""

    __slots__ = ("down", "hosts", "working")

    def __init__(self, hosts: list[Host], counts: dict[str, int]) -> None:
        self.hosts = hosts
        self.working = dict(counts)
        self.down = False


class Failures:
    """Lets things fail in a cluster: on purpose (`incident`), or at random (`run_random`)."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._env = cluster.env
        self._hosts = cluster.hosts
        self._faults: dict[int, int] = {}
        seed, replication = cluster.scenario.run.seed, cluster.replication
        self._repair_rng = stream(seed, replication, "repairs")
        self._streams = 0
        self.count = 0
        chassis = cluster.architecture.machine.chassis
        self._parts = {} if chassis is None else dict(chassis.parts)
        self._needed = {name: round(part.needed.value) for name, part in self._parts.items()}
        counts = {name: round(part.count.value) for name, part in self._parts.items()}
        by_chassis: dict[int, list[Host]] = {}
        for host in self._hosts:
            if host.chassis is not None:
                by_chassis.setdefault(host.chassis, []).append(host)
        self.chassis = [ChassisState(hosts, counts) for _, hosts in sorted(by_chassis.items())]

    # -- at random --------------------------------------------------------------------------------------------------

    def run_random(self) -> None:
        """Start the clocks of all classes of failures."""
        architecture, hosts = self._cluster.architecture, self._hosts
        machine = architecture.machine
        self._class(machine.failures_per_year.value, hosts, partial(self._fail_machine, repair_s=machine.repair_s))
        for name, part in self._parts.items():
            pieces = [(chassis, piece) for chassis in self.chassis for piece in range(round(part.count.value))]
            self._class(
                part.failures_per_year.value, pieces, partial(self._fail_piece, name=name, repair_s=part.repair_s)
            )
        for failure in architecture.failures:
            rate, repair_s = failure.per_year, failure.repair_s
            if failure.domain == "host":
                self._class(rate, hosts, partial(self._crash_host, repair_s=repair_s))
            elif failure.domain == "guest":
                # a guest is known by its first instance, which may find itself in another one after a failure
                guests = [guest.instances[0] for host in hosts for guest in host.guests]
                self._class(rate, guests, partial(self._crash_guest_of, repair_s=repair_s))
            else:
                instances = [instance for host in hosts for instance in host.instances]
                self._class(rate, instances, partial(self._crash_instance, repair_s=repair_s))

    def _class(self, per_year: float, things: Sequence[_T], fail: Callable[[_T], None]) -> None:
        """Let each of `things` fail `per_year` times a year."""
        index = self._streams
        self._streams += 1
        rate = per_year * len(things) / SECONDS_PER_YEAR
        if rate <= 0:
            return
        rng = stream(self._cluster.scenario.run.seed, self._cluster.replication, "failures", index)

        def next_failure() -> None:
            call_later(self._env, float(rng.exponential(1 / rate)), happen)

        def happen(_: simpy.Event) -> None:
            fail(things[int(rng.integers(len(things)))])
            next_failure()

        next_failure()

    def _repair_time(self, repair_s: Quantity, given_s: float | None = None) -> float:
        if given_s is not None:
            return given_s
        if repair_s.distribution is None:
            return repair_s.value
        return repair_s.value * factors(repair_s.distribution, self._repair_rng)()

    # -- what fails -------------------------------------------------------------------------------------------------

    def _fail_machine(self, host: Host, repair_s: Quantity, given_s: float | None = None) -> None:
        if host.state in ("down", "off"):
            return
        self.count += 1
        self._fault(host)
        call_later(self._env, self._repair_time(repair_s, given_s), lambda _: self._repaired(host))

    def _fault(self, host: Host) -> None:
        self._faults[host.index] = self._faults.get(host.index, 0) + 1
        if host.state != "down":
            self._cluster.take_host_down(host)

    def _repaired(self, host: Host) -> None:
        self._faults[host.index] -= 1
        if not self._faults[host.index]:
            self._cluster.bring_back(host)

    def _fail_piece(
        self, which: tuple[ChassisState, int], name: str, repair_s: Quantity, given_s: float | None = None
    ) -> None:
        chassis, piece = which
        # the pieces are alike: the first `working` of them are those that work
        if piece >= chassis.working[name]:
            return
        self.count += 1
        chassis.working[name] -= 1
        self._settle(chassis)
        call_later(self._env, self._repair_time(repair_s, given_s), lambda _: self._piece_back(chassis, name))

    def _piece_back(self, chassis: ChassisState, name: str) -> None:
        chassis.working[name] += 1
        self._settle(chassis)

    def _settle(self, chassis: ChassisState) -> None:
        """Take the blades down when too few pieces of a part work, and bring them back when enough do."""
        down = any(chassis.working[name] < needed for name, needed in self._needed.items())
        if down == chassis.down:
            return
        chassis.down = down
        for host in chassis.hosts:
            if down:
                self._fault(host)
            else:
                self._repaired(host)

    def _crash_host(self, host: Host, repair_s: float) -> None:
        if host.state != "up":
            return
        self.count += 1
        self._fault(host)
        call_later(self._env, repair_s, lambda _: self._repaired(host))

    def _crash_guest_of(self, instance: Instance, repair_s: float) -> None:
        assert instance.guest is not None
        self._crash_guest(instance.guest, repair_s)

    def _crash_guest(self, guest: Guest, repair_s: float) -> None:
        if guest.state != "up" or guest.host.state != "up":
            return
        self.count += 1
        victims = [instance for instance in guest.instances if instance.state in ("up", "starting")]
        self._cluster.take_guest_down(guest)
        call_later(self._env, repair_s, lambda _: self._start_again(victims))

    def _crash_instance(self, instance: Instance, repair_s: float) -> None:
        if instance.state != "up":
            return
        self.count += 1
        self._cluster.take_down(instance)
        call_later(self._env, repair_s, lambda _: self._start_again([instance]))

    def _start_again(self, instances: list[Instance]) -> None:
        for instance in instances:
            # a host that went down meanwhile starts its instances itself when it is back
            if instance.state == "down" and instance.host is not None and instance.host.state == "up":
                self._cluster.start(instance)

    # -- on purpose -------------------------------------------------------------------------------------------------

    def incident(self, incident: Incident) -> None:
        """Break what `incident` names, now; an architecture that has no such thing is passed by."""
        machine = self._cluster.architecture.machine
        name = incident.what
        if name == "machine":
            for host in self._hosts[: incident.count]:
                self._fail_machine(host, machine.repair_s, incident.repair_s)
        elif name == "chassis":
            for chassis in self.chassis[: incident.count]:
                for host in chassis.hosts:
                    self._fail_machine(host, machine.repair_s, incident.repair_s)
        elif name in self._parts:
            for chassis in self.chassis[:1]:
                for _ in range(incident.count):
                    self._fail_piece((chassis, 0), name, self._parts[name].repair_s, incident.repair_s)
        else:
            self._layer_incident(incident)

    def _layer_incident(self, incident: Incident) -> None:
        # An architecture without such a layer, or without a chassis, is passed by: comparing the ones that have it
        # with those that don't is the point of the scenario. Names that nothing has are refused before the run.
        failure = next((f for f in self._cluster.architecture.failures if f.layer == incident.what), None)
        if failure is None:
            return
        seconds = failure.repair_s if incident.repair_s is None else incident.repair_s
        if failure.domain == "host":
            for host in self._hosts[: incident.count]:
                self._crash_host(host, seconds)
        elif failure.domain == "guest":
            for guest in [guest for host in self._hosts for guest in host.guests][: incident.count]:
                self._crash_guest(guest, seconds)
        else:
            for instance in [one for host in self._hosts for one in host.instances][: incident.count]:
                self._crash_instance(instance, seconds)
