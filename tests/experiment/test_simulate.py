"""A whole comparison on toys: estimates, paired differences, parameters, screening and sweep by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from tests.experiment import fakes
from tests.experiment.fakes import ToyProfile, noise, toy_scenario
from vsim.engine.run import Replication
from vsim.errors import InputError
from vsim.experiment import sensitivity as sensitivity_module
from vsim.experiment.runner import Runner
from vsim.experiment.simulate import Analysis, compare
from vsim.experiment.statistics import student_t
from vsim.model.workload import DemandSeries, Workload
from vsim.scenario.scenario import Precision, Sweep

NONE = Analysis("none")


def compared(scenario=None, *, function=fakes.run, analysis=NONE, profile=None):
    with Runner(jobs=1, run=function) as runner:
        return compare(scenario or toy_scenario(), profile or ToyProfile(), runner, analysis=analysis, version="9.9")


def metric(result, architecture, name):
    return next(a for a in result.architectures if a.name == architecture).metrics[name]


def difference(result, name):
    return next(d for d in result.differences if d.metric == name)


def test_estimates_are_mean_and_interval_over_the_replications():
    scenario = toy_scenario(replications=3)
    result = compared(scenario)
    noises = [noise(scenario, r) for r in range(3)]
    mean = sum(noises) / 3
    half = student_t(2) * math.sqrt(sum((x - mean) ** 2 for x in noises) / 2 / 3)
    found = metric(result, "slow@box", "startup_p95_s")
    assert (found.value, found.unit) == (pytest.approx(4 + mean), "s")
    assert found.low == pytest.approx(4 + mean - half)
    assert found.high == pytest.approx(4 + mean + half)
    # two replicas, four hosts each
    assert metric(result, "slow@box", "hosts").value == 8
    assert metric(result, "slow@box", "cost_per_month").unit == "USD/month"


def test_paired_differences_do_not_see_what_the_workload_adds_to_both():
    result = compared(toy_scenario(replications=5))
    paired = difference(result, "startup_p95_s")
    assert (paired.of, paired.versus) == ("fast@box", "slow@box")
    assert paired.value == pytest.approx(-3)  # 1 and 4, plus the same noise
    assert paired.certain
    assert paired.low is not None
    assert paired.high is not None
    # Unpaired, the difference of two means is as uncertain as both together.
    ends = [metric(result, name, "startup_p95_s") for name in ("slow@box", "fast@box")]
    unpaired = math.hypot(*(end.high - end.low for end in ends))
    assert unpaired > 0.5
    assert paired.high - paired.low < 1e-9


def test_differences_are_to_the_first_and_to_the_one_before():
    result = compared(toy_scenario(architectures=("slow@a", "slow@b", "fast@c")))
    pairs = [(d.of, d.versus) for d in result.differences if d.metric == "hosts"]
    assert pairs == [("slow@b", "slow@a"), ("fast@c", "slow@a"), ("fast@c", "slow@b")]


def test_an_interval_ends_where_the_metric_does():
    def function(architecture, scenario, site, replication):
        return Replication({"availability": 1.0 if replication else 0.9, "unplaced": float(replication == 0)}, 1)

    result = compared(toy_scenario(replications=3), function=function)
    found = metric(result, "slow@box", "availability")
    assert found.value + 0.1 > 1  # t(2) is 4.3: the interval would go on to 1.11
    assert found.high == 1.0
    assert metric(result, "slow@box", "unplaced").low == 0.0


def test_parameters_are_listed_by_kind_of_source():
    result = compared()
    assert [(p.kind, p.name) for p in result.parameters] == [
        ("measured", "slow.fixed"),
        ("published", "slow.cpu"),
        ("assumed", "fast.disk"),
    ]
    assert "A. Nonymous" in result.parameters[1].source
    assert result.version == "9.9"


def test_the_profiles_digest_tells_profiles_apart():
    one, same, other = compared(), compared(), compared(profile=ToyProfile().with_value("slow.cpu", 5))
    assert one.profile == same.profile
    assert one.profile["sha256"] != other.profile["sha256"]


@pytest.mark.parametrize("method", ["screening", "full"])
def test_sensitivity_moves_each_parameter_over_its_interval(method):
    sensitivity = compared(analysis=Analysis(method)).sensitivity
    assert sensitivity is not None
    assert (sensitivity.method, sensitivity.uncertain, sensitivity.tried) == (method, 2, 2)
    assert sensitivity.metrics == ("hosts", "startup_p95_s", "cost_per_month")
    # hosts of `slow` are 2 × 4, and 2 × 3 to 2 × 8 at the ends: a swing of 10 / 8
    slow = next(s for s in sensitivity.swings if (s.metric, s.architecture) == ("hosts", "slow@box"))
    assert (slow.parameter, slow.kind) == ("slow.cpu", "published")
    assert (slow.low, slow.high, slow.at_low, slow.at_high, slow.value) == (3, 8, 6, 16, 8)
    assert (slow.swing, slow.span) == (1.25, 10)
    # hosts of `fast` are 2 × 1, and 1.8 to 2.4 at the ends
    fast = next(s for s in sensitivity.swings if (s.metric, s.architecture) == ("hosts", "fast@box"))
    assert fast.swing == pytest.approx(0.3)
    assert sensitivity.most("hosts") == slow
    # nothing moves the cost; `slow.fixed` has no interval
    assert sensitivity.most("cost_per_month") is None
    assert {s.parameter for s in sensitivity.swings} == {"slow.cpu", "fast.disk"}


def test_screening_tries_the_widest_first_and_stops_at_its_budget(monkeypatch):
    # A run of either toy is 10 events, and 101 for its two services: room for one of the two parameters. 3 to 8 around
    # 4 is wider than 0.9 to 1.2 around 1.
    monkeypatch.setattr(sensitivity_module, "SCREENING_EVENTS", 150)
    sensitivity = compared(analysis=Analysis("screening")).sensitivity
    assert sensitivity is not None
    assert (sensitivity.uncertain, sensitivity.tried) == (2, 1)
    assert {s.parameter for s in sensitivity.swings} == {"slow.cpu"}


def test_a_long_trace_leaves_nothing_for_screening(monkeypatch):
    monkeypatch.setattr(sensitivity_module, "SCREENING_EVENTS", 1000)
    trace = DemandSeries("vm1", 300.0, (0.5,) * 20_000)  # as long as 1000 events
    scenario = dataclasses.replace(toy_scenario(), workload=Workload(toy_scenario().workload.services, (), (trace,)))
    sensitivity = compared(scenario, analysis=Analysis("screening")).sensitivity
    assert sensitivity is not None
    assert (sensitivity.uncertain, sensitivity.tried, sensitivity.swings) == (2, 0, ())


def test_an_end_at_which_nothing_fits_is_told_and_not_averaged():
    def function(architecture, scenario, site, replication):
        if architecture.max_instances_per_environment == 8:
            raise InputError("too large")
        return fakes.run(architecture, scenario, site, replication)

    sensitivity = compared(function=function, analysis=Analysis("full")).sensitivity
    assert sensitivity is not None
    (one,) = sensitivity.impossible
    assert (one.parameter, one.architecture, one.at) == ("slow.cpu", "slow@box", 8)
    assert {s.parameter for s in sensitivity.swings} == {"fast.disk"}


@pytest.mark.parametrize("method", ["screening", "full"])
def test_what_matters_is_what_the_result_follows_however_narrow_its_interval(method: str):
    # `slow` starts in its number of seconds; `fast` in ten, and a tenth of a second for each of its number
    def function(architecture, scenario, site, replication):
        number = architecture.max_instances_per_environment
        start = number if architecture.name == "slow@box" else 10 + 0.1 * number
        return Replication({"startup_p95_s": start, "cost_per_month": 100.0}, events=10)

    sensitivity = compared(function=function, analysis=Analysis(method)).sensitivity
    assert sensitivity is not None
    # from 1 to 0.9 is 10 % and moves 10.1 s by 0.01 s, 0.1 %: a hundredth of its own change, less than a twentieth
    assert sensitivity.matter == ("slow.cpu",)
    assert {swing.parameter for swing in sensitivity.swings} == {"slow.cpu", "fast.disk"}


def test_a_sweep_gives_one_point_per_combination():
    sweep = Sweep({"services.web.replicas": (1, 3), "slow.cpu": (4.0, 5.0)})
    result = compared(dataclasses.replace(toy_scenario(), sweep=sweep))
    assert result.sweep is not None
    assert result.sweep.parameters == ("services.web.replicas", "slow.cpu")
    hosts = [
        (*point.values.values(), *(a.metrics["hosts"].value for a in point.architectures))
        for point in result.sweep.points
    ]
    # replicas, number of `slow`, hosts of `slow` and of `fast` (whose number is 1)
    assert hosts == [(1, 4, 4, 1), (1, 5, 5, 1), (3, 4, 12, 3), (3, 5, 15, 3)]
    # the comparison itself is that of the scenario as it is: two replicas
    assert metric(result, "slow@box", "hosts").value == 8


def test_a_sweep_over_architectures():
    sweep = Sweep({"architectures": (("slow@box",), ("slow@box", "fast@box"))})
    result = compared(dataclasses.replace(toy_scenario(), sweep=sweep))
    assert result.sweep is not None
    assert [[a.name for a in p.architectures] for p in result.sweep.points] == [["slow@box"], ["slow@box", "fast@box"]]


def test_all_points_of_a_sweep_see_the_same_workload():
    sweep = Sweep({"services.web.replicas": (1, 2)})
    result = compared(dataclasses.replace(toy_scenario(), sweep=sweep))
    assert result.sweep is not None
    one, two = (point.architectures[0].values["startup_p95_s"] for point in result.sweep.points)
    assert one == two == result.architectures[0].values["startup_p95_s"]


def test_another_seed_is_another_workload():
    one, same, other = (compared(toy_scenario(seed=seed)) for seed in (1, 1, 2))
    assert one.to_json() == same.to_json()
    assert metric(one, "slow@box", "startup_p95_s") != metric(other, "slow@box", "startup_p95_s")


def test_the_precision_of_a_sequential_run_is_told():
    scenario = toy_scenario(replications=None, precision=Precision(0.2, ("hosts",), 4, 50))
    result = compared(scenario)
    assert result.precision is not None
    assert (result.precision.relative, result.precision.metrics, result.precision.reached) == (0.2, ("hosts",), True)
    assert result.replications == 4
    assert compared().precision is None


@pytest.mark.parametrize(
    ("scenario", "analysis", "message", "hint"),
    [
        (toy_scenario(architectures=()), NONE, "no architecture", "--on"),
        (toy_scenario(architectures=("slow@box", "slow@box")), NONE, "slow@box is there twice", None),
        (toy_scenario(architectures=("slwo@box",)), NONE, "no stack 'slwo'", "did you mean 'slow'?"),
        (toy_scenario(), Analysis("full", ("host",)), "unknown metric 'host'", "did you mean 'hosts'?"),
    ],
)
def test_what_can_not_be_compared_is_refused(scenario, analysis, message, hint):
    with pytest.raises(InputError) as caught:
        compared(scenario, analysis=analysis)
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_nothing_runs_before_all_points_of_a_sweep_are_known_to_make_sense():
    def function(*_):
        raise AssertionError("ran")

    sweep = Sweep({"services.web.replicas": (1, -1)})
    with pytest.raises(InputError, match="zero or more"):
        compared(dataclasses.replace(toy_scenario(), sweep=sweep), function=function)
