"""QEMU: a whole machine, once with the processor's virtualization (KVM), once fully emulated (TCG).

That /dev/kvm exists says little: on some hosts it is there and a guest never gets as far as its first instruction.
Whether guests boot is found out in one place, :mod:`vsim.bench.environment.kvm`, once, for the environment record and
for this driver alike.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vsim.bench.drivers._guest import GuestSession, guest_memory
from vsim.bench.drivers._lack import missing
from vsim.bench.drivers._modules import network_modules
from vsim.bench.drivers.interface import Driver, InstanceSpec, Session
from vsim.bench.environment.kvm import kvm_lack
from vsim.bench.output import Output
from vsim.bench.payload import Payload, host_architecture, probe_path
from vsim.bench.payload.initramfs import initramfs
from vsim.bench.spawn import end_process, environment, spawn
from vsim.bench.workspace import Workspace
from vsim.errors import HostError

__all__ = ["DRIVERS", "find_kernel", "kvm_boots"]

_KVM_TIMEOUT_S = 8.0
# architecture -> program, its Debian package, machine, serial device
_SYSTEMS = {
    "x86_64": ("qemu-system-x86_64", "qemu-system-x86", "pc", "/dev/ttyS0"),
    "aarch64": ("qemu-system-aarch64", "qemu-system-arm", "virt", "/dev/ttyAMA0"),
}


def find_kernel() -> Path | None:
    """Return a kernel for guests: VSIM_KERNEL, or the newest below /boot, a small one for clouds first."""
    given = os.environ.get("VSIM_KERNEL")
    if given:
        return Path(given) if Path(given).is_file() else None
    readable = [path for path in sorted(Path("/boot").glob("vmlinuz-*")) if os.access(path, os.R_OK)]
    cloud = [path for path in readable if "cloud" in path.name]
    found = cloud or readable
    return found[-1] if found else None


def _command(
    accelerator: str,
    memory_mib: int,
    kernel: Path,
    initrd: Path,
    arguments: Sequence[str],
    options: Sequence[str] = ("-nic", "none"),
) -> list[str]:
    program, _, machine, serial = _SYSTEMS[host_architecture()]
    words = " ".join(("quiet", "loglevel=0", "panic=-1", "--", f"tty={serial}", *arguments))
    return [
        program,
        *("-machine", f"{machine},accel={accelerator}", "-cpu", "host" if accelerator == "kvm" else "max"),
        *("-m", str(memory_mib), "-smp", "1", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *options,
        *("-serial", "stdio", "-kernel", str(kernel), "-initrd", str(initrd), "-append", words),
    ]


def _network_card(ports: Sequence[int]) -> list[str]:
    """Return the options for a card behind QEMU's own network stack, which forwards these ports and nothing else."""
    forwards = "".join(f",hostfwd=tcp:127.0.0.1:{port}-:{port}" for port in ports)
    return ["-netdev", f"user,id=net,restrict=on{forwards}", "-device", "virtio-net-pci,netdev=net,romfile="]


def kvm_boots() -> str | None:
    """Boot this driver's own kind of guest on KVM, and return why it doesn't, or None when it does."""
    kernel = find_kernel()
    assert kernel is not None
    with tempfile.TemporaryDirectory(prefix="vsim-kvm-") as directory, Output.pipe() as output:
        initrd = Path(directory) / "initramfs.cpio"
        initrd.write_bytes(initramfs(probe_path(host_architecture()).read_bytes()))
        assert output.write_end is not None
        errors = Path(directory) / "errors"
        with errors.open("wb") as file:
            process = spawn(
                _command("kvm", 128, kernel, initrd, ["exit"]),
                stage="open",
                env=environment("kvm-check"),
                stdout=output.write_end,
                stderr=file.fileno(),
            )
        output.started()
        try:
            reached = output.wait_for("ready", _KVM_TIMEOUT_S)
        finally:
            with contextlib.suppress(OSError):
                end_process(process)
        said = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if reached is not None:
        return None
    return said[0].removeprefix("qemu-system-x86_64: ") if said else f"nothing within {_KVM_TIMEOUT_S:g} s"


class _QemuDriver(Driver):
    stack = "vm"
    capabilities = frozenset({"cgroup", "pids", "pss"})
    pids_per_instance = 8
    overhead_bytes = 224 * 2**20

    def __init__(self, name: str, accelerator: str, below: str) -> None:
        self.name = name
        self.below = below
        self._accelerator = accelerator
        emulated = accelerator == "tcg"
        if network_modules(find_kernel()):
            self.networks = ("published", "loopback")
        self.flags = ("emulated",) if emulated else ()
        self.start_timeout_s = 60.0 if emulated else 20.0
        self.typical_start_s = 2.5 if emulated else 1.0
        self.packages = (_SYSTEMS.get(host_architecture(), _SYSTEMS["x86_64"])[1], "linux-image-cloud-amd64")

    def lack(self) -> str | None:
        if host_architecture() not in _SYSTEMS:
            return f"vsim boots no guests on {host_architecture()}"
        program, package, _, _ = _SYSTEMS[host_architecture()]
        reason = missing(program, package)
        if reason is not None:
            return reason
        if find_kernel() is None:
            return "there is no kernel for guests in /boot (Debian: apt-get install linux-image-cloud-amd64)"
        return kvm_lack() if self._accelerator == "kvm" else None

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        kernel = find_kernel()
        if kernel is None:
            raise HostError("there is no kernel for guests in /boot")
        program = shutil.which(_SYSTEMS[host_architecture()][0]) or ""

        modules = network_modules(kernel)

        def command(name: str, spec: InstanceSpec, initrd: Path) -> Sequence[str]:
            words: Sequence[str] = spec.arguments
            options: Sequence[str] = ("-nic", "none")
            if spec.network == "published":
                words = (*(f"module=/{n}.ko" for n in range(len(modules))), "ip=eth0:10.0.2.15:24", *words)
                options = _network_card(spec.ports)
            argv = _command(self._accelerator, guest_memory(spec), kernel, initrd, words, options)
            return [program, *argv[1:]]

        return GuestSession(workspace, payload, self.name, command, modules=modules)


DRIVERS = (_QemuDriver("qemu-kvm", "kvm", "process"), _QemuDriver("qemu-tcg", "tcg", "uml"))
