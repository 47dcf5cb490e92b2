"""What goes wrong on a host, for real: each a record with its stage, the samples so far kept, nothing left behind."""

from __future__ import annotations

import ast
import contextlib
import functools
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import PROJECT, lacking
from tests.integration.leftovers import leftovers
from tests.integration.test_drivers import need, payloads
from vsim.bench.clean import processes_of
from vsim.bench.drivers import Driver, InstanceSpec, Session, find_driver
from vsim.bench.drivers import _oci as oci
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import launch
from vsim.bench.paths import runs_dir
from vsim.bench.payload import Payload
from vsim.bench.payload.initramfs import initramfs
from vsim.bench.runner import Outcome, Runner
from vsim.bench.workspace import Workspace, new_run_id
from vsim.model.plan import HoldMemory, Plan, Start, Step
from vsim.samples.records import Failure, Record, Sample, read_samples

MIB = 2**20
PLAN = """\
schema: vsim.plan/1
name: small
blocks: 100
warmup_blocks: 0
steps:
  - {suite: startup, count: 2, concurrency: 2}
"""


def program(code: bytes) -> bytes:
    """Return a static program for x86-64 of these machine instructions."""
    base, head = 0x400000, 120
    size = head + len(code)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = identity + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000) + code


LOOPS = program(b"\xeb\xfe")  # jmp to itself
ENDS = program(b"\xb8\x3c\0\0\0\xbf\x07\0\0\0\x0f\x05")  # exit(7)


class Altered(Driver):
    """A driver whose session is changed by `alter` as soon as it is open."""

    def __init__(self, of: Driver, alter: Callable[[Session], None], *, start_timeout_s: float | None = None) -> None:
        for name in ("name", "stack", "flags", "capabilities", "typical_start_s", "overhead_bytes"):
            setattr(self, name, getattr(of, name))
        self.start_timeout_s = start_timeout_s or of.start_timeout_s
        self.of = of
        self.alter = alter

    def lack(self) -> str | None:
        return self.of.lack()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        session = self.of.open(workspace, payload)
        self.alter(session)
        return session


def run_with(
    driver: Driver, *steps: Step, payload: Payload | None = None
) -> tuple[Outcome, list[Sample], list[Failure]]:
    """Run two blocks of the steps on `process` and this driver, or with a payload of the test's on this one alone.

    Nothing of the run may be left.
    """
    records: list[Record] = []
    plan = Plan("test", steps or (Start(count=1),), blocks=2, warmup_blocks=0, time_limit_s=120.0)
    with Workspace(new_run_id()) as workspace:
        if payload is None:
            runner = Runner(plan, [find_driver("process"), driver], workspace, payloads, records.append)
        else:
            runner = Runner(plan, [driver], workspace, lambda _: payload, records.append, canary=list)
        outcome = runner.run()
    left = leftovers(workspace.run_id)
    assert not any(left.values()), left
    failures = [record for record in records if isinstance(record, Failure)]
    return outcome, [record for record in records if isinstance(record, Sample)], failures


# -- instances and runtimes --------------------------------------------------------------------------------------------


def with_probe(tmp_path: Path, probe: bytes) -> Payload:
    """Return a payload whose probe is another program."""
    good = payloads(None)
    root = tmp_path / "root"
    root.mkdir(mode=0o755)
    for path in good.root.iterdir():
        if path.is_dir() and path.name not in ("usr", "lib", "lib64"):
            (root / path.name).mkdir()
    for name in ("probe", "init"):
        (root / name).write_bytes(probe)
        (root / name).chmod(0o755)
    (tmp_path / "root").chmod(0o755)
    return Payload(good.architecture, "0" * 12, root)


@pytest.mark.parametrize("name", ["process", "runc", "docker", "gvisor"])
def test_a_container_that_dies_at_once(name: str, tmp_path: Path) -> None:
    driver = find_driver(name)
    need(driver)
    open_to_all(tmp_path)
    _, samples, failures = run_with(driver, payload=with_probe(tmp_path, ENDS))
    assert samples == []
    assert [failure.stage for failure in failures] == ["first_instruction"] * 2
    assert all("it ended" in failure.message for failure in failures)


def test_a_probe_that_no_kernel_runs(tmp_path: Path) -> None:
    need(find_driver("runc"))
    open_to_all(tmp_path)
    _, _, failures = run_with(find_driver("runc"), payload=with_probe(tmp_path, b"\x7fELF not really"))
    assert {failure.stage for failure in failures} <= {"create", "start", "first_instruction"}
    assert all("exec" in failure.message.lower() for failure in failures)


@pytest.mark.parametrize("name", ["uml", "qemu-tcg"])
def test_a_guest_that_hangs_at_boot(name: str, tmp_path: Path) -> None:
    need(find_driver(name))

    def hang(session: Session) -> None:
        session.initramfs.write_bytes(initramfs(LOOPS))  # type: ignore[attr-defined]

    begin = time.monotonic()
    _, samples, failures = run_with(Altered(find_driver(name), hang, start_timeout_s=4.0))
    assert time.monotonic() - begin < 30
    assert {sample.driver for sample in samples} == {"process", "canary"}
    assert [(failure.driver, failure.stage) for failure in failures] == [(name, "first_instruction")] * 2
    assert all("nothing within 4 s" in failure.message for failure in failures)


def test_a_runtime_that_prints_an_error(tmp_path: Path) -> None:
    fake = tmp_path / "runc"
    fake.write_text("#!/bin/sh\necho 'container_linux.go:1: it is $(not) my \"day\"' >&2\nexit 1\n")
    fake.chmod(0o755)

    def replace(session: Session) -> None:
        session.command[0] = str(fake)  # type: ignore[attr-defined]

    need(find_driver("runc"))
    _, samples, failures = run_with(Altered(find_driver("runc"), replace))
    assert {sample.driver for sample in samples} == {"process", "canary"}
    assert [failure.stage for failure in failures] == ["create"] * 2
    assert failures[0].message == 'runc: container_linux.go:1: it is $(not) my "day"'


def test_a_runtime_that_refuses_its_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    need(find_driver("runc"))
    make = oci.bundle_config

    def broken(*arguments: object, **more: object) -> object:
        config = make(*arguments, **more)  # type: ignore[arg-type]
        config["mounts"].append({"destination": "/nowhere", "type": "no-such-fs", "source": "none"})
        return config

    monkeypatch.setattr(oci, "bundle_config", broken)
    _, samples, failures = run_with(find_driver("runc"))
    assert {sample.driver for sample in samples} == {"process", "canary"}
    assert [failure.stage for failure in failures] == ["create"] * 2
    assert "no such device" in failures[0].message
    assert "nowhere" in failures[0].message


def test_an_image_that_vanishes() -> None:
    need(find_driver("docker"))

    def vanish(session: Session) -> None:
        session.client.remove_image(session.image, force=True)  # type: ignore[attr-defined]

    outcome, samples, failures = run_with(Altered(find_driver("docker"), vanish), Start(count=1), HoldMemory(count=1))
    assert {sample.metric for sample in samples if sample.driver == "docker"} <= {"memory_available_bytes"}
    assert [failure.stage for failure in failures] == ["create"] * 3
    assert all("No such image" in failure.message for failure in failures)
    assert set(outcome.given_up) == {"docker"}


def test_an_instance_whose_process_is_killed() -> None:
    """Somebody kills it (an OOM killer does): stop and remove cope, and nothing stays."""
    for name in ("process", "namespace", "runc", "docker"):
        driver = find_driver(name)
        need(driver)
        with Workspace(new_run_id()) as workspace, driver.open(workspace, payloads(None)) as session:
            launched = launch(session, InstanceSpec(), timeout_s=driver.start_timeout_s, clock=time.monotonic)
            os.kill(launched.instance.pids()[0], signal.SIGKILL)
            with contextlib.suppress(StageError):
                launched.instance.stop()
            launched.instance.remove()
            session.forget(launched.instance)
        assert not any(leftovers(workspace.run_id).values())


# -- a daemon that goes ------------------------------------------------------------------------------------------------


class Engine:
    """A Docker engine of the test's own: the machine's stays as it is."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.socket = base / "docker.sock"
        self.log = base / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        places = {"--data-root": "data", "--exec-root": "exec", "--pidfile": "pid", "--config-file": "none.json"}
        (self.base / "none.json").write_text("{}")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    # in a network of its own: a daemon without a bridge removes the docker0 that it finds
                    *("unshare", "--net", "dockerd"),
                    f"--host=unix://{self.socket}",
                    *(f"{option}={self.base / name}" for option, name in places.items()),
                    *("--bridge=none", "--iptables=false", "--ip-forward=false", "--live-restore=false"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 30
        while subprocess.run(self._docker("version"), capture_output=True, check=False).returncode:
            if time.monotonic() > end or self._process.poll() is not None:
                pytest.fail(f"the engine does not answer: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    def _docker(self, *words: str) -> list[str]:
        return ["docker", "--host", f"unix://{self.socket}", *words]

    def docker(self, *words: str) -> list[str]:
        done = subprocess.run(self._docker(*words), capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.split()

    def end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(60)
        # Its containerd ends with it. Orphans are this process's once it has held a workspace: it has to reap them,
        # or the next daemon takes that one for running.
        with contextlib.suppress(OSError, ValueError):
            os.waitpid(int((self.base / "exec/containerd/containerd.pid").read_text()), 0)

    def close(self) -> None:
        """End everything of it: the daemon, its containerd and that one's shims; then what they have mounted."""
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGTERM)
        end = time.monotonic() + 10
        while (mine := self._processes()) and time.monotonic() < end:
            for pid in mine:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
            if line.split()[4].startswith(f"{self.base}/"):
                subprocess.run(["umount", "--lazy", line.split()[4]], check=False)
        for root in Path("/sys/fs/cgroup").iterdir():
            for group in (root / "docker").glob("*"):
                if group.is_dir() and group.name in self._containers():
                    with contextlib.suppress(OSError):
                        group.rmdir()
        shutil.rmtree(self.base, ignore_errors=True)

    @functools.cache  # noqa: B019
    def _containers(self) -> set[str]:
        return {path.name for path in (self.base / "data/containers").glob("*")}

    def _processes(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and int(entry.name) != os.getpid():
                    words = (entry / "cmdline").read_bytes()
                    if str(self.base).encode() in words and words.split(b"\0")[0].rpartition(b"/")[2] in (
                        *(b"dockerd", b"containerd", b"containerd-shim-runc-v2", b"docker-proxy"),
                    ):
                        found.append(int(entry.name))
        return found


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    need(find_driver("docker"))
    # Sockets have short paths only.
    base = Path("/var/tmp") / f"vsim-engine-{os.getpid()}"
    base.mkdir()
    made = Engine(base)
    try:
        made.start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{made.socket}")
        yield made
    finally:
        made.close()
        # Nobody can ask it any more.
        for note in runs_dir().glob("*/*/engine"):
            if note.read_text().strip() == str(made.socket):
                shutil.rmtree(note.parents[1])


def vsim(*words: str, cwd: Path, code: int, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*before, sys.executable, "-m", "vsim", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def begin(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vsim", *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_samples(path: Path, driver: str, count: int) -> None:
    end = time.monotonic() + 60
    wanted = f'"driver":"{driver}"'.encode()
    while time.monotonic() < end:
        if path.exists() and sum(b"startup_s" in x and wanted in x for x in path.read_bytes().splitlines()) >= count:
            return
        time.sleep(0.01)
    pytest.fail("no samples within 60 s")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_daemon_that_goes_in_mid_run(number: signal.Signals, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("blocks: 100", "blocks: 12"))
    out = tmp_path / "s.jsonl"
    process = begin("bench", "plan.yaml", "--driver", "docker", "--out", str(out), cwd=tmp_path)
    wait_for_samples(out, "docker", 4)
    engine.end(number)
    text, _ = process.communicate(timeout=90)
    assert process.returncode == 3, text
    assert "docker was given up" in text
    assert "Traceback" not in text
    samples = read_samples(out)
    run_id = samples.runs[0].run_id
    # The rungs below are measured to the end, that one as far as it came.
    counts = {d: sum(s.metric == "startup_s" and s.driver == d for s in samples.samples) for d in ("process", "docker")}
    assert counts["process"] == 24
    assert 4 <= counts["docker"] < 24
    stages = {(failure.driver, failure.stage) for failure in samples.failures}
    assert {driver for driver, _ in stages} == {"docker"}
    assert ("docker", "create") in stages
    assert ("docker", "close") in stages
    assert "could not remove everything" in text
    assert processes_of(run_id) == {}

    # As long as it is away, `vsim clean` says what it can't remove; what it can is gone.
    done = vsim("clean", cwd=tmp_path, code=3)
    assert run_id in done.stderr
    assert str(engine.socket) in done.stderr
    engine.start()
    # What the engine had meanwhile forgotten, it no longer holds; the image it does.
    assert engine.docker("images", "--quiet", "--filter", f"label=vsim.run={run_id}")
    # Even when another engine is the one in use now.
    vsim("clean", cwd=tmp_path, code=0, before=("env", "--unset=DOCKER_HOST"))
    for words in (("ps", "--all"), ("images",), ("network", "ls"), ("volume", "ls")):
        assert engine.docker(*words, "--quiet", "--filter", f"label=vsim.run={run_id}") == []
    assert not any(leftovers(run_id).values()), leftovers(run_id)


def test_a_run_goes_on_when_the_daemon_is_back(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("blocks: 100", "blocks: 6"))
    out = tmp_path / "s.jsonl"
    process = begin("bench", "plan.yaml", "--driver", "docker", "--out", str(out), cwd=tmp_path)
    wait_for_samples(out, "docker", 2)
    engine.end(signal.SIGKILL)
    process.communicate(timeout=90)
    assert process.returncode == 3
    done = vsim("bench", "--resume", "--out", str(out), cwd=tmp_path, code=3)
    assert "docker can't be measured here" in done.stderr
    engine.start()
    vsim("bench", "--resume", "--out", str(out), cwd=tmp_path, code=0)
    samples = read_samples(out)
    assert {key[1] for key in samples.done if key[3] == "docker"} == set(range(6))
    assert not any(leftovers(samples.runs[0].run_id).values())
    assert engine.docker("ps", "--all", "--quiet") == []
    assert engine.docker("images", "--quiet") == []


# -- no permission -----------------------------------------------------------------------------------------------------


def open_to_all(path: Path) -> None:
    """Let any user pass through the directories above `path`, and through itself."""
    for each in (path, *path.parents):
        if each.stat().st_uid == os.geteuid() and str(each) != "/":
            each.chmod(each.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """The words before a command that run it as a user without any rights, with directories of its own."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        lacking("root, to be somebody else")
    open_to_all(tmp_path)
    for variable, name in (("VSIM_STATE", "state"), ("VSIM_CACHE", "cache"), ("HOME", "home")):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, 65534, 65534)
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for each in (Path(sys.executable), PROJECT):
        if any(not path.stat().st_mode & stat.S_IXOTH for path in (each, *each.parents)):
            lacking(f"a checkout that any user may read ({each})")
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


def test_no_permission_on_the_socket(nobody: Sequence[str], tmp_path: Path) -> None:
    need(find_driver("docker"))
    words = ("bench", "--quick", "--driver", "docker", "--out", str(tmp_path / "home/s.jsonl"))
    done = vsim(*words, cwd=tmp_path / "home", code=3, before=nobody)
    assert "docker.sock may not be used" in done.stderr
    assert "hint: run as root, or join the group docker" in done.stderr
    assert not (tmp_path / "home/s.jsonl").exists()


def test_without_root_the_rungs_that_need_it_are_named_and_the_others_measured(
    nobody: Sequence[str], tmp_path: Path
) -> None:
    (tmp_path / "home/plan.yaml").write_text(PLAN.replace("blocks: 100", "blocks: 1"))
    words = ("bench", "plan.yaml", "--out", "s.jsonl")
    done = vsim(*words, cwd=tmp_path / "home", code=0, before=nobody)
    told = next(line for line in done.stderr.splitlines() if line.startswith("not on this host: "))
    assert {"docker", "runc", "namespace"} <= set(told.partition(": ")[2].partition(" (")[0].split(", "))
    samples = read_samples(tmp_path / "home/s.jsonl")
    assert {"null", "process"} <= {sample.driver for sample in samples.samples}
    assert not any((tmp_path / "state/run").iterdir())


# -- a full disk -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for 256 KiB."""
    if os.geteuid() != 0:
        lacking("root, to mount a small file system")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "vsim-test", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_under_the_samples(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    out = small_disk / "s.jsonl"
    done = vsim("bench", "plan.yaml", "--driver", "namespace", "--out", str(out), cwd=tmp_path, code=3)
    assert "No space left on device" in done.stderr
    assert "--resume goes on" in done.stderr
    before = read_samples(out)
    assert not before.torn
    assert len(before.samples) > 100
    assert not any(leftovers(before.runs[0].run_id).values())

    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    vsim("bench", "--resume", "--out", str(out), cwd=tmp_path, code=0)
    after = read_samples(out)
    kept = {s for s in before.samples if (s.run_id, s.block, s.step, s.driver) in before.done}
    assert kept < set(after.samples)
    assert sum(s.metric == "startup_s" and s.driver == "namespace" for s in after.samples) == 200


@pytest.mark.parametrize(
    ("name", "stage"), [("runc", "create"), ("docker", "open"), ("uml", "open"), ("podman", "open")]
)
def test_a_full_disk_under_the_workspace(
    name: str, stage: str, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(find_driver(name))
    monkeypatch.setenv("VSIM_STATE", str(small_disk))
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    _, samples, failures = run_with(find_driver(name))
    assert {sample.driver for sample in samples} == {"process", "canary"}
    assert {(failure.driver, failure.stage) for failure in failures} == {(name, stage)}
    assert all("No space left on device" in failure.message for failure in failures)
    assert list((small_disk / "run").iterdir()) == []


# -- words from a file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["$(touch told)", "`touch told`", "x; touch told", "x' || touch told #", "-rf\n&touch"]
)
def test_words_from_a_plan_reach_no_shell(words: str, tmp_path: Path) -> None:
    import json

    driver = ["--driver", "docker"] if find_driver("docker").lack() is None else []
    (tmp_path / "plan.yaml").write_text(
        PLAN.replace("name: small", f"name: {json.dumps(words)}").replace("blocks: 100", "blocks: 1")
    )
    vsim("bench", "plan.yaml", *driver, "--driver", "namespace", "--out", f"{words[:2]}s", cwd=tmp_path, code=0)
    samples = read_samples(tmp_path / f"{words[:2]}s")
    assert samples.runs[0].plan["name"] == words
    assert samples.failures == ()
    assert not list(tmp_path.rglob("told"))


def test_nothing_in_vsim_calls_a_shell() -> None:
    for path in (PROJECT / "vsim").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), path
                assert not any(word.arg == "shell" for word in node.keywords), path
