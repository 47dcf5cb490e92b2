"""Arrival processes: rates, burstiness, repetition, and what is random about them."""

from __future__ import annotations

import numpy as np
import pytest

from vsim.engine.requests import arrival_times
from vsim.engine.variates import factors, lognormal, stream
from vsim.model.quantity import Distribution
from vsim.model.workload import Arrivals


def rng(index: int = 0) -> np.random.Generator:
    return stream(1, 0, "arrivals", index)


def test_constant():
    assert arrival_times(Arrivals("constant", 2), 2.0, rng()).tolist() == [0.5, 1.0, 1.5, 2.0]


def test_poisson_counts_have_the_variance_of_their_mean():
    counts = np.array([len(arrival_times(Arrivals("poisson", 10), 10.0, rng(i))) for i in range(2000)])
    # mean 100 ± 4 standard errors of 10/√2000; the index of dispersion is 1 ± 4·√(2/2000)
    assert counts.mean() == pytest.approx(100, abs=4 * 10 / np.sqrt(2000))
    assert counts.var(ddof=1) / counts.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / 2000))


def test_bursty_keeps_the_mean_rate_and_is_more_variable():
    arrivals = Arrivals("bursty", 10, burst_factor=10, burst_share=0.1, burst_s=5)
    counts = np.array([len(arrival_times(arrivals, 200.0, rng(i))) for i in range(400)])
    assert counts.mean() == pytest.approx(2000, abs=4 * counts.std() / np.sqrt(400))
    # a Poisson process would have an index of dispersion of 1
    assert counts.var(ddof=1) / counts.mean() > 5


@pytest.mark.parametrize(("burst_s", "share"), [(0, 0.1), (5, 0), (5, 1), (float("nan"), 0.1)])
def test_bursts_that_would_never_end_are_refused(burst_s, share):
    with pytest.raises(ValueError, match="bursts"):
        arrival_times(Arrivals("bursty", 10, burst_share=share, burst_s=burst_s), 10.0, rng())


def test_a_trace_is_repeated():
    arrivals = Arrivals("trace", 0, times_s=(0.0, 1.0), period_s=3.0)
    assert arrival_times(arrivals, 7.0, rng()).tolist() == [0.0, 1.0, 3.0, 4.0, 6.0]


@pytest.mark.parametrize(
    "distribution",
    [
        Distribution("lognormal", 0.5),
        Distribution("gamma", 0.5),
        Distribution("exponential"),
        Distribution("empirical", relative=(0.5, 0.5, 2.0)),
    ],
)
def test_factors_have_mean_one_and_the_stated_variation(distribution):
    supply = factors(distribution, rng())
    drawn = np.array([supply() for _ in range(40_000)])
    cv = np.std([0.5, 0.5, 2.0]) if distribution.family == "empirical" else distribution.cv
    assert drawn.mean() == pytest.approx(1, abs=4 * cv / 200)
    assert drawn.std() == pytest.approx(cv, rel=0.05)


def test_no_variation_draws_ones():
    assert lognormal(rng(), 0.0, 3).tolist() == [1, 1, 1]
    assert factors(Distribution("gamma", 0.0), rng())() == 1


def test_streams_differ_by_purpose_replication_and_index():
    seen = {
        tuple(stream(seed, replication, purpose, index).integers(0, 2**62, 2).tolist())
        for seed in (1, 2)
        for replication in (0, 1)
        for purpose in ("sizes", "arrivals", "demands")
        for index in (0, 1)
    }
    assert len(seen) == 24
