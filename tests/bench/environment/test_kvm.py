"""Trying KVM: what the outcomes mean, that the guests are right, and that nothing is left of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vsim.bench.drivers import qemu
from vsim.bench.environment import _guest, kvm
from vsim.bench.environment.kvm import Kvm, Outcome, boot, boot_sector, judge, run_guest

QEMU = shutil.which("qemu-system-x86_64")


def test_a_guest_that_does_all_its_work_boots() -> None:
    found = judge(Outcome(b"(" + b"v" * 100 + b".", ended=True, error="", seconds=0.01))
    # 100 portions of 100 000 turns of two instructions, in 10 ms
    assert found == Kvm("boots", "a guest ran", pytest.approx(2e9))


def test_a_guest_that_crawls_is_no_guest_that_boots() -> None:
    found = judge(Outcome(b"(" + b"v" * 10, ended=False, error="", seconds=2.0))
    assert found.state == "no-guest-boots"
    assert found.instructions_per_s == 1e6
    assert "1 million instructions a second" in found.detail


def test_a_guest_that_hangs() -> None:
    found = judge(Outcome(b"(", ended=False, error="", seconds=2.0))
    assert found == Kvm("no-guest-boots", "a guest hangs: it did nothing within 2 s")


def test_a_guest_that_can_not_be_made() -> None:
    found = judge(Outcome(b"", ended=True, error="Device or resource busy", seconds=0.1))
    assert found == Kvm("no-guest-boots", "no guest can be made: Device or resource busy")


@pytest.mark.parametrize(
    ("state", "lack"),
    [
        (Kvm("boots", "a kernel booted under QEMU"), None),
        (Kvm("absent", "there is no /dev/kvm"), "there is no /dev/kvm"),
        (Kvm("no-guest-boots", "a guest hangs"), "KVM is present but no guest boots: a guest hangs"),
    ],
)
def test_what_a_driver_lacks(state: Kvm, lack: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kvm, "try_kvm", lambda: state)
    assert kvm.kvm_lack() == lack


def test_the_driver_asks_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """One question, one answer: the record of the host and the driver can't disagree."""
    monkeypatch.setattr(qemu, "missing", lambda program, package: None)
    monkeypatch.setattr(qemu, "find_kernel", lambda: Path("/boot/vmlinuz"))
    monkeypatch.setattr(qemu, "kvm_boots", lambda: pytest.fail("a guest was booted"))
    monkeypatch.setattr(kvm, "try_kvm", lambda: Kvm("no-guest-boots", "a guest hangs"))
    reasons = {driver.name: driver.lack() for driver in qemu.DRIVERS}
    assert reasons == {"qemu-kvm": "KVM is present but no guest boots: a guest hangs", "qemu-tcg": None}


def test_without_the_device_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kvm, "_DEVICE", tmp_path / "kvm")
    monkeypatch.setattr(kvm, "run_guest", lambda *_, **__: pytest.fail("a guest was started"))
    assert kvm._try_kvm.__wrapped__().state == "absent"


def test_the_x86_guest_is_the_program_that_its_comment_says() -> None:
    code = _guest._x86_code()
    # the last jump goes back to `mov ecx`, 15 bytes in; behind it, halt
    assert code[0] == 0xBE
    assert code[12:13] == b"\xb9"
    jump = len(code) - 3
    assert code[jump : jump + 1] == b"\x75"
    assert jump + 2 + int.from_bytes(code[jump + 1 : jump + 2], signed=True) == 12
    assert code[-1:] == b"\xf4"


def test_a_boot_sector_has_one_sector_and_its_mark() -> None:
    assert len(boot_sector()) == 512
    assert boot_sector()[-2:] == b"\x55\xaa"


@pytest.mark.skipif(QEMU is None, reason="qemu-system-x86_64 is not installed")
def test_the_boot_sector_boots_in_an_emulated_machine() -> None:
    """So when it doesn't under KVM, that is KVM's doing."""
    assert QEMU is not None
    outcome = boot(QEMU, "tcg", limit_s=20)
    assert outcome.ended, outcome
    assert outcome.output == b"v" * _guest.PORTIONS + b"."


@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="no /dev/kvm that may be used")
def test_the_device_itself_takes_the_guest() -> None:
    """Fast or slow: its first portions of work show that memory, registers and 64-bit mode are set up right."""
    outcome = run_guest([], limit_s=3)
    assert outcome.output.startswith(b"(vv"), outcome
    assert outcome.error == ""


def _children_of(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def test_after_the_limit_all_that_was_started_is_killed(tmp_path: Path) -> None:
    """Here something that ignores polite requests, and starts something else."""
    note = tmp_path / "group"
    script = f'trap "" TERM HUP INT; echo $$ > {note}; sleep 60 & echo started; wait'
    begin = time.monotonic()
    outcome = run_guest(["/bin/sh", "-c", script], limit_s=1)
    assert 0.9 < time.monotonic() - begin < 5
    assert outcome.output == b"started\n"
    assert not outcome.ended
    # Killed it is, and gone a moment later: nobody but init waits for it.
    end = time.monotonic() + 5
    while _children_of(int(note.read_text())) and time.monotonic() < end:
        time.sleep(0.005)
    assert _children_of(int(note.read_text())) == []


def test_a_guest_ends_when_who_started_it_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = (
        "from vsim.bench.environment.kvm import run_guest\n"
        f"run_guest(['/bin/sh', '-c', 'echo $$ > {note}; exec sleep 60'], limit_s=60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    end = time.monotonic() + 20
    while not (note.exists() and note.read_text()) and time.monotonic() < end:
        time.sleep(0.02)
    guest = int(note.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while _children_of(guest) and time.monotonic() < end:
        time.sleep(0.02)
    assert _children_of(guest) == []


def test_a_program_that_is_not_there_is_an_outcome(tmp_path: Path) -> None:
    outcome = run_guest([str(tmp_path / "nothing")], limit_s=10)
    assert outcome.ended
    assert "No such file" in outcome.error
