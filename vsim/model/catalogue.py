"""What common application images need, where the user doesn't say."""

from __future__ import annotations

from dataclasses import dataclass

from vsim.model.quantity import Quantity

__all__ = ["CataloguedImage"]


@dataclass(frozen=True, slots=True)
class CataloguedImage:
    """An application as its usual image runs it, with its default configuration and little data.

    `memory_bytes` is what one instance keeps resident, `image_bytes` what a host fetches (compressed), `startup_core_s`
    the CPU work and `startup_wait_s` the waiting until it is ready; `request_core_s` the CPU work of one small request
    to it. One that `keeps_data` can't be replicated without further ado. `also` are names of images that hold the same.
    """

    name: str
    title: str
    memory_bytes: Quantity
    image_bytes: Quantity
    startup_core_s: Quantity
    startup_wait_s: Quantity | None = None
    request_core_s: Quantity | None = None
    keeps_data: bool = False
    also: frozenset[str] = frozenset()
