"""A rung in simulated time: a stack on a machine, and what its layers say and don't say.

The model charges nothing for what a layer doesn't state. For a stack that a user describes that is right: it isn't
known, or isn't there. A rung that was measured is another matter: what wasn't measured on it must not come out as free.
So a stack that separates instances better than a process does has to state a cost, or the step is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vsim.model.layer import BOUNDARIES, Layer, NetworkCost
from vsim.model.quantity import Quantity, quantities
from vsim.model.stack import Architecture

__all__ = ["Rung"]

# Networks that end at the instance itself, or between two of them: nobody on the host reaches it there.
_WITHIN = ("loopback", "user_defined")


@dataclass(frozen=True, slots=True)
class Rung:
    """What a step is carried out on. `driver` and `stack` are what samples call it; `quantities` the profile's."""

    driver: str
    stack: str
    architecture: Architecture
    quantities: Mapping[str, Quantity]

    @property
    def separating(self) -> tuple[Layer, ...]:
        """The layers that separate instances by more than processes are; from the hardware up."""
        least = BOUNDARIES.index("process")
        return tuple(each for each in self.architecture.stack.layers if BOUNDARIES.index(each.boundary) > least)

    def lacks(self, *names: str) -> str | None:
        """Return why the quantities of these names can't be taken: the first that the profile doesn't state."""
        for name in names:
            if name not in self.quantities:
                return f"the profile doesn't state {name}"
        return None

    def lacks_factor(self, work: str) -> str | None:
        """Return why the slowdown of that kind of work isn't known."""
        field = f"{work}_factor"
        layers = self.architecture.stack.layers
        if self.separating and all(getattr(layer.cpu, field) is None for layer in layers):
            return f"no layer of the stack states its cpu.{field}"
        return None

    def factor(self, work: Literal["user", "system_call", "page_fault"]) -> float:
        """Return how much slower that kind of work is than on the bare machine's core, its speed included."""
        slowdown: float = getattr(self.architecture.cpu, work)
        return slowdown / self.architecture.machine.core_speed.value

    def lacks_start(self) -> str | None:
        """Return why it isn't known how an instance starts."""
        if self.architecture.guest_stages or self.architecture.unit_stages:
            return None
        return "no layer of the stack states a stage of its start-up"

    def lacks_memory(self) -> str | None:
        """Return why it isn't known what memory an instance takes."""
        layers = self.architecture.stack.layers
        if all(layer.memory.unit_bytes is None for layer in layers):
            return "no layer of the stack states its memory.unit_bytes"
        return None

    def lacks_disk(self, path: str) -> str | None:
        """Return why it isn't known what the disk path `path` costs."""
        found = any(path in layer.disk or layer.default_disk is not None for layer in self.separating)
        return None if found or not self.separating else f"no layer of the stack states what its disk path {path} costs"

    def lacks_network(self, mode: str) -> str | None:
        """Return why it isn't known what the network `mode` costs: it has to be named, a default is another network."""
        layers = self.separating or self.architecture.stack.layers
        if any(mode in layer.network for layer in layers):
            return None
        return f"no layer of the stack states what its network {mode} costs"

    def network(self) -> str | None:
        """Return the network over which the host reaches an instance: of the topmost layer that states any.

        That is the layer's default, or else the first that it names; but one that was measured comes before others.
        """
        for layer in reversed(self.separating or self.architecture.stack.layers):
            if layer.network:
                modes = dict.fromkeys((*filter(None, [layer.default_network]), *layer.network))
                beyond = [mode for mode in modes if mode not in _WITHIN]
                measured = (mode for mode in beyond if _is_measured(layer.network[mode]))
                return next(measured, beyond[0] if beyond else None)
        return None


def _is_measured(cost: NetworkCost) -> bool:
    return any(quantity.source.kind == "measured" for quantity in quantities(cost))
