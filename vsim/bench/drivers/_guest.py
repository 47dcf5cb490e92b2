"""Rungs with a kernel of their own: a monitor process that boots a kernel with the probe as its init.

The guest talks through its console on the monitor's standard input and output: nothing but the probe's lines comes out
of it, and `q` asks the probe to power the guest off.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from vsim.bench.cgroups import Cgroup
from vsim.bench.drivers._spawned import launcher
from vsim.bench.drivers.interface import Instance, InstanceSpec, Session
from vsim.bench.errors import StageError
from vsim.bench.output import Output
from vsim.bench.payload import Payload
from vsim.bench.payload.initramfs import write_initramfs
from vsim.bench.reap import reap
from vsim.bench.spawn import end_process, ended, errors_file, spawn
from vsim.bench.workspace import Workspace

__all__ = ["GuestInstance", "GuestSession", "guest_memory"]

MIB = 2**20

# What a kernel needs to boot besides what the probe touches. Its monitor needs some more of the host.
KERNEL_BYTES = 64 * MIB
MONITOR_BYTES = 192 * MIB
MONITOR_PIDS = 128

# name of the instance, its specification -> the monitor's argv
Command = Callable[[str, InstanceSpec, Path], Sequence[str]]


def guest_memory(spec: InstanceSpec) -> int:
    """Return the guest's memory in MiB: what the instance may use, and what its kernel does."""
    return (spec.memory_bytes + KERNEL_BYTES) // MIB


class GuestSession(Session):
    """Writes the first file system once; `command` makes a guest's argv from its name, specification and this file.

    Guests with a network get another one, with `modules` in it as /0.ko, /1.ko, …: what has no network shouldn't pay.
    """

    def __init__(
        self,
        workspace: Workspace,
        payload: Payload,
        driver: str,
        command: Command,
        *,
        stop_s: float = 10.0,
        modules: Sequence[Path] = (),
    ) -> None:
        super().__init__(workspace, payload)
        self.driver = driver
        self.command = command
        self.stop_s = stop_s
        self.initramfs = workspace.directory(driver) / "initramfs.cpio"
        self.networked = self.initramfs.with_name("networked.cpio")
        try:
            write_initramfs(payload, self.initramfs)
            if modules:
                files = [(f"/{number}.ko", path) for number, path in enumerate(modules)]
                write_initramfs(payload, self.networked, files=files)
        except OSError as error:
            raise StageError("open", f"{self.initramfs}: {error.strerror}") from None

    def _create(self, spec: InstanceSpec) -> Instance:
        return GuestInstance(self, self.workspace.name(self.driver), spec)


class GuestInstance(Instance):
    """A monitor process and the guest in it."""

    def __init__(self, session: GuestSession, name: str, spec: InstanceSpec) -> None:
        self.name = name
        self.session = session
        self._process: subprocess.Popen[bytes] | None = None
        self._spec = spec
        initramfs = session.networked if spec.network == "published" else session.initramfs
        self._argv = session.command(name, spec, initramfs)
        self._errors = session.workspace.path / f"{name}.err"
        self._cgroup: Cgroup | None = None
        cgroup = session.workspace.cgroup(name)
        # Without root there are no groups to make; the guest's own memory is its limit then.
        if os.geteuid() == 0:
            try:
                cgroup.create(memory_bytes=spec.memory_bytes + KERNEL_BYTES + MONITOR_BYTES, pids=MONITOR_PIDS)
            except OSError as error:
                raise StageError("create", f"control group {cgroup.path}: {error.strerror}") from None
            self._cgroup = cgroup
        self.output = Output.pipe()

    def start(self) -> None:
        assert self.output.write_end is not None
        errors = errors_file(self._errors, stage="start")
        try:
            self._process = spawn(
                [*launcher(self.session.payload.probe, self._cgroup), *self._argv],
                stage="start",
                # No TMPDIR: user-mode Linux keeps its memory in an unlinked file, which belongs on a tmpfs (/dev/shm).
                # On a disk it would be page cache, that is: memory which the host takes for available.
                env=self.session.workspace.environment(),
                stdin=subprocess.PIPE,
                stdout=self.output.write_end,
                stderr=errors,
            )
        finally:
            os.close(errors)
            self.output.started()

    def stop(self) -> None:
        """Ask the guest to power itself off, and wait for its monitor to end."""
        if self._process is None or self._process.stdin is None:
            raise StageError("stop", "it was never started")
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"q\n")
            self._process.stdin.flush()
        if not ended(self._process, self.session.stop_s):
            raise StageError("stop", f"the guest did not power off within {self.session.stop_s:g} s")

    def remove(self) -> None:
        if self._cgroup is not None:
            reap(self._cgroup.pids())
        if self._process is not None:
            # Its input may be full of what the guest never read.
            with contextlib.suppress(OSError):
                end_process(self._process)
        if self._cgroup is not None:
            self._cgroup.kill()
            with contextlib.suppress(OSError):
                self._cgroup.remove()
        self._errors.unlink(missing_ok=True)
        self.output.close()

    def error_text(self) -> str:
        """Return what the monitor said on standard error."""
        with contextlib.suppress(OSError):
            return self._errors.read_text(encoding="utf-8", errors="replace").strip()
        return ""

    def pids(self) -> tuple[int, ...]:
        """Return the monitor's processes: the guest's memory is theirs."""
        if self._process is None or self._process.poll() is not None:
            return ()
        return self._cgroup.pids() if self._cgroup is not None else (self._process.pid,)

    def cgroup_bytes(self) -> int | None:
        return self._cgroup.memory_bytes() if self._cgroup is not None else None

    def endpoint(self, port: int) -> tuple[str, int] | None:
        return ("127.0.0.1", port) if port in self._spec.ports and self._spec.network == "published" else None
