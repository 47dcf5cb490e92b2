"""gVisor: runsc itself, its own kernel in user space between the application and the host's.

The platform is ptrace, the one that needs neither KVM nor anything of the host; it says so in the flags. The
application's memory is a file in memory of which only the part in use is mapped anywhere: the proportional set size is
too small, what its control group is charged is not. On the bridge its own network stack answers: it takes over the
address of the namespace's interface, and the kernel's own stack has no part in it but for passing packets on.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from vsim.bench.drivers._gvisor import split_sandbox
from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._oci import OciInstance, OciSession, sweep_states, with_bridge
from vsim.bench.drivers._private_mounts import PrivateMounts
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.errors import StageError
from vsim.bench.payload import Payload
from vsim.bench.spawn import call
from vsim.bench.workspace import Workspace, dead_runs

__all__ = ["DRIVERS"]

_RUNSC = "/usr/bin/runsc"
_COMMAND = ("runsc", "--platform=ptrace", "--network=none", "--overlay=false")


# runsc of before August 2024 takes a network namespace that has this file for the host's own, and refuses to take over
# the host's interfaces. Since Linux 6.11 every namespace has it: it must not see it there
# (https://github.com/google/gvisor/issues/10704).
_MARK = Path("/proc/sys/net/core/rmem_default")
_HIDE = 'mount -t tmpfs -o ro,size=4k none "$1"'
# Below it each network namespace has directories of its own; this one is the same in all.
_HIDDEN = "/proc/sys/net"


class _GvisorSession(OciSession):
    def __init__(self, workspace: Workspace, payload: Payload, driver: str, command: Sequence[str]) -> None:
        super().__init__(workspace, payload, driver, command)
        self._mounts: PrivateMounts | None = None
        self._lock = threading.Lock()

    def command_for(self, spec: InstanceSpec) -> Sequence[str]:
        """Return the command; with a network, gVisor's own stack takes the interfaces of the namespace over."""
        if spec.network != "bridge":
            return self.command
        with self._lock:
            if self._mounts is None and _marked_everywhere(self.workspace):
                self._mounts = PrivateMounts(self.workspace, self.payload, _HIDE, _HIDDEN)
        words = ["--network=sandbox" if word == "--network=none" else word for word in self.command]
        if self._mounts is None:
            return words
        return [*self._mounts.launcher(), _RUNSC, *words[1:]]

    def close(self) -> None:
        try:
            super().close()
        finally:
            if self._mounts is not None:
                self._mounts.close()

    def _create(self, spec: InstanceSpec) -> Instance:
        return _GvisorInstance(self, self.workspace.name(self.driver), spec)


class _GvisorInstance(OciInstance):
    """Its memory is that of the sandbox and the tracees it runs the application in; the gofer serves its files."""

    def pids(self) -> tuple[int, ...]:
        return split_sandbox(self.cgroup.pids())[0]

    def helpers(self) -> tuple[int, ...]:
        return split_sandbox(self.cgroup.pids())[1]


def _marked_everywhere(workspace: Workspace) -> bool:
    """Return whether a new network namespace has the file by which runsc recognizes the host's."""
    test = ("/usr/bin/unshare", "--net", "/usr/bin/test", "-e", str(_MARK))
    try:
        call(test, stage="create", env=workspace.environment())
    except StageError:
        return False
    return True


class _GvisorDriver(Driver):
    name = "gvisor"
    stack = "sandboxed-container"
    below = "runc"
    packages = ("runsc",)
    overhead_bytes = 64 * 2**20
    start_timeout_s = 30.0
    typical_start_s = 0.4
    pids_per_instance = 60
    flags = ("platform-ptrace",)
    capabilities = frozenset({"cgroup", "pids", "programs", "binds", "root"})
    networks = with_bridge("loopback")

    def lack(self) -> str | None:
        return missing("runsc", "runsc") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _GvisorSession(workspace, payload, self.name, _COMMAND)

    def sweep(self) -> list[str]:
        return [] if self.lack() else sweep_states(dead_runs(), self.name, _COMMAND)


DRIVERS = (_GvisorDriver(),)
