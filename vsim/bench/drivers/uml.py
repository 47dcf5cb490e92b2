"""User-mode Linux: a guest kernel as an ordinary process, without any help of the hardware."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vsim.bench.drivers._guest import GuestSession, guest_memory
from vsim.bench.drivers._lack import missing
from vsim.bench.drivers.interface import Driver, InstanceSpec, Session
from vsim.bench.payload import Payload, host_architecture
from vsim.bench.workspace import Workspace

__all__ = ["DRIVERS"]

_PROGRAM = "/usr/bin/linux.uml"


class _UmlDriver(Driver):
    name = "uml"
    stack = "vm"
    below = "process"
    packages = ("user-mode-linux",)
    overhead_bytes = 128 * 2**20
    start_timeout_s = 30.0
    typical_start_s = 1.3
    pids_per_instance = 16
    flags = ("paravirtual",)
    capabilities = frozenset({"cgroup", "pids", "pss"})

    def lack(self) -> str | None:
        if host_architecture() != "x86_64":
            return "user-mode-linux exists for x86-64 only"
        return missing("linux.uml", "user-mode-linux")

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        def command(name: str, spec: InstanceSpec, initramfs: Path) -> Sequence[str]:
            return (
                _PROGRAM,
                f"mem={guest_memory(spec)}M",
                f"initrd={initramfs}",
                # The probe has a console of its own; the kernel's messages go to none.
                *("con=null", "ssl=null", "con1=fd:0,fd:1", "root=/dev/ram0", "quiet", "loglevel=0"),
                *(f"umid={name}", f"uml_dir={workspace.path}/"),
                *("--", "tty=/dev/tty1", *spec.arguments, "end"),
            )

        return GuestSession(workspace, payload, self.name, command)


DRIVERS = (_UmlDriver(),)
