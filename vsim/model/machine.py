"""Kinds of hardware, the chassis that blades share, and the site that houses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vsim.model.layer import Stage
from vsim.model.quantity import Quantity

__all__ = ["Chassis", "Disk", "Link", "Machine", "Part", "Price", "Site"]


@dataclass(frozen=True, slots=True)
class Disk:
    """A machine's disk: bytes per second, operations per second, seconds per operation at queue depth 1.

    `iops` are random reads; `write_iops` random writes, as many as reads where nothing else is stated.
    """

    read_bytes_per_s: Quantity
    write_bytes_per_s: Quantity
    iops: Quantity
    latency_s: Quantity
    write_iops: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A machine's network link: bytes per second each way, and seconds one way to a neighbour on the same switch."""

    bytes_per_s: Quantity
    latency_s: Quantity


@dataclass(frozen=True, slots=True)
class Price:
    """What a thing costs to buy (in the site's currency), and over how many years that is written off."""

    purchase: Quantity
    lifetime_years: Quantity


@dataclass(frozen=True, slots=True)
class Part:
    """A shared part of a chassis, of which `needed` out of `count` must work for the blades to run.

    `failures_per_year` is per piece; `repair_s` is the time until the piece is replaced.
    """

    count: Quantity
    needed: Quantity
    failures_per_year: Quantity
    repair_s: Quantity

    def __post_init__(self) -> None:
        if self.needed.value > self.count.value:
            raise ValueError(f"{self.needed.value:g} are needed, of {self.count.value:g} that are there")


@dataclass(frozen=True, slots=True)
class Chassis:
    """An enclosure whose blades share power supplies, fans and switch modules.

    `power_w` is what the enclosure itself draws (fans, switch modules, management) whatever the blades do;
    `psu_efficiency` applies to what the blades draw behind its supplies.
    """

    name: str
    title: str
    slots: Quantity
    rack_units: Quantity
    power_w: Quantity
    psu_efficiency: Quantity
    price: Price
    parts: Mapping[str, Part] = field(default_factory=dict)
    provision: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of hardware.

    `core_speed` is relative to the reference core, one core of `rack-server`. `power_w` is the curve of power at the
    wall at 0, 10, …, 100 % load (for a blade: behind the chassis' supplies). `provision` is the way from the decision
    to a racked, installed machine; `startup` the way from power-on to the boot loader. `offers` lists capabilities.
    """

    name: str
    title: str
    cores: Quantity
    core_speed: Quantity
    memory_bytes: Quantity
    disk: Disk
    link: Link
    power_w: Quantity
    price: Price
    failures_per_year: Quantity
    repair_s: Quantity
    rack_units: Quantity | None = None
    chassis: Chassis | None = None
    provision: tuple[Stage, ...] = ()
    startup: tuple[Stage, ...] = ()
    offers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Site:
    """What the place charges: power usage effectiveness, energy price per kWh, price of a rack unit per month."""

    pue: Quantity
    energy_price_per_kwh: Quantity
    rack_unit_price_per_month: Quantity
    currency: str = "USD"
