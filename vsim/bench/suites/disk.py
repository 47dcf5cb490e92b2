"""Disk: fio with one pattern, on the root file system, a bind mount or a volume.

Root file systems are read-only on every rung; here each instance gets one of its own to write to. A plain process has
neither mounts nor volumes: all three paths are the host's file system there, the foot that they are compared with.
I/O is direct where the file system allows it and flagged `buffered` where it doesn't, and `direct-unsure` where a
sandbox's kernel stands in between. The file goes with the instance.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from vsim.bench import fio
from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.payload import host_architecture
from vsim.bench.perform import perform
from vsim.bench.suites._cost import nothing_runs
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.model.plan import DriveDisk, Step

__all__ = ["SUITE"]

MIB = 2**20
_INSIDE = "/data"
# fio itself, its buffers, and room for pages that are written back.
_MEMORY_BYTES = 192 * MIB
# what each path asks of a driver
_NEEDS = {"root": "root", "bind": "binds", "volume": "volumes"}


class _Disk(Suite):
    name = "disk"
    headline = ("disk_latency_p50_s", "disk_latency_p99_s", "disk_iops", "disk_throughput_bytes_per_s")

    def run(self, step: Step, context: Context) -> None:
        assert isinstance(step, DriveDisk)
        program = context.session.payload.programs.get("fio")
        if program is None:
            raise StageError("create", "there is no fio in the payload")
        for direct in (True, False):
            try:
                found = _once(step, context, program, direct=direct)
                break
            except StageError as error:
                if not direct or not fio.refuses_direct(error.message):
                    raise
        flags = [f"path-{step.path}"]
        if not direct:
            flags.append("buffered")
        elif context.driver.stack == "sandboxed-container":
            # Its kernel takes the wish for direct I/O from the application and needn't pass it on to the host.
            flags.append("direct-unsure")
        for metric, (value, unit) in found.items():
            context.record.sample(metric, value, unit, flags=flags)

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, DriveDisk)
        # The file, and a copy of the payload to write to.
        copy = 64 * MIB if step.path == "root" else 0
        layout_s = step.size_bytes / 200e6
        return Demand(
            memory_bytes=driver.overhead_bytes + _MEMORY_BYTES,
            pids=driver.pids_per_instance + 8,
            disk_bytes=step.size_bytes + copy,
            seconds=1.5 * driver.typical_start_s + step.duration_s + layout_s + 0.6,
        )

    def lack(self, step: Step, driver: Driver) -> str | None:
        assert isinstance(step, DriveDisk)
        reason = nothing_runs(driver)
        if reason is not None:
            return reason
        if "programs" not in driver.capabilities:
            return "its guest has nothing but the probe: no fio, and no disk"
        if driver.architecture not in (None, host_architecture()):
            return "the host's fio is for another processor"
        if shutil.which("fio", path="/usr/bin:/bin:/usr/local/bin") is None:
            return "fio is not installed (Debian: apt-get install fio)"
        if _NEEDS[step.path] not in driver.capabilities:
            return f"it has no {_WORDS[step.path]}"
        return None


_WORDS = {"root": "root file system that can be written to", "bind": "bind mounts", "volume": "volumes"}


def _once(step: DriveDisk, context: Context, program: str, *, direct: bool) -> dict[str, tuple[float, str]]:
    """Run fio in an instance of its own and return its metrics."""
    with _directory(context) as directory:
        bare = context.driver.stack == "bare-metal"
        inside = str(directory) if bare else _INSIDE
        spec = InstanceSpec(
            arguments=("run", program, *fio.arguments(step, f"{inside}/fio", direct=direct)),
            memory_bytes=_MEMORY_BYTES,
            writable_root=step.path == "root" and not bare,
            volume=_INSIDE if step.path == "volume" and not bare else None,
            binds={directory: _INSIDE} if step.path == "bind" and not bare else {},
        )
        report = perform(context, spec, timeout_s=60.0 + 5 * step.duration_s, until="exit")
        return dict(fio.metrics("\n".join(report.lines), step))


@contextlib.contextmanager
def _directory(context: Context) -> Iterator[Path]:
    """Make a directory of the host that any user may write to, for as long as the step lasts."""
    workspace = context.session.workspace
    directory = workspace.directory(workspace.name("disk"))
    directory.chmod(0o1777)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


SUITE = _Disk()
