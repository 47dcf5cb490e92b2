"""The commands bench and clean as a user calls them, in a process of their own."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.leftovers import leftovers
from vsim.samples.records import read_samples

PLAN = """\
schema: vsim.plan/1
name: small
blocks: 3
warmup_blocks: 1
steps:
  - {suite: startup, count: 2, concurrency: 2}
  - {suite: memory, count: 2, points: 2}
"""


def vsim(*arguments: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "vsim", *arguments], cwd=cwd, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def begin(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vsim", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_samples(path: Path, count: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if path.exists() and path.read_bytes().count(b'"record":"sample"') >= count:
            return
        time.sleep(0.005)
    pytest.fail("no samples within 60 s")


def test_a_run_ends_with_a_table_and_samples(tmp_path: Path) -> None:
    before = leftovers()
    done = vsim("bench", "--quick", "--driver", "process", "--out", "s.jsonl", cwd=tmp_path)
    assert "process" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    samples = read_samples(tmp_path / "s.jsonl")
    assert {s.driver for s in samples.samples} == {"null", "process", "canary"}
    assert samples.runs[0].drivers == ("null", "process")
    assert samples.failures == ()
    assert leftovers() == before


def test_help_is_light(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vsim", "bench", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not loaded & {"pandas", "scipy", "matplotlib", "simpy", "docker", "numpy", "pydantic", "rich", "requests"}
    assert "--resume" in done.stdout


def test_a_run_never_loads_what_a_pi_has_no_wheels_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vsim", "bench", "--driver", "process", "--quick", "--blocks", "1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not loaded & {"pandas", "scipy", "matplotlib", "simpy"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--driver", "rkt"], 2, "there is no driver 'rkt'"),
        (["--suite", "starup"], 2, "'starup' is none of"),
        (["--driver", "firecracker"], 3, "firecracker can't be measured here"),
        (["--resume"], 2, "--resume needs --out"),
        (["--resume", "--out", "nothing"], 2, "there is no such file"),
        (["plan.yaml", "--quick"], 2, "leave --suite and --quick out"),
        (["bad.yaml"], 2, "bad.yaml:5:"),
        (["--driver", "process", "--time-limit", "1", "--blocks", "10000"], 2, "its limit is 1 s"),
        (["huge.yaml", "--driver", "process"], 3, "of memory"),
        (["--driver", "process", "--quick", "--out", "/proc/nowhere/x"], 2, "can't be written"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "bad.yaml").write_text(
        PLAN.replace("warmup_blocks: 1\nsteps:", "steps:").replace("count: 2, c", "cuont: 2, c")
    )
    (tmp_path / "huge.yaml").write_text(PLAN.replace("count: 2, points: 2", "count: 90000, touch: 1 GiB"))
    done = vsim("bench", *arguments, cwd=tmp_path, code=code)
    assert words in done.stderr
    assert not list(tmp_path.glob("*.jsonl"))


def test_ctrl_c_keeps_the_samples_and_leaves_nothing(tmp_path: Path) -> None:
    before = leftovers()
    (tmp_path / "plan.yaml").write_text(PLAN.replace("blocks: 3", "blocks: 100"))
    process = begin("bench", "plan.yaml", "--driver", "namespace", "--out", "s.jsonl", cwd=tmp_path)
    wait_for_samples(tmp_path / "s.jsonl", 30)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130, out
    assert len(read_samples(tmp_path / "s.jsonl").samples) >= 30
    assert leftovers() == before


def test_kill_9_then_resume_loses_and_doubles_nothing(tmp_path: Path) -> None:
    before = leftovers()
    (tmp_path / "plan.yaml").write_text(PLAN)
    out = tmp_path / "s.jsonl"
    process = begin(
        "bench", "plan.yaml", "--driver", "namespace", "--driver", "bubblewrap", "--out", "s.jsonl", cwd=tmp_path
    )
    dice = random.Random(os.urandom(8))
    for _ in range(3):
        wait_for_samples(out, 5)
        time.sleep(dice.uniform(0.0, 0.4))
        process.kill()
        process.communicate(timeout=30)
        process = begin("bench", "--resume", "--out", "s.jsonl", cwd=tmp_path)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    samples = read_samples(out)
    assert len(samples.runs) == 1
    seen = Counter((s.block, s.step, s.driver, s.metric, s.concurrency, s.instance) for s in samples.samples)
    assert set(seen.values()) == {1}
    for driver in ("process", "namespace", "bubblewrap"):
        starts = [s for s in samples.samples if s.metric == "startup_s" and s.driver == driver]
        assert len(starts) == 4 * 2
    vsim("clean", cwd=tmp_path)
    assert leftovers() == {**before, "processes": [], "groups": [], "mounts": [], "files": []}


def test_clean_removes_what_a_killed_bench_left(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("count: 2, points: 2", "count: 40, points: 2"))
    process = begin("bench", "plan.yaml", "--driver", "namespace", "--out", "s.jsonl", cwd=tmp_path)
    wait_for_samples(tmp_path / "s.jsonl", 100)
    process.kill()
    process.communicate(timeout=30)
    done = vsim("clean", cwd=tmp_path)
    assert "removed files" in done.stdout
    left = leftovers()
    assert not any(left.values()), left
    assert vsim("clean", cwd=tmp_path).stdout == ""


def test_clean_spares_a_bench_that_runs(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("blocks: 3", "blocks: 6"))
    process = begin("bench", "plan.yaml", "--driver", "namespace", "--out", "s.jsonl", cwd=tmp_path)
    wait_for_samples(tmp_path / "s.jsonl", 5)
    vsim("clean", cwd=tmp_path)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert read_samples(tmp_path / "s.jsonl").failures == ()


def test_the_run_record_comes_first_and_says_what_is_run(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    vsim("bench", "plan.yaml", "--driver", "process", "--seed", "7", "--blocks", "1", "--out", "s", cwd=tmp_path)
    first = json.loads((tmp_path / "s").read_text().splitlines()[0])
    assert (first["record"], first["schema"], first["world"], first["seed"]) == ("run", "vsim.samples/1", "real", 7)
    assert [step["suite"] for step in first["plan"]["steps"]] == ["startup", "memory"]
    assert first["environment"]
