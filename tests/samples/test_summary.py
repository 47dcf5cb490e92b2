from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vsim.model.plan import HoldMemory
from vsim.samples.records import Sample
from vsim.samples.summary import median_interval, paired_ratio, slope, summarize

SAMPLE = Sample("r", 1, 1, "container", "runc", "startup", "startup_s", 4.0, "s", 1, 0, 1.0)


def sample(driver: str, block: int, value: float, *flags: str) -> Sample:
    return dataclasses.replace(SAMPLE, driver=driver, block=block, value=value, flags=flags)


def test_the_median_is_that_of_all_values_and_the_interval_that_of_the_blocks() -> None:
    found = median_interval([[1.0, 3.0], [2.0, 9.0]])
    # sorted: 1 2 3 9; resampled by blocks: 1 1 3 3, 1 2 3 9 or 2 2 9 9
    assert (found.value, found.low, found.high) == (2.5, 2.0, 5.5)


def test_one_block_has_no_width() -> None:
    found = median_interval([[1.0, 2.0, 6.0]])
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)


def test_ratios_are_taken_within_blocks() -> None:
    # The host is ten times as slow in block 1: unpaired medians would say 20 / 5.5.
    found = paired_ratio({0: [2.0], 1: [20.0], 2: [7.0]}, {0: [1.0], 1: [10.0]})
    assert found is not None
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("base", [{}, {1: [1.0]}, {0: [0.0]}])
def test_without_a_base_there_is_no_ratio(base: dict[int, list[float]]) -> None:
    assert paired_ratio({0: [2.0]}, base) is None


def test_warm_up_is_left_out_and_the_base_has_no_ratio_to_itself() -> None:
    rows = summarize(
        [
            sample("process", 0, 100.0, "warmup"),
            sample("process", 1, 1.0),
            sample("runc", 0, 100.0, "warmup"),
            sample("runc", 1, 4.0),
        ]
    )
    assert [(row.driver, row.n, row.median.value) for row in rows] == [("process", 1, 1.0), ("runc", 1, 4.0)]
    assert rows[0].ratio is None
    assert rows[1].ratio is not None
    assert rows[1].ratio.value == 4.0


def test_the_slope_is_that_of_the_least_squares_line() -> None:
    assert slope([(0, 1), (2, 5), (4, 7)]) == pytest.approx(1.5)
    assert slope([(0, 100), (5, 50), (10, 0)]) == pytest.approx(-10.0)


@pytest.mark.parametrize(
    ("count", "wanted", "expected"),
    [(8, 5, [0, 2, 4, 6, 8]), (3, 3, [0, 2, 3]), (1, 5, [0, 1]), (2, 2, [0, 2]), (40, 3, [0, 20, 40])],
)
def test_the_counts_at_which_memory_is_weighed(count: int, wanted: int, expected: list[int]) -> None:
    assert HoldMemory(count=count, points=wanted).counts() == expected


def test_resampling_at_once_and_one_by_one_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from vsim.samples import summary

    blocks = np.random.default_rng(3).lognormal(size=(7, 4)).tolist()
    at_once = summary.median_interval(blocks)
    monkeypatch.setattr(summary, "_AT_ONCE", 0)
    assert summary.median_interval(blocks) == at_once
