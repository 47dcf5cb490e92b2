"""What the sliders move, and the points that they make."""

from __future__ import annotations

import dataclasses

import pytest

from vsim.report.page.axes import Axis, Position, axes_of, combinations, default_axes, label, merged, sweep_over
from vsim.samples.result import SweepPoint, SweepResult
from vsim.scenario import load_scenario
from vsim.scenario.scenario import Start


def test_the_default_sliders_stand_where_the_scenario_is() -> None:
    scenario = load_scenario("evolution")
    axes = default_axes(scenario)
    assert [axis.title for axis in axes] == ["size of the workload", "images", "starts on a host"]
    assert [dict(axis.positions[axis.start].values) for axis in axes] == [{}, {}, {}]
    assert [axis.positions[axis.start].label for axis in axes] == ["× 1", "on every host", "all at once"]


def test_the_size_moves_replicas_needs_and_rates_together() -> None:
    size = default_axes(load_scenario("evolution"))[0]
    half = size.positions[1].values
    # 24, 14 and 5 replicas of which 23, 13 and 4 are needed, with 24, 14 and 10 requests per second
    assert half == {
        "services.web.replicas": 12,
        "services.web.needs": 12,
        "services.web.arrivals.rate_per_s": 12.0,
        "services.api.replicas": 7,
        "services.api.needs": 6,
        "services.api.arrivals.rate_per_s": 7.0,
        "services.database.replicas": 3,
        "services.database.needs": 2,
        "services.database.arrivals.rate_per_s": 5.0,
    }


def test_a_scenario_that_is_cold_or_one_at_a_time_starts_there() -> None:
    scenario = dataclasses.replace(load_scenario("evolution"), start=Start(concurrency=2, images="cold"))
    _, images, starts = default_axes(scenario)
    assert (images.start, dict(images.positions[0].values)) == (1, {"start.images": "warm"})
    assert [position.label for position in starts.positions] == ["2 at a time", "all at once"]
    assert starts.start == 0
    assert dict(starts.positions[1].values) == {"start.concurrency": None}


def test_recorded_demands_have_what_is_reserved_for_them() -> None:
    reserved, starts = default_axes(load_scenario("consolidation"))
    assert [position.label for position in reserved.positions] == ["mean", "p95", "peak", "provisioned"]
    assert reserved.positions[reserved.start].label == "peak"
    assert starts.title == "starts on a host"


def test_a_sweep_visits_all_points_but_the_start_with_every_value_stated() -> None:
    scenario = load_scenario("evolution")
    axes = (
        Axis("a", (Position("warm"), Position("cold", {"start.images": "cold"}))),
        Axis("b", (Position("all"), Position("2", {"start.concurrency": 2}))),
    )
    sweep = sweep_over(axes, scenario)
    assert sweep is not None
    assert sweep.mode == "list"
    assert sweep.parameters == {"start.images": ("warm", "cold", "cold"), "start.concurrency": (2, None, 2)}
    assert list(combinations(axes)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert merged(axes, (1, 1)) == {"start.images": "cold", "start.concurrency": 2}
    assert sweep_over((), scenario) is None


def swept(*points: dict[str, object]) -> SweepResult:
    return SweepResult(tuple(points[0]), tuple(SweepPoint(values, 1, ()) for values in points))


def test_a_grid_has_a_slider_for_each_parameter_and_a_list_one_for_all() -> None:
    grid = axes_of(
        swept(*({"x.memory_bytes": m, "run.duration_s": d} for m in (2**20, 2**30) for d in (0.5, 60.0, 7200.0)))
    )
    assert [axis.title for axis in grid] == ["x.memory_bytes", "run.duration_s"]
    assert [[position.label for position in axis.positions] for axis in grid] == [
        ["1 MiB", "1 GiB"],
        ["500 ms", "60 s", "2 h"],
    ]
    side_by_side = axes_of(swept({"a": 1, "b": 10}, {"a": 2, "b": 20}))
    assert [axis.title for axis in side_by_side] == ["a, b"]
    assert [dict(position.values) for position in side_by_side[0].positions] == [{"a": 1, "b": 10}, {"a": 2, "b": 20}]


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("services.web.arrivals.rate_per_s", 24.0, "24/s"),
        ("services.web.request.user_core_s", 0.04, "0.04 core-s"),
        ("start.concurrency", None, "none"),
        ("architectures", ["vm@blade", "container@blade"], "vm@blade, container@blade"),
        ("start.images", "cold", "cold"),
        ("title", "x" * 100, "x" * 59 + "…"),
    ],
)
def test_labels(path: str, value: object, text: str) -> None:
    assert label(path, value) == text
