"""Start-up: the stages of the layers one after another, in contention for the machine.

What the layers state (reference cores, bytes, parts of an image) is turned into this machine's terms once per service;
what remains for each start is to draw the random factors and to wait for the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import simpy

from vsim.engine.host import Hardware, Host
from vsim.engine.script import Steps
from vsim.engine.variates import Factors, cut, factors
from vsim.model.quantity import Quantity, value_of
from vsim.model.stack import Architecture, StageOf
from vsim.model.workload import Service

if TYPE_CHECKING:
    from vsim.engine.instance import Guest, Instance

__all__ = ["Reached", "StartPlan", "boot", "provision", "start"]

# A cost and the supply of factors that it varies by, if it does.
_Amount = tuple[float, Factors | None]
_NOTHING: _Amount = (0.0, None)
# Is told the name of a stage that is over.
Reached = Callable[[str], None]
# The parts of the whole that a stage's turns of waiting and of computing take, drawn for each start.
_Turns = Callable[[], tuple[list[float], list[float]]]


@dataclass(frozen=True, slots=True)
class _StageCost:
    """One stage on this machine: seconds waited, bytes pulled, device-seconds of disk, core-seconds of this machine."""

    layer: str
    name: str
    section: str | None
    wait_s: tuple[_Amount, ...]
    pull_bytes: tuple[_Amount, ...]
    disk_s: tuple[_Amount, ...]
    cpu_core_s: tuple[_Amount, ...]
    cores: float | None = None
    turns: _Turns | None = None
    growth: float = 0.0


def _draw(amounts: tuple[_Amount, ...]) -> float:
    total = 0.0
    for value, factor in amounts:
        total += value if factor is None else value * factor()
    return total


class StartPlan:
    """Everything that starts of one service's instances have in common on one architecture."""

    __slots__ = (
        "app",
        "boot",
        "chassis",
        "guest",
        "guest_image",
        "host_image",
        "image",
        "machine",
        "unit",
    )

    def __init__(
        self, architecture: Architecture, service: Service | None, hardware: Hardware, rng: np.random.Generator
    ) -> None:
        image_bytes = 0.0 if service is None else service.image.bytes
        self.image = "" if service is None else service.image.name
        supplies: dict[str, Factors] = {}

        def amount(quantity: Quantity | None, scale: float) -> tuple[_Amount, ...]:
            value = value_of(quantity) * scale
            if quantity is None or value == 0:
                return ()
            if quantity.distribution is None:
                return ((value, None),)
            if quantity.name not in supplies:
                supplies[quantity.name] = factors(quantity.distribution, rng)
            return ((value, supplies[quantity.name]),)

        def turns(rounds: Quantity | None) -> _Turns | None:
            count = round(value_of(rounds))
            return None if count < 2 else lambda: (cut(rng, count), cut(rng, count))

        def costs(stages: Iterable[StageOf]) -> tuple[_StageCost, ...]:
            per_read = 1 / hardware.disk_read_bytes_per_s
            per_write = 1 / hardware.disk_write_bytes_per_s
            return tuple(
                _StageCost(
                    layer=of.layer,
                    name=of.stage.name,
                    section=of.stage.section,
                    wait_s=amount(of.stage.wait_s, 1.0),
                    pull_bytes=amount(of.stage.pull_bytes, 1.0) + amount(of.stage.image_pull, image_bytes),
                    disk_s=amount(of.stage.read_bytes, per_read)
                    + amount(of.stage.image_read, image_bytes * per_read)
                    + amount(of.stage.write_bytes, per_write)
                    + amount(of.stage.image_write, image_bytes * per_write),
                    cpu_core_s=amount(of.stage.cpu_core_s, 1 / hardware.speed),
                    cores=None if of.stage.parallelism is None else of.stage.parallelism.value,
                    turns=turns(of.stage.rounds),
                    growth=value_of(of.stage.growth),
                )
                for of in stages
            )

        machine = architecture.machine
        self.machine = costs(StageOf(machine.name, stage) for stage in machine.provision)
        self.chassis: tuple[_StageCost, ...] = ()
        if machine.chassis is not None:
            chassis = machine.chassis
            self.chassis = costs(StageOf(chassis.name, stage) for stage in chassis.provision)
        self.boot = costs(architecture.host_stages)
        self.host_image = costs(architecture.host_image_stages)
        self.guest = costs(architecture.guest_stages)
        self.guest_image = costs(architecture.guest_image_stages)
        self.unit = costs(architecture.unit_stages)
        self.app: _StageCost | None = None
        if service is not None and (service.startup_core_s or service.startup_wait_s or service.startup_read_bytes):
            read_s = _read_s(service, hardware, architecture)
            cpu = service.startup_core_s * architecture.cpu.user / hardware.speed
            self.app = _StageCost(
                service.name,
                "application",
                None,
                wait_s=((service.startup_wait_s, None),),
                pull_bytes=(),
                disk_s=((read_s, None),),
                cpu_core_s=((cpu, None),),
            )


def _read_s(service: Service, hardware: Hardware, architecture: Architecture) -> float:
    path = architecture.disk(service.disk_path)
    return service.startup_read_bytes / (hardware.disk_read_bytes_per_s * path.throughput_factor)


def _stage(host: Host, stage: _StageCost) -> Steps:
    """Go through one stage on `host`: wait, pull, use the disk, compute; in turns, waiting comes after the disk too."""
    section = None if stage.section is None else host.section(stage.section)
    turn: simpy.Event | None = None
    if section is not None:
        turn = section.enter()
    try:
        if turn is not None:
            yield turn, None
        wait = _draw(stage.wait_s)
        if wait and stage.turns is None:
            yield simpy.Timeout(host.env, wait), None
        pull = _draw(stage.pull_bytes)
        if pull:
            yield host.link_in.submit(pull), host.link_in
        disk = _draw(stage.disk_s)
        if disk:
            # one start reads or writes one stream at a time: the device serves it alone at best
            yield host.disk.submit(disk), host.disk
        work = _draw(stage.cpu_core_s)
        if stage.growth:
            work *= 1 + stage.growth * host.running
        if stage.turns is not None:
            for waiting, computing in zip(*stage.turns(), strict=True):
                if wait:
                    yield simpy.Timeout(host.env, wait * waiting), None
                if work:
                    yield host.cpu.submit(work * computing, cap=stage.cores), host.cpu
        elif work:
            yield host.cpu.submit(work, cap=stage.cores), host.cpu
    finally:
        if section is not None:
            section.leave(turn)


def _once(images: dict[str, list[simpy.Event] | None], name: str, host: Host, stages: tuple[_StageCost, ...]) -> Steps:
    """Fetch an image into `images` unless it is there; who comes while it is on its way waits for it."""
    if not stages or (name in images and images[name] is None):
        return
    waiting = images.get(name)
    if waiting is not None:
        arrived = simpy.Event(host.env)
        waiting.append(arrived)
        yield arrived, None
        if images.get(name, ()) is not None:  # who was fetching it failed: fetch it oneself
            yield from _once(images, name, host, stages)
        return
    queue: list[simpy.Event] = []
    images[name] = queue
    complete = False
    try:
        for stage in stages:
            yield from _stage(host, stage)
        complete = True
    finally:
        if complete:
            images[name] = None
        else:
            images.pop(name, None)
        for event in queue:
            event.succeed()


def provision(host: Host, plan: StartPlan, *, with_chassis: bool) -> Steps:
    """Get the machine that `host` is to be: buy, rack and install it, and before that its chassis if it needs one."""
    for stage in (*(plan.chassis if with_chassis else ()), *plan.machine):
        yield from _stage(host, stage)


def boot(host: Host, plan: StartPlan) -> Steps:
    """Power the host on and go through the start-up of all its layers; wakes those who wait for it."""
    host.set_state("booting")
    for stage in plan.boot:
        yield from _stage(host, stage)
    host.set_state("up")
    waiting, host.waiting_for_boot = host.waiting_for_boot, []
    for event in waiting:
        event.succeed()


def start(
    instance: Instance,
    plan: StartPlan,
    concurrency: int | None,
    boot_host: Callable[[Host], None],
    reached: Reached | None = None,
) -> Steps:
    """Start `instance`: host, image, guest, unit, application. `boot_host` boots a host that is off.

    At most `concurrency` starts of a host are under way at a time; the others queue, and their time counts. `reached`
    is called with the name of each stage of the guest and the unit when it is over.
    """
    host, guest = instance.host, instance.guest
    assert host is not None
    assert guest is not None
    env = host.env
    if host.state != "up":
        booted = simpy.Event(env)
        host.waiting_for_boot.append(booted)
        if host.state == "off":
            boot_host(host)
        yield booted, None
    turn: simpy.Event | None = None
    if concurrency is not None:
        if host.starting >= concurrency:
            turn = simpy.Event(env)
            host.waiting_to_start.append(turn)
        else:
            host.starting += 1
    try:
        if turn is not None:
            yield turn, None
        yield from _once(host.images, plan.image, host, plan.host_image)
        yield from _open(guest, plan, reached)
        yield from _once(guest.images, plan.image, host, plan.guest_image)
        for stage in plan.unit:
            yield from _stage(host, stage)
            if reached is not None:
                reached(stage.name)
        if plan.app is not None:
            yield from _stage(host, plan.app)
    finally:
        if concurrency is not None:
            if turn is not None and not turn.triggered:
                host.waiting_to_start.remove(turn)
            elif host.waiting_to_start:
                host.waiting_to_start.popleft().succeed()
            else:
                host.starting -= 1


def _open(guest: Guest, plan: StartPlan, reached: Reached | None) -> Steps:
    """Start the guest unless it is up; who comes while it boots waits for it."""
    if guest.state == "up":
        return
    if guest.state == "booting":
        opened = simpy.Event(guest.host.env)
        guest.waiting.append(opened)
        yield opened, None
        yield from _open(guest, plan, reached)  # it may have failed instead
        return
    guest.state = "booting"
    try:
        for stage in plan.guest:
            yield from _stage(guest.host, stage)
            if reached is not None:
                reached(stage.name)
        guest.state = "up"
    finally:
        if guest.state == "booting":
            guest.state = "off"
        waiting, guest.waiting = guest.waiting, []
        for event in waiting:
            event.succeed()
