"""What the layers of an architecture cost one instance of a service: memory, start-up stages, CPU work, limits.

Closed forms of the model (docs/explanation/model.md, *Composition of layers*), from the profile that a result has used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsim.model.layer import BOUNDARIES
from vsim.model.quantity import value_of

if TYPE_CHECKING:
    from vsim.model.layer import Layer
    from vsim.model.quantity import Quantity
    from vsim.model.stack import Architecture
    from vsim.model.workload import Service

__all__ = [
    "APPLICATION",
    "SHORT",
    "Limit",
    "Memory",
    "Step",
    "background",
    "cpu_by_layer",
    "limits",
    "memory_by_layer",
    "start_up",
]

APPLICATION = "application"
# Layers as they are called beside a box, where there is no room for their titles.
SHORT = {
    "host-os": "host OS",
    "desktop-vm": "hypervisor",
    "vmm": "monitor",
    "guest-os": "guest OS",
    "guest-kernel": "kernel",
    "container-engine": "engine",
    "sandbox-kernel": "sandbox",
    APPLICATION: "app",
}


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one layer in bytes: `per` says of what there is one (``machine``, ``guest`` or ``instance``)."""

    layer: str
    per: str
    bytes: float


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of a start-up and how long it takes when nothing else happens on the machine, in seconds."""

    layer: str
    stage: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Limit:
    """How many instances fit on a machine as far as `what` goes."""

    what: str
    instances: float


def memory_by_layer(architecture: Architecture, service: Service) -> list[Memory]:
    """Return the memory of every layer, from the hardware up, and of the application.

    A guest's memory is divided by the instances that share the guest.
    """
    found = []
    stack, shared = architecture.stack, architecture.guest_size
    opener = stack.opener
    for index, layer in enumerate(stack.layers):
        memory = layer.memory
        once, unit = value_of(memory.environment_bytes), value_of(memory.unit_bytes)
        in_host = opener is None or index <= opener
        # what creates guests has a unit for each guest, and so has the environment of what lies in one
        per_guest = 1 / shared if opener is not None else 1.0
        if once:
            found.append(
                Memory(layer.name, "machine", once) if in_host else Memory(layer.name, "guest", once * per_guest)
            )
        unit = unit * per_guest if opener is not None and index <= opener else unit
        unit += value_of(memory.unit_fraction) * service.memory_bytes
        if unit:
            found.append(Memory(layer.name, "instance", unit))
    found.append(Memory(APPLICATION, "instance", service.memory_bytes))
    return found


def start_up(architecture: Architecture, service: Service) -> list[Step]:
    """Return the stages of one start on a machine that runs and has the image, on its own; expected values."""
    from vsim.experiment.start_stages import stages_of

    return [
        Step(APPLICATION if one.application else one.layer, one.stage, one.seconds)
        for one in stages_of(architecture, service)
    ]


def cpu_by_layer(architecture: Architecture, service: Service) -> list[tuple[str, float]]:
    """Return what each layer adds to the CPU work of one request, as a part of the work on the bare machine."""
    request = service.request
    if request is None:
        return []
    work = request.user_core_s, request.system_call_core_s, request.page_fault_core_s
    bare = sum(work)
    if bare <= 0:
        return []
    user = calls = faults = 1.0
    found, before = [], bare
    carried = 0.0
    for layer in architecture.stack.layers:
        user *= _factor(layer.cpu.user_factor)
        calls *= _factor(layer.cpu.system_call_factor)
        faults *= _factor(layer.cpu.page_fault_factor)
        # the network's work is stated as it is, and no factor applies to it; it is done at the machine's own speed
        carried += _network(layer, service) * architecture.machine.core_speed.value
        after = work[0] * user + work[1] * calls + work[2] * faults + carried
        found.append((layer.name, (after - before) / bare))
        before = after
    return found


def _factor(quantity: Quantity | None) -> float:
    return 1.0 if quantity is None else quantity.value


def _network(layer: Layer, service: Service) -> float:
    request = service.request
    cost = layer.network.get(service.network_mode) or layer.network.get(layer.default_network or "")
    if request is None or cost is None:
        return 0.0
    sent = request.receive_bytes + request.send_bytes
    return value_of(cost.cpu_core_s_per_byte) * sent + 2 * value_of(cost.cpu_core_s_per_message)


def background(architecture: Architecture, hosts: float, instances: float) -> Iterator[tuple[str, float]]:
    """Yield how many cores of the machine each layer keeps busy when nothing is asked, on so many hosts in all."""
    stack = architecture.stack
    guests = instances / architecture.guest_size
    for layer in stack.below:
        yield layer.name, value_of(layer.cpu.environment_cores) * hosts
    for layer in stack.above:
        yield layer.name, value_of(layer.cpu.environment_cores) * guests
    for layer in stack.below:
        yield layer.name, value_of(layer.cpu.unit_cores) * (guests if stack.above else instances)
    for layer in stack.above:
        yield layer.name, value_of(layer.cpu.unit_cores) * instances


def limits(architecture: Architecture, service: Service, isolation: str = "none") -> Iterator[Limit]:
    """Yield how many instances of `service` fit on one machine by memory, cores, layers and isolation."""
    if BOUNDARIES.index(architecture.boundary) < BOUNDARIES.index(isolation):
        yield Limit("isolation", 1.0)
    machine, size = architecture.machine, architecture.guest_size
    own = service.memory_bytes * (1 + architecture.memory_fraction) + architecture.instance_memory_bytes
    guest = architecture.guest_memory_bytes
    shared = service.memory_bytes * service.shareable * architecture.sharing
    free = machine.memory_bytes.value - architecture.host_memory_bytes
    # the first replica on a host holds what all of them share
    yield Limit("memory", _fitting(free - shared, own - shared, guest, size))
    per_core = service.cpu_cores * architecture.cpu.user / machine.core_speed.value + architecture.instance_cores
    if per_core > 0:
        yield Limit(
            "cores", _fitting(machine.cores.value - architecture.host_cores, per_core, architecture.guest_cores, size)
        )
    most = architecture.max_guests * size
    in_one = architecture.max_instances_per_environment
    most = min(most, in_one if architecture.stack.opener is None else math.inf)
    if math.isfinite(most):
        yield Limit("layer", most)


def _fitting(free: float, each: float, guest: float, size: int) -> float:
    """Return how many instances fit into `free`: `each`, and `guest` once for every `size` of them."""
    if free <= 0:
        return 0.0
    whole = guest + size * each
    full = math.floor(free / whole + 1e-9) if whole > 0 else math.inf
    if not math.isfinite(full):
        return math.inf
    rest = free - full * whole - guest
    return full * size + max(0.0, math.floor(rest / each + 1e-9) if rest > 0 and size > 1 else 0.0)
