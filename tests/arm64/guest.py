"""vsim on AArch64 with pure cgroup v2: a Debian guest under full emulation runs the doctor and a quick bench.

Not part of `make test`: it takes ten minutes the first time, most of it for the root file system. `make test-arm64`
runs it. What is measured in there says nothing about any machine; that it can be measured is what is tested.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vsim.samples.records import read_samples

HERE = Path(__file__).parent
WORK = Path(os.environ.get("VSIM_ARM64") or HERE.parents[1] / "build" / "arm64")
QEMU = "qemu-system-aarch64"
# Booting takes 15 s and the two commands two minutes; the limit is for a guest that hangs.
LIMIT_S = 900


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Boot the guest and return the directory with what it left in /results."""
    if shutil.which(QEMU) is None:
        pytest.fail(f"{QEMU} is missing: apt-get install qemu-system-arm debootstrap qemu-user-static", pytrace=False)
    subprocess.run([HERE / "make-root", WORK, sys.executable], check=True)
    command = [QEMU, "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1536", "-nographic", "-no-reboot"]
    command += ["-nic", "none", "-kernel", str(WORK / "vmlinuz"), "-initrd", str(WORK / "initrd")]
    command += ["-drive", f"file={WORK / 'disk'},format=raw,if=virtio,cache=unsafe"]
    command += ["-append", "console=ttyAMA0 root=/dev/vda rw quiet panic=-1 init=/usr/local/sbin/vsim-guest"]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT_S,
        check=False,
    )
    console = done.stdout.decode(errors="replace")
    sys.stdout.write(console)
    assert "vsim-guest: clean" in console, "the guest didn't come to its last step"
    out = tmp_path_factory.mktemp("guest")
    subprocess.run(["debugfs", "-R", f"rdump /results {out}", str(WORK / "disk")], capture_output=True, check=True)
    return out / "results"


@pytest.mark.parametrize("step", ["doctor", "doctor-json", "bench", "clean"])
def test_commands_end_well(results: Path, step: str) -> None:
    code = (results / f"{step}.code").read_text().strip()
    said = (results / f"{step}.err").read_text()
    assert code == "0", said
    assert "Traceback" not in said


def test_the_doctor_sees_what_it_is(results: Path) -> None:
    said = (results / "doctor.out").read_text()
    assert "virtual machine" in said
    assert "aarch64" in said
    assert "cgroup v2" in said
    assert "hybrid" not in said
    json.loads((results / "doctor-json.out").read_text())


def test_samples_of_every_rung_and_no_failure(results: Path) -> None:
    samples = read_samples(results / "samples.jsonl")
    (run,) = samples.runs
    assert run.world == "real"
    assert run.environment["architecture"] == "aarch64"
    assert run.environment["cgroup_version"] == "v2"
    # whoever reads these samples is told what the timings are worth
    assert run.environment["host_kind"] == "virtual"
    assert "emulated" in str(run.environment["note"])
    assert samples.failures == ()
    for driver in ("process", "runc"):
        metrics = {sample.metric for sample in samples.samples if sample.driver == driver}
        assert {"startup_s", "memory_pss_bytes", "memory_cgroup_bytes"} <= metrics
    # A slope is an estimate: that of `null`, where no instance runs, lies around zero and may be below it.
    slopes = [s.value for s in samples.samples if (s.driver, s.metric) == ("null", "memory_host_bytes")]
    assert slopes
    assert max(map(abs, slopes)) < 2**20
    others = [s for s in samples.samples if (s.driver, s.metric) != ("null", "memory_host_bytes")]
    assert [s for s in others if s.value < 0] == []


def test_nothing_is_left(results: Path) -> None:
    assert (results / "cgroups").read_text() == ""
