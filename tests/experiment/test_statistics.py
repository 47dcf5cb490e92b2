"""Intervals against values worked out by hand, tables, and an independent program (scipy)."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit
from scipy.stats import binomtest

from vsim.experiment.statistics import interval, paired_difference, share, student_t


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    # Any printed table of Student's t, two-sided 95 %.
    [(1, 12.706), (2, 4.303), (4, 2.776), (9, 2.262), (10, 2.228), (29, 2.045), (30, 2.042), (120, 1.980)],
)
def test_quantiles_are_those_of_the_printed_table(degrees: int, quantile: float):
    assert student_t(degrees) == pytest.approx(quantile, abs=5e-4)


@given(st.integers(1, 400), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_quantiles_agree_with_scipy(degrees: int, confidence: float):
    assert student_t(degrees, confidence) == pytest.approx(stdtrit(degrees, (1 + confidence) / 2), rel=1e-11)


@pytest.mark.parametrize(("degrees", "confidence"), [(0, 0.95), (3, 1.0), (3, 0.0)])
def test_there_is_no_quantile_outside_the_distribution(degrees: int, confidence: float):
    with pytest.raises(ValueError, match="no quantile"):
        student_t(degrees, confidence)


def test_interval_by_hand():
    # mean 3; squared deviations 4 + 1 + 0 + 1 + 4 = 10, variance 10 / 4 = 2.5, s / √5 = √0.5; t(4) = 2.776445
    found = interval([1, 2, 3, 4, 5])
    assert found.mean == 3
    assert found.low == pytest.approx(3 - 2.776445 * math.sqrt(0.5), abs=1e-6)
    assert found.high == pytest.approx(3 + 2.776445 * math.sqrt(0.5), abs=1e-6)
    assert found.half_width == pytest.approx(1.963243, abs=1e-6)


def test_equal_values_give_exactly_that_value():
    # 0.1 ten times sums to 0.9999999999999999 in plain floats
    found = interval([0.1] * 10)
    assert (found.low, found.mean, found.high) == (0.1, 0.1, 0.1)


def test_one_value_has_no_interval():
    found = interval([7.0])
    assert (found.mean, found.low, found.high, found.half_width) == (7.0, None, None, math.inf)


def test_no_value_and_no_finite_value_are_errors():
    with pytest.raises(ValueError, match="no values"):
        interval([])
    with pytest.raises(ValueError, match="not finite"):
        interval([1.0, math.nan])


def test_paired_difference_by_hand():
    # Differences −3, −3, −4, −2: mean −3, variance (0 + 0 + 1 + 1) / 3, t(3) = 3.182446: half 3.182446·√(1/6)
    found = paired_difference([10, 20, 30, 40], [13, 23, 34, 42])
    assert found is not None
    assert found.mean == -3
    assert found.half_width == pytest.approx(3.182446 * math.sqrt(1 / 6), abs=1e-6)
    # Unpaired, the workload's own spread (10 to 40) would hide it.
    apart = interval([10, 20, 30, 40])
    assert apart.half_width > 6 * found.half_width


def test_a_pair_without_one_of_its_values_is_left_out():
    found = paired_difference([1.0, None, 5.0], [0.0, 3.0, 4.0])
    assert found is not None
    assert (found.mean, found.n) == (1.0, 2)
    assert paired_difference([None], [1.0]) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_delivery_does_not_matter(values: list[float], shuffler: random.Random):
    shuffled = list(values)
    shuffler.shuffle(shuffled)
    assert interval(shuffled) == interval(values)


def test_intervals_cover_the_truth_as_often_as_they_say():
    # 2,000 intervals of 8 exponential values around the mean 1. Skewness costs a little (the literature says some
    # 91 to 93 % for n = 8); of normal ones 95 % cover, give or take three standard errors of √(0.95 · 0.05 / 2000).
    source = random.Random(20240101)
    normal = [interval([source.gauss(1, 0.3) for _ in range(8)]) for _ in range(2000)]
    covered = sum(i.low <= 1 <= i.high for i in normal if i.low is not None and i.high is not None) / 2000
    assert covered == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 2000))


@pytest.mark.parametrize(("held", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (19, 20), (37, 40), (40, 40), (3, 1000)])
@pytest.mark.parametrize("confidence", [0.95, 0.5])
def test_the_interval_of_a_share_is_scipys(held: int, n: int, confidence: float) -> None:
    found = share(held, n, confidence)
    expected = binomtest(held, n).proportion_ci(confidence, method="exact")
    assert (found.low, found.high) == (pytest.approx(expected.low, abs=1e-9), pytest.approx(expected.high, abs=1e-9))
    assert found.value == held / n


def test_all_of_n_is_the_closed_form() -> None:
    # the probability at which all of 40 hold by a chance of 2.5 %
    assert share(40, 40).low == pytest.approx(0.025 ** (1 / 40))


@pytest.mark.parametrize(("held", "n"), [(1, 0), (-1, 3), (4, 3)])
def test_no_share_of_that(held: int, n: int) -> None:
    with pytest.raises(ValueError, match="can't hold"):
        share(held, n)
