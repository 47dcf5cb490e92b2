"""The probe and what is made from the payload."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from vsim.bench.payload import Payload, build_payload, host_architecture, probe_path
from vsim.bench.payload.image import write_image
from vsim.bench.payload.initramfs import initramfs
from vsim.errors import HostError

SOURCE = Path(probe_path("x86_64")).parent.parent / "probe"


def probe(*arguments: str) -> subprocess.CompletedProcess[str]:
    path = str(probe_path(host_architecture()))
    return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=20, check=False)


def test_the_first_thing_it_says_is_that_it_runs() -> None:
    assert probe("exit").stdout == "vsim 1\nready\n"


def test_work_is_bracketed_and_done_in_the_order_of_the_arguments() -> None:
    done = probe("touch=1000000", "cpu=fault:10", "cpu=call:10", "cpu=user:10", "exit")
    assert re.sub(r"(?m)^(end \w+) \d+$", r"\1", done.stdout).split("\n") == [
        "vsim 1",
        *("begin fault", "end fault", "begin call", "end call", "begin user", "end user"),
        *("ready", ""),
    ]
    assert done.returncode == 0


def test_what_it_does_not_know_is_an_error() -> None:
    done = probe("dance")
    assert (done.stdout, done.returncode) == ("vsim 1\nerror dance 22\n", 1)


def test_it_runs_another_program_and_says_how_that_ended() -> None:
    done = probe("run", "/bin/sh", "-c", "echo hello; exit 3")
    assert re.fullmatch(r"vsim 1\nbegin run\nhello\nend run \d+\nexit 3\n", done.stdout)


def test_durations_are_those_of_the_work() -> None:
    done = probe("run", "/bin/sleep", "0.2")
    took = next(int(line.split()[2]) for line in done.stdout.splitlines() if line.startswith("end"))
    assert 0.2e9 <= took < 2e9


def test_it_serves_aside_and_talks_to_itself() -> None:
    done = probe(
        *("lo", "echo=47011", "sink=47012", "body=1000", "http=47013", "aside"),
        *("ping=127.0.0.1:47011:10", "send=127.0.0.1:47012:1000000", "get=127.0.0.1:47013:5", "exit"),
    )
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("end")] == ["ping", "send", "get"]
    assert (done.stdout.splitlines()[-1], done.returncode) == ("ready", 0)


def test_messages_through_a_file_are_seen_by_the_other_side(tmp_path: Path) -> None:
    path = str(probe_path(host_architecture()))
    sides = [
        subprocess.Popen([path, f"pass={side}:50:1024:{tmp_path}", "exit"], stdout=subprocess.PIPE, text=True)
        for side in (0, 1)
    ]
    for side in sides:
        out, _ = side.communicate(timeout=20)
        assert re.fullmatch(r"vsim 1\nbegin pass\nend pass \d+\nready\n", out)
    # 50 messages, and the one before them by which the two sides find each other
    assert int.from_bytes((tmp_path / "there").read_bytes()[:8], "little") == 51


def test_as_a_launcher_it_says_nothing(tmp_path: Path) -> None:
    entry = tmp_path / "cgroup.procs"
    entry.touch()
    done = probe(f"enter={entry}", "exec", "/bin/echo", "hello")
    assert done.stdout == "hello\n"
    assert entry.read_text() == "0"


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_binary_is_what_the_source_says(architecture: str, tmp_path: Path) -> None:
    compiler = f"{architecture}-linux-gnu-gcc"
    lacking = [name for name in (compiler, "make") if shutil.which(name) is None]
    if lacking:
        message = f"{', '.join(lacking)} is not installed"
        if os.environ.get("VSIM_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    target = tmp_path / f"probe-{architecture}"
    subprocess.run(["make", "-s", "-C", SOURCE, f"OUT={tmp_path}", target], check=True, timeout=60)
    version = subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    # Another compiler makes other bytes of the same source.
    if version == (SOURCE / "COMPILER").read_text().strip():
        assert target.read_bytes() == probe_path(architecture).read_bytes()


def test_an_unknown_processor_is_said(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no probe for riscv64"):
        build_payload("riscv64", cache=tmp_path)


def test_a_payload_is_made_once(tmp_path: Path) -> None:
    first = build_payload("aarch64", cache=tmp_path)
    assert first.probe.read_bytes() == (first.root / "init").read_bytes() == probe_path("aarch64").read_bytes()
    assert first.probe.stat().st_mode & 0o777 == 0o755
    stamp = first.probe.stat().st_mtime_ns
    assert build_payload("aarch64", cache=tmp_path) == first
    assert first.probe.stat().st_mtime_ns == stamp
    assert [path.name for path in (tmp_path / "payload").iterdir()] == [first.root.name]


def test_a_cache_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "payload").write_text("a file where a directory should be")
    with pytest.raises(HostError, match="can't be written"):
        build_payload("aarch64", cache=tmp_path)


def test_an_image_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    payload = build_payload("aarch64", cache=tmp_path)
    small = Payload("aarch64", payload.digest, payload.root)
    for name in ("a", "b"):
        write_image(small, tmp_path / name, tag="vsim/x:1", labels={"vsim.run": "r"})
    with tarfile.open(tmp_path / "a") as archive:
        names = archive.getnames()
        config = json.load(archive.extractfile(names[0]))  # type: ignore[arg-type]
        layer = archive.extractfile("layer.tar")
        assert layer is not None
        digest = hashlib.sha256(layer.read()).hexdigest()
    assert config["architecture"] == "arm64"
    assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}"]
    assert config["config"]["Labels"] == {"vsim.run": "r"}
    with tarfile.open(tmp_path / "b") as archive:
        assert archive.getnames() == names
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "payload"]


def test_the_first_file_system_of_a_guest() -> None:
    data = initramfs(b"probe", [("/lib/modules/x.ko", b"module")])
    assert data == initramfs(b"probe", [("/lib/modules/x.ko", b"module")])
    assert len(data) % 4 == 0
    if shutil.which("cpio"):
        listing = subprocess.run(["cpio", "-itv"], input=data, capture_output=True, check=True).stdout.decode()
        lines = [line.split() for line in listing.splitlines()]
        modes = {line[-1]: line[0] for line in lines}
        assert modes["init"] == "-rwxr-xr-x"
        assert modes["dev/console"] == "crw-------"
        assert [name for name in modes if name.startswith("lib")] == ["lib", "lib/modules", "lib/modules/x.ko"]
