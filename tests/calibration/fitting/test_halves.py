"""Two halves of the blocks that were measured on one host tell the same."""

from __future__ import annotations

import dataclasses

import pytest

from tests.conftest import PROJECT
from vsim.calibration.fitting import Calibration, Search, fit
from vsim.experiment.holding_out import each_in_turn, split
from vsim.samples.records import Samples, read_samples

RECORD = PROJECT / "benchmarks" / "results" / "2026-11-24-second-virtual-machine" / "levels.jsonl.gz"
RUNGS = ("process", "runc", "docker", "gvisor")
LEVELS = (1, 2, 4)


@pytest.fixture(scope="module")
def halves() -> tuple[Calibration, Calibration]:
    found = read_samples(RECORD)
    kept = tuple(s for s in found.samples if s.driver in (*RUNGS, "null") and s.concurrency in LEVELS)
    samples = dataclasses.replace(found, samples=tuple(s for s in kept if "warmup" not in s.flags))
    parts: tuple[Samples, Samples] = split(samples, each_in_turn(samples, "block")[1::2])
    assert all(len({s.block for s in part.samples}) == 4 for part in parts)
    one, other = (fit(part, search=Search(rounds=(1,), starts=200)) for part in parts)
    return one, other


def test_their_intervals_overlap(halves: tuple[Calibration, Calibration]) -> None:
    one, other = (calibration.report.fitted for calibration in halves)
    common = [name for name in one if name in other]
    for rung in RUNGS:
        assert any(name.partition(".")[0] in (rung, f"measured-{rung}") for name in common), rung
    apart = [name for name in common if max(one[name].low, other[name].low) > min(one[name].high, other[name].high)]
    # a hundred pairs of honest 95 % intervals lie apart less than once
    assert apart == [], {name: (one[name], other[name]) for name in apart}


def test_they_are_no_wider_than_needed(halves: tuple[Calibration, Calibration]) -> None:
    """Intervals that hold everything overlap as well: starts alone are known to better than a factor of two."""
    for calibration in halves:
        for rung in calibration.report.ladder:
            middle, low, high = rung.alone_s
            assert middle / 2 < low <= middle <= high < 2 * middle, rung.driver
