from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from vsim.calibration.fitting.lines import (
    difference,
    paired_differences,
    paired_ratio,
    pooled_slope,
    slope_and_error,
)
from vsim.calibration.fitting.resampling import Table, covariance, mean, mean_interval, quantiles, resampled


def test_a_line_as_scipy_has_it() -> None:
    rng = np.random.default_rng(1)
    x = np.arange(12.0)
    points = list(zip(x, 3 * x + rng.normal(0, 2, 12), strict=True))
    exact = scipy.stats.linregress(*zip(*points, strict=True))
    assert slope_and_error(points) == pytest.approx((exact.slope, exact.stderr))


def test_slopes_of_series_that_agree_less_than_their_points() -> None:
    # slopes 1, 2 and 3, each without any scatter: mean 2, standard error 1 / sqrt(3), t(2) = 4.303
    series = [[(x, slope * x) for x in range(5)] for slope in (1.0, 2.0, 3.0)]
    middle, low, high = pooled_slope(series)
    assert (middle, high - middle, middle - low) == pytest.approx(
        (2, 4.3027 / math.sqrt(3), 4.3027 / math.sqrt(3)), abs=1e-3
    )


def test_one_series_has_the_interval_of_its_line() -> None:
    points = [(0, 0), (1, 1.1), (2, 1.9), (3, 3.0)]
    slope, error = slope_and_error(points)
    # two degrees of freedom
    assert pooled_slope([points]) == pytest.approx((slope, slope - 4.3027 * error, slope + 4.3027 * error), abs=1e-3)


def test_a_difference_by_hand() -> None:
    # 10 − 4, the ends 3 and 4 apart: sqrt(3² + 4²) = 5
    assert difference((10, 7, 13), (4, 0, 8)) == (6, 1, 11)


def test_pairs_of_blocks() -> None:
    a = {("r", 0): 2.0, ("r", 1): 8.0, ("r", 2): 5.0}
    b = {("r", 0): 1.0, ("r", 1): 2.0}
    found = paired_ratio(a, b)
    assert found is not None
    # ratios 2 and 4
    assert (found[0][0], found[1]) == (pytest.approx(math.sqrt(8)), 2)
    assert paired_differences(a, b) == (
        (3.5, pytest.approx(3.5 - 12.706 * 2.5, abs=0.01), pytest.approx(3.5 + 12.706 * 2.5, abs=0.01)),
        2,
    )
    assert paired_ratio(a, {("r", 0): 1.0}) is None
    assert paired_differences(a, {}) is None


def test_the_mean_of_blocks() -> None:
    # standard deviation 1, t(2) = 4.3027
    middle, low, high = mean_interval([1, 2, 3])
    assert (middle, low, high) == pytest.approx((2, 2 - 4.3027 / math.sqrt(3), 2 + 4.3027 / math.sqrt(3)), abs=1e-3)
    assert mean_interval([7]) == (7, 7, 7)


def test_the_covariance_of_means_of_blocks() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, (30, 4)) + rng.normal(0, 1, (30, 1))
    alone, many = resampled([(Table(values.tolist()), mean), (Table(values.tolist()), quantiles(0.5))], 1, 4000)
    assert alone[0] == pytest.approx(values.mean())
    assert alone[1] == pytest.approx(np.median(values))
    # the mean of 30 independent blocks
    assert covariance(many, 30)[0, 0] == pytest.approx(values.mean(axis=1).var(ddof=1) / 30, rel=0.1)


def test_blocks_of_different_sizes() -> None:
    table = Table([[1.0, 2.0], [3.0]])
    assert (len(table), table.flat.tolist()) == (3, [1, 2, 3])
    alone, many = resampled([(table, mean)], 1, 500)
    assert alone[0] == pytest.approx(2)
    # both blocks; the first or the second twice
    assert {round(float(x), 6) for x in many[:, 0]} == {2, 1.5, 3}
