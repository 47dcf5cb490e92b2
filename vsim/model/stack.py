"""Stacks, architectures, and how the costs of the layers compose along a stack.

The rules are those of the design: stages run one after another, memory adds up, CPU factors multiply, latencies add,
throughput factors multiply, the tightest limit counts, capabilities intersect.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from vsim.model.layer import BOUNDARIES, Boundary, DiskCost, Layer, NetworkCost, Stage
from vsim.model.machine import Machine
from vsim.model.quantity import Quantity, value_of

__all__ = ["Architecture", "CpuFactors", "LayerFailure", "PathCost", "Stack", "StageOf"]


@dataclass(frozen=True, slots=True)
class Stack:
    """Layers from the one next to the hardware to the application's process.

    `guest_size` is how many instances share one guest, for stacks with a guest and more layers that create units
    above it; None means one each.
    """

    name: str
    title: str
    layers: tuple[Layer, ...]
    guest_size: Quantity | None = None

    def __post_init__(self) -> None:
        openers = [layer.name for layer in self.layers if layer.opens_guest]
        if not self.layers:
            raise ValueError("a stack has at least one layer")
        if len(openers) > 1:
            raise ValueError(f"{' and '.join(openers)} both open a guest: a guest within a guest is not modelled")
        if self.guest_size is not None and not openers:
            raise ValueError("guest_size is for stacks with a layer that opens a guest")

    def misfit(self, machine: Machine) -> str | None:
        """Return why the stack makes no sense on `machine`, or None when it does."""
        for layer in self.layers:
            lacking = sorted(layer.requires - machine.offers)
            if lacking:
                return (
                    f"{machine.name} doesn't offer {', '.join(lacking)}, "
                    f"which the layer {layer.name} of the stack {self.name} requires"
                )
        return None

    @property
    def opener(self) -> int | None:
        """The index of the layer that opens a guest, or None."""
        return next((i for i, layer in enumerate(self.layers) if layer.opens_guest), None)

    @property
    def below(self) -> tuple[Layer, ...]:
        """The layers whose environment is the host, the opener of the guest included; all without a guest."""
        return self.layers if self.opener is None else self.layers[: self.opener + 1]

    @property
    def above(self) -> tuple[Layer, ...]:
        """The layers whose environment is a guest."""
        return () if self.opener is None else self.layers[self.opener + 1 :]


@dataclass(frozen=True, slots=True)
class StageOf:
    """A stage and the layer (or machine) that it belongs to."""

    layer: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class CpuFactors:
    """Slowdown of the whole stack by kind of work; 1 is the speed of the bare machine."""

    user: float
    system_call: float
    page_fault: float


@dataclass(frozen=True, slots=True)
class PathCost:
    """A disk path or a network mode through the whole stack.

    `latency_s` is added per operation (disk) or one way (network). Factors are 1 where nothing is lost.
    """

    latency_s: float
    throughput_factor: float
    iops_factor: float = 1.0
    cpu_core_s_per_byte: float = 0.0
    cpu_core_s_per_message: float = 0.0
    wake_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LayerFailure:
    """A layer that can fail by itself: how often, and whether the host, the guest or one instance goes down."""

    layer: str
    per_year: float
    domain: str
    repair_s: float


class Architecture:
    """A stack on a machine, with all costs composed: what the engine works with.

    Raises ValueError, saying why, when the stack makes no sense on the machine.
    """

    def __init__(self, stack: Stack, machine: Machine) -> None:
        self.stack = stack
        self.machine = machine
        self.name = f"{stack.name}@{machine.name}"
        misfit = stack.misfit(machine)
        if misfit:
            raise ValueError(misfit)
        below, above = stack.below, stack.above
        layers = stack.layers

        self.guest_size = 1 if stack.guest_size is None else max(1, round(stack.guest_size.value))
        # -- start-up ------------------------------------------------------------------------------------------
        boot = [StageOf(machine.name, stage) for stage in machine.startup]
        self.host_stages = (*boot, *_stages(below, "environment"))
        self.guest_stages: tuple[StageOf, ...] = ()
        if above:
            self.guest_stages = (*_stages(below, "unit"), *_stages(above, "environment"))
            self.unit_stages = _stages(above, "unit")
        else:
            self.unit_stages = _stages(below, "unit")
        # a VM's disk image is fetched to the host before the guest starts; what runs in a guest pulls into it
        self.host_image_stages = _stages(below, "image")
        self.guest_image_stages = _stages(above, "image")
        # -- memory --------------------------------------------------------------------------------------------
        self.host_memory_bytes = sum(value_of(layer.memory.environment_bytes) for layer in below)
        lower, upper = (below, above) if above else ((), below)
        self.guest_memory_bytes = sum(value_of(layer.memory.unit_bytes) for layer in lower) + sum(
            value_of(layer.memory.environment_bytes) for layer in above
        )
        self.guest_shared_bytes = sum(_shared(layer) for layer in lower)
        self.instance_memory_bytes = sum(value_of(layer.memory.unit_bytes) for layer in upper)
        self.instance_shared_bytes = sum(_shared(layer) for layer in upper)
        self.memory_fraction = sum(value_of(layer.memory.unit_fraction) for layer in layers)
        self.sharing = _product(layer.memory.sharing for layer in layers)
        # -- CPU -----------------------------------------------------------------------------------------------
        self.cpu = CpuFactors(
            user=_product(layer.cpu.user_factor for layer in layers),
            system_call=_product(layer.cpu.system_call_factor for layer in layers),
            page_fault=_product(layer.cpu.page_fault_factor for layer in layers),
        )
        self.host_cores = sum(value_of(layer.cpu.environment_cores) for layer in below)
        self.guest_cores = sum(value_of(layer.cpu.unit_cores) for layer in lower) + sum(
            value_of(layer.cpu.environment_cores) for layer in above
        )
        self.instance_cores = sum(value_of(layer.cpu.unit_cores) for layer in upper)
        # -- limits, boundaries, capabilities, failures ----------------------------------------------------------
        self.max_guests = _tightest(lower) if above else math.inf
        self.max_instances_per_environment = _tightest(above or upper)
        separating = layers if self.guest_size == 1 else above
        self.boundary: Boundary = max((layer.boundary for layer in separating), key=BOUNDARIES.index)
        # a guest has what its own kernel and monitor pass on, whatever the host's system keeps for itself
        offered = [layer.offers for layer in layers[stack.opener or 0 :] if layer.offers is not None]
        self.capabilities = frozenset.intersection(*offered) if offered else frozenset()
        self.failures = tuple(self._failures())

    def _failures(self) -> Iterable[LayerFailure]:
        opener = self.stack.opener
        for index, layer in enumerate(self.stack.layers):
            if layer.failure is None:
                continue
            in_guest = opener is not None and index > opener
            if layer.failure.kills == "environment":
                domain = "guest" if in_guest else "host"
            else:
                domain = "instance" if in_guest or opener is None else "guest"
            repair = value_of(layer.failure.repair_s)
            yield LayerFailure(layer.name, layer.failure.per_year.value, domain, repair)

    def disk(self, path: str) -> PathCost:
        """Return what the stack does to the disk path `path` (root, volume, bind, virtual-disk, …)."""
        costs = [c for layer in self.stack.layers if (c := _pick(layer.disk, path, layer.default_disk))]
        return PathCost(
            latency_s=sum(value_of(cost.latency_s) for cost in costs),
            throughput_factor=_product(cost.throughput_factor for cost in costs),
            iops_factor=_product(cost.iops_factor for cost in costs),
        )

    def network(self, mode: str) -> PathCost:
        """Return what the stack does to the network mode `mode` (host, bridge, published, overlay, …)."""
        costs = [c for layer in self.stack.layers if (c := _pick(layer.network, mode, layer.default_network))]
        return PathCost(
            latency_s=sum(value_of(cost.latency_s) for cost in costs),
            throughput_factor=_product(cost.throughput_factor for cost in costs),
            cpu_core_s_per_byte=sum(value_of(cost.cpu_core_s_per_byte) for cost in costs),
            cpu_core_s_per_message=sum(value_of(cost.cpu_core_s_per_message) for cost in costs),
            wake_s=sum(value_of(cost.wake_s) for cost in costs),
        )


def _stages(layers: Iterable[Layer], per: str) -> tuple[StageOf, ...]:
    return tuple(StageOf(layer.name, s) for layer in layers for s in layer.startup if s.per == per)


def _shared(layer: Layer) -> float:
    return value_of(layer.memory.unit_bytes) * value_of(layer.memory.unit_shared)


def _product(factors: Iterable[Quantity | None]) -> float:
    return math.prod(1.0 if factor is None else factor.value for factor in factors)


def _tightest(layers: Iterable[Layer]) -> float:
    return min((layer.max_units.value for layer in layers if layer.max_units), default=math.inf)


_Cost = TypeVar("_Cost", DiskCost, NetworkCost)


def _pick(costs: Mapping[str, _Cost], asked: str, default: str | None) -> _Cost | None:
    return costs.get(asked) or (costs.get(default) if default else None)
