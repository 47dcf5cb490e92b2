"""A driver, a host and a clock that exist in virtual time only: for the order of things, and for failures."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.errors import StageError
from vsim.bench.host import Host
from vsim.bench.output import Output
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace

MIB = 2**20
PAYLOAD = Payload("x86_64", "0" * 12, Path("/nowhere"))

# How long each stage takes, in seconds: powers of two, so that every sum tells its parts.
TAKES = {"create": 1.0, "start": 2.0, "first_instruction": 4.0, "ready": 8.0, "stop": 16.0, "remove": 32.0}


class Clock:
    """Time passes when somebody says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def pass_s(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


class FakeHost(Host):
    """A host with 1 GiB, from which each living instance takes 10 MiB."""

    def __init__(self, clock: Clock, log: list[str], alive: set[str]) -> None:
        super().__init__(sleep=clock.pass_s)
        self._clock = clock
        self._log = log
        self._alive = alive

    def available_bytes(self) -> int:
        return 1024 * MIB - 10 * MIB * len(self._alive)

    def _listed_bytes(self) -> int:
        return 0

    def free_pids(self) -> int:
        return 10_000

    def busy_core_s(self) -> float | None:
        # both cores of this host work all the time
        return 2 * self._clock()

    def free_disk_bytes(self, path: Path) -> int:
        return 10**12

    def drop_caches(self) -> bool:
        self._log.append("drop caches")
        return True

    def pss_bytes(self, pids: Iterable[int]) -> int | None:
        return sum(MIB * pid for pid in pids)


class FakeInstance(Instance):
    def __init__(self, name: str, driver: FakeDriver) -> None:
        self.name = name
        self.driver = driver
        self.output = Output(clock=driver.clock)

    def _do(self, stage: str) -> None:
        self.driver.log.append(f"{stage} {self.name}")
        self.driver.clock.pass_s(TAKES[stage])
        if stage in self.driver.interrupts:
            self.driver.interrupts.discard(stage)
            raise KeyboardInterrupt
        if stage in self.driver.fails:
            raise StageError(stage, f"no {stage} today")

    def start(self) -> None:
        self._do("start")
        if "first_instruction" in self.driver.fails:
            self.output.end()
            return
        self.driver.clock.pass_s(TAKES["first_instruction"])
        self.output.feed(b"vsim 1\n")
        if "ready" in self.driver.fails:
            self.output.feed(b"error touch 12\n")
            return
        self.driver.clock.pass_s(TAKES["ready"])
        self.output.feed(b"ready\n")

    def stop(self) -> None:
        self._do("stop")

    def remove(self) -> None:
        self.driver.alive.discard(self.name)
        self._do("remove")

    def pids(self) -> tuple[int, ...]:
        return (7,)

    def helpers(self) -> tuple[int, ...]:
        return (3,)

    def cgroup_bytes(self) -> int | None:
        return 11 * MIB


class FakeSession(Session):
    def __init__(self, driver: FakeDriver, workspace: Workspace) -> None:
        super().__init__(workspace, PAYLOAD)
        self.driver = driver
        self.count = 0

    def _create(self, spec: InstanceSpec) -> Instance:
        self.count += 1
        instance = FakeInstance(f"{self.driver.name}-{self.count}", self.driver)
        instance._do("create")
        self.driver.alive.add(instance.name)
        return instance

    def daemons(self) -> tuple[int, ...]:
        return (50,)

    def close(self) -> None:
        super().close()
        self.driver.log.append(f"close {self.driver.name}")


class FakeDriver(Driver):
    stack = "container"
    overhead_bytes = MIB
    typical_start_s = 0.01
    capabilities = frozenset({"pids", "cgroup"})

    def __init__(self, name: str, clock: Clock, log: list[str]) -> None:
        self.name = name
        self.clock = clock
        self.log = log
        self.fails: set[str] = set()
        self.interrupts: set[str] = set()
        self.alive: set[str] = set()

    def lack(self) -> str | None:
        return None

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        self.log.append(f"open {self.name}")
        if "open" in self.fails:
            raise StageError("open", "no daemon")
        return FakeSession(self, workspace)
