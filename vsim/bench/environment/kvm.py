"""Whether KVM really runs guests here: tried, with a time limit.

`/dev/kvm` can be there and answer, and yet no guest boots: under a hypervisor that passes virtualization on only
partly, a guest's instructions may be executed one by one in software, a thousand times slower than by the processor,
or not at all. So two guests are started and have to do a little work:

1. one without an operating system, through /dev/kvm itself, in 64-bit mode with paging;
2. with QEMU, one that starts like an ordinary one, from the firmware and a boot sector, and writes to its serial port.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vsim.bench.environment import _guest
from vsim.bench.environment.root import Facts
from vsim.bench.errors import StageError
from vsim.bench.spawn import end_process

__all__ = ["Kvm", "boot_sector", "collect_kvm", "kvm_lack", "run_guest", "try_kvm"]

State = Literal["absent", "denied", "boots", "no-guest-boots", "untried"]

_DEVICE = Path("/dev/kvm")
_LIMIT_S = 2.0
_ORDINARY_LIMIT_S = 8.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# One portion of the guest's work is a loop of two instructions.
_PORTION = 2 * _guest.ITERATIONS

_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Kvm:
    """The outcome: `detail` says what was seen; `instructions_per_s` is a lower bound from the first guest."""

    state: State
    detail: str
    instructions_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a guest wrote until it ended, or until the time limit: then `ended` is False."""

    output: bytes
    ended: bool
    error: str
    seconds: float


def try_kvm() -> Kvm:
    """Return what KVM is worth on this host. Tried once per process; takes some seconds where guests hang."""
    with _lock:
        return _try_kvm()


@functools.cache
def _try_kvm() -> Kvm:
    if not _DEVICE.exists():
        return Kvm("absent", "there is no /dev/kvm: no hardware virtualization, or it is switched off")
    if not os.access(_DEVICE, os.R_OK | os.W_OK):
        return Kvm("denied", "/dev/kvm may not be used (run as root, or join the group kvm)")
    if platform.machine() not in ("x86_64", "aarch64"):
        return Kvm("untried", f"there is no test guest for {platform.machine()}")
    try:
        first = judge(run_guest([], limit_s=_LIMIT_S))
        return _ordinary(first) if first.state == "boots" else first
    except (OSError, StageError) as error:
        return Kvm("untried", f"it could not be tried: {error}")


def judge(outcome: Outcome) -> Kvm:
    """Return what the guest without an operating system shows."""
    portions = outcome.output.count(b"v")
    speed = portions * _PORTION / outcome.seconds if portions else None
    if outcome.ended and outcome.output.endswith(b"."):
        return Kvm("boots", "a guest ran", speed)
    if outcome.ended:
        return Kvm("no-guest-boots", f"no guest can be made: {outcome.error or 'it ended early'}")
    if speed is None:
        return Kvm("no-guest-boots", f"a guest hangs: it did nothing within {outcome.seconds:.0f} s")
    return Kvm(
        "no-guest-boots",
        f"a guest executes {speed / 1e6:.2g} million instructions a second, a thousandth of what the CPU does: "
        "they are emulated one by one, and no operating system comes up in useful time",
        speed,
    )


def _ordinary(first: Kvm) -> Kvm:
    """Boot a guest the ordinary way, where QEMU is installed: a kernel as the driver does, or else a boot sector."""
    from vsim.bench.drivers.qemu import find_kernel, kvm_boots

    program = shutil.which(f"qemu-system-{platform.machine()}", path=_PATH)
    if program is None:
        return first
    if find_kernel() is not None:
        reason = kvm_boots()
        if reason is None:
            return Kvm("boots", "a kernel booted under QEMU", first.instructions_per_s)
        return Kvm("no-guest-boots", f"a minimal guest runs, but none under QEMU: {reason}", first.instructions_per_s)
    if platform.machine() != "x86_64":
        return first
    outcome = boot(program, "kvm", limit_s=_ORDINARY_LIMIT_S)
    if outcome.output.endswith(b"."):
        return Kvm("boots", f"a guest booted under QEMU in {outcome.seconds:.1f} s", first.instructions_per_s)
    what = "ended" if outcome.ended else "hung"
    reason = f": {outcome.error}" if outcome.error else ""
    return Kvm(
        "no-guest-boots", f"a minimal guest runs, but one under QEMU {what} at boot{reason}", first.instructions_per_s
    )


def boot(program: str, accelerator: str, *, limit_s: float) -> Outcome:
    """Boot QEMU from :func:`boot_sector`, as any guest boots: through the firmware."""
    with tempfile.TemporaryDirectory(prefix="vsim-kvm-") as directory:
        disk = Path(directory) / "boot.img"
        disk.write_bytes(boot_sector())
        return run_guest(
            [
                *(program, "-accel", accelerator, "-m", "16", "-nodefaults", "-no-user-config", "-display", "none"),
                *("-serial", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x01"),
                *("-drive", f"file={disk},format=raw,if=ide,snapshot=on"),
            ],
            limit_s=limit_s,
        )


def boot_sector() -> bytes:
    """Return a disk of one sector that does the portions of work, a byte to the serial port each, and ends QEMU."""
    # si = portions; ecx = iterations; the operand prefix 0x66 makes 32 bits of them in 16-bit mode
    head = b"\xfa" + b"\xbe" + struct.pack("<H", _guest.PORTIONS)
    portion = (
        b"\x66\xb9" + struct.pack("<I", _guest.ITERATIONS) + b"\x66\x49\x75\xfc" + b"\xba\xf8\x03\xb0v\xee" + b"\x4e"
    )
    again = b"\x75" + struct.pack("b", -len(portion) - 2)
    # out 0x3f8, '.'; out 0xf4, 0: the debug-exit device ends QEMU; hlt
    end = b"\xb0.\xee" + b"\xb0\0\xe6\xf4" + b"\xf4\xeb\xfd"
    return (head + portion + again + end).ljust(510, b"\0") + b"\x55\xaa"


def run_guest(program: Sequence[str], *, limit_s: float) -> Outcome:
    """Run the guest, or `program` in its place, and kill it with all that it started after the time limit."""
    begin = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", _guest.__file__, *program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": _PATH, "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    output, errors = bytearray(), bytearray()
    assert process.stdout is not None
    assert process.stderr is not None
    streams = {process.stdout.fileno(): output, process.stderr.fileno(): errors}
    started: float | None = None
    try:
        while streams:
            left = limit_s - (time.monotonic() - begin)
            ready = select.select(list(streams), [], [], max(left, 0))[0] if left > 0 else []
            if not ready:
                break
            for descriptor in ready:
                piece = os.read(descriptor, 4096)
                if piece:
                    streams[descriptor] += piece
                    started = started or time.monotonic()
                else:
                    del streams[descriptor]
        ended = not streams
    finally:
        with contextlib.suppress(OSError):
            end_process(process)
    text = bytes(errors).decode("utf-8", "replace").strip()
    seconds = time.monotonic() - (started or begin)
    return Outcome(bytes(output), ended, text.splitlines()[-1][-200:] if text else "", max(seconds, 1e-6))


def kvm_lack() -> str | None:
    """Return why no guest can be run with KVM, in one line; None when guests boot. For drivers' `lack`."""
    found = try_kvm()
    if found.state in ("boots", "untried"):
        return None
    if found.state == "no-guest-boots":
        return f"KVM is present but no guest boots: {found.detail}"
    return found.detail


def collect_kvm() -> Facts:
    """Return the outcome as facts."""
    found = try_kvm()
    facts: Facts = {"kvm": found.state, "kvm_detail": found.detail}
    if found.instructions_per_s is not None:
        facts["kvm_instructions_per_s"] = round(found.instructions_per_s)
    return facts
