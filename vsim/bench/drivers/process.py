"""A plain process of the host: the foot of the ladder. Fork and exec, nothing else."""

from __future__ import annotations

from vsim.bench.drivers._spawned import SpawnedInstance, launcher
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.payload import Payload, host_architecture
from vsim.bench.workspace import Workspace

__all__ = ["DRIVERS"]


class _ProcessSession(Session):
    def _create(self, spec: InstanceSpec) -> Instance:
        name = self.workspace.name("process")
        # A plain process has no group of its own; it gets one only where its memory is weighed.
        cgroup = self.workspace.cgroup(name) if spec.accounted else None
        argv = [*launcher(self.payload.probe, cgroup), str(self.payload.probe), *spec.arguments]
        return SpawnedInstance(name, argv, self.workspace, spec, cgroup=cgroup)


class _ProcessDriver(Driver):
    name = "process"
    stack = "bare-metal"
    overhead_bytes = 2**20
    typical_start_s = 0.01
    pids_per_instance = 1
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "network", "binds", "root", "volumes"})
    networks = ("host", "loopback")

    def lack(self) -> str | None:
        if host_architecture() not in ("x86_64", "aarch64"):
            return f"there is no probe for {host_architecture()}"
        return None

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _ProcessSession(workspace, payload)


DRIVERS = (_ProcessDriver(),)
