"""LXC: a container from a configuration file, watched by a monitor process of its own."""

from __future__ import annotations

from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._spawned import SpawnedInstance, launcher
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.errors import StageError
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace

__all__ = ["DRIVERS", "configuration"]


def configuration(name: str, root: str, cgroup: str, spec: InstanceSpec) -> str:
    """Return the container's configuration: read-only root, no capabilities, no network, groups below the run's."""
    group = cgroup.strip("/")
    lines = [
        f"lxc.uts.name = {name[-60:]}",
        f"lxc.rootfs.path = dir:{root}",
        f"lxc.rootfs.options = {'rw' if spec.writable_root else 'ro'}",
        f"lxc.net.0.type = {'none' if spec.network in ('host', 'loopback') else 'empty'}",
        "lxc.cap.keep = none",
        "lxc.no_new_privs = 1",
        "lxc.init.uid = 65534",
        "lxc.init.gid = 65534",
        "lxc.apparmor.profile = unconfined",
        "lxc.autodev = 1",
        # Its output is that of the monitor: a terminal between them would be one more thing to measure.
        "lxc.console.path = none",
        "lxc.pty.max = 0",
        "lxc.tty.max = 0",
        f"lxc.cgroup.dir.monitor = {group}/monitor",
        f"lxc.cgroup.dir.monitor.pivot = {group}/pivot",
        f"lxc.cgroup.dir.container = {group}/container",
        *(
            f"lxc.mount.entry = {source} {target.lstrip('/')} none bind,rw,create=dir 0 0"
            for source, target in spec.binds.items()
        ),
    ]
    return "\n".join(lines) + "\n"


class _LxcSession(Session):
    def _create(self, spec: InstanceSpec) -> Instance:
        name = self.workspace.name("lxc")
        cgroup = self.workspace.cgroup(name)
        base = self.workspace.directory("lxc")
        (base / name).mkdir(exist_ok=True)
        config = base / name / "config"
        try:
            config.write_text(configuration(name, str(self.root_for(name, spec)), cgroup.path, spec))
        except OSError as error:
            raise StageError("create", f"{config}: {error.strerror}") from None
        # The network that LXC calls empty has its loopback interface down; a suite that needs it gets another.
        argv = launcher(self.payload.probe, None, new_network=spec.network == "loopback")
        argv += ["/usr/bin/lxc-start", f"--lxcpath={base}", f"--name={name}", f"--rcfile={config}", "--foreground"]
        argv += ["--", "/probe", *spec.arguments]
        # LXC makes groups of its own below the run's; the limits are set on the one above them.
        return SpawnedInstance(name, argv, self.workspace, spec, cgroup=cgroup)


class _LxcDriver(Driver):
    name = "lxc"
    stack = "container"
    below = "namespace"
    packages = ("lxc",)
    overhead_bytes = 12 * 2**20
    typical_start_s = 0.15
    pids_per_instance = 6
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "root"})
    networks = ("host", "loopback")

    def lack(self) -> str | None:
        return missing("lxc-start", "lxc") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _LxcSession(workspace, payload)


DRIVERS = (_LxcDriver(),)
