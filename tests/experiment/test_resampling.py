from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsim.experiment.resampling import Blocked, Statistic, draw, percentile_interval

STATISTICS: tuple[Statistic, ...] = ("median", "p95", "throughput")
BLOCKS = st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6), min_size=1, max_size=5)


def by_hand(name: Statistic, values: list[float]) -> float:
    return {"median": np.median, "p95": lambda v: np.quantile(v, 0.95), "throughput": np.mean}[name](values)


def test_statistics_worked_out_by_hand() -> None:
    values = Blocked([[5.0, 1.0], [4.0], [2.0, 3.0]])
    assert values.statistic("median") == 3
    assert values.statistic("throughput") == 3
    # rank 0.95 × 4 = 3.8 between the fourth and the fifth value
    assert values.statistic("p95") == pytest.approx(4.8)


@pytest.mark.parametrize("name", STATISTICS)
@given(blocks=BLOCKS, data=st.data())
def test_a_resample_is_what_sorting_its_values_says(name: Statistic, blocks: list[list[float]], data) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(blocks) - 1), min_size=len(blocks), max_size=len(blocks)))
    counts = np.bincount(chosen, minlength=len(blocks))
    values = [value for number in chosen for value in blocks[number]]
    assert Blocked(blocks).resampled(name, counts[None, :])[0] == pytest.approx(
        by_hand(name, values), rel=1e-9, abs=1e-6
    )


def test_a_resample_has_as_many_blocks_and_every_block_is_as_likely() -> None:
    counts = draw(4, np.random.default_rng(1), 20_000)
    assert counts.shape == (20_000, 4)
    assert set(counts.sum(axis=1)) == {4}
    # a block is absent with probability (3/4)^4; four standard errors
    absent = (counts == 0).mean(axis=0)
    assert absent == pytest.approx(np.full(4, 0.75**4), abs=4 * (0.32 * 0.68 / 20_000) ** 0.5)


def test_all_resamples_of_two_blocks_have_their_probabilities() -> None:
    counts = draw(2, np.random.default_rng(1), 10_000)
    medians = Blocked([[1.0], [3.0]]).resampled("median", counts)
    # {1,1}, {1,3} or {3,1}, {3,3}
    assert set(medians) == {1.0, 2.0, 3.0}
    assert (medians == 2.0).mean() == pytest.approx(0.5, abs=0.02)


def test_the_interval_is_the_middle_95_percent() -> None:
    assert percentile_interval(np.arange(1001.0)) == pytest.approx((25, 975))


def test_intervals_of_the_median_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        # blocks differ: 25 of them, 4 values each, around 0
        blocks = (rng.normal(size=(25, 1)) + rng.normal(size=(25, 4))).tolist()
        low, high = percentile_interval(Blocked(blocks).resampled("median", draw(25, rng, 500)))
        held += low <= 0 <= high
    # The percentile bootstrap of 25 blocks is a little too narrow.
    assert 0.90 <= held / 400 <= 0.98


def test_drawing_single_values_instead_would_be_too_sure() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(200):
        blocks = (rng.normal(size=(25, 1)) + rng.normal(size=(25, 4))).tolist()
        alone = [[value] for value in itertools.chain.from_iterable(blocks)]
        low, high = percentile_interval(Blocked(alone).resampled("median", draw(100, rng, 500)))
        held += low <= 0 <= high
    assert held / 200 < 0.90
