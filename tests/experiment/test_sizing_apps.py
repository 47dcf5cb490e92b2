"""Sizing real compose files: within its time, and with answers that other seeds confirm."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

import vsim
from tests.cli.command import new_vsim as command
from vsim.calibration import builtin
from vsim.engine.run import run_replication
from vsim.experiment.searching import Goals
from vsim.experiment.statistics import share


@pytest.mark.parametrize(
    ("name", "rate_per_s", "p95_s"),
    [("nginx-golang-postgres", 8000, 0.1), ("wordpress-mysql", 200, 0.3), ("flask-redis", 8000, 0.1)],
)
def test_the_answer_holds_with_other_seeds(reference_data: Path, name: str, rate_per_s: float, p95_s: float) -> None:
    on = "container@rack-server"
    path = reference_data / "compose" / f"{name}.yaml"
    (one,) = vsim.size(path, rate_per_s=rate_per_s, p95_s=p95_s, on=[on]).architectures
    assert one.meets
    assert one.machines is not None
    assert one.machines > 1
    assert one.scenario is not None
    stated = one.probability
    assert stated is not None
    assert stated.value >= 0.95
    assert one.hinge is not None
    # the same machines, with draws that nobody has looked at
    profile, goals = builtin(), Goals(p95_s=p95_s)
    architecture = profile.architecture(on)
    metrics = [run_replication(architecture, one.scenario, profile.site, 1000 + n).metrics for n in range(20)]
    assert {m["hosts"] for m in metrics} == {one.machines}
    seen = share(sum(not goals.missed(m) for m in metrics), len(metrics))
    # of two 95 % intervals that overlap by chance alone one in some hundred doesn't: the seed is fixed, this isn't luck
    assert seen.high >= stated.low
    assert seen.low <= stated.high


def test_four_architectures_take_less_than_ten_seconds(reference_data: Path) -> None:
    path = reference_data / "compose" / "nginx-golang-postgres.yaml"
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = command("size", path, "--rate", "200/s", "--p95", "300ms", "--format", "json")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = json.loads(done.stdout)["architectures"]
        assert len(found) == 4
        for one in found:
            assert one["meets"]
            assert one["probability"]["low"] < 1
        # the time of the processor: what else this host does is none of this command's doing
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if spent[-1] < 10:
            return
    pytest.fail(f"it took {min(spent):.1f} s at best", pytrace=False)
