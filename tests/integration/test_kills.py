"""Kill -9 in the midst of every suite: a run is resumed without a sample lost or doubled, and the host is as it was.

`VSIM_KILLS` is how often each suite's run is killed, at random moments.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.integration.leftovers import leftovers
from tests.integration.test_suites import DRIVERS, need
from vsim.model.plan import SUITES
from vsim.samples.records import Samples, read_samples

KILLS = int(os.environ.get("VSIM_KILLS", "1"))
# The run goes on for at least so many units after the last kill.
BLOCKS = 3 + 3 * KILLS
PATIENCE_S = 30 + 20 * KILLS

STEPS = {
    "startup": "{suite: startup, count: 2, concurrency: 2}",
    "memory": "{suite: memory, count: 2, points: 2, touch: 4 MiB}",
    "cpu": "{suite: cpu, operations: 5000000}",
    "disk": "{suite: disk, pattern: random_write, path: bind, size: 4 MiB, duration: 200 ms}",
    "network": "{suite: network, mode: host, round_trips: 50, bytes: 1 MiB}",
    "exchange": "{suite: exchange, over: file, messages: 20}",
    "density": "{suite: density, limit: 3}",
    "requests": "{suite: requests, rate: 100, duration: 200 ms, operations: 1000}",
}
BY_CHANCE = ("service_mean_s", "service_sd_s", "latency_alone_s")
RUNGS = dict.fromkeys(SUITES, ("docker", "runc")) | {"startup": ("docker", "runc", "podman")}


def test_every_suite_is_killed() -> None:
    assert set(STEPS) == set(SUITES)


@pytest.mark.parametrize("suite", SUITES)
def test_kill_9(suite: str, tmp_path: Path) -> None:
    for name in RUNGS[suite]:
        need(DRIVERS[name])
    (tmp_path / "plan.yaml").write_text(
        f"schema: vsim.plan/1\nblocks: {BLOCKS}\nwarmup_blocks: 0\ntime_limit: 1 h\nsteps: [{STEPS[suite]}]\n"
    )
    out = tmp_path / "s.jsonl"
    seed = int.from_bytes(os.urandom(4), "big")
    dice = random.Random(seed)
    words = ["bench", "plan.yaml", "--out", str(out), *(word for name in RUNGS[suite] for word in ("--driver", name))]
    killed = 0
    while killed < KILLS:
        process = vsim(words, tmp_path)
        size = wait_for_growth(out, process)
        try:
            text, _ = process.communicate(timeout=dice.uniform(0.0, 1.5))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        else:
            pytest.fail(f"seed {seed}: the run was over after {killed} kills, {size} bytes: {text}")
        words = ["bench", "--resume", "--out", str(out)]
        if killed % 2:
            # every other time, the host is restored before the run goes on
            subprocess.run([sys.executable, "-m", "vsim", "clean"], cwd=tmp_path, capture_output=True, check=True)
            assert left_by(out) == {}, f"seed {seed}"
    process = vsim(words, tmp_path)
    text, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, text
    check(read_samples(out), suite, seed)
    assert left_by(out) == {}, f"seed {seed}"


def left_by(out: Path) -> dict[str, list[str]]:
    """Return what the run in the file has left on the host: before it, there was nothing with its mark."""
    (run,) = read_samples(out).runs
    return {kind: names for kind, names in leftovers(run.run_id).items() if names}


def vsim(words: list[str], directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vsim", *words],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_growth(out: Path, process: subprocess.Popen[str]) -> int:
    """Return when another step was complete: from then on the run is in the midst of its work."""
    done = count(out)
    end = time.monotonic() + 30
    while count(out) == done and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    return out.stat().st_size if out.exists() else 0


def count(out: Path) -> int:
    return out.read_bytes().count(b'"record":"done"') if out.exists() else 0


def check(samples: Samples, suite: str, seed: int) -> None:
    """Every block has each of its samples, and once."""
    rungs = RUNGS[suite]
    assert samples.failures == (), f"seed {seed}"
    measured = {"process", *rungs}
    assert {key[1:] for key in samples.done if key[2] >= 0 and key[3] != "null"} == {
        (block, 0, name) for block in range(BLOCKS) for name in measured
    }
    keys: dict[int, Counter[tuple[str, str, int | None, int]]] = defaultdict(Counter)
    for s in samples.samples:
        if s.step >= 0 and s.driver != "null":
            keys[s.block][s.driver, s.metric, s.instance, s.concurrency] += 1
    assert set(keys) == set(range(BLOCKS))
    for block, found in list(keys.items()):
        assert set(found.values()) == {1}, f"seed {seed}, block {block}: doubled"
        if suite == "density":
            # On a host that is busy otherwise, a ramp may end before its limit; that it ended is a sample.
            found = Counter({key: n for key, n in found.items() if key[1] == "density_instances"})
        if suite == "requests":
            # How many of them waited for another, and whether that is enough to tell the server's work, is chance.
            found = Counter({key: n for key, n in found.items() if key[1] not in BY_CHANCE})
        assert found == keys.setdefault(-1, found), f"seed {seed}, block {block}: not what the first one has"
