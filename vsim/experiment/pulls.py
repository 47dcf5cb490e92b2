"""How long images take to be pulled: cold, after others that they share layers with, and warm."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vsim.calibration.profile import Profile
from vsim.engine.pull import HostCapacities, Order, simulate_pulls
from vsim.errors import InputError
from vsim.model.image import Image, Puller, Registry
from vsim.model.machine import Machine
from vsim.model.quantity import quantities
from vsim.scenario.images.described import DescribedImage
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["PullPlan", "PullTime", "pull_times"]


@dataclass(frozen=True, slots=True)
class PullTime:
    """What pulling an image takes, in seconds on the slowest host, and what comes over the link, in bytes a host.

    `cold` with nothing there; `after` when the images before it have been pulled; `warm` when all of it is there.
    """

    image: Image
    estimated: bool
    cold_s: float
    cold_bytes: int
    after_s: float
    after_bytes: int
    warm_s: float


@dataclass(frozen=True, slots=True)
class PullPlan:
    """Where images are pulled from and to: `hosts` machines at the same time, from one registry."""

    registry: Registry
    puller: Puller
    machine: Machine
    hosts: int = 1

    @classmethod
    def of(
        cls,
        profile: Profile,
        registry: str,
        puller: str,
        machine: str,
        *,
        hosts: int = 1,
        bytes_per_s: float | None = None,
    ) -> PullPlan:
        """Return the plan of things that `profile` names; `bytes_per_s` replaces the bandwidth of the registry's link.

        Raises InputError for a name that the profile doesn't have.
        """
        source = _known("registry", registry, profile.registries)
        if bytes_per_s is not None:
            limit = source.connection_bytes_per_s
            source = dataclasses.replace(
                source,
                bytes_per_s=source.bytes_per_s.with_value(bytes_per_s),
                connection_bytes_per_s=None if limit is None or limit.value > bytes_per_s else limit,
            )
        return cls(
            source, _known("puller", puller, profile.pullers), _known("machine", machine, profile.machines), hosts
        )

    def sources(self) -> dict[str, list[str]]:
        """Return the names of the parameters used, by the kind of their source."""
        machine = (
            self.machine.cores,
            self.machine.core_speed,
            self.machine.link,
            self.machine.disk.write_bytes_per_s,
            self.machine.memory_bytes,
        )
        found: dict[str, dict[str, None]] = {}
        for quantity in quantities((self.registry, self.puller, machine)):
            found.setdefault(quantity.source.kind, {})[quantity.name] = None
        return {kind: list(names) for kind, names in found.items()}


def pull_times(images: Sequence[DescribedImage], plan: PullPlan, *, ratio: float) -> list[PullTime]:
    """Return what pulling each of `images` takes; `ratio` is uncompressed over compressed where one isn't known."""
    host = HostCapacities.of(plan.machine)
    found: list[PullTime] = []
    there: set[tuple[str, ...]] = set()
    for described in images:
        image, estimated = described.to_image(ratio)
        orders = [Order(image, number) for number in range(plan.hosts)]
        cold, after, warm = (
            simulate_pulls(orders, plan.puller, plan.registry, host, cached=cached)
            for cached in ((), there, image.chains)
        )
        found.append(
            PullTime(
                image,
                estimated,
                max(pull.seconds for pull in cold),
                cold[0].transferred_bytes,
                max(pull.seconds for pull in after),
                after[0].transferred_bytes,
                max(pull.seconds for pull in warm),
            )
        )
        there.update(image.chains)
    return found


def _known(what: str, name: str, known: Any) -> Any:
    if name not in known:
        hint = did_you_mean(name, known) or f"the profile has {listed(known, 'and')}"
        raise InputError(f"there is no {what} {name!r}", hint=hint)
    return known[name]
