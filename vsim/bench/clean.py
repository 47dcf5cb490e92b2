"""Removing what interrupted runs left behind: containers, processes, control groups, mounts, namespaces, files.

Runs that live are left alone: they hold the lock of their directory.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Collection
from pathlib import Path

from vsim.bench import cgroups, links
from vsim.bench.drivers import all_drivers
from vsim.bench.paths import cache_dir, runs_dir
from vsim.bench.spawn import RUN_VARIABLE
from vsim.bench.workspace import dead_runs, is_alive, owed_to, unmount_below

__all__ = ["clean", "end_processes", "owed", "processes_of"]

_GROUP = re.compile(r"^vsim-(\d{8}-\d{6}-[0-9a-f]{4})")


def clean(*, cache: bool = False) -> list[str]:
    """Remove what no living run owns and return what was removed, one line each; with `cache`, the payload too."""
    removed: list[str] = []
    for driver in all_drivers():
        # A runtime that has gone since can't be asked; its processes and files are still found below.
        with contextlib.suppress(Exception):
            removed += driver.sweep()
    removed += end_processes(None)
    removed += _groups()
    removed += links.remove_strays()
    base = runs_dir()
    for path in sorted(base.iterdir()) if base.is_dir() else []:
        if is_alive(path.name):
            continue
        removed += [f"mount {point}" for point in unmount_below(path)]
        if owed_to(path):
            continue
        shutil.rmtree(path, ignore_errors=True)
        removed.append(f"files {path}")
    if cache:
        shutil.rmtree(cache_dir(), ignore_errors=True)
        removed.append(f"cache {cache_dir()}")
    else:
        removed += _drafts()
    return removed


def owed() -> list[str]:
    """Return which daemons hold something of runs that don't live and didn't let go of it, one line each."""
    return [
        f"{note.parent.name} at {note.read_text().strip()}: what {path.name} left there stays until it answers ({path})"
        for path in dead_runs()
        for note in owed_to(path)
    ]


def processes_of(run_id: str | None) -> dict[int, str]:
    """Return the processes started by the run (None: by any run that doesn't live any more): number -> run id."""
    found: dict[int, str] = {}
    key = f"{RUN_VARIABLE}=".encode()
    own = os.getpid()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == own:
            continue
        with contextlib.suppress(OSError):
            for item in (entry / "environ").read_bytes().split(b"\0"):
                if item.startswith(key):
                    owner = item[len(key) :].decode("utf-8", "replace")
                    if owner == run_id or (run_id is None and not is_alive(owner)):
                        found[int(entry.name)] = owner
                    break
    return found


def end_processes(run_id: str | None, *, timeout_s: float = 5.0, spare: Collection[int] = ()) -> list[str]:
    """Kill the processes of :func:`processes_of` until none is left; return what was killed."""
    removed: dict[int, str] = {}
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        alive = {pid: owner for pid, owner in processes_of(run_id).items() if pid not in spare}
        if not alive:
            break
        for pid, owner in alive.items():
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                os.kill(pid, signal.SIGKILL)
                removed[pid] = f"process {pid} ({name}) of {owner}"
        time.sleep(0.02)
    return list(removed.values())


def _groups() -> list[str]:
    """Remove control groups of dead runs, in every hierarchy and wherever a runtime has put them at the top."""
    removed: list[str] = []
    for root in cgroups.hierarchies().mounts:
        for directory in sorted(root.glob("vsim-*")):
            match = _GROUP.match(directory.name)
            if match is None or is_alive(match[1]):
                continue
            # Not every process in it is marked: what a runtime starts inside has the environment of the instance.
            group = cgroups.Cgroup(f"/{directory.relative_to(root)}")
            with contextlib.suppress(OSError):
                group.kill()
                group.remove()
            if not directory.exists():
                removed.append(f"control group {directory}")
    return removed


def _drafts() -> list[str]:
    """Remove payloads that were never finished; an hour is far more than it takes to write one."""
    removed: list[str] = []
    base = cache_dir() / "payload"
    for path in sorted(base.glob(".draft-*")) if base.is_dir() else []:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > 3600:
                shutil.rmtree(path, ignore_errors=True)
                removed.append(f"files {path}")
    return removed
