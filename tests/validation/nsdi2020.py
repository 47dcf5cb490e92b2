"""The start-up measurements of the Firecracker paper, and the same plan carried out by the engine.

Agache et al., "Firecracker: Lightweight Virtualization for Serverless Applications", NSDI 2020, with raw data and
scripts in github:firecracker-microvm/nsdi2020-data. A start is timed from the fork of the monitor to its exit: the
guest's init ends the guest at once. *Serial* starts one guest after another with a second of sleep between them;
*parallel-10* keeps ten launchers busy (``xargs -P10``) until 1,000 guests have been started.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import simpy

from vsim.calibration import Profile, load_profile
from vsim.engine.cluster import Cluster
from vsim.engine.host import Host
from vsim.engine.instance import Instance
from vsim.engine.script import Script, Steps
from vsim.engine.startup import StartPlan, start
from vsim.model.stack import Architecture
from vsim.model.workload import Image, Service, Workload
from vsim.scenario.scenario import Fleet, Run, Scenario

PROFILE = Path(__file__).with_name("nsdi2020.yaml")

MACHINES: Mapping[str, str] = {"m5d-metal": "m5d.metal", "rn-haswell": "rn.haswell"}
# The parallel runs of QEMU used its quick firmware, so `qboot` is what they compare with serially.
FILES: Mapping[tuple[str, int], str] = {
    ("firecracker", 1): "boot-serial-fc-api",
    ("firecracker", 10): "boot-parallel-10-fc-api",
    ("cloud-hypervisor", 1): "boot-serial-chv",
    ("cloud-hypervisor", 10): "boot-parallel-10-chv",
    ("qemu", 1): "boot-serial-qboot",
    ("qemu", 10): "boot-parallel-10-qemu",
}
MONITORS = ("firecracker", "cloud-hypervisor", "qemu")
LEVELS = (1, 10)
QUANTILES = (50, 95, 99)
STARTS = 5000  # simulated, where 500 and 1,000 were measured: the quantiles of the model, not of one sample

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Starts:
    """Seconds that each start took, and, where it is known, the part from the guest's first instruction on."""

    total_s: Floats
    guest_s: Floats | None = None


def measured(folder: Path, machine: str, monitor: str, level: int) -> Starts:
    """Return the starts that the paper's authors measured, from the reference data in `folder`."""
    data = np.loadtxt(folder / "nsdi2020" / f"{MACHINES[machine]}.{FILES[monitor, level]}.dat", ndmin=2)
    return Starts(data[:, 0] / 1e6, data[:, 1] / 1e3 if data.shape[1] > 1 else None)


@cache
def profile() -> Profile:
    """Return the built-in profile with the two machines and the three monitors on top."""
    return load_profile(PROFILE)


def simulated(
    architecture: Architecture, concurrency: int, n: int, *, launcher_core_s: float = 0.0, seed: int = 1
) -> Starts:
    """Start `n` guests on one idle host, `concurrency` at a time, and return how long each start took.

    Each launcher works for `launcher_core_s` (core-seconds of the reference core) before it starts the clock, as the
    scripts do.
    """
    service = Service("guest", n, 0.0, Image("guest", 0.0))
    scenario = Scenario(
        name="starts",
        title="Starts, some at a time",
        architectures=(),
        workload=Workload(services=(service,)),
        fleet=Fleet(hosts=1, cpu_overcommit=n, memory_overcommit=n),
        run=Run(seed=seed),
    )
    env = simpy.Environment()
    cluster = Cluster(env, architecture, scenario, 0)
    cluster.place_all()
    (host,) = cluster.hosts
    host.set_state("up")
    host.images[service.image.name] = None
    waiting = deque(cluster.services[0].instances)
    total: list[float] = []
    guest: list[float] = []
    for _ in range(concurrency):
        launcher_s = launcher_core_s / cluster.hardware.speed
        Script().run(_launcher(host, waiting, cluster.plans[0], launcher_s, total, guest))
    env.run()
    assert len(total) == n
    return Starts(np.asarray(total), np.asarray(guest))


def _launcher(
    host: Host, waiting: deque[Instance], plan: StartPlan, launcher_s: float, total: list[float], guest: list[float]
) -> Steps:
    env = host.env
    while waiting:
        instance = waiting.popleft()
        assert instance.guest is not None
        instance.guest.images[plan.image] = None
        if launcher_s:
            yield host.cpu.submit(launcher_s), host.cpu
        asked = env.now
        created = None
        for step in start(instance, plan, None, _never):
            yield step
            if created is None and step[1] is host.cpu:  # the monitor's own work ends with its first use of the CPU
                created = env.now
        total.append(env.now - asked)
        guest.append(env.now - (asked if created is None else created))


def _never(host: Host) -> None:
    raise AssertionError(f"host {host.index} is up")


def quantiles(values: Floats) -> tuple[float, ...]:
    """Return median, 95th and 99th percentile."""
    return tuple(np.percentile(values, QUANTILES).tolist())


def cells() -> Iterator[tuple[str, str, int]]:
    """Yield each monitor, machine and level."""
    for monitor in MONITORS:
        for machine in MACHINES:
            for level in LEVELS:
                yield monitor, machine, level


@dataclass(frozen=True, slots=True)
class Cell:
    """One monitor on one machine at one level: measured and simulated quantiles, in seconds."""

    monitor: str
    machine: str
    level: int
    part: str
    measured_s: tuple[float, ...]
    simulated_s: tuple[float, ...]

    @property
    def errors(self) -> tuple[float, ...]:
        """Simulated over measured, less one, for each quantile."""
        return tuple(ours / theirs - 1 for ours, theirs in zip(self.simulated_s, self.measured_s, strict=True))

    @property
    def worst(self) -> float:
        """The largest error of the three, without its sign."""
        return max(map(abs, self.errors))


def launcher_core_s(known: Profile) -> float:
    """Return what a launcher does outside of its clock, in core-seconds of the reference core."""
    return known.quantities["reference.launcher_core_s"].value


@cache
def fitted(folder: Path) -> tuple[Cell, ...]:
    """Return every cell with the fitted monitors, those that the simulator misses most first."""
    known = profile()
    found = []
    for monitor, machine, level in cells():
        data = measured(folder, machine, monitor, level)
        ours = simulated(
            known.architecture(f"{monitor}@{machine}"), level, STARTS, launcher_core_s=launcher_core_s(known)
        )
        found.append(Cell(monitor, machine, level, "start", quantiles(data.total_s), quantiles(ours.total_s)))
        if data.guest_s is not None and ours.guest_s is not None:
            found.append(Cell(monitor, machine, level, "guest", quantiles(data.guest_s), quantiles(ours.guest_s)))
    return tuple(sorted(found, key=lambda cell: -cell.worst))


def unfitted(folder: Path) -> list[Cell]:
    """Return Firecracker's cells as the built-in `microvm` stack has them, which no boot time has gone into.

    Forty starts at a time over again: the built-in layers keep a little of the host's CPU busy for every guest there.
    """
    known = profile()
    found = []
    for machine in MACHINES:
        for level in LEVELS:
            architecture = known.architecture(f"microvm@{machine}")
            runs = [
                simulated(architecture, level, 40, launcher_core_s=launcher_core_s(known), seed=seed).total_s
                for seed in range(25)
            ]
            data = quantiles(measured(folder, machine, "firecracker", level).total_s)
            found.append(Cell("built-in", machine, level, "start", data, quantiles(np.concatenate(runs))))
    return sorted(found, key=lambda cell: -cell.worst)


def serial_less_parallel_ms(folder: Path) -> list[tuple[str, float]]:
    """Return by how much the median of serial starts on m5d.metal, an idle machine of 48 cores, exceeds parallel-10."""
    pairs = {monitor: (FILES[monitor, 1], FILES[monitor, 10]) for monitor in MONITORS}
    pairs["firecracker, configured by a file"] = ("boot-serial-fc-file", "boot-parallel-10-fc-file")
    found = []
    for name, files in pairs.items():
        serial, parallel = (
            np.loadtxt(folder / "nsdi2020" / f"m5d.metal.{file}.dat", ndmin=2)[:, 0] / 1e3 for file in files
        )
        found.append((name, float(np.median(serial) - np.median(parallel))))
    return sorted(found, key=lambda pair: -pair[1])
