"""Pulling images in simulated time: registry and host links, CPU and disk shared by all pulls that are under way.

The order of things is that of Docker Engine's transfer manager (``distribution/xfer`` in moby; read in version 20.10)
and, with other numbers, of containerd's unpacker: the manifest first; then a limited number of downloads at a time,
first come, first served, the lowest layer first; and each layer is unpacked when its download *and* the layer below it
are done. Two pulls that want the same layer on the same layers share one download.

A download shares two links. Downloads of a host share its link evenly, and all downloads from a registry share that
one's link by weighted max-min fairness, where what a host can take is a cap. That is max-min fair over both, as long as
a host's downloads at a time come from one registry.

There are two ways to use it. `simulate_pulls` is a pure function: pulls on hosts that do nothing else, cold or with
layers that are there. A simulation of more than that has one `RegistryLink` for a registry and one `ImageStore` for a
host, in its environment, and a pull is a process to wait for::

    link = RegistryLink(env, profile.registries["local-registry"])
    store = ImageStore(env, profile.pullers["docker-pull"], HostCapacities.of(machine), cpu=cores)
    pull = yield store.pull(image, link)

`cores` is the host's capacity for CPU work, so that unpacking contends with what runs there. Pulls that are started
while others are under way share links, download slots and layers with them. When a pull has ended its layers are in
`store.cached`: a later pull of the image is warm. An image of which only the size is known is one layer,
``Image(name, (ImageLayer(name, compressed_bytes, uncompressed_bytes),))``; files on disk and the engine's images have
more (:mod:`vsim.scenario.images`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import simpy

from vsim.engine.capacity import SharedCapacity
from vsim.model.image import Chain, Image, ImageLayer, Puller, Registry
from vsim.model.machine import Machine

__all__ = ["HostCapacities", "ImageStore", "LayerPull", "Order", "Pull", "RegistryLink", "simulate_pulls"]

_Process = Generator[simpy.Event, Any, Any]


@dataclass(frozen=True, slots=True)
class HostCapacities:
    """What pulls use of a host, in base units; `core_speed` is relative to the reference core."""

    cores: float
    core_speed: float
    link_bytes_per_s: float
    disk_write_bytes_per_s: float
    memory_bytes: float

    @classmethod
    def of(cls, machine: Machine) -> HostCapacities:
        """Return the capacities of a machine that does nothing else."""
        return cls(
            machine.cores.value,
            machine.core_speed.value,
            machine.link.bytes_per_s.value,
            machine.disk.write_bytes_per_s.value,
            machine.memory_bytes.value,
        )


@dataclass(frozen=True, slots=True)
class LayerPull:
    """When a layer was downloaded and unpacked, in seconds of simulated time."""

    layer: ImageLayer
    download_begin_s: float
    download_end_s: float
    unpack_begin_s: float
    unpack_end_s: float


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull that is done: its times in seconds, and the layers that weren't there (the others were cached)."""

    image: Image
    begin_s: float
    end_s: float
    layers: tuple[LayerPull, ...]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end_s - self.begin_s

    @property
    def transferred_bytes(self) -> int:
        """How much came over the link, in bytes; a layer that comes twice is sent once."""
        return sum({pull.layer.digest: pull.layer.compressed_bytes for pull in self.layers}.values())


class RegistryLink:
    """A registry in simulated time: the link that all who pull from it share."""

    def __init__(self, env: simpy.Environment, registry: Registry) -> None:
        per_connection = registry.connection_bytes_per_s
        self.link = SharedCapacity(env, registry.bytes_per_s.value)
        self.cap = inf if per_connection is None else per_connection.value
        self.round_trip_s = registry.round_trip_s.value


class _Flow:
    """A download under way."""

    __slots__ = ("done", "job", "registry")

    def __init__(self, env: simpy.Environment, registry: RegistryLink) -> None:
        self.registry = registry
        self.job: simpy.Event | None = None
        self.done = simpy.Event(env)


class _HostLink:
    """The link of a host, which its downloads share evenly."""

    def __init__(self, env: simpy.Environment, bytes_per_s: float) -> None:
        self._env = env
        self._bytes_per_s = bytes_per_s
        self._flows: list[_Flow] = []

    def download(self, registry: RegistryLink, size: float) -> simpy.Event:
        """Return the event of `size` bytes from `registry` having arrived."""
        flow = _Flow(self._env, registry)
        self._flows.append(flow)
        self._divide()
        self._submit(flow, size)
        return flow.done

    def _divide(self) -> None:
        """Give each download under way its new share of the link."""
        for flow in self._flows:
            if flow.job is not None and not flow.job.triggered:
                self._submit(flow, flow.registry.link.cancel(flow.job))

    def _submit(self, flow: _Flow, size: float) -> None:
        share = min(self._bytes_per_s / len(self._flows), flow.registry.cap)
        job = flow.job = flow.registry.link.submit(size, cap=share)
        assert job.callbacks is not None
        job.callbacks.append(lambda _: self._end(flow))

    def _end(self, flow: _Flow) -> None:
        self._flows.remove(flow)
        flow.done.succeed()
        self._divide()


class _WriteBack:
    """The page cache before a disk: who writes waits only when more than `limit` bytes wait for the disk."""

    def __init__(self, env: simpy.Environment, bytes_per_s: float, limit: float) -> None:
        self._env = env
        self._bytes_per_s = bytes_per_s
        self._limit = limit
        self._waiting = 0.0
        self._since = env.now

    def write(self, size: float) -> simpy.Event:
        """Return the event of `size` bytes being written, as far as who writes them can tell."""
        now = self._env.now
        self._waiting = max(0.0, self._waiting - (now - self._since) * self._bytes_per_s) + size
        self._since = now
        return simpy.Timeout(self._env, max(0.0, self._waiting - self._limit) / self._bytes_per_s)


class _Transfer:
    """One layer on its way, shared by all pulls that want it."""

    __slots__ = ("done", "download_begin_s", "download_end_s", "unpack_begin_s", "unpack_end_s")

    def __init__(self, env: simpy.Environment) -> None:
        self.done = simpy.Event(env)
        self.download_begin_s = self.download_end_s = self.unpack_begin_s = self.unpack_end_s = 0.0


class ImageStore:
    """The images of one host: the chains of layers that are there, and the pulls under way.

    `cpu` is the host's cores, shared with whatever else runs there; by default the store has a host to itself.
    """

    def __init__(
        self,
        env: simpy.Environment,
        puller: Puller,
        host: HostCapacities,
        *,
        cpu: SharedCapacity | None = None,
        cached: Iterable[Chain] = (),
    ) -> None:
        self.env = env
        self.cached: set[Chain] = set(cached)
        self._puller = puller
        self._speed = host.core_speed
        self._cpu = SharedCapacity(env, host.cores, per_job_cap=1.0) if cpu is None else cpu
        self._link = _HostLink(env, host.link_bytes_per_s)
        self._disk = _WriteBack(env, host.disk_write_bytes_per_s, host.memory_bytes * puller.write_back_fraction.value)
        self._slots = simpy.Resource(env, capacity=max(1, round(puller.downloads.value)))
        self._under_way: dict[Chain, _Transfer] = {}

    def pull(self, image: Image, registry: RegistryLink) -> simpy.Process:
        """Start a pull; the process ends with a :class:`Pull` as its value."""
        return self.env.process(self._pull(image, registry))

    def _pull(self, image: Image, registry: RegistryLink) -> _Process:
        env, puller = self.env, self._puller
        begin = env.now
        yield env.timeout(puller.manifest_wait_s.value + puller.manifest_round_trips.value * registry.round_trip_s)
        missing = image.missing(self.cached)
        transfers: list[_Transfer] = []
        mine: dict[str, _Transfer] = {}
        for layer, chain in zip(missing, image.chains[len(image.layers) - len(missing) :], strict=True):
            transfer = self._under_way.get(chain)
            if transfer is None:
                transfer = self._under_way[chain] = _Transfer(env)
                below = transfers[-1] if transfers else None
                env.process(self._transfer(layer, chain, transfer, below, mine.get(layer.digest), registry))
            mine.setdefault(layer.digest, transfer)
            transfers.append(transfer)
        if transfers:
            yield transfers[-1].done
        layers = tuple(
            LayerPull(layer, t.download_begin_s, t.download_end_s, t.unpack_begin_s, t.unpack_end_s)
            for layer, t in zip(missing, transfers, strict=True)
        )
        return Pull(image, begin, env.now, layers)

    def _transfer(
        self,
        layer: ImageLayer,
        chain: Chain,
        transfer: _Transfer,
        below: _Transfer | None,
        same: _Transfer | None,
        registry: RegistryLink,
    ) -> _Process:
        """Download `layer` (unless it is the `same` as one of the image before it) and unpack it on the one below."""
        env, puller = self.env, self._puller
        with self._slots.request() as slot:
            yield slot
            transfer.download_begin_s = env.now
            if same is None:
                yield env.timeout(puller.layer_round_trips.value * registry.round_trip_s)
                size = layer.compressed_bytes
                work = size * puller.receive_core_s_per_byte.value / self._speed
                yield self._link.download(registry, size) & self._cpu.submit(work) & self._disk.write(size)
            transfer.download_end_s = env.now
        if below is not None and not below.done.triggered:
            yield below.done
        transfer.unpack_begin_s = env.now
        yield env.timeout(puller.unpack_wait_s.value)
        work = puller.unpack_work_core_s(layer) / self._speed
        yield self._cpu.submit(work) & self._disk.write(layer.uncompressed_bytes)
        transfer.unpack_end_s = env.now
        self.cached.add(chain)
        del self._under_way[chain]
        transfer.done.succeed()


@dataclass(frozen=True, slots=True)
class Order:
    """A pull to simulate: of which image, on which host (counted from 0), when."""

    image: Image
    host: int = 0
    at_s: float = 0.0


def simulate_pulls(
    orders: Sequence[Order],
    puller: Puller,
    registry: Registry,
    host: HostCapacities,
    *,
    cached: Iterable[Chain] = (),
) -> list[Pull]:
    """Return the pulls of `orders`, in their order: equal hosts, one registry, nothing else going on.

    Every host begins with the chains `cached`. A warm pull is one of an image that is there.
    """
    env = simpy.Environment()
    link = RegistryLink(env, registry)
    there = frozenset(cached)
    stores = [ImageStore(env, puller, host, cached=there) for _ in range(1 + max((o.host for o in orders), default=0))]
    done: list[Pull | None] = [None] * len(orders)

    def run(number: int, order: Order) -> _Process:
        yield env.timeout(order.at_s)
        done[number] = yield stores[order.host].pull(order.image, link)

    for number, order in enumerate(orders):
        env.process(run(number, order))
    env.run()
    finished = [pull for pull in done if pull is not None]
    assert len(finished) == len(orders)
    return finished
