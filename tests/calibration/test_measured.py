"""What the built-in profile has measured is what the committed samples say."""

from __future__ import annotations

import dataclasses

import pytest

from tests.conftest import PROJECT
from vsim.calibration import builtin
from vsim.calibration.fitting import Calibration, fit
from vsim.calibration.fitting.lines import difference
from vsim.samples.records import read_samples

RECORD = PROJECT / "benchmarks" / "results" / "2026-11-24-virtual-machine-2-cores" / "memory-40-containers.jsonl.gz"


@pytest.fixture(scope="module")
def found() -> Calibration:
    samples = read_samples(RECORD)
    rungs = ("null", "process", "docker", "docker-runsc")
    return fit(dataclasses.replace(samples, samples=tuple(s for s in samples.samples if s.driver in rungs)))


@pytest.mark.parametrize(
    ("name", "fitted"),
    [
        ("container-engine.memory.environment_bytes", "docker.memory.environment_bytes"),
        ("container-engine.memory.unit_bytes", "docker.memory.unit_bytes"),
    ],
)
def test_a_value_is_what_calibration_finds(name: str, fitted: str, found: Calibration) -> None:
    quantity, estimate = builtin().quantities[name], found.report.fitted[fitted]
    # in as many digits as the profile gives
    assert quantity.value == pytest.approx(estimate.value, rel=2e-3)
    # other hosts, versions and numbers of containers have others: the interval is wider than the run's own
    assert quantity.low < estimate.low < estimate.high < quantity.high
    run = found.profile.quantities[fitted].source
    source = quantity.source
    assert (source.kind, source.run, source.host, source.date, source.n) == (
        *("measured", run.run, run.host, run.date),
        estimate.n,
    )
    ends = f"{estimate.low / 1e6:.4g} to {estimate.high / 1e6:.4g} MB"
    assert ends in source.conditions


def test_the_sandbox_is_what_it_takes_beyond_a_container(found: Calibration) -> None:
    quantity = builtin().quantities["sandbox-kernel.memory.unit_bytes"]
    inner, outer = (found.report.fitted[f"{rung}.memory.unit_bytes"] for rung in ("docker", "docker-runsc"))
    sides = ((each.value, each.low, each.high) for each in (outer, inner))
    middle, low, high = difference(*sides)
    assert quantity.value == pytest.approx(middle, rel=2e-3)
    assert quantity.low < low < high < quantity.high
    assert f"{low / 1e6:.4g} to {high / 1e6:.4g} MB" in quantity.source.conditions
    run = found.profile.quantities["docker.memory.unit_bytes"].source
    source = quantity.source
    assert (source.kind, source.run, source.host, source.n) == ("measured", run.run, run.host, outer.n)
