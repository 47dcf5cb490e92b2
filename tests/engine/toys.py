"""Small descriptions with round numbers, so that results can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

from vsim.model.layer import Layer
from vsim.model.machine import Chassis, Disk, Link, Machine, Part, Price, Site
from vsim.model.quantity import Distribution, Quantity, Source
from vsim.model.stack import Architecture, Stack
from vsim.model.workload import Image, Service, Workload
from vsim.scenario.scenario import Fleet, Run, Scenario, Start

TOY = Source(kind="assumed", why="a round number for a test")
GIB = 2**30


def q(value: float, *, cv: float | None = None, shape: tuple[float, ...] = (), name: str = "toy") -> Quantity:
    distribution = None if cv is None else Distribution("lognormal", cv)
    return Quantity(name, value, "1", TOY, value, value, distribution, shape)


def toy_machine(**changes: object) -> Machine:
    """4 cores of reference speed, 8 GiB, 100 MB/s disk of 1,000 IOPS, 1 GB/s link, 100 W idle, 200 W at full load."""
    machine = Machine(
        name="box",
        title="A box",
        cores=q(4),
        core_speed=q(1),
        memory_bytes=q(8 * GIB),
        disk=Disk(read_bytes_per_s=q(1e8), write_bytes_per_s=q(1e8), iops=q(1000), latency_s=q(0)),
        link=Link(bytes_per_s=q(1e9), latency_s=q(0)),
        power_w=q(200, shape=(0.5, 1.0)),
        price=Price(purchase=q(1200), lifetime_years=q(1)),
        failures_per_year=q(0),
        repair_s=q(3600),
        rack_units=q(1),
    )
    return replace(machine, **changes)  # type: ignore[arg-type]


def toy_chassis(slots: int = 2, **parts: Part) -> Chassis:
    return Chassis(
        name="enclosure",
        title="An enclosure",
        slots=q(slots),
        rack_units=q(10),
        power_w=q(50),
        psu_efficiency=q(1),
        price=Price(purchase=q(0), lifetime_years=q(1)),
        parts=parts,
    )


def toy_part(count: int, needed: int, per_year: float, repair_s: float) -> Part:
    exponential = Quantity("repair", repair_s, "s", TOY, repair_s, repair_s, Distribution("exponential"))
    return Part(count=q(count), needed=q(needed), failures_per_year=q(per_year), repair_s=exponential)


def architecture(*layers: Layer, machine: Machine | None = None, guest_size: int | None = None) -> Architecture:
    stack = Stack("toy", "A toy", layers, None if guest_size is None else q(guest_size))
    return Architecture(stack, toy_machine() if machine is None else machine)


def layer(name: str = "layer", **fields: object) -> Layer:
    return Layer(name=name, title=name, **fields)  # type: ignore[arg-type]


def service(name: str = "web", replicas: int = 1, memory_bytes: float = GIB, **fields: object) -> Service:
    image = fields.pop("image", Image(name, 0.0))
    return Service(name, replicas, memory_bytes, image, **fields)  # type: ignore[arg-type]


def scenario(*services: Service, run: Run | None = None, **fields: object) -> Scenario:
    """A scenario of one replication with a window of 100 s and no warm-up."""
    workload = fields.pop("workload", Workload(services=services))
    fields.setdefault("fleet", Fleet())
    fields.setdefault("start", Start())
    return Scenario(
        name="toy",
        title="A toy",
        architectures=(),
        workload=workload,  # type: ignore[arg-type]
        run=run or Run(duration_s=100.0, warmup_s=0.0, replications=1),
        **fields,  # type: ignore[arg-type]
    )


SITE = Site(pue=q(1), energy_price_per_kwh=q(0), rack_unit_price_per_month=q(0))
