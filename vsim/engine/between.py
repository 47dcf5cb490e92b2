"""The way from one instance to another: which network it takes on an architecture, and what that adds.

Containers on one kernel reach each other over a bridge that both are on. Elsewhere they need an overlay, or a port that
is published; instances that aren't in containers reach each other over the network of the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vsim.model.quantity import value_of
from vsim.model.stack import Architecture, PathCost
from vsim.scenario.scenario import Connection

if TYPE_CHECKING:
    from vsim.engine.instance import Instance

__all__ = ["Path", "Where", "path", "where"]

# What two instances have in common: a kernel, a host with different kernels on it, or nothing.
Where = Literal["kernel", "host", "hosts"]


@dataclass(frozen=True, slots=True)
class Path:
    """The way from one service to another on one architecture.

    `mode` is None where there is none; `why` says why not. `latency_s` is one way; `bytes_per_s` is that of the link
    between two hosts, as far as the layers leave it (None within one host).
    """

    connection: Connection
    where: Where
    mode: str | None
    latency_s: float = 0.0
    bytes_per_s: float | None = None
    why: str = ""


def where(one: Instance, other: Instance, architecture: Architecture) -> Where:
    """Return what two placed instances have in common. Without a layer that opens guests a host has one kernel."""
    if one.host is not other.host:
        return "hosts"
    return "host" if one.guest is not other.guest and architecture.stack.above else "kernel"


def path(connection: Connection, apart: Where, architecture: Architecture) -> Path:
    """Return the way of a connection between two instances that are `apart` on `architecture`."""
    bridged = any("bridge" in layer.network for layer in architecture.stack.layers)
    if not bridged:
        # each end passes its stack once; two processes of one kernel pass nothing
        ends = [] if apart == "kernel" else [architecture.network("host")] * 2
        return _made(connection, apart, "loopback" if apart == "kernel" else "network", ends, architecture)
    if connection.networks == "none" and not connection.published:
        return Path(connection, apart, None, why="they share no network")
    if apart == "kernel" and connection.networks != "none":
        return Path(connection, apart, "bridge", _bridge_s(architecture))
    if connection.networks == "overlay":
        return _made(
            connection, apart, "overlay", [architecture.network("overlay"), architecture.network("host")], architecture
        )
    if connection.published:
        ends = [architecture.network("bridge"), architecture.network("published")]
        return _made(connection, apart, "published", ends, architecture)
    place = "on different hosts" if apart == "hosts" else "in different guests"
    return Path(connection, apart, None, why=f"they are {place}, without an overlay network or a published port")


def _bridge_s(architecture: Architecture) -> float:
    """Return the seconds from one container to another on the same kernel: the bridge once, what each has twice.

    A guest's own network device is passed by neither.
    """
    total = 0.0
    for layer in architecture.stack.above or architecture.stack.layers:
        bridge = layer.network.get("bridge")
        if bridge is not None:
            total += value_of(bridge.latency_s)
        elif layer.default_network is not None:
            total += 2 * value_of(layer.network[layer.default_network].latency_s)
    return total


def _made(
    connection: Connection, apart: Where, mode: str, ends: Sequence[PathCost], architecture: Architecture
) -> Path:
    latency = sum(end.latency_s for end in ends)
    if apart != "hosts":
        return Path(connection, apart, mode, latency)
    link = architecture.machine.link
    throughput = link.bytes_per_s.value
    for end in ends:
        throughput *= end.throughput_factor
    return Path(connection, apart, mode, latency + link.latency_s.value, throughput)
