"""Control groups of the harness's own: /vsim-<run>/<name>, on cgroup v1, v2 and the hybrid of both.

On v1 each controller has a hierarchy of its own, so one group is several directories.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cgroup", "Hierarchies", "cgroup_of", "hierarchies"]

# What the harness limits and reads.
CONTROLLERS = ("memory", "pids")


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """Where the controllers are mounted. `unified` is set on pure v2; `by_controller` on v1 and hybrid.

    `mounts` are all of them, also those that the harness has no use for: runtimes make their groups everywhere.
    """

    unified: Path | None
    by_controller: dict[str, Path]
    mounts: tuple[Path, ...] = ()

    def root_of(self, controller: str) -> Path | None:
        """Return the mount point under which `controller` works, or None where this host has it switched off."""
        if self.unified is not None:
            try:
                here = (self.unified / "cgroup.controllers").read_text().split()
            except OSError:
                return None
            return self.unified if controller in here else None
        return self.by_controller.get(controller)


def hierarchies(mountinfo: str | None = None) -> Hierarchies:
    """Return the hierarchies of this host, or of the given text of a /proc/self/mountinfo."""
    if mountinfo is None:
        mountinfo = Path("/proc/self/mountinfo").read_text()
    unified: Path | None = None
    controllers: dict[str, Path] = {}
    mounts: list[Path] = []
    for line in mountinfo.splitlines():
        before, _, rest = line.partition(" - ")
        kind, _, options = rest.partition(" ")
        mount_point = Path(before.split()[4])
        if kind in ("cgroup", "cgroup2"):
            mounts.append(mount_point)
        if kind == "cgroup2":
            unified = unified or mount_point
        elif kind == "cgroup":
            for name in options.split()[-1].split(","):
                controllers.setdefault(name, mount_point)
    # With any v1 controller mounted, the unified hierarchy of a hybrid host has no controllers to offer.
    hybrid = any(name in controllers for name in CONTROLLERS)
    return Hierarchies(None if hybrid else unified, controllers, tuple(dict.fromkeys(mounts)))


class Cgroup:
    """One group. Every method tolerates that the kernel or another program has removed parts of it."""

    def __init__(self, path: str, found: Hierarchies | None = None) -> None:
        self.path = path
        self._found = found or hierarchies()
        roots = dict.fromkeys(root for name in CONTROLLERS if (root := self._found.root_of(name)))
        self.directories: tuple[Path, ...] = tuple(root / path.strip("/") for root in roots)
        self._everywhere = tuple(root / path.strip("/") for root in self._found.mounts) or self.directories

    def track(self) -> None:
        """Be a group also in the hierarchies without controllers, by which systemd's programs keep processes apart.

        Call it before :meth:`create`; those programs then make their own groups below this one, and not at the top.
        """
        named = self._found.by_controller.get("name=systemd")
        hybrid = self._found.mounts if self._found.unified is None else ()
        roots = [root for root in hybrid if root == named or root not in self._found.by_controller.values()]
        self.directories += tuple(root / self.path.strip("/") for root in roots)

    def create(self, *, memory_bytes: int | None = None, pids: int | None = None) -> None:
        """Make the group and set its limits. Raises OSError when the host doesn't allow it."""
        if self._found.unified is not None:
            self._delegate(self._found.unified)
        for directory in self.directories:
            directory.mkdir(parents=True, exist_ok=True)
        if memory_bytes is not None:
            self._set("memory.max" if self._found.unified else "memory.limit_in_bytes", memory_bytes)
        if pids is not None:
            self._set("pids.max", pids)

    def _delegate(self, root: Path) -> None:
        """Switch the controllers on along the path: v2 gives a group only what its parent passes on."""
        at = root
        for part in ("", *self.path.strip("/").split("/")[:-1]):
            at = at / part
            at.mkdir(exist_ok=True)
            for name in CONTROLLERS:
                with contextlib.suppress(OSError):
                    (at / "cgroup.subtree_control").write_text(f"+{name}")

    def _set(self, file: str, value: int) -> None:
        for directory in self.directories:
            target = directory / file
            if target.exists():
                target.write_text(str(value))

    @property
    def entries(self) -> tuple[Path, ...]:
        """The files to write a process's number to, so that it joins."""
        return tuple(directory / "cgroup.procs" for directory in self.directories)

    def memory_bytes(self) -> int | None:
        """Return what the kernel charges to the group, page cache included; None where nobody counts it."""
        file = "memory.current" if self._found.unified else "memory.usage_in_bytes"
        for directory in self.directories:
            with contextlib.suppress(OSError, ValueError):
                return int((directory / file).read_text())
        return None

    def pids(self) -> tuple[int, ...]:
        """Return the processes in the group and below it."""
        return self._members(self.directories)

    def _members(self, directories: Iterable[Path]) -> tuple[int, ...]:
        found: set[int] = set()
        for directory in directories:
            for each in _below(directory):
                with contextlib.suppress(OSError):
                    found.update(int(line) for line in (each / "cgroup.procs").read_text().split())
        return tuple(sorted(found))

    def kill(self, timeout_s: float = 5.0) -> None:
        """Kill every process in the group and wait until they are gone."""
        end = time.monotonic() + timeout_s
        while (pids := self._members(self._everywhere)) and time.monotonic() < end:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)

    def remove(self, timeout_s: float = 5.0) -> None:
        """Remove the group and what is below it, in every hierarchy.

        Raises OSError when processes stay in it for `timeout_s`.
        """
        end = time.monotonic() + timeout_s
        for directory in self._everywhere:
            for each in reversed(list(_below(directory))):
                while True:
                    try:
                        each.rmdir()
                    except FileNotFoundError:
                        pass
                    except OSError:
                        # A process that was just killed leaves its group a moment later.
                        if time.monotonic() < end:
                            time.sleep(0.002)
                            continue
                        raise
                    break


def _below(directory: Path) -> Iterator[Path]:
    """Yield the directory and all groups below it, parents first."""
    if not directory.is_dir():
        return
    yield directory
    with contextlib.suppress(OSError):
        for child in sorted(directory.iterdir()):
            if child.is_dir():
                yield from _below(child)


def cgroup_of(pid: int, controller: str = "memory") -> Cgroup | None:
    """Return the group that a process is in, for `controller`; None when the process or the controller is gone."""
    found = hierarchies()
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        # "4:memory:/docker/…" on v1, "0::/system.slice/docker-….scope" on v2
        _, controllers, path = line.split(":", 2)
        if (found.unified is not None and controllers == "") or controller in controllers.split(","):
            return Cgroup(path, found)
    return None
