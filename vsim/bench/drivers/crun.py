"""crun, the OCI runtime in C, without an engine around it.

It refuses a hybrid of cgroup v1 and v2. There it runs in a private mount namespace from which the unified hierarchy is
missing; that namespace is made once per session, and entering it is one more system call of the launcher.
"""

from __future__ import annotations

from pathlib import Path

from vsim.bench import cgroups
from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._oci import OciSession, sweep_states, with_bridge
from vsim.bench.drivers._private_mounts import PrivateMounts
from vsim.bench.drivers.interface import Driver, Session
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace, dead_runs

__all__ = ["DRIVERS"]

_CRUN = "/usr/bin/crun"


class _CrunSession(OciSession):
    """Holds the private mount namespace, where one is needed."""

    def __init__(self, workspace: Workspace, payload: Payload) -> None:
        self._mounts: PrivateMounts | None = None
        command = [_CRUN]
        hybrid = hybrid_mount()
        if hybrid is not None:
            self._mounts = PrivateMounts(workspace, payload, 'umount "$1"', hybrid)
            command = [*self._mounts.launcher(), _CRUN]
        super().__init__(workspace, payload, "crun", [*command, "--cgroup-manager=cgroupfs"])

    def close(self) -> None:
        try:
            super().close()
        finally:
            if self._mounts is not None:
                self._mounts.close()


def hybrid_mount() -> str | None:
    """Return where cgroup v2 is mounted beside v1 controllers; None on a host with one of them only."""
    if cgroups.hierarchies().unified is not None:
        return None
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return line.split()[4]
    return None


class _CrunDriver(Driver):
    name = "crun"
    stack = "container"
    below = "bubblewrap"
    packages = ("crun",)
    overhead_bytes = 6 * 2**20
    typical_start_s = 0.1
    pids_per_instance = 4
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "binds", "root"})
    networks = with_bridge("host", "loopback")

    def lack(self) -> str | None:
        return missing("crun", "crun") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _CrunSession(workspace, payload)

    def sweep(self) -> list[str]:
        return [] if self.lack() else sweep_states(dead_runs(), self.name, [_CRUN])


DRIVERS = (_CrunDriver(),)
