"""A process in namespaces of its own, made by unshare: what every container is made of, without a runtime."""

from __future__ import annotations

from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._spawned import SpawnedInstance, launcher
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.payload import Payload
from vsim.bench.spawn import call
from vsim.bench.workspace import Workspace, unmount_below

__all__ = ["DRIVERS"]


class _NamespaceSession(Session):
    """Holds the payload's root, mounted once more and read-only: unshare leaves it as it is."""

    def __init__(self, workspace: Workspace, payload: Payload) -> None:
        super().__init__(workspace, payload)
        self._root = workspace.directory("namespace-root")
        words = ("/usr/bin/mount", "--bind", "-o", "ro", str(payload.root), str(self._root))
        call(words, stage="open", env=workspace.environment())

    def close(self) -> None:
        try:
            super().close()
        finally:
            unmount_below(self._root)

    def _create(self, spec: InstanceSpec) -> Instance:
        name = self.workspace.name("namespace")
        cgroup = self.workspace.cgroup(name)
        # unshare leaves a new network's loopback interface down; it stays so where no suite needs it.
        raised = spec.network == "loopback"
        network = () if raised or spec.network == "host" else ("--net",)
        argv = [
            *launcher(self.payload.probe, cgroup, new_network=raised, no_new_privileges=True),
            "/usr/bin/unshare",
            *("--mount", "--uts", "--ipc", *network, "--pid", "--cgroup", "--fork", "--kill-child"),
            f"--root={self.root_for(name, spec) if spec.writable_root else self._root}",
            "--wd=/",
            # Without root's number there are no capabilities.
            *("--setgid=65534", "--setuid=65534"),
            "/probe",
            *spec.arguments,
        ]
        return SpawnedInstance(name, argv, self.workspace, spec, cgroup=cgroup)


class _NamespaceDriver(Driver):
    name = "namespace"
    stack = "container"
    below = "process"
    packages = ("util-linux",)
    overhead_bytes = 2 * 2**20
    typical_start_s = 0.02
    pids_per_instance = 2
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "root"})
    networks = ("host", "loopback")

    def lack(self) -> str | None:
        return missing("unshare", "util-linux") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _NamespaceSession(workspace, payload)


DRIVERS = (_NamespaceDriver(),)
