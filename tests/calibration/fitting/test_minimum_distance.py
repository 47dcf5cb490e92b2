from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import scipy.optimize

from vsim.calibration.fitting.minimum_distance import minimise, uncertainty

X = np.linspace(0, 2, 9)
FREE = np.array([np.inf, np.inf])


def curve(points: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([np.exp(a) * np.exp(-np.exp(b) * X) for a, b in points])


def test_the_same_minimum_and_covariance_as_scipy() -> None:
    rng = np.random.default_rng(1)
    sd = rng.uniform(0.01, 0.05, 9)
    target = curve([np.array([0.5, 0.2])])[0] + rng.normal(0, sd)
    found = minimise(curve, target, sd, np.array([0.0, 0.0]), FREE)
    at, expected = scipy.optimize.curve_fit(
        lambda _, a, b: curve([np.array([a, b])])[0], X, target, p0=[0, 0], sigma=sd, absolute_sigma=True
    )
    assert found.at == pytest.approx(at, abs=0.005)
    # the derivatives are differences over a finite step
    wider = max(1.0, found.distance / 7)
    assert uncertainty(found, np.diag(sd**2), sd, FREE) == pytest.approx(wider * expected, rel=0.1, abs=1e-6)


def test_a_prior_keeps_what_nothing_depends_on() -> None:
    def first_only(points: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([[point[0], point[0]] for point in points])

    prior = np.array([np.inf, 2.0])
    sd = np.array([0.1, 0.1])
    found = minimise(first_only, np.array([1.0, 1.0]), sd, np.array([0.0, 1.0]), prior)
    assert found.at == pytest.approx([1, 0], abs=0.02)
    spread = uncertainty(found, np.diag(sd**2), sd, prior)
    assert np.sqrt(np.diag(spread)) == pytest.approx([0.1 / np.sqrt(2), 2], rel=0.01)


def test_a_model_that_does_not_fit_widens() -> None:
    def flat(points: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([np.repeat(point, 3) for point in points])

    target, sd = np.array([0.0, 1.0, 2.0]), np.full(3, 0.1)
    found = minimise(flat, target, sd, np.array([0.0]), np.array([np.inf]))
    assert found.at == pytest.approx([1], abs=0.01)
    # distance 200, two degrees of freedom: a hundred times the variance 0.01 / 3
    assert uncertainty(found, np.diag(sd**2), sd, np.array([np.inf]))[0, 0] == pytest.approx(100 * 0.01 / 3, rel=0.01)
