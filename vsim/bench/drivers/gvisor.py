"""gVisor: runsc itself, its own kernel in user space between the application and the host's.

The platform is ptrace, the one that needs neither KVM nor anything of the host; it says so in the flags. The
application's memory is a file in memory of which only the part in use is mapped anywhere: the proportional set size is
too small, what its control group is charged is not.
"""

from __future__ import annotations

from vsim.bench.drivers._gvisor import split_sandbox
from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._oci import OciInstance, OciSession, sweep_states
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace, dead_runs

__all__ = ["DRIVERS"]

_COMMAND = ("runsc", "--platform=ptrace", "--network=none", "--overlay=false")


class _GvisorSession(OciSession):
    def _create(self, spec: InstanceSpec) -> Instance:
        return _GvisorInstance(self, self.workspace.name(self.driver), spec)


class _GvisorInstance(OciInstance):
    """Its memory is that of the sandbox and the tracees it runs the application in; the gofer serves its files."""

    def pids(self) -> tuple[int, ...]:
        return split_sandbox(self.cgroup.pids())[0]

    def helpers(self) -> tuple[int, ...]:
        return split_sandbox(self.cgroup.pids())[1]


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

    def lack(self) -> str | None:
        return missing("runsc", "runsc") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _GvisorSession(workspace, payload, self.name, _COMMAND)

    def sweep(self) -> list[str]:
        return [] if self.lack() else sweep_states(dead_runs(), self.name, _COMMAND)


DRIVERS = (_GvisorDriver(),)
