"""When requests are due: even and Poisson arrivals, the same wherever they are asked for."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import pytest

from vsim.model.arrivals import arrival_times
from vsim.model.plan import OfferRequests

POISSON = OfferRequests(rate_per_s=50.0, duration_s=4.0, arrivals="poisson")


def test_constant_arrivals_are_evenly_spread_from_the_begin() -> None:
    assert arrival_times(OfferRequests(rate_per_s=4.0, duration_s=1.5), 1, 0) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]
    assert arrival_times(OfferRequests(rate_per_s=0.1, duration_s=1.0), 1, 0) == [0.0]


def test_poisson_arrivals_are_within_the_duration_and_ascend() -> None:
    times = arrival_times(POISSON, 1, 0)
    assert times == sorted(times)
    assert times[0] > 0.0
    assert times[-1] < 4.0


def test_equal_steps_in_equal_blocks_see_the_same_arrivals_and_others_see_others() -> None:
    times = arrival_times(POISSON, 7, 3)
    assert (
        arrival_times(OfferRequests(rate_per_s=50.0, duration_s=4.0, operations=5, arrivals="poisson"), 7, 3) == times
    )
    assert arrival_times(POISSON, 7, 4) != times
    assert arrival_times(POISSON, 8, 3) != times
    assert arrival_times(OfferRequests(rate_per_s=51.0, duration_s=4.0, arrivals="poisson"), 7, 3) != times


def test_the_sequence_does_not_depend_on_the_process() -> None:
    """Worked out by hand from Python's documented generator: a run of last year can be simulated today."""
    script = (
        "import math, random\n"
        "u = random.Random('7/3/50.0/4.0').random\n"
        "a = -math.log(1.0 - u()) / 50.0\n"
        "print(repr(a), repr(a - math.log(1.0 - u()) / 50.0))\n"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "1"})
    assert [repr(each) for each in arrival_times(POISSON, 7, 3)[:2]] == done.stdout.split()


def test_there_is_always_a_request() -> None:
    step = OfferRequests(rate_per_s=0.01, duration_s=0.001, arrivals="poisson")
    assert all(len(arrival_times(step, seed, 0)) == 1 for seed in range(20))


def test_counts_and_gaps_are_those_of_a_poisson_process() -> None:
    """In 400 blocks of 200 expected requests: counts with mean and variance 200, gaps exponential."""
    blocks = [arrival_times(POISSON, 1, block) for block in range(400)]
    counts = [len(times) for times in blocks]
    mean = sum(counts) / len(counts)
    # of a Poisson count: its mean has the standard error sqrt(200/400), its variance about 200 sqrt(2/400)
    assert mean == pytest.approx(200, abs=4 * math.sqrt(200 / 400))
    variance = sum((count - mean) ** 2 for count in counts) / (len(counts) - 1)
    assert variance == pytest.approx(200, rel=4 * math.sqrt(2 / 400))
    gaps = [later - sooner for times in blocks for sooner, later in itertools.pairwise(times)]
    for x in (0.005, 0.02, 0.06):
        expected = math.exp(-50.0 * x)
        share = sum(gap > x for gap in gaps) / len(gaps)
        assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / len(gaps)) + 2e-3)
