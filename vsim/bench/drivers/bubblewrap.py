"""A process in bubblewrap's sandbox: namespaces, a read-only root, no capabilities, no daemon."""

from __future__ import annotations

from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._spawned import SpawnedInstance, launcher
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace

__all__ = ["DRIVERS"]


class _BubblewrapSession(Session):
    def _create(self, spec: InstanceSpec) -> Instance:
        name = self.workspace.name("bubblewrap")
        cgroup = self.workspace.cgroup(name)
        binds = [word for source, target in spec.binds.items() for word in ("--bind", str(source), target)]
        argv = [
            *launcher(self.payload.probe, cgroup),
            "/usr/bin/bwrap",
            *("--unshare-all", *(["--share-net"] if spec.network == "host" else [])),
            *("--cap-drop", "ALL", "--die-with-parent", "--as-pid-1"),
            *(
                "--bind" if spec.writable_root else "--ro-bind",
                str(self.root_for(name, spec)),
                "/",
                "--dev",
                "/dev",
                "--proc",
                "/proc",
                "--tmpfs",
                "/tmp",
            ),
            *binds,
            *("--chdir", "/", "/probe"),
            *spec.arguments,
        ]
        return SpawnedInstance(name, argv, self.workspace, spec, cgroup=cgroup)


class _BubblewrapDriver(Driver):
    name = "bubblewrap"
    stack = "container"
    below = "namespace"
    packages = ("bubblewrap",)
    overhead_bytes = 3 * 2**20
    typical_start_s = 0.03
    pids_per_instance = 2
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "binds", "root"})
    networks = ("host", "loopback")
    root_inside = True

    def lack(self) -> str | None:
        # Without root it works as well, but the limits on memory and processes need a control group.
        return missing("bwrap", "bubblewrap") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _BubblewrapSession(workspace, payload)


DRIVERS = (_BubblewrapDriver(),)
