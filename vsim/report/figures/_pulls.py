"""What pulling an image takes on each kind of machine: with nothing there, with shared layers there, with all there."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.engine.pull import HostCapacities, Order, simulate_pulls
from vsim.model.image import Image, ImageLayer, Puller, Registry
from vsim.model.quantity import Quantity, Source, quantities

if TYPE_CHECKING:
    from vsim.model.image import Chain
    from vsim.model.stack import Architecture
    from vsim.report.documents import Images, Pulls
    from vsim.report.inputs import Simulated

__all__ = ["STATES", "MeasuredPull", "PullTime", "measured", "numbers", "pull_times", "pulling", "shared_most"]

REGISTRY, PULLER = "docker-hub", "docker-pull"
# Uncompressed over compressed size, where one of them isn't known.
_RATIO = "process.startup.fetch.image_write"
# What a host has of the image, from nothing on.
STATES = ("nothing there", "shared layers there", "all there")
# Of a registry on the same host: as good as no limit, in bytes per second.
_LOOPBACK = 1e10


@dataclass(frozen=True, slots=True)
class PullTime:
    """A pull: on which machine, what is there, its seconds with their interval, and what comes over the link.

    `downloaded_s` is when the last byte has arrived; what is left then is unpacking.
    """

    machine: str
    state: str
    seconds: float
    low: float
    high: float
    bytes: int
    downloaded_s: float


@dataclass(frozen=True, slots=True)
class MeasuredPull:
    """Pulls of one image that were timed: their median and range in seconds, and what the model makes of it."""

    what: str
    state: str
    pulls: int
    seconds: float
    low: float
    high: float
    bytes: int
    fitted: float


def pulling(architectures: Iterable[Architecture]) -> list[Architecture]:
    """Return the architectures on which an engine pulls images, one for each kind of machine."""
    found: dict[str, Architecture] = {}
    for one in architectures:
        if any(layer.boundary == "namespace" for layer in one.stack.layers):
            found.setdefault(one.machine.name, one)
    return list(found.values())


def shared_most(images: Images, ratio: float) -> tuple[Image, frozenset[Chain]]:
    """Return the image that shares most with the others, and the chains that a host has which has pulled these.

    `ratio` is uncompressed over compressed size, for layers of which one isn't known.
    """
    known = [one.to_image(ratio)[0] for one in images.images]

    def shared(image: Image) -> int:
        others = [image.shared_with(other) for other in known if other is not image]
        return max((sum(layer.compressed_bytes for layer in layers) for layers in others), default=0)

    # of several the last: of versions in their order the newest
    best = max(reversed(known), key=lambda image: (shared(image), image.compressed_bytes))
    others = (chain for image in known if image is not best for chain in image.chains)
    return best, frozenset(others) & frozenset(best.chains)


def pull_times(simulated: Simulated, images: Images) -> list[PullTime]:
    """Return what pulling takes on each kind of machine: first with nothing there, last with all there."""
    profile = simulated.profile
    image, there = shared_most(images, profile.quantities[_RATIO].value)
    cached = {STATES[0]: frozenset[tuple[str, ...]](), STATES[1]: there, STATES[2]: frozenset(image.chains)}
    found = []
    for one in pulling(simulated.architectures):
        for state, chains in cached.items():
            if state == STATES[1] and not there:
                continue
            found.append(
                _pull_time(
                    one.machine.name,
                    state,
                    image,
                    chains,
                    (profile.pullers[PULLER], profile.registries[REGISTRY], one),
                )
            )
    return found


def numbers(simulated: Simulated) -> list[str]:
    """Return the names of the profile's numbers that pulls are simulated with."""
    profile = simulated.profile
    machines = [
        (one.cores, one.core_speed, one.link.bytes_per_s, one.disk.write_bytes_per_s, one.memory_bytes)
        for one in (architecture.machine for architecture in pulling(simulated.architectures))
    ]
    used = quantities((profile.pullers[PULLER], profile.registries[REGISTRY], machines))
    return list(dict.fromkeys([*(quantity.name for quantity in used), _RATIO]))


def _pull_time(
    machine: str, state: str, image: Image, cached: Iterable[Chain], how: tuple[Puller, Registry, Architecture]
) -> PullTime:
    puller, registry, architecture = how
    own = architecture.machine
    host = HostCapacities.of(own)

    def take(puller: Puller, registry: Registry, host: HostCapacities) -> float:
        return simulate_pulls([Order(image)], puller, registry, host, cached=cached)[0].seconds

    (pull,) = simulate_pulls([Order(image)], puller, registry, host, cached=cached)
    moved = [
        *((low, high) for low, high in _ends(puller, lambda other: take(other, registry, host))),
        *((low, high) for low, high in _ends(registry, lambda other: take(puller, other, host))),
    ]
    of_machine = {
        "cores": own.cores,
        "core_speed": own.core_speed,
        "link_bytes_per_s": own.link.bytes_per_s,
        "disk_write_bytes_per_s": own.disk.write_bytes_per_s,
    }
    for field, quantity in of_machine.items():
        if quantity.low < quantity.high and quantity.low > 0:
            low, high = (
                take(puller, registry, dataclasses.replace(host, **{field: end}))
                for end in (quantity.low, quantity.high)
            )
            moved.append((low, high))
    low, high = together(pull.seconds, moved)
    return PullTime(
        machine,
        state,
        pull.seconds,
        low,
        high,
        pull.transferred_bytes,
        max((layer.download_end_s for layer in pull.layers), default=0.0),
    )


def _ends(described: Any, take: Callable[[Any], float]) -> Iterator[tuple[float, float]]:
    """Yield what `take` returns with each quantity of `described` at the low and the high end of its interval."""
    for field in dataclasses.fields(described):
        quantity = getattr(described, field.name)
        if isinstance(quantity, Quantity) and quantity.low < quantity.high:
            low, high = (
                take(dataclasses.replace(described, **{field.name: quantity.with_value(end)}))
                for end in (quantity.low, quantity.high)
            )
            yield low, high


def together(value: float, moved: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the interval of `value` that numbers give together which, moved alone, take it to the pairs in `moved`.

    The numbers are taken to be independent: the logarithms of the ratios add up as squares (propagation of uncertainty;
    JCGM 100:2008, 5.1.2, for ln y).
    """
    if value <= 0:
        return value, value
    down = math.sqrt(sum(math.log(min(value, *ends) / value) ** 2 for ends in moved if min(ends) > 0))
    up = math.sqrt(sum(math.log(max(value, *ends) / value) ** 2 for ends in moved))
    return value * math.exp(-down), value * math.exp(up)


def measured(pulls: Pulls) -> list[MeasuredPull]:
    """Return what was measured of each image with nothing there, the largest first, and of those that were there."""
    puller = Puller(
        "fitted",
        "Fitted",
        **{
            field: _fitted(pulls.fitted.get(field, value))
            for field, value in {
                "downloads": 3.0,
                "manifest_round_trips": 0.0,
                "manifest_wait_s": 0.0,
                "layer_round_trips": 0.0,
                "receive_core_s_per_byte": 0.0,
                "unpack_wait_s": 0.0,
                "unpack_core_s": 0.0,
                "unpack_core_s_per_byte": 0.0,
                "unpack_core_s_per_file": 0.0,
                "bytes_per_file": 1.0,
                "write_back_fraction": 1.0,
            }.items()
        },
    )
    registry = Registry("loopback", "On the same host", _fitted(_LOOPBACK), _fitted(0.0))
    host = HostCapacities(pulls.cores, 1.0, _LOOPBACK, _LOOPBACK, _LOOPBACK)
    found = []
    for name, layers in pulls.images.items():
        image = Image(
            name,
            tuple(
                ImageLayer(f"{name} {number}", layer.compressed_bytes, layer.uncompressed_bytes, layer.files)
                for number, layer in enumerate(layers)
            ),
        )
        (model,) = simulate_pulls([Order(image)], puller, registry, host)
        times = sorted(pulls.seconds[name])
        found.append(_measured(name, STATES[0], times, image.compressed_bytes, model.seconds))
    found.sort(key=lambda one: -one.bytes)
    if pulls.warm_s:
        found.append(_measured("any", STATES[2], sorted(pulls.warm_s), 0, puller.manifest_wait_s.value))
    return found


def _measured(what: str, state: str, times: Sequence[float], size: int, fitted: float) -> MeasuredPull:
    from vsim.samples.summary import quantile

    return MeasuredPull(what, state, len(times), quantile(times, 0.5), times[0], times[-1], size, fitted)


def _fitted(value: float) -> Quantity:
    return Quantity("fitted", value, "1", Source("derived", rule="fitted to the record's pulls"), value, value)
