"""Boxes within boxes: they hold what placement puts into them, what fails is as large as the failure, none overlap."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

import vsim
from vsim.report.figures._nesting import Box, Nest, Shape, flow, nest_of, placed, scaled
from vsim.report.inputs import InputFile, Simulated

SCENARIO = """\
schema: vsim.scenario/1
title: Twenty
architectures: [bare-metal@blade, vm@rack-server, container@rack-server, sandboxed-container@rack-server]
services:
  app: {replicas: 20, image: 50 MB, memory: 1 GiB, cpu: 0.1 cores}
fleet: {isolation: namespace}
run: {duration: 1 s, warmup: 0 s, replications: 1}
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    path: Path = tmp_path_factory.mktemp("nesting") / "twenty.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return Simulated(vsim.simulate(path, replications=1), InputFile("twenty.yaml", "", "scenario"))


def nest(simulated: Simulated, name: str, radius: float) -> Nest:
    found = nest_of(simulated, name, radius)
    assert found is not None
    return found


def down(boxes: tuple[Box, ...]) -> list[Box]:
    return [box for box in boxes if box.down] + [found for box in boxes for found in down(box.inside)]


@pytest.mark.parametrize(
    ("name", "radius", "fails", "counts"),
    [
        # an M1000e has 16 blades of half its height, each with a kernel and an instance
        ("bare-metal@blade", 16, "chassis", (20, 20, 20, 2)),
        ("bare-metal@blade", 1, "machine", (20, 20, 20, 2)),
        ("vm@rack-server", 20, "machine", (20, 20, 1, 0)),
        ("vm@rack-server", 1, "kernel", (20, 20, 1, 0)),
        ("container@rack-server", 20, "machine", (20, 1, 1, 0)),
        # each sandbox has a kernel of its own
        ("sandboxed-container@rack-server", 1, "kernel", (20, 20, 1, 0)),
    ],
)
def test_boxes_are_those_of_the_placement(
    simulated: Simulated, name: str, radius: int, fails: str, counts: tuple[int, ...]
) -> None:
    found = nest(simulated, name, radius)
    assert tuple(found.counts.values()) == counts
    assert found.fails == fails
    (failed,) = down(found.boxes)
    assert (failed.level, failed.instances) == (fails, radius)
    assert sum(box.instances for box in found.boxes) == 20


def test_boxes_flow_in_lines() -> None:
    places, tall = flow([(4, 1), (4, 3), (4, 2)], 9, 1)
    assert places == [(0, 0), (5, 0), (0, 4)]
    assert tall == 6
    assert flow([], 9, 1) == ([], 0)


@pytest.mark.parametrize(("width", "height"), [(170, 240), (400, 40)])
def test_boxes_fit_and_lie_within_each_other(simulated: Simulated, width: float, height: float) -> None:
    nests = [nest(simulated, one.name, 16) for one in simulated.result.architectures]
    cell, aspects = scaled(nests, width, height, 30)
    assert cell > 3
    for one, aspect in zip(nests, aspects, strict=True):
        found = placed(one.boxes, Shape(cell, aspect), width)
        assert len(found) == sum(one.counts.values())
        for _, (x, y, wide, tall), _ in found:
            assert 0 <= x <= x + wide <= width + 1e-6
            assert 0 <= y <= y + tall <= height + 1e-6
        for (box, here, _), (other, there, _) in combinations(found, 2):
            if box.level == other.level:
                apart = here[0] + here[2] <= there[0] + 1e-6 or there[0] + there[2] <= here[0] + 1e-6
                above = here[1] + here[3] <= there[1] + 1e-6 or there[1] + there[3] <= here[1] + 1e-6
                assert apart or above, (one.fails, box.level)


def test_what_isn_t_known_isn_t_drawn(simulated: Simulated) -> None:
    other = {**simulated.result.scenario, "workload": {"services": {"count": 3, "sha256": ""}}}
    import dataclasses

    unknown = Simulated(dataclasses.replace(simulated.result, scenario=other), simulated.file)
    assert nest_of(unknown, "vm@rack-server", 1) is None
