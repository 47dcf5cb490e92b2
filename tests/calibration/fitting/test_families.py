from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from vsim.calibration.fitting.families import choose, gamma_cdf


def blocks(values: np.ndarray) -> list[list[float]]:
    return [list(map(float, block)) for block in np.array_split(values, 10)]


@pytest.mark.parametrize(
    ("family", "draw"),
    [
        ("lognormal", lambda rng, n: rng.lognormal(0, 0.8, n)),
        ("gamma", lambda rng, n: rng.gamma(4, 1, n)),
        ("exponential", lambda rng, n: rng.exponential(1, n)),
    ],
)
def test_the_family_that_the_values_are_of(family: str, draw) -> None:  # type: ignore[no-untyped-def]
    found = [choose(blocks(draw(np.random.default_rng(seed), 400))) for seed in range(10)]
    assert sum(one is not None and one.family == family for one, _ in found) >= 8
    assert all("Kolmogorov" in why for _, why in found)


def test_the_measured_factors_where_no_family_fits() -> None:
    # two modes, far apart
    rng = np.random.default_rng(1)
    values = np.where(rng.random(300) < 0.3, 2.0, 1.0) * rng.normal(1, 0.01, 300)
    found, why = choose(blocks(values))
    assert found is not None
    assert found.family == "empirical"
    assert "no family fits" in why
    assert np.quantile(found.relative, [0.1, 0.95]) * values.mean() == pytest.approx([1, 2], rel=0.03)
    assert np.std(found.relative) == pytest.approx(values.std() / values.mean(), rel=0.05)


def test_a_few_values_tell_their_spread_only() -> None:
    found, why = choose([[1.0, 2.0, 3.0]])
    assert found is not None
    # mean 2, standard deviation 1
    assert (found.family, found.cv) == ("lognormal", 0.5)
    assert "3 values" in why


def test_equal_values_and_zeros() -> None:
    assert choose([[2.0, 2.0], [2.0]]) == (None, "all values are equal")
    assert choose([[0.0, 0.0]]) == (None, "all values are 0")
    found, why = choose([[0.0] * 10 + [1.0] * 10])
    assert found is not None
    assert found.family == "empirical"
    assert "some values are 0" in why


@pytest.mark.parametrize(("cv", "off"), [(0.1, 0.005), (0.5, 0.005), (1.0, 0.011)])
def test_the_gamma_distribution_function(cv: float, off: float) -> None:
    x = np.linspace(0.05, 3, 60)
    exact = scipy.stats.gamma(1 / cv**2, scale=cv**2).cdf(x)
    assert gamma_cdf(x, np.array([cv])) == pytest.approx(exact, abs=off)
