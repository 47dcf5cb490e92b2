"""A layer of a stack, and what it costs.

A layer runs in an *environment* (the host, or a guest for the layers above a guest's kernel) and creates *units* for
what lies above it. A hypervisor runs on the host and creates guests; a container engine runs on the host or in a
guest and creates containers. Costs are therefore stated twice: once per environment, and for each unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsim.model.quantity import Quantity

__all__ = [
    "BOUNDARIES",
    "Boundary",
    "CpuCost",
    "DiskCost",
    "Failure",
    "Layer",
    "MemoryCost",
    "NetworkCost",
    "Stage",
]

Boundary = Literal["none", "process", "namespace", "sandbox-kernel", "hypervisor", "machine"]

# From the weakest to the strongest: what an attacker, or a runaway neighbour, has to get through.
BOUNDARIES: tuple[Boundary, ...] = (
    "none",
    "process",
    "namespace",
    "sandbox-kernel",
    "hypervisor",
    "machine",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a start-up: what it does, in this order: wait, pull, read, write, compute.

    `per` says when it happens: once per `environment` (a daemon's start, an operating system's boot), for each `unit`,
    or once per `image` and environment (a pull). CPU work is in core-seconds of the reference core and runs on one
    core, or on up to `parallelism` of them. With `rounds`, waiting and computing come in so many turns, each of random
    length (a program that waits for others again and again), instead of one after the other. While it waits it keeps
    `busy_cores` busy, if it gets them: a program that looks again and again whether its time has come has its share of
    the cores, and its time passes whether it has it or not. `growth` is by what part
    the CPU work grows with each instance that already runs on the host (lists that are searched, tables that are
    copied). The `image_*` fields are parts (0 to 1, or above for unpacking) of the service's image. While a stage with
    a `section` runs, no other start on the same host is in the section of that name.
    """

    name: str
    per: Literal["environment", "unit", "image"] = "unit"
    cpu_core_s: Quantity | None = None
    wait_s: Quantity | None = None
    read_bytes: Quantity | None = None
    write_bytes: Quantity | None = None
    pull_bytes: Quantity | None = None
    image_read: Quantity | None = None
    image_write: Quantity | None = None
    image_pull: Quantity | None = None
    parallelism: Quantity | None = None
    rounds: Quantity | None = None
    busy_cores: Quantity | None = None
    growth: Quantity | None = None
    section: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryCost:
    """Memory of a layer itself.

    `environment_bytes` once per environment, `unit_bytes` for each unit, `unit_fraction` of what the unit's workload
    asks for (page tables, balloon and device buffers grow with it). `unit_shared` is the part of `unit_bytes` that
    equal units share; `sharing` the part (0 to 1) of the workload's own shareable pages that stay shared across
    this layer: 1 where instances use one page cache, 0 where each has a kernel of its own.
    """

    environment_bytes: Quantity | None = None
    unit_bytes: Quantity | None = None
    unit_fraction: Quantity | None = None
    unit_shared: Quantity | None = None
    sharing: Quantity | None = None


@dataclass(frozen=True, slots=True)
class CpuCost:
    """Slowdown factors (1: none) by kind of work, and cores kept busy by the layer even when nothing is asked of it."""

    user_factor: Quantity | None = None
    system_call_factor: Quantity | None = None
    page_fault_factor: Quantity | None = None
    environment_cores: Quantity | None = None
    unit_cores: Quantity | None = None


@dataclass(frozen=True, slots=True)
class DiskCost:
    """What a layer does to one disk path: seconds added per operation, factors on IOPS and throughput (1: none)."""

    latency_s: Quantity | None = None
    iops_factor: Quantity | None = None
    throughput_factor: Quantity | None = None


@dataclass(frozen=True, slots=True)
class NetworkCost:
    """What a layer does to one network mode: seconds added one way, throughput factor, CPU work.

    CPU work is in core-seconds per byte, and per message that is sent or received (a request and its answer are two).
    `wake_s` go by before a server that was idle begins with the request that wakes it.
    """

    latency_s: Quantity | None = None
    throughput_factor: Quantity | None = None
    cpu_core_s_per_byte: Quantity | None = None
    cpu_core_s_per_message: Quantity | None = None
    wake_s: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """How often a layer fails by itself (failures per year), and what goes down with it.

    `kills` is `environment` (a kernel's crash takes all that runs on it) or `unit`. The units come back by starting
    again; `repair_s` is added before that (a reboot is a start-up stage, not a repair).
    """

    per_year: Quantity
    kills: Literal["environment", "unit"]
    repair_s: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a stack: a description, without state.

    `opens_guest` marks a kernel of its own: layers above it run in a guest. `boundary` is what separates the units
    that this layer creates. `offers` lists capabilities that it passes on to instances (None: it doesn't limit them);
    `requires` what it needs from the machine. `network` and `disk` map a mode or path to its cost; a layer that
    doesn't state the mode asked for is charged with its `default_network` and `default_disk`, if it names one.
    """

    name: str
    title: str
    opens_guest: bool = False
    boundary: Boundary = "none"
    startup: tuple[Stage, ...] = ()
    memory: MemoryCost = MemoryCost()
    cpu: CpuCost = CpuCost()
    disk: Mapping[str, DiskCost] = field(default_factory=dict)
    network: Mapping[str, NetworkCost] = field(default_factory=dict)
    default_disk: str | None = None
    default_network: str | None = None
    failure: Failure | None = None
    max_units: Quantity | None = None
    offers: frozenset[str] | None = None
    requires: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for kind, default, costs in (
            ("disk", self.default_disk, self.disk),
            ("network", self.default_network, self.network),
        ):
            if default is not None and default not in costs:
                raise ValueError(f"default_{kind} is {default!r}, whose cost the layer doesn't state")
