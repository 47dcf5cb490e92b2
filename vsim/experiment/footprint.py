"""The memory of one instance, layer by layer: what the picture of a stack is drawn to scale from."""

from __future__ import annotations

from dataclasses import dataclass

from vsim.experiment.layout import Layout
from vsim.model.quantity import value_of

__all__ = ["LayerMemory", "footprint"]


@dataclass(frozen=True, slots=True)
class LayerMemory:
    """What a layer costs one instance: `fixed_bytes`, and `fraction` of what the instance itself asks for.

    What a layer takes once for many (a host's system, a guest's kernel) is divided by those that share it.
    """

    layer: str
    title: str
    fixed_bytes: float
    fraction: float


def footprint(placed: Layout) -> tuple[LayerMemory, ...]:
    """Return the layers of a layout's stack from the lowest up; empty without instances.

    Their mean over all instances is the metric `memory_overhead_bytes`.
    """
    stack = placed.architecture.stack
    hosts = len(placed.hosts)
    guests = sum(len(host.guests) for host in placed.hosts)
    instances = sum(host.instances for host in placed.hosts)
    if not instances:
        return ()
    found = []
    for number, layer in enumerate(stack.layers):
        in_guest = stack.opener is not None and number > stack.opener
        environments = guests if in_guest else hosts
        units = instances if in_guest or not placed.in_guests else guests
        memory = layer.memory
        fixed = environments * value_of(memory.environment_bytes) + units * value_of(memory.unit_bytes)
        found.append(LayerMemory(layer.name, layer.title, fixed / instances, value_of(memory.unit_fraction)))
    return tuple(found)
