"""systemd-nspawn: systemd's own containers, here without registering them anywhere."""

from __future__ import annotations

from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._spawned import SpawnedInstance, launcher
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace

__all__ = ["DRIVERS"]


class _NspawnSession(Session):
    def _create(self, spec: InstanceSpec) -> Instance:
        name = self.workspace.name("nspawn")
        cgroup = self.workspace.cgroup(name)
        cgroup.track()
        binds = [f"--bind={source}:{target}" for source, target in spec.binds.items()]
        argv = [
            *launcher(self.payload.probe, cgroup),
            *("/usr/bin/systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--settings=no", "--console=pipe"),
            *(f"--machine={name}", f"--directory={self.root_for(name, spec)}"),
            *(() if spec.writable_root else ("--read-only",)),
            *(() if spec.network == "host" else ("--private-network",)),
            *("--drop-capability=all", "--no-new-privileges=yes"),
            *("--timezone=off", "--resolv-conf=off", "--link-journal=no"),
            *binds,
            "/probe",
            *spec.arguments,
        ]
        return SpawnedInstance(name, argv, self.workspace, spec, cgroup=cgroup)


class _NspawnDriver(Driver):
    name = "systemd-nspawn"
    stack = "container"
    below = "namespace"
    packages = ("systemd-container",)
    overhead_bytes = 12 * 2**20
    typical_start_s = 0.15
    pids_per_instance = 6
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "binds", "root"})
    networks = ("host", "loopback")
    root_inside = True

    def lack(self) -> str | None:
        return missing("systemd-nspawn", "systemd-container") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _NspawnSession(workspace, payload)


DRIVERS = (_NspawnDriver(),)
