"""Rungs that are a program started by the harness itself: a process, or a sandbox that starts the probe."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from vsim.bench.cgroups import Cgroup
from vsim.bench.drivers.interface import Instance, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.output import Output
from vsim.bench.spawn import end_process, ended, errors_file, spawn
from vsim.bench.workspace import Workspace

__all__ = ["STOP_TIMEOUT_S", "SpawnedInstance", "launcher", "probes_first"]

STOP_TIMEOUT_S = 5.0


class SpawnedInstance(Instance):
    """`argv`, in a control group of its own when `cgroup` is given."""

    def __init__(
        self, name: str, argv: Sequence[str], workspace: Workspace, spec: InstanceSpec, *, cgroup: Cgroup | None
    ) -> None:
        self.name = name
        self._argv = argv
        self._workspace = workspace
        self._process: subprocess.Popen[bytes] | None = None
        self._cgroup = cgroup
        self._spec = spec
        if cgroup is not None:
            try:
                cgroup.create(memory_bytes=spec.memory_bytes, pids=spec.pids)
            except OSError as error:
                raise StageError("create", f"control group {cgroup.path}: {error.strerror}") from None
        self._errors = workspace.path / f"{name}.err"
        self.output = Output.pipe()

    def start(self) -> None:
        """Spawn the program; its standard error is kept for the message of a failure."""
        assert self.output.write_end is not None
        errors = errors_file(self._errors, stage="start")
        try:
            self._process = spawn(
                self._argv,
                stage="start",
                env=self._workspace.environment(),
                stdout=self.output.write_end,
                stderr=errors,
            )
        finally:
            os.close(errors)
            self.output.started()

    def stop(self) -> None:
        """Send SIGTERM to the probe, wherever it is, and wait for the program that was started."""
        if self._process is None:
            raise StageError("stop", "it was never started")
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if not ended(self._process, STOP_TIMEOUT_S):
            raise StageError("stop", f"it did not end within {STOP_TIMEOUT_S:g} s")

    def remove(self) -> None:
        """Kill what is left of it, and remove its group."""
        if self._process is not None:
            end_process(self._process)
        if self._cgroup is not None:
            self._cgroup.kill()
            with contextlib.suppress(OSError):
                self._cgroup.remove()
        self._errors.unlink(missing_ok=True)
        # A root file system of its own, where it had one.
        shutil.rmtree(self._workspace.path / self.name, ignore_errors=True)
        self.output.close()

    def error_text(self) -> str:
        """Return what the program said on standard error."""
        with contextlib.suppress(OSError):
            return self._errors.read_text(encoding="utf-8", errors="replace").strip()
        return ""

    def pids(self) -> tuple[int, ...]:
        """Return the probe's processes."""
        return probes_first(self._members())[0]

    def helpers(self) -> tuple[int, ...]:
        """Return the sandbox's own processes."""
        return probes_first(self._members())[1]

    def _members(self) -> tuple[int, ...]:
        if self._process is None or self._process.poll() is not None:
            return ()
        return self._cgroup.pids() if self._cgroup is not None else (self._process.pid,)

    def cgroup_bytes(self) -> int | None:
        """Return what is charged to its group."""
        return self._cgroup.memory_bytes() if self._cgroup is not None else None

    def address(self) -> str | None:
        """Return the loopback address where it shares the host's network."""
        return "127.0.0.1" if self._spec.network == "host" else None


def launcher(
    payload_probe: Path,
    cgroup: Cgroup | None,
    *,
    mount_namespace: Path | None = None,
    new_network: bool = False,
    no_new_privileges: bool = False,
) -> list[str]:
    """Return the words to put before an argv so that it runs in `cgroup` (and a mount namespace) from its start.

    `new_network` gives it a network namespace whose loopback interface is up, `no_new_privileges` keeps programs with
    the bits for another user or group from getting what these bits promise.

    The probe is the launcher: joining from outside, after the start, would leave the first pages uncharged.
    """
    entries = [f"enter={entry}" for entry in cgroup.entries] if cgroup is not None else []
    if mount_namespace is not None:
        entries.append(f"mount-ns={mount_namespace}")
    if new_network:
        entries.append("new-net")
    if no_new_privileges:
        entries.append("no-new-privs")
    return [str(payload_probe), *entries, "exec"] if entries else []


def probes_first(pids: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the processes that run the probe, and the others."""
    probes: list[int] = []
    others: list[int] = []
    for pid in pids:
        with contextlib.suppress(OSError):
            (probes if Path(f"/proc/{pid}/comm").read_text().strip() == "probe" else others).append(pid)
    return tuple(probes), tuple(others)
