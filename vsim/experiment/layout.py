"""What runs where: which instances share what, how far one escape or one failure reaches, and who reaches whom.

All of it follows from placement and from the layers; nothing is simulated in time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import simpy

from vsim.engine.between import Path, Where, path
from vsim.engine.cluster import Cluster
from vsim.model.quantity import value_of
from vsim.model.stack import Architecture
from vsim.scenario.scenario import Scenario

__all__ = ["Layout", "Path", "PlacedHost", "Reach", "layout", "paths", "reach", "unreached"]


@dataclass(frozen=True, slots=True)
class PlacedHost:
    """A machine with what runs on it: for each kernel on it the services of its instances, one name for each."""

    index: int
    chassis: int | None
    guests: tuple[tuple[str, ...], ...]

    @property
    def instances(self) -> int:
        """How many instances it carries."""
        return sum(map(len, self.guests))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where placement has put a scenario's instances on one architecture.

    Without a layer that opens guests, a host has one kernel for all.
    """

    architecture: Architecture
    hosts: tuple[PlacedHost, ...]
    unplaced: int

    @property
    def in_guests(self) -> bool:
        """Whether instances run in guests with kernels of their own."""
        return bool(self.architecture.stack.above)


@dataclass(frozen=True, slots=True)
class Reach:
    """How many instances, at most, have one thing in common, or are reached by one event.

    `hypervisor` is None without one, `chassis` without one. `escape` is what lies open to who gets out of an
    instance: everything behind the boundary that the stack puts around it. `failure` is what goes down with one piece
    of hardware. `privileged` is what a privileged container reaches without any escape (None: there is none).
    """

    kernel: int
    hypervisor: int | None
    machine: int
    chassis: int | None
    escape: int
    failure: int
    privileged: int | None


def layout(scenario: Scenario, architecture: Architecture) -> Layout:
    """Return where the instances of `scenario` are on `architecture`.

    Raises InputError when one replica of a service doesn't fit on an empty machine.
    """
    cluster = Cluster(simpy.Environment(), architecture, scenario, 0)
    cluster.place_all()
    in_guests = bool(architecture.stack.above)
    hosts = []
    for host in cluster.used_hosts:
        names = [[instance.service.service.name for instance in guest.instances] for guest in host.guests]
        guests = (
            [tuple(guest) for guest in names if guest] if in_guests else [tuple(n for guest in names for n in guest)]
        )
        hosts.append(PlacedHost(host.index, host.chassis, tuple(guests)))
    return Layout(architecture, tuple(hosts), cluster.unplaced)


def reach(placed: Layout, privileged: frozenset[str] = frozenset()) -> Reach:
    """Return what the instances of a layout share, and how far what happens to one of them reaches."""
    architecture = placed.architecture
    in_kernel = max((len(guest) for host in placed.hosts for guest in host.guests), default=0)
    in_host = max((host.instances for host in placed.hosts), default=0)
    together: Counter[int] = Counter()
    for host in placed.hosts:
        if host.chassis is not None:
            together[host.chassis] += host.instances
    chassis = architecture.machine.chassis
    in_chassis = max(together.values(), default=0) if chassis is not None else None
    single = chassis is not None and any(value_of(p.needed) >= value_of(p.count) for p in chassis.parts.values())
    # several instances in one guest: what is around each of them ends at the guest's kernel
    escape = in_kernel if architecture.guest_size > 1 else in_host
    open_to = [len(guest) for host in placed.hosts for guest in host.guests if privileged & set(guest)]
    own_kernel = any(layer.boundary == "sandbox-kernel" for layer in architecture.stack.layers)
    return Reach(
        kernel=min(1, in_kernel) if own_kernel else in_kernel,
        hypervisor=in_host if architecture.stack.opener is not None else None,
        machine=in_host,
        chassis=in_chassis,
        escape=escape,
        failure=in_chassis if single and in_chassis is not None else in_host,
        privileged=max(open_to) if open_to else None,
    )


def paths(scenario: Scenario, placed: Layout) -> Iterator[Path]:
    """Yield the way of each connection of `scenario` on one architecture, between the two most distant replicas."""
    where: dict[str, list[tuple[int, int]]] = {}
    for host in placed.hosts:
        for number, guest in enumerate(host.guests):
            for name in guest:
                where.setdefault(name, []).append((host.index, number))
    for connection in scenario.connections:
        pairs = [(a, b) for a in set(where.get(connection.of, ())) for b in set(where.get(connection.to, ()))]
        if pairs:
            yield path(connection, _farthest(pairs), placed.architecture)


def _farthest(pairs: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> Where:
    if any(a[0] != b[0] for a, b in pairs):
        return "hosts"
    return "host" if any(a != b for a, b in pairs) else "kernel"


def unreached(placed: Layout, ways: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence for every service that can't reach another one."""
    for way in ways:
        if way.mode is None:
            yield f"{placed.architecture.name}: {way.connection.of} can't reach {way.connection.to}: {way.why}"
