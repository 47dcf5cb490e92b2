"""Replications: common random numbers, and sequential runs that stop where they should."""

from __future__ import annotations

import math

import pytest

from tests.experiment.fakes import ToyProfile, run, toy_scenario
from vsim.engine.run import Replication
from vsim.errors import InputError
from vsim.experiment.replicate import Point, replicate
from vsim.experiment.runner import Runner
from vsim.scenario.scenario import Precision


def point(scenario):
    profile = ToyProfile()
    return Point(scenario, tuple(map(profile.architecture, scenario.architectures)), profile.site)


def outcome(scenario, function=run):
    return replicate([point(scenario)], Runner(jobs=1, run=function))[0]


def alternating(size: float):
    """An engine whose start-up is 1 ± size, alternating: the standard deviation is known."""

    def function(architecture, scenario, site, replication):
        return Replication({"startup_p95_s": 1 + size * (-1) ** replication}, 1)

    return function


def test_all_architectures_see_the_same_workload():
    found = outcome(toy_scenario(replications=5))
    slow, fast = (found.values(name)["startup_p95_s"] for name in ("slow@box", "fast@box"))
    assert len(set(slow)) == 5
    # start-up is the layer's number (4 and 1) plus noise of the workload, which is the same in both
    assert [a - b for a, b in zip(slow, fast, strict=True)] == pytest.approx([3.0] * 5)


def test_auto_stops_at_the_minimum_when_that_is_enough():
    scenario = toy_scenario(replications=None, precision=Precision(0.05, (), 4, 50))
    found = outcome(scenario, alternating(0.001))
    assert (found.n, found.reached) == (4, True)


def test_auto_stops_after_the_first_batch_that_is_precise_enough():
    # ±0.1 around 1: half width = t(n−1) · s / √n with s² = n·0.01/(n−1) for even n, (n²−1)/n/(n−1)·0.01 for odd n.
    # n = 5: t 2.776, s 0.1095, half 0.136;  n = 8: t 2.365, s 0.1069, half 0.0894;  n = 12: 2.201, 0.1044, 0.0664;
    # n = 18: 2.110, 0.1029, 0.0512;  n = 27: 2.056, 0.1018, 0.0403. At ±5 % the first that is enough is 27.
    scenario = toy_scenario(replications=None, precision=Precision(0.05, (), 5, 200))
    found = outcome(scenario, alternating(0.1))
    assert (found.n, found.reached) == (27, True)


def test_auto_gives_up_at_the_maximum_and_says_so():
    scenario = toy_scenario(replications=None, precision=Precision(0.0001, (), 5, 11))
    found = outcome(scenario, alternating(0.1))
    assert (found.n, found.reached) == (11, False)


def test_auto_looks_at_the_stated_metrics_only():
    scenario = toy_scenario(replications=None, precision=Precision(0.0001, ("hosts",), 5, 11))
    found = outcome(scenario)
    assert (found.n, found.reached) == (5, True)


def test_a_fixed_number_reaches_no_precision():
    assert outcome(toy_scenario(replications=2)).reached is None


def test_points_of_one_call_stop_on_their_own():
    rough = toy_scenario(replications=None, precision=Precision(0.5, (), 5, 200))
    exact = toy_scenario(replications=None, precision=Precision(0.05, (), 5, 200))
    found = replicate([point(rough), point(exact)], Runner(jobs=1, run=alternating(0.1)))
    assert [o.n for o in found] == [5, 27]


def test_a_metric_that_some_replications_lack_is_kept_for_the_others():
    def sometimes(architecture, scenario, site, replication):
        return Replication({"hosts": 1.0} | ({"latency_p95_s": 2.0} if replication else {}), 1)

    found = outcome(toy_scenario(replications=3), sometimes)
    assert found.values("slow@box") == {"hosts": (1.0, 1.0, 1.0), "latency_p95_s": (None, 2.0, 2.0)}


def test_unknown_precision_metrics_are_refused():
    with pytest.raises(InputError, match="unknown metric 'latency_p95'") as caught:
        outcome(toy_scenario(replications=None, precision=Precision(metrics=("latency_p95",))))
    assert caught.value.hint == "did you mean 'latency_p95_s'?"


def test_no_replications_are_refused():
    with pytest.raises(InputError, match="0 replications"):
        outcome(toy_scenario(replications=0))


@pytest.mark.parametrize("metrics", [{"hosts": math.nan}, {"hosts": math.inf}, {"hots": 1.0}])
def test_what_is_no_number_or_no_metric_is_a_bug(metrics):
    with pytest.raises(ValueError, match="the engine says"):
        outcome(toy_scenario(), lambda *_: Replication(metrics, 1))
