"""The OCI base: a bundle made from the payload, and a runtime with create, start, kill, delete."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vsim.bench.cgroups import Cgroup
from vsim.bench.drivers._spawned import STOP_TIMEOUT_S, probes_first
from vsim.bench.drivers.interface import Instance, InstanceSpec, Session
from vsim.bench.errors import StageError
from vsim.bench.links import Bridge, has_ip
from vsim.bench.output import Output
from vsim.bench.payload import Payload
from vsim.bench.reap import reap
from vsim.bench.spawn import call, wait_gone
from vsim.bench.workspace import Workspace

__all__ = ["OciInstance", "OciSession", "bundle_config", "sweep_states", "with_bridge"]

_NAMESPACES = ("pid", "ipc", "uts", "mount")


def with_bridge(*networks: str) -> tuple[str, ...]:
    """Return the networks that a driver offers here: a bridge before its own, where the host can make one."""
    return ("bridge", *networks) if has_ip() else networks


def bundle_config(
    spec: InstanceSpec, root: Path, cgroup: str, env: Mapping[str, str], *, network: Path | None = None
) -> dict[str, Any]:
    """Return a config.json: no capabilities, no new privileges, read-only root, limits, no network.

    `network` is the file of a network namespace that is there already; without it there is a new and empty one, or
    that of the host where `spec` says so.
    """
    empty: list[str] = []
    namespaces: list[dict[str, str]] = [{"type": kind} for kind in _NAMESPACES]
    if network is not None:
        namespaces.append({"type": "network", "path": str(network)})
    elif spec.network != "host":
        # The runtimes raise the loopback interface of a new one.
        namespaces.append({"type": "network"})
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 65534, "gid": 65534},
            "args": ["/probe", *spec.arguments],
            "env": [f"{name}={value}" for name, value in env.items()],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), empty),
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": str(root), "readonly": not spec.writable_root},
        "hostname": "vsim",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {
                "destination": "/dev",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "strictatime", "mode=755", "size=64k"],
            },
            {
                "destination": "/tmp",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "nodev", "mode=1777", "size=16m"],
            },
            *(
                {"destination": target, "type": "bind", "source": str(source), "options": ["rbind", "rw"]}
                for source, target in spec.binds.items()
            ),
        ],
        "linux": {
            "cgroupsPath": cgroup,
            "namespaces": namespaces,
            "resources": {
                "devices": [{"allow": False, "access": "rwm"}],
                "memory": {"limit": spec.memory_bytes},
                "pids": {"limit": spec.pids},
            },
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }


class OciSession(Session):
    """A runtime called as `command` (words before create, start, …) with its state in a directory of the run."""

    def __init__(self, workspace: Workspace, payload: Payload, driver: str, command: Sequence[str]) -> None:
        super().__init__(workspace, payload)
        self.driver = driver
        self.state = workspace.directory(f"{driver}-state")
        self.command = [*command, f"--root={self.state}"]
        self.bridge = Bridge(workspace, driver)

    def _create(self, spec: InstanceSpec) -> Instance:
        return OciInstance(self, self.workspace.name(self.driver), spec)

    def command_for(self, spec: InstanceSpec) -> Sequence[str]:
        """Return the words before create, start, … for an instance with this specification."""
        return self.command

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.bridge.close()


class OciInstance(Instance):
    """A container, made of its bundle when it is created."""

    def __init__(self, session: OciSession, name: str, spec: InstanceSpec) -> None:
        self.name = name
        self.session = session
        self.cgroup: Cgroup = session.workspace.cgroup(name)
        self.bundle = session.workspace.directory(name)
        self._pid_file = self.bundle / "pid"
        self._env = session.workspace.environment()
        self._spec = spec
        self._command = session.command_for(spec)
        self._address = "127.0.0.1" if spec.network == "host" else None
        self.output = Output.pipe()
        try:
            network = None
            if spec.network == "bridge":
                network, self._address = session.bridge.attach(name)
            config = bundle_config(spec, session.root_for(name, spec), self.cgroup.path, self._env, network=network)
            (self.bundle / "config.json").write_text(json.dumps(config))
            call(
                [*self._command, "create", f"--bundle={self.bundle}", f"--pid-file={self._pid_file}", name],
                stage="create",
                env=self._env,
                stdout=self.output.write_end,
                stderr_file=str(self.bundle / "errors"),
            )
        except BaseException:
            self.output.started()
            # What was wrong first is what is told.
            with contextlib.suppress(StageError):
                self.remove()
            raise
        self.output.started()

    def _call(self, stage: str, *words: str, timeout_s: float = 30.0) -> str:
        return call([*self._command, *words], stage=stage, env=self._env, timeout_s=timeout_s)

    def start(self) -> None:
        self._call("start", "start", self.name)

    def ends_itself(self) -> None:
        # What has ended is in no group any more, and runtimes wait until it is reaped.
        reap([*self.pids(), *self.helpers()])

    def stop(self) -> None:
        reap([*self.pids(), *self.helpers()])
        self._call("stop", "kill", self.name, "TERM")
        if not wait_gone(self.main_pid(), STOP_TIMEOUT_S):
            raise StageError("stop", f"it did not end within {STOP_TIMEOUT_S:g} s")

    def remove(self) -> None:
        """Delete the container, by force: runtimes call one that has just ended running for a moment."""
        reap(self.cgroup.pids())
        if (self.session.state / self.name).exists() or any(self.session.state.glob(f"*{self.name}*")):
            end = time.monotonic() + STOP_TIMEOUT_S
            while True:
                try:
                    self._call("remove", "delete", "--force", self.name)
                    break
                except StageError as error:
                    if "not exist" in error.message or "not found" in error.message:
                        break
                    if time.monotonic() > end:
                        self._clear()
                        raise
                    time.sleep(0.01)
        self._clear()

    def _clear(self) -> None:
        with contextlib.suppress(OSError):
            self.cgroup.kill()
            self.cgroup.remove()
        self.session.bridge.detach(self.name)
        shutil.rmtree(self.bundle, ignore_errors=True)
        self.output.close()

    def error_text(self) -> str:
        """Return what the runtime said while it started: also after it had said that it was done."""
        with contextlib.suppress(OSError):
            return (self.bundle / "errors").read_text(encoding="utf-8", errors="replace").strip()
        return ""

    def main_pid(self) -> int | None:
        """Return the number of the container's first process on the host."""
        with contextlib.suppress(OSError, ValueError):
            return int(self._pid_file.read_text())
        return None

    def pids(self) -> tuple[int, ...]:
        return probes_first(self.cgroup.pids())[0]

    def cgroup_bytes(self) -> int | None:
        return self.cgroup.memory_bytes()

    def address(self) -> str | None:
        return self._address


def sweep_states(runs: Sequence[Path], driver: str, command: Sequence[str]) -> list[str]:
    """Delete the containers that crashed runs left in their state directories; return their names."""
    removed: list[str] = []
    for run in runs:
        state = run / f"{driver}-state"
        if not state.is_dir():
            continue
        for entry in sorted(state.iterdir()):
            if not entry.name.startswith("vsim-"):
                continue
            with contextlib.suppress(StageError):
                call(
                    [*command, f"--root={state}", "delete", "--force", entry.name.partition(".")[0]],
                    stage="remove",
                    env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                )
                removed.append(f"{driver} container {entry.name}")
    return removed
