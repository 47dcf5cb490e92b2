"""A driver whose instances say what the test tells them to, and a recorder that keeps what a suite writes down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from tests.bench.fakes import PAYLOAD
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.errors import StageError
from vsim.bench.host import Host
from vsim.bench.output import Output
from vsim.bench.payload import Payload
from vsim.bench.suites.interface import Context
from vsim.bench.workspace import Workspace

Says = str | Callable[[InstanceSpec], str]


class Scripted:
    """One driver's step: `says` is what each instance says after its first line, or a function of what it is asked."""

    def __init__(self, says: Says = "ready\n", *, host: Host | None = None, workspace: Workspace | None = None) -> None:
        self.says = says
        self.log: list[str] = []
        self.specs: list[InstanceSpec] = []
        self.values: dict[str, list[float]] = {}
        self.flags: dict[str, set[str]] = {}
        self.failures: list[StageError] = []
        self.alive = 0
        self.driver = _Driver()
        self.session = _Session(self, workspace or cast(Workspace, SimpleNamespace(name=lambda driver: driver)))
        self.context = Context(self.driver, self.session, self, host or Host())

    def sample(
        self,
        metric: str,
        value: float,
        unit: str,
        *,
        concurrency: int = 1,
        instance: int | None = None,
        flags: Iterable[str] = (),
    ) -> None:
        self.values.setdefault(metric, []).append(value)
        self.flags.setdefault(metric, set()).update(flags)

    def failure(self, error: StageError, *, concurrency: int = 1, instance: int | None = None) -> None:
        self.failures.append(error)


class _Driver(Driver):
    name = "scripted"
    stack = "container"
    start_timeout_s = 0.05
    capabilities = frozenset({"programs", "binds", "root", "volumes"})
    networks = ("bridge", "host", "loopback", "published", "published_no_proxy", "user_defined")

    def lack(self) -> str | None:
        return None

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        raise NotImplementedError


class _Session(Session):
    def __init__(self, bench: Scripted, workspace: Workspace) -> None:
        super().__init__(
            workspace, Payload(PAYLOAD.architecture, PAYLOAD.digest, Path("/nowhere"), {"fio": "/usr/bin/fio"})
        )
        self.bench = bench

    def _create(self, spec: InstanceSpec) -> Instance:
        self.bench.log.append("create")
        self.bench.specs.append(spec)
        self.bench.alive += 1
        return _Instance(self.bench, spec, f"scripted-{len(self.bench.specs)}")


class _Instance(Instance):
    def __init__(self, bench: Scripted, spec: InstanceSpec, name: str) -> None:
        self.bench = bench
        self.spec = spec
        self.name = name
        self.output = Output()

    def start(self) -> None:
        self.bench.log.append("start")
        says = self.bench.says if isinstance(self.bench.says, str) else self.bench.says(self.spec)
        self.output.feed(f"vsim 1\n{says}".encode())

    def stop(self) -> None:
        self.bench.log.append("stop")

    def remove(self) -> None:
        self.bench.log.append("remove")
        self.bench.alive -= 1

    def address(self) -> str | None:
        return "127.0.0.1"
