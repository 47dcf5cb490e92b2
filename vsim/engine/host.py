"""One machine in simulated time: its capacities, its memory account, its meter."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

import simpy

from vsim.engine.capacity import SharedCapacity
from vsim.engine.script import Script
from vsim.model.power import PowerCurve
from vsim.model.stack import Architecture

if TYPE_CHECKING:
    from vsim.engine.instance import Guest, Instance

__all__ = ["Hardware", "Host", "Section"]


class Hardware:
    """The numbers of an architecture's machine that every host of it shares, in base units."""

    __slots__ = (
        "cores",
        "disk_iops",
        "disk_latency_s",
        "disk_read_bytes_per_s",
        "disk_write_bytes_per_s",
        "disk_write_iops",
        "host_cores",
        "link_bytes_per_s",
        "link_latency_s",
        "memory_bytes",
        "power",
        "speed",
        "supply_efficiency",
    )

    def __init__(self, architecture: Architecture) -> None:
        machine = architecture.machine
        self.cores = machine.cores.value
        self.speed = machine.core_speed.value
        self.memory_bytes = machine.memory_bytes.value
        self.disk_read_bytes_per_s = machine.disk.read_bytes_per_s.value
        self.disk_write_bytes_per_s = machine.disk.write_bytes_per_s.value
        self.disk_iops = machine.disk.iops.value
        self.disk_write_iops = (machine.disk.write_iops or machine.disk.iops).value
        self.disk_latency_s = machine.disk.latency_s.value
        self.link_bytes_per_s = machine.link.bytes_per_s.value
        self.link_latency_s = machine.link.latency_s.value
        self.power = PowerCurve(machine.power_w.points)
        self.supply_efficiency = 1.0 if machine.chassis is None else machine.chassis.psu_efficiency.value
        self.host_cores = architecture.host_cores


class Section:
    """A stretch of start-up that one start at a time may be in, first come, first served."""

    __slots__ = ("_busy", "_env", "_waiting")

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._busy = False
        self._waiting: deque[simpy.Event] = deque()

    def enter(self) -> simpy.Event | None:
        """Return None when the section was free and is now taken, else the event of one's turn."""
        if not self._busy:
            self._busy = True
            return None
        turn = simpy.Event(self._env)
        self._waiting.append(turn)
        return turn

    def leave(self, turn: simpy.Event | None) -> None:
        """Give the section up, or the place in its queue, whichever one has."""
        if turn is not None and not turn.triggered:
            self._waiting.remove(turn)
        elif self._waiting:
            self._waiting.popleft().succeed()
        else:
            self._busy = False


class Host:
    """A machine. Capacities come into being when they are first used: most hosts of a large fleet do little.

    `promised_*` is what placement has given away, `used_bytes` what is in use, `running` how many instances are up.
    Energy in joules is integrated when the power changes.
    """

    __slots__ = (
        "_cpu",
        "_disk",
        "_energy_j",
        "_in",
        "_out",
        "_since",
        "_watts",
        "background_cores",
        "booting",
        "chassis",
        "env",
        "guests",
        "hardware",
        "images",
        "index",
        "instances",
        "promised_bytes",
        "promised_cores",
        "running",
        "sections",
        "starting",
        "state",
        "used_bytes",
        "waiting_for_boot",
        "waiting_to_start",
    )

    def __init__(self, env: simpy.Environment, index: int, hardware: Hardware, chassis: int | None) -> None:
        self.env = env
        self.index = index
        self.hardware = hardware
        self.chassis = chassis
        self.state: Literal["off", "booting", "up", "down"] = "off"
        self.guests: list[Guest] = []
        self.instances: list[Instance] = []
        self.promised_bytes = 0.0
        self.promised_cores = 0.0
        self.used_bytes = 0.0
        self.running = 0
        self.background_cores = hardware.host_cores
        self.images: dict[str, list[simpy.Event] | None] = {}
        self.sections: dict[str, Section] = {}
        self.booting: Script | None = None
        self.starting = 0
        self.waiting_to_start: deque[simpy.Event] = deque()
        self.waiting_for_boot: list[simpy.Event] = []
        self._cpu: SharedCapacity | None = None
        self._disk: SharedCapacity | None = None
        self._in: SharedCapacity | None = None
        self._out: SharedCapacity | None = None
        self._watts = 0.0
        self._energy_j = 0.0
        self._since = env.now

    # -- capacities -------------------------------------------------------------------------------------------------

    @property
    def cpu(self) -> SharedCapacity:
        """The cores, in this machine's cores; one job gets at most one."""
        cpu = self._cpu
        if cpu is None:
            cpu = self._cpu = SharedCapacity(self.env, self._cores_left(), per_job_cap=1.0)
            cpu.on_change = self._on_rate
        return cpu

    @property
    def disk(self) -> SharedCapacity:
        """The disk, in seconds of the device per second: an operation's work is the time it keeps the device busy."""
        if self._disk is None:
            self._disk = SharedCapacity(self.env, 1.0)
        return self._disk

    @property
    def link_in(self) -> SharedCapacity:
        """The link towards the host, in bytes per second."""
        if self._in is None:
            self._in = SharedCapacity(self.env, self.hardware.link_bytes_per_s)
        return self._in

    @property
    def link_out(self) -> SharedCapacity:
        """The link away from the host, in bytes per second."""
        if self._out is None:
            self._out = SharedCapacity(self.env, self.hardware.link_bytes_per_s)
        return self._out

    def section(self, name: str) -> Section:
        """Return the host's section of that name."""
        section = self.sections.get(name)
        if section is None:
            section = self.sections[name] = Section(self.env)
        return section

    def _cores_left(self) -> float:
        return max(0.0, self.hardware.cores - self.background_cores)

    def add_background(self, cores: float) -> None:
        """Keep `cores` more (or, negative, fewer) cores busy with what layers do when nothing is asked of them."""
        if cores:
            self.background_cores += cores
            if self._cpu is not None:
                self._cpu.set_capacity(self._cores_left())
            self._on_rate(0.0)

    # -- meter ------------------------------------------------------------------------------------------------------

    @property
    def busy_cores(self) -> float:
        """Cores at work now, those in the background included, in this machine's cores."""
        rate = 0.0 if self._cpu is None else self._cpu.in_use
        return min(self.hardware.cores, rate + self.background_cores)

    @property
    def served_core_s(self) -> float:
        """Core-seconds of this machine that jobs have had so far, the background left out."""
        return 0.0 if self._cpu is None else self._cpu.served

    def _on_rate(self, _: float) -> None:
        if self.state in ("up", "booting"):
            self.draw(self.hardware.power(self.busy_cores / self.hardware.cores))

    def draw(self, watts: float) -> None:
        """Draw `watts` (behind the supply) from now on."""
        now = self.env.now
        self._energy_j += self._watts * (now - self._since)
        self._since = now
        self._watts = watts

    def set_state(self, state: Literal["off", "booting", "up", "down"]) -> None:
        """Change the state, and the power with it."""
        self.state = state
        if state in ("up", "booting"):
            self._on_rate(0.0)
        else:
            self.draw(0.0)

    def energy_j(self) -> float:
        """Energy taken from the wall, or from the chassis' input, so far."""
        return (self._energy_j + self._watts * (self.env.now - self._since)) / self.hardware.supply_efficiency
