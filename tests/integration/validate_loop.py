"""Measure, calibrate, predict, on this host, in small sizes: the loop closes. How well is what `make validate` says.

Not part of `make test`: it takes a minute, and a host that does nothing else meanwhile. `make test-loop` runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT, lacking
from tests.integration.leftovers import leftovers
from vsim.bench.run import choose_drivers
from vsim.calibration import load_profile
from vsim.samples.records import read_samples


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    here = {driver.name for driver in choose_drivers()[0]}
    for driver in ("runc", "docker"):
        if driver not in here:
            lacking(driver)
    before = leftovers()
    folder = tmp_path_factory.mktemp("loop") / "out"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.validate", "--quick", "--out", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert leftovers() == before
    return done, folder


@pytest.mark.slow
def test_the_loop_closes(outcome: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, folder = outcome
    # Whether the thresholds are met depends on what else the host does; that there is a verdict on each doesn't.
    assert done.returncode in (0, 1), done.stdout + done.stderr
    verdicts = done.stdout.splitlines()[1:-1]
    assert len(verdicts) == 7
    judged = [line for line in verdicts if "NOT MEASURED" not in line]
    assert len(judged) == 7, done.stdout + done.stderr
    assert (done.returncode == 1) is any("MISSED" in line for line in judged)
    assert (folder / "predicted.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_what_was_calibrated_on_is_not_what_is_predicted(
    outcome: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = outcome
    rows = json.loads((folder / "validation.json").read_text())["rows"]
    starts = [row for row in rows if row["metric"] == "startup_s"]
    assert {row["concurrency"] for row in starts} == {4}
    assert {row["driver"] for row in starts} == {"process", "runc", "docker"}
    taken = {row["concurrency"] for row in rows if row["metric"] == "density_taken_bytes"}
    assert taken
    assert min(taken) > 4
    latencies = [row for row in rows if row["metric"] == "latency_p95_s"]
    assert {row["driver"] for row in latencies} == {"process", "docker"}
    assert all(row["measured"]["value"] > 0 and row["predicted"]["value"] > 0 for row in (*starts, *latencies))
    # half of the capacity, which is far above the low load
    rates = {step["rate_per_s"] for step in read_samples(folder / "requests-docker.jsonl").runs[0].plan["steps"]}
    assert min(rates) > 50, done.stderr


@pytest.mark.slow
def test_the_profile_that_it_made_can_be_used(outcome: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, folder = outcome
    profile = load_profile(folder / "profile.yaml")
    assert {"process", "runc", "docker"} <= set(profile.stacks)
    kinds = {quantity.source.kind for quantity in profile.quantities.values()}
    assert "measured" in kinds


@pytest.mark.slow
def test_it_can_be_analysed_again(outcome: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, folder = outcome
    first = (folder / "validation.json").read_bytes()
    again = subprocess.run(
        [sys.executable, "-m", "benchmarks.validate", "--quick", "--from", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (again.returncode, again.stdout) == (done.returncode, done.stdout)
    assert (folder / "validation.json").read_bytes() == first
