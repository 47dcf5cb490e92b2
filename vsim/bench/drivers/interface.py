"""What a driver is: one module with a tuple DRIVERS, found by `vsim.bench.drivers`.

    driver.lack()                        why this host can't run it, or None
    session = driver.open(workspace, payload)   once per run: images, daemons
    instance = session.create(spec)      stage create: everything before the first instruction can be asked for
    instance.start()                     stage start; the rest of the way shows in instance.output
    instance.stop(); instance.remove()   stages stop and remove
    session.close()                      removes whatever is left, and what `open` made

Stages are timed by the suites; a driver never looks at a clock except for its time limits. Every method raises
StageError, naming its stage, when the host or the runtime says no.
"""

from __future__ import annotations

import contextlib
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from vsim.bench.errors import StageError, says
from vsim.bench.output import Output
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace

__all__ = ["Driver", "Instance", "InstanceSpec", "Session"]

MIB = 2**20


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What one instance is to do, and within which limits.

    `arguments` go to the probe. `accounted` asks for a control group of its own also where the driver would do
    without (a plain process). `binds` maps host directories to paths inside, writable. `network` is a mode of the
    plan's network step that is among the driver's `networks`, or None: no network at all; `ports` are those that the
    mode `published` publishes. `writable_root` gives it a root file system of its own to write to (in /data), `volume`
    a volume of the engine's there.
    """

    arguments: tuple[str, ...] = ()
    memory_bytes: int = 64 * MIB
    pids: int = 64
    accounted: bool = False
    network: str | None = None
    ports: tuple[int, ...] = ()
    writable_root: bool = False
    volume: str | None = None
    binds: Mapping[Path, str] = field(default_factory=dict)


class Instance(ABC):
    """One instance. `output` is there from its creation on."""

    name: str
    output: Output

    @abstractmethod
    def start(self) -> None:
        """Ask for the first instruction; return when the runtime says that it has started."""

    @abstractmethod
    def stop(self) -> None:
        """Ask the probe to end, and return when it has; after the time limit, kill it."""

    @abstractmethod
    def remove(self) -> None:
        """Remove every trace. Works in any state, twice, and after a failed start."""

    def ends_itself(self) -> None:
        """Take note, once it runs, that it is going to end by itself and not by :meth:`stop`."""
        return

    def pids(self) -> tuple[int, ...]:
        """Return the processes that hold the instance's memory: its own, or the monitor that holds a guest."""
        return ()

    def helpers(self) -> tuple[int, ...]:
        """Return the processes that exist for this instance alone and aren't in it: a shim, a file server."""
        return ()

    def cgroup_bytes(self) -> int | None:
        """Return what the kernel charges to the instance's control group; None where it has none."""
        return None

    def address(self) -> str | None:
        """Return the IPv4 address under which the host reaches it; None without a network."""
        return None

    def endpoint(self, port: int) -> tuple[str, int] | None:
        """Return address and port under which the host reaches what listens on `port` inside; None if it doesn't."""
        address = self.address()
        return (address, port) if address is not None else None


class Session(ABC):
    """A driver at work in one run."""

    def __init__(self, workspace: Workspace, payload: Payload) -> None:
        self.workspace = workspace
        self.payload = payload
        self._live: dict[str, Instance] = {}

    def create(self, spec: InstanceSpec) -> Instance:
        """Make an instance ready to start, and remember it until it is forgotten with :meth:`forget`."""
        try:
            instance = self._create(spec)
        except OSError as error:
            # Mostly a full disk.
            raise StageError("create", says(error)) from None
        self._live[instance.name] = instance
        return instance

    @abstractmethod
    def _create(self, spec: InstanceSpec) -> Instance:
        """Make an instance; on failure leave nothing behind."""

    def root_for(self, name: str, spec: InstanceSpec) -> Path:
        """Return the root file system for the instance `name`: the payload's, or a copy in its own directory."""
        if not spec.writable_root:
            return self.payload.root
        root = self.workspace.path / name / "root"
        try:
            self.workspace.directory(name)
            return self.payload.copy_to(root)
        except OSError as error:
            shutil.rmtree(root.parent, ignore_errors=True)
            raise StageError("create", f"a root file system to write to: {says(error)}") from None

    def forget(self, instance: Instance) -> None:
        """Say that `instance` was removed."""
        self._live.pop(instance.name, None)

    def daemons(self) -> tuple[int, ...]:
        """Return the processes that serve all instances of this driver together."""
        return ()

    def close(self) -> None:
        """Remove the instances that are left, then what the session itself made."""
        for instance in list(self._live.values()):
            with contextlib.suppress(Exception):
                instance.remove()
            self.forget(instance)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Driver(ABC):
    """One rung of the ladder.

    `stack` is vsim's name of the stack it stands for and `below` the rung that it is compared with. `packages`
    are the Debian packages that bring it. `overhead_bytes` (per instance) and `typical_start_s` are rough upper
    bounds for the budget only. `flags` go to every sample: `emulated` is not compared with hardware. `capabilities`
    name what suites may ask for: `cgroup` (it has one of its own), `pids` (its processes are seen from here), `pss`
    (and all of its memory is mapped in them), `programs` (those of the payload run), `network`, `binds`, `root` (its
    root file system can be written to when asked for), `volumes`. `networks` are the modes of the plan's network step
    that it offers, the one in which requests are best offered first. `root_inside`: its programs run as root, though
    without root's privileges.
    """

    name: str
    stack: str
    below: str | None = None
    packages: tuple[str, ...] = ()
    overhead_bytes: int = 4 * MIB
    start_timeout_s: float = 10.0
    typical_start_s: float = 0.2
    pids_per_instance: int = 4
    flags: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ("loopback",)
    root_inside: bool = False
    architecture: str | None = None
    detection_only: bool = False

    @abstractmethod
    def lack(self) -> str | None:
        """Return why this host can't run it, in one line; None when it can. Cheap: it may be asked often."""

    @abstractmethod
    def open(self, workspace: Workspace, payload: Payload) -> Session:
        """Prepare what all instances share. Raises StageError."""

    def sweep(self) -> list[str]:
        """Remove what crashed runs left that isn't a file, process, mount or group; return what was removed."""
        return []
