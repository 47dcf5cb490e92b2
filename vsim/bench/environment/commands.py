"""What only a program or a daemon can tell: versions of the runtimes, the Docker engine, the Pi's firmware.

All are asked at once, each with a time limit; one that doesn't answer is left out.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from vsim.bench.drivers._engine import ask_engine
from vsim.bench.environment.raspberry import throttling_facts
from vsim.bench.environment.root import JSON, Facts
from vsim.bench.errors import StageError
from vsim.bench.spawn import call

__all__ = ["ask", "collect_commands", "docker_facts", "version_in"]

_LIMIT_S = 4.0
_ALL_LIMIT_S = 11.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# How each says its version.
_VERSIONS: dict[str, tuple[str, ...]] = {
    "runc": ("runc", "--version"),
    "crun": ("crun", "--version"),
    "runsc": ("runsc", "--version"),
    "podman": ("podman", "--version"),
    "containerd": ("containerd", "--version"),
    "bubblewrap": ("bwrap", "--version"),
    "unshare": ("unshare", "--version"),
    "systemd-nspawn": ("systemd-nspawn", "--version"),
    "lxc": ("lxc-start", "--version"),
    "uml": ("linux.uml", "--version"),
    "qemu-x86_64": ("qemu-system-x86_64", "--version"),
    "qemu-aarch64": ("qemu-system-aarch64", "--version"),
    "firecracker": ("firecracker", "--version"),
    "kata": ("kata-runtime", "--version"),
    "fio": ("fio", "--version"),
    "sysbench": ("sysbench", "--version"),
}


def ask(argv: Sequence[str], *, limit_s: float = _LIMIT_S) -> str | None:
    """Return what a program writes; None when it is missing, fails, or takes longer than the limit."""
    program = shutil.which(argv[0], path=_PATH)
    if program is None:
        return None
    # No VSIM_RUN: nothing of this outlives the call, and `vsim clean` has nothing to look for.
    environment = {"PATH": _PATH, "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8"}
    with contextlib.suppress(StageError, subprocess.SubprocessError, OSError):
        return call([program, *argv[1:]], stage="open", env=environment, timeout_s=limit_s)
    return None


def version_in(text: str) -> str | None:
    """Return the version in what `--version` printed: the first word with a digit after a dot, or of digits alone."""
    match = re.search(r"(?<![\w.])v?(\d+(?:\.\d+)+[\w.+~-]*)|(?:release-)([\w.-]+)|\b(\d+)\b", text)
    return next((group for group in match.groups() if group), None) if match else None


def docker_facts(info: Any, version: Any = None) -> Facts:
    """Return what the engine's `/info` (and `/version`) say, as facts."""
    facts: Facts = {}
    for name, key in (
        ("docker_version", "ServerVersion"),
        ("docker_storage_driver", "Driver"),
        ("docker_cgroup_driver", "CgroupDriver"),
        ("docker_operating_system", "OperatingSystem"),
        ("docker_kernel", "KernelVersion"),
    ):
        if isinstance(info.get(key), str) and info[key]:
            facts[name] = info[key]
    if isinstance(info.get("Runtimes"), dict):
        facts["docker_runtimes"] = [*sorted(info["Runtimes"])]
    security = info.get("SecurityOptions") or []
    facts["docker_rootless"] = any("name=rootless" in str(option) for option in security)
    # Docker Desktop's engine runs in a virtual machine that the host's own figures don't show.
    desktop = info.get("OperatingSystem") == "Docker Desktop" or "linuxkit" in str(info.get("KernelVersion"))
    platform = ((version or {}).get("Platform") or {}).get("Name") or ""
    facts["docker_desktop"] = desktop or str(platform).startswith("Docker Desktop")
    return facts


def collect_commands() -> Facts:
    """Return the versions of the runtimes that are installed, the engine's facts, and the Pi's throttling."""
    versions: dict[str, JSON] = {}
    facts: Facts = {}

    def version(name: str, argv: tuple[str, ...]) -> None:
        found = version_in(ask(argv) or "")
        if found:
            versions[name] = found

    def docker() -> None:
        with contextlib.suppress(OSError):
            facts.update(docker_facts(ask_engine("/info"), ask_engine("/version")))

    def firmware() -> None:
        facts.update(throttling_facts(ask(("vcgencmd", "get_throttled")) or ""))

    tasks: list[Callable[[], None]] = [docker, firmware]
    tasks += [lambda name=name, argv=argv: version(name, argv) for name, argv in _VERSIONS.items()]  # type: ignore[misc]
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    # The engine is asked twice, and has five seconds for each answer.
    end = time.monotonic() + _ALL_LIMIT_S
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    # Copies: a task that is late writes into what nobody looks at any more.
    found = dict(facts)
    if versions:
        found["versions"] = dict(sorted(versions.copy().items()))
    return found
