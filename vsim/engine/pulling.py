"""Images whose layers are known, pulled by the hosts of an application: layers in common once, from one registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import simpy

from vsim.engine.host import Host
from vsim.engine.pull import HostCapacities, ImageStore, RegistryLink
from vsim.engine.script import Steps
from vsim.model.image import Image, Puller, Registry
from vsim.model.stack import Architecture

__all__ = ["Pulling", "Stores", "plain_name"]

# What Docker takes for granted where a name doesn't say it.
_REGISTRY, _OFFICIAL, _TAG = "docker.io/", "library/", ":latest"


def plain_name(name: str) -> str:
    """Return the shortest name of an image: ``nginx`` for ``docker.io/library/nginx:latest``."""
    return name.removeprefix(_REGISTRY).removeprefix(_OFFICIAL).removesuffix(_TAG)


@dataclass(frozen=True, slots=True)
class Pulling:
    """Images with their layers, by their plain names; what pulls them, and from where."""

    images: Mapping[str, Image]
    puller: Puller
    registry: Registry


class Stores:
    """What pulls images on the hosts of one architecture: a store for each place that keeps some, and one registry.

    Only container engines pull layers: on an architecture that doesn't separate instances by namespaces no image is
    known.
    """

    def __init__(self, env: simpy.Environment, pulling: Pulling, architecture: Architecture) -> None:
        self._pulling = pulling
        self._capacities = HostCapacities.of(architecture.machine)
        self._link = RegistryLink(env, pulling.registry)
        self._stores: dict[int, ImageStore] = {}
        engine = any(layer.boundary == "namespace" for layer in architecture.stack.layers)
        self._known = pulling.images if engine else {}

    def knows(self, name: str) -> bool:
        """Return whether the layers of the image `name` are known."""
        return plain_name(name) in self._known

    def fetch(self, images: dict[str, list[simpy.Event] | None], name: str, host: Host) -> Steps:
        """Pull an image on `host` into the place that has `images`, unless it is there."""
        if images.get(name, ()) is None:
            return
        # a place is known by its list, which lives as long as the run
        store = self._stores.get(id(images))
        if store is None:
            puller = self._pulling.puller
            store = self._stores[id(images)] = ImageStore(host.env, puller, self._capacities, cpu=host.cpu)
        yield store.pull(self._known[plain_name(name)], self._link), None
        images[name] = None
