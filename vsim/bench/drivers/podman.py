"""Podman: containers without a daemon, each with a monitor (conmon) of its own.

Images and containers live in a storage of this run's own, so that nothing of the user's is touched and nothing stays.
The instance's output goes straight to the harness (log driver `passthrough`), as with a bare runtime.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from vsim.bench import cgroups
from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers.crun import hybrid_mount
from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.errors import StageError
from vsim.bench.output import Output
from vsim.bench.payload import Payload
from vsim.bench.payload.image import write_image
from vsim.bench.reap import reap
from vsim.bench.spawn import call, wait_gone
from vsim.bench.workspace import Workspace, unmount_below

__all__ = ["DRIVERS"]

_STOP_S = 5


def _runtime() -> str:
    """Return the runtime for podman: its default, crun, except where crun refuses the host's control groups."""
    return "runc" if hybrid_mount() is not None else "crun"


class _PodmanSession(Session):
    def __init__(self, workspace: Workspace, payload: Payload) -> None:
        super().__init__(workspace, payload)
        self.base = workspace.directory("podman")
        self.image = f"localhost/vsim/payload:{workspace.run_id}"
        self.command = [
            "podman",
            *("--root", str(self.base / "storage"), "--runroot", str(self.base / "run")),
            *("--tmpdir", str(self.base / "tmp"), "--storage-driver", "overlay"),
            *("--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", _runtime()),
        ]
        archive = self.base / "image.tar"
        try:
            write_image(payload, archive, tag=self.image, labels={"vsim.run": workspace.run_id})
        except OSError as error:
            raise StageError("open", f"{archive}: {error.strerror}") from None
        self.podman("open", "load", "--quiet", "--input", str(archive), timeout_s=120.0)
        archive.unlink()

    def podman(self, stage: str, *words: str, timeout_s: float = 60.0) -> str:
        """Run a podman command; its message becomes that of the StageError."""
        return call([*self.command, *words], stage=stage, env=self.workspace.environment(), timeout_s=timeout_s)

    def _create(self, spec: InstanceSpec) -> Instance:
        return _PodmanInstance(self, self.workspace.name("podman"), spec)

    def close(self) -> None:
        super().close()
        for words in (("rm", "--all", "--force"), ("rmi", "--all", "--force")):
            with contextlib.suppress(StageError):
                self.podman("close", *words)
        unmount_below(self.base)


class _PodmanInstance(Instance):
    """A container: `create` and `init` make it up to the point where its first instruction can be asked for."""

    def __init__(self, session: _PodmanSession, name: str, spec: InstanceSpec) -> None:
        self.name = name
        self.session = session
        self._spec = spec
        self.files = session.workspace.directory(name)
        self._parent = session.workspace.cgroup(name)
        binds = [word for source, target in spec.binds.items() for word in ("--volume", f"{source}:{target}:rw")]
        self.output = Output.pipe()
        try:
            session.podman(
                "create",
                *("create", "--name", name, "--label", f"vsim.run={session.workspace.run_id}"),
                *("--cgroup-parent", self._parent.path, "--pidfile", str(self.files / "pid")),
                *("--conmon-pidfile", str(self.files / "conmon"), "--log-driver", "passthrough"),
                *(
                    "--network",
                    "host" if spec.network == "host" else "none",
                    "--cap-drop",
                    "all",
                    "--security-opt",
                    "no-new-privileges",
                ),
                *(() if spec.writable_root else ("--read-only",)),
                *(("--volume", spec.volume) if spec.volume is not None else ()),
                *("--memory", str(spec.memory_bytes), "--pids-limit", str(spec.pids), "--user", "65534:65534"),
                # Podman's defaults ask for more than the host may allow.
                *("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"),
                *("--env", f"VSIM_RUN={session.workspace.run_id}", *binds, session.image, *spec.arguments),
            )
            call(
                [*session.command, "init", name],
                stage="create",
                env=session.workspace.environment(),
                stdout=self.output.write_end,
                stderr_file=str(self.files / "errors"),
            )
        except BaseException:
            self.output.started()
            self.remove()
            raise
        self.output.started()
        # podman has written the container's name where the container is going to write.
        end = time.monotonic() + 1.0
        while name not in self.output.text and time.monotonic() < end:
            time.sleep(0.0005)
        self.output.forget()

    def start(self) -> None:
        self.session.podman("start", "start", self.name)

    def stop(self) -> None:
        # podman waits for its monitor to be gone, and the monitor is an orphan.
        reap([self._number("conmon")])
        pid = self._number("pid")
        self.session.podman("stop", "stop", "--time", str(_STOP_S), self.name)
        if not wait_gone(pid, _STOP_S):
            raise StageError("stop", f"it did not end within {_STOP_S} s")

    def remove(self) -> None:
        reap([self._number("conmon")])
        try:
            self.session.podman("remove", "rm", "--force", "--volumes", "--time", "0", "--ignore", self.name)
        finally:
            with contextlib.suppress(OSError):
                self._parent.kill()
                self._parent.remove()
            self.output.close()

    def error_text(self) -> str:
        """Return what the runtime, and after it the container, said on standard error."""
        with contextlib.suppress(OSError):
            return (self.files / "errors").read_text(encoding="utf-8", errors="replace").strip()
        return ""

    def address(self) -> str | None:
        return "127.0.0.1" if self._spec.network == "host" else None

    def _number(self, name: str) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int((self.files / name).read_text())
        return None

    def _cgroup(self) -> cgroups.Cgroup | None:
        pid = self._number("pid")
        return cgroups.cgroup_of(pid) if pid is not None else None

    def pids(self) -> tuple[int, ...]:
        group = self._cgroup()
        return group.pids() if group is not None else ()

    def helpers(self) -> tuple[int, ...]:
        conmon = self._number("conmon")
        return (conmon,) if conmon is not None and Path(f"/proc/{conmon}").exists() else ()

    def cgroup_bytes(self) -> int | None:
        group = self._cgroup()
        return group.memory_bytes() if group is not None else None


class _PodmanDriver(Driver):
    name = "podman"
    stack = "container"
    below = "runc"
    packages = ("podman", "runc")
    overhead_bytes = 16 * 2**20
    start_timeout_s = 30.0
    typical_start_s = 0.4
    pids_per_instance = 16
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "binds", "root", "volumes"})
    networks = ("host", "loopback")

    def lack(self) -> str | None:
        return missing("podman", "podman") or missing(_runtime(), _runtime()) or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _PodmanSession(workspace, payload)


DRIVERS = (_PodmanDriver(),)
