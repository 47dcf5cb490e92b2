"""crun, the OCI runtime in C, without an engine around it.

It refuses a hybrid of cgroup v1 and v2. There it runs in a private mount namespace from which the unified hierarchy is
missing; that namespace is made once per session, and entering it is one more system call of the launcher.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from vsim.bench import cgroups
from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._oci import OciSession, sweep_states
from vsim.bench.drivers._spawned import launcher
from vsim.bench.drivers.interface import Driver, Session
from vsim.bench.errors import StageError
from vsim.bench.payload import Payload
from vsim.bench.spawn import end_process, spawn
from vsim.bench.workspace import Workspace, dead_runs

__all__ = ["DRIVERS"]

_CRUN = "/usr/bin/crun"


class _CrunSession(OciSession):
    """Holds the process that keeps the private mount namespace alive, where one is needed."""

    def __init__(self, workspace: Workspace, payload: Payload) -> None:
        self._holder: subprocess.Popen[bytes] | None = None
        command = [_CRUN]
        hybrid = hybrid_mount()
        if hybrid is not None:
            self._holder = _hold_namespace(workspace, payload, hybrid)
            namespace = Path(f"/proc/{self._holder.pid}/ns/mnt")
            command = [*launcher(payload.probe, None, mount_namespace=namespace), _CRUN]
        super().__init__(workspace, payload, "crun", [*command, "--cgroup-manager=cgroupfs"])

    def close(self) -> None:
        try:
            super().close()
        finally:
            if self._holder is not None:
                end_process(self._holder)


def hybrid_mount() -> str | None:
    """Return where cgroup v2 is mounted beside v1 controllers; None on a host with one of them only."""
    if cgroups.hierarchies().unified is not None:
        return None
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return line.split()[4]
    return None


def _hold_namespace(workspace: Workspace, payload: Payload, unified: str) -> subprocess.Popen[bytes]:
    """Start a process in a mount namespace without `unified`; it says `ready` when the namespace is."""
    # The path is an argument of the script, not a part of it.
    script = 'umount "$1" && exec "$2"'
    holder = spawn(
        [
            *("/usr/bin/unshare", "--mount", "--propagation=slave"),
            *("/bin/sh", "-c", script, "sh", unified, str(payload.probe)),
        ],
        stage="open",
        env=workspace.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stderr is not None
    if not holder.stdout.readline():
        message = holder.stderr.read().decode("utf-8", "replace").strip()
        end_process(holder)
        raise StageError("open", f"no private mount namespace: {message}")
    return holder


class _CrunDriver(Driver):
    name = "crun"
    stack = "container"
    below = "bubblewrap"
    packages = ("crun",)
    overhead_bytes = 6 * 2**20
    typical_start_s = 0.1
    pids_per_instance = 4
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "binds", "root"})
    networks = ("host", "loopback")

    def lack(self) -> str | None:
        return missing("crun", "crun") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _CrunSession(workspace, payload)

    def sweep(self) -> list[str]:
        return [] if self.lack() else sweep_states(dead_runs(), self.name, [_CRUN])


DRIVERS = (_CrunDriver(),)
