"""The environment record: what the figures of a host are worth.

metadata        the registry: name, unit, formatter and check of every fact
hardware, system, virtualization, raspberry
                collectors: take the root of /proc and /sys, so that any machine's files can be read
commands, kvm   what has to be asked or tried on this host
spoilers        what of it would spoil measurements, with cause and the next command
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path

from vsim.bench.environment.hardware import collect_disk, collect_memory, collect_power, collect_processor
from vsim.bench.environment.metadata import METADATA, Metadata, formatted
from vsim.bench.environment.raspberry import collect_throttling
from vsim.bench.environment.root import JSON, Facts, Root
from vsim.bench.environment.spoilers import Spoiler, find_spoilers
from vsim.bench.environment.system import collect_cgroups, collect_kernel, collect_load
from vsim.bench.environment.virtualization import collect_host

__all__ = [
    "JSON",
    "METADATA",
    "Facts",
    "Metadata",
    "Root",
    "Spoiler",
    "find_spoilers",
    "formatted",
    "record_environment",
]

_COLLECTORS: tuple[Callable[[Root], Facts], ...] = (
    collect_host,
    collect_throttling,
    collect_processor,
    collect_memory,
    collect_disk,
    collect_kernel,
    collect_cgroups,
    collect_load,
    collect_power,
)


def record_environment(root: Path = Path("/"), *, commands: bool = True) -> dict[str, JSON]:
    """Return what is known of the host whose files are below `root`, by the names in :data:`METADATA`.

    With `commands`, and only for this host, programs and daemons are asked as well, each with a time limit, and KVM is
    tried: some seconds. What can't be found out is left out; nothing is raised.
    """
    files = Root(root)
    facts: Facts = {}
    for collect in _COLLECTORS:
        # A file of a form that nobody has met yet costs its own facts, not the run.
        with contextlib.suppress(ValueError, IndexError, KeyError):
            facts |= collect(files)
    if files.is_this_host:
        facts |= _process(facts)
        if commands:
            facts |= _asked()
    return {name: facts[name] for name, each in METADATA.items() if name in facts and each.check(facts[name])}


def _asked() -> Facts:
    """Return what has to be asked or tried, all at the same time."""
    from vsim.bench.environment.commands import collect_commands
    from vsim.bench.environment.kvm import collect_kvm

    tried: Facts = {}
    trying = threading.Thread(target=lambda: tried.update(collect_kvm()), daemon=True)
    trying.start()
    asked = collect_commands()
    trying.join()
    return asked | tried


def _process(facts: Facts) -> Facts:
    """Return what the process itself knows."""
    own: Facts = {
        "vsim_version": _version(),
        "python_version": platform.python_version(),
        "page_bytes": os.sysconf("SC_PAGE_SIZE"),
    }
    # Only Linux has it; and only Linux has the files that say which kernel and architecture this is.
    if hasattr(os, "sched_getaffinity"):
        own["cpu_usable"] = len(os.sched_getaffinity(0))
    if "architecture" not in facts:
        own["architecture"] = platform.machine()
    if "kernel" not in facts:
        own["kernel"] = f"{platform.system()} {platform.release()}"
    return own


def _version() -> str:
    """Return vsim's version: that of the package, not of the module, which would draw the whole of vsim in."""
    try:
        return importlib.metadata.version("vsim")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
