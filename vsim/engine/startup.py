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

__all__ = [
    "Costing",
    "Reached",
    "StartPlan",
    "boot",
    "fetch_once",
    "open_guest",
    "provision",
    "stage_steps",
    "start",
    "wait_cost",
    "wait_for_host",
]

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
    busy_cores: float = 0.0
    growth: float = 0.0


def wait_cost(layer: str, name: str, seconds: float) -> _StageCost:
    """Return the cost of a stage that takes `seconds`, whatever else goes on."""
    return _StageCost(layer, name, None, wait_s=((seconds, None),), pull_bytes=(), disk_s=(), cpu_core_s=())


def _draw(amounts: tuple[_Amount, ...]) -> float:
    total = 0.0
    for value, factor in amounts:
        total += value if factor is None else value * factor()
    return total


class Costing:
    """Turns what stages state into costs on one kind of machine, for an image of `image_bytes`."""

    __slots__ = ("_hardware", "_image_bytes", "_rng", "_supplies")

    def __init__(self, hardware: Hardware, rng: np.random.Generator, image_bytes: float = 0.0) -> None:
        self._hardware = hardware
        self._rng = rng
        self._image_bytes = image_bytes
        self._supplies: dict[str, Factors] = {}

    def _amount(self, quantity: Quantity | None, scale: float) -> tuple[_Amount, ...]:
        value = value_of(quantity) * scale
        if quantity is None or value == 0:
            return ()
        if quantity.distribution is None:
            return ((value, None),)
        if quantity.name not in self._supplies:
            self._supplies[quantity.name] = factors(quantity.distribution, self._rng)
        return ((value, self._supplies[quantity.name]),)

    def _turns(self, rounds: Quantity | None) -> _Turns | None:
        count, rng = round(value_of(rounds)), self._rng
        return None if count < 2 else lambda: (cut(rng, count), cut(rng, count))

    def __call__(self, stages: Iterable[StageOf]) -> tuple[_StageCost, ...]:
        """Return the costs of `stages`, in their order."""
        amount, image_bytes = self._amount, self._image_bytes
        per_read = 1 / self._hardware.disk_read_bytes_per_s
        per_write = 1 / self._hardware.disk_write_bytes_per_s
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
                cpu_core_s=amount(of.stage.cpu_core_s, 1 / self._hardware.speed),
                cores=None if of.stage.parallelism is None else of.stage.parallelism.value,
                turns=self._turns(of.stage.rounds),
                busy_cores=value_of(of.stage.busy_cores),
                growth=value_of(of.stage.growth),
            )
            for of in stages
        )


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
        self.image = "" if service is None else service.image.name
        costs = Costing(hardware, rng, 0.0 if service is None else service.image.bytes)
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


def stage_steps(host: Host, stage: _StageCost) -> Steps:
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
            yield from _pause(host, wait, stage.busy_cores)
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
                    yield from _pause(host, wait * waiting, stage.busy_cores)
                if work:
                    yield host.cpu.submit(work * computing, cap=stage.cores), host.cpu
        elif work:
            yield host.cpu.submit(work, cap=stage.cores), host.cpu
    finally:
        if section is not None:
            section.leave(turn)


def _pause(host: Host, seconds: float, busy_cores: float) -> Steps:
    """Wait for so long, and meanwhile hold so many cores against whoever else wants them."""
    # All that it can get in that time: whether it has got it doesn't matter.
    spinning = host.cpu.submit(seconds * busy_cores, cap=busy_cores) if busy_cores else None
    try:
        yield simpy.Timeout(host.env, seconds), None
    finally:
        if spinning is not None:
            host.cpu.cancel(spinning)


def fetch_once(
    images: dict[str, list[simpy.Event] | None], name: str, host: Host, stages: tuple[_StageCost, ...]
) -> Steps:
    """Fetch an image into `images` unless it is there; who comes while it is on its way waits for it."""
    if not stages or (name in images and images[name] is None):
        return
    waiting = images.get(name)
    if waiting is not None:
        arrived = simpy.Event(host.env)
        waiting.append(arrived)
        yield arrived, None
        if images.get(name, ()) is not None:  # who was fetching it failed: fetch it oneself
            yield from fetch_once(images, name, host, stages)
        return
    queue: list[simpy.Event] = []
    images[name] = queue
    complete = False
    try:
        for stage in stages:
            yield from stage_steps(host, stage)
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
        yield from stage_steps(host, stage)


def boot(host: Host, plan: StartPlan) -> Steps:
    """Power the host on and go through the start-up of all its layers; wakes those who wait for it."""
    host.set_state("booting")
    for stage in plan.boot:
        yield from stage_steps(host, stage)
    host.set_state("up")
    waiting, host.waiting_for_boot = host.waiting_for_boot, []
    for event in waiting:
        event.succeed()


def wait_for_host(host: Host, boot_host: Callable[[Host], None]) -> Steps:
    """Wait until `host` is up; `boot_host` boots it if nobody has told it to."""
    if host.state != "up":
        booted = simpy.Event(host.env)
        host.waiting_for_boot.append(booted)
        if host.state == "off":
            boot_host(host)
        yield booted, None


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
    yield from wait_for_host(host, boot_host)
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
        yield from fetch_once(host.images, plan.image, host, plan.host_image)
        yield from open_guest(guest, plan, reached)
        yield from fetch_once(guest.images, plan.image, host, plan.guest_image)
        for stage in plan.unit:
            yield from stage_steps(host, stage)
            if reached is not None:
                reached(stage.name)
        if plan.app is not None:
            yield from stage_steps(host, plan.app)
    finally:
        if concurrency is not None:
            if turn is not None and not turn.triggered:
                host.waiting_to_start.remove(turn)
            elif host.waiting_to_start:
                host.waiting_to_start.popleft().succeed()
            else:
                host.starting -= 1


def open_guest(guest: Guest, plan: StartPlan, reached: Reached | None) -> Steps:
    """Start the guest unless it is up; who comes while it boots waits for it."""
    if guest.state == "up":
        return
    if guest.state == "booting":
        opened = simpy.Event(guest.host.env)
        guest.waiting.append(opened)
        yield opened, None
        yield from open_guest(guest, plan, reached)  # it may have failed instead
        return
    guest.state = "booting"
    try:
        for stage in plan.guest:
            yield from stage_steps(guest.host, stage)
            if reached is not None:
                reached(stage.name)
        guest.state = "up"
    finally:
        if guest.state == "booting":
            guest.state = "off"
        waiting, guest.waiting = guest.waiting, []
        for event in waiting:
            event.succeed()
