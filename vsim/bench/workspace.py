"""A run's place on the host: its name, its directory, its environment. Everything in it is removed at the end."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from vsim.bench import cgroups, spawn
from vsim.bench.paths import runs_dir
from vsim.bench.reap import adopt_orphans
from vsim.errors import HostError

__all__ = ["Workspace", "dead_runs", "is_alive", "new_run_id", "owed_to", "unmount_below"]


def new_run_id() -> str:
    """Return a name for a run that fits into names of containers, groups, files: lower case, digits, hyphens."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"


class Workspace:
    """The directory of one run under the state directory, locked as long as the run lives.

    A crash frees the lock: by it `vsim clean` tells a run that lives from one that left things behind. The run also
    holds a name in the kernel, by which a run is known to live whose state directory is another (VSIM_STATE).
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.path = runs_dir() / run_id
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o755)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HostError(
                f"{self.path} can't be written: {error.strerror}", hint="set VSIM_STATE to a directory of yours"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise HostError(f"the run {run_id} is going on in another process", hint="wait for it to end") from None
        self._sign = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            self._sign.bind(_sign(run_id))
        adopt_orphans()
        self._hierarchies = cgroups.hierarchies()
        # next() is atomic: instances are made by several threads
        self._numbers = itertools.count(1)

    @property
    def label(self) -> str:
        """What this run's objects are called: `vsim-<run id>`."""
        return f"vsim-{self.run_id}"

    def name(self, driver: str) -> str:
        """Return a new name for an instance, unique on this host."""
        return f"{self.label}-{driver}-{next(self._numbers)}"

    def directory(self, name: str) -> Path:
        """Return a new directory for files that live as long as the run at most."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment for whatever this run starts."""
        return spawn.environment(self.run_id, extra)

    def cgroup(self, name: str) -> cgroups.Cgroup:
        """Return the group /vsim-<run>/<name>; it is made with its :meth:`~vsim.bench.cgroups.Cgroup.create`."""
        return cgroups.Cgroup(f"/{self.label}/{name}", self._hierarchies)

    def close(self) -> None:
        """Remove the run's groups and directory, and free the lock."""
        group = cgroups.Cgroup(f"/{self.label}", self._hierarchies)
        with contextlib.suppress(OSError):
            group.kill()
            group.remove()
        unmount_below(self.path)
        if not owed_to(self.path):
            shutil.rmtree(self.path, ignore_errors=True)
        self._sign.close()
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _sign(run_id: str) -> bytes:
    """Return the abstract name of a socket (no file) that belongs to a run and goes when its process does."""
    return b"\0vsim-" + run_id.encode()


def is_alive(run_id: str) -> bool:
    """Return whether a process holds the lock of that run, or its name."""
    with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        # Refused unless somebody has that name; the connection itself leaves nothing at the other end.
        asking.connect(_sign(run_id))
        return True
    try:
        lock = os.open(runs_dir() / run_id / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def unmount_below(path: Path) -> list[str]:
    """Unmount everything mounted at or below `path` (symbolic links resolved); return what was."""
    prefix = os.path.realpath(path)
    mounts = [
        line.split()[4].encode().decode("unicode_escape")
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    below = [point for point in mounts if point == prefix or point.startswith(prefix + "/")]
    for point in reversed(below):
        with contextlib.suppress(OSError):
            _unmount(point)
    return below


def _unmount(point: str) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    # 2: MNT_DETACH, so that a process which still has a file open there can't keep the mount
    if libc.umount2(os.fsencode(point), 2) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), point)


def owed_to(run: Path) -> list[Path]:
    """Return the notes in a run's directory that name daemons which still hold something of the run.

    A session writes `<run>/<driver>/engine` when it opens and removes it when the daemon has let go of everything; a
    directory with such a note is kept until `vsim clean` reaches that daemon.
    """
    return sorted(run.glob("*/engine"))


def dead_runs() -> list[Path]:
    """Return the directories of runs that no process holds any more."""
    base = runs_dir()
    if not base.is_dir():
        return []
    return [path for path in sorted(base.iterdir()) if path.is_dir() and not is_alive(path.name)]
