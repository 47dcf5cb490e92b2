"""A sweep gives the scenario at every stated value, in the stated order."""

from __future__ import annotations

import dataclasses

import pytest

from tests.experiment.fakes import ToyProfile, toy_scenario
from vsim.errors import InputError, Place
from vsim.experiment.sweep import expand
from vsim.scenario.scenario import Sweep
from vsim.scenario.written import Written


def swept(parameters, mode="grid"):
    scenario = dataclasses.replace(toy_scenario(), sweep=Sweep(parameters, mode))
    return expand(scenario, ToyProfile())


def test_no_sweep_no_points():
    assert expand(toy_scenario(), ToyProfile()) == []


def test_a_grid_is_every_combination_and_the_last_parameter_runs_fastest():
    points = swept({"services.web.replicas": (1, 2), "run.duration_s": (5, 6, 7)})
    assert [tuple(point.values.values()) for point in points] == [(1, 5), (1, 6), (1, 7), (2, 5), (2, 6), (2, 7)]
    for point in points:
        replicas, duration = point.values.values()
        assert point.scenario.workload.services[0].replicas == replicas
        assert point.scenario.run.duration_s == duration
        # the rest is as it was, and a point is no sweep
        assert point.scenario.workload.services[1] == toy_scenario().workload.services[1]
        assert point.scenario.sweep is None


def test_a_list_takes_the_values_side_by_side():
    points = swept({"services.web.replicas": (1, 2), "run.duration_s": (5, 6)}, "list")
    assert [(p.scenario.workload.services[0].replicas, p.scenario.run.duration_s) for p in points] == [(1, 5), (2, 6)]


def test_architectures_can_be_swept():
    points = swept({"architectures": (("slow@box",), ("slow@box", "fast@box"), "fast@box")})
    assert [p.scenario.architectures for p in points] == [("slow@box",), ("slow@box", "fast@box"), ("fast@box",)]


def test_what_is_not_in_the_scenario_is_set_in_the_profile():
    points = swept({"slow.cpu": (5, 6.5)})
    assert [p.profile.quantities["slow.cpu"].value for p in points] == [5.0, 6.5]
    assert [p.profile.quantities["fast.disk"].value for p in points] == [1.0, 1.0]
    assert all(p.scenario == toy_scenario() for p in points)


def test_lists_of_different_length_are_refused():
    with pytest.raises(InputError, match=r"services.web.replicas: 2, run.duration_s: 3") as caught:
        swept({"services.web.replicas": (1, 2), "run.duration_s": (5, 6, 7)}, "list")
    assert "mode: grid" in (caught.value.hint or "")


def test_a_parameter_without_values_is_refused():
    with pytest.raises(InputError, match=r"no values for 'slow.cpu'"):
        swept({"slow.cpu": ()})


@pytest.mark.parametrize(
    ("path", "value", "message", "hint"),
    [
        ("slow.cpus", 1, "neither in the scenario nor in the profile", "did you mean 'slow.cpu'?"),
        ("runs", 1, "neither in the scenario nor in the profile", "did you mean 'run'?"),
        ("slow.cpu", "much", "is a number, not 'much'", "in 1"),
        ("slow.cpu", True, "is a number, not True", "in 1"),
        ("services.web.replicas", -3, "zero or more", None),
        ("services.wbe.replicas", 3, "there is no 'wbe'", "did you mean 'web'?"),
    ],
)
def test_bad_paths_and_values_are_refused_where_they_were_written(path, value, message, hint):
    place = Place("scenario.yaml", 7, 5, f"    {path}: [{value}]")
    with pytest.raises(InputError) as caught:
        swept({Written(path, place): (value,)})
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")
    assert caught.value.place == place
