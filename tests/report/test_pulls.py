"""Image pulls: what the figure says is what the model makes of the profile, and measured times are those measured."""

from __future__ import annotations

import math
import re

import pytest

from tests.report.conftest import PULLS
from vsim.calibration import builtin
from vsim.report.documents import Images, Pulls
from vsim.report.figures import FIGURES
from vsim.report.figures._pulls import STATES, measured, pull_times, pulling, shared_most, together
from vsim.report.inputs import Inputs


def test_independent_numbers_add_up_as_squares() -> None:
    # two that halve and double: a factor of 2 ** sqrt(2) together; one alone: its own ends
    low, high = together(3.0, [(1.5, 6.0), (6.0, 1.5)])
    assert low == pytest.approx(3 / 2 ** math.sqrt(2))
    assert high == pytest.approx(3 * 2 ** math.sqrt(2))
    assert together(3.0, [(2.0, 3.5)]) == pytest.approx((2.0, 3.5))
    # what moves it in one direction only, at whichever end
    assert together(3.0, [(4.0, 3.0)]) == pytest.approx((3.0, 4.0))
    assert together(3.0, []) == (3.0, 3.0)


def test_the_image_that_shares_most_is_shown(inputs: Inputs) -> None:
    (images,) = inputs.contents(Images)
    image, there = shared_most(images, 2.5)
    # both share the base; the first is the larger one
    assert image.name == "one"
    assert there == {("base",)}
    alone = Images(images.images[:1])
    assert shared_most(alone, 2.5)[1] == frozenset()


def test_times_are_those_of_the_model(inputs: Inputs) -> None:
    own = FIGURES["pull"].narrowed(inputs)
    (images,) = inputs.contents(Images)
    found = {(one.machine, one.state): one for one in pull_times(own.result, images)}
    machines = {one.machine.name for one in pulling(own.result.architectures)}
    assert {machine for machine, _ in found} == machines == {"rack-server", "raspberry-pi-4"}
    puller, hub = builtin().pullers["docker-pull"], builtin().registries["docker-hub"]
    for machine in machines:
        nothing, shared, everything = (found[machine, state] for state in STATES)
        assert (nothing.bytes, shared.bytes, everything.bytes) == (100_000_000, 40_000_000, 0)
        # what is there is asked for, and that is all
        asked = puller.manifest_wait_s.value + puller.manifest_round_trips.value * hub.round_trip_s.value
        assert everything.seconds == pytest.approx(asked)
        assert everything.seconds < shared.seconds < nothing.seconds
        for one in (nothing, shared, everything):
            assert 0 < one.low < one.seconds < one.high
        assert nothing.downloaded_s < nothing.seconds
    # a single connection gets 40 MB/s: the larger layer of 60 MB takes a second and a half at least
    assert found["rack-server", STATES[0]].downloaded_s > 60e6 / 40e6


def test_measured_times_and_the_model_fitted_to_them(inputs: Inputs) -> None:
    (record,) = inputs.contents(Pulls)
    large, small, again = measured(record)
    assert (large.seconds, large.low, large.high) == (0.6, 0.5, 0.9)
    assert (small.what, small.seconds, small.pulls) == ("small", 0.11, 3)
    assert (again.state, again.seconds, again.low, again.high) == (STATES[2], 0.011, 0.010, 0.012)
    # the manifest, 2 ms for 20 MB over the loopback's 10 GB/s, 50 ms for the layer, 8 ns for each of 50 MB
    assert large.fitted == pytest.approx(0.01 + 0.002 + 0.05 + 0.4)
    assert again.fitted == PULLS["fitted"]["manifest_wait_s"]


def test_the_title_says_what_sharing_saves(inputs: Inputs) -> None:
    title = FIGURES["pull"].title(inputs)
    assert re.fullmatch(
        r"Pulling one \(100 MB\) takes \d\.\d s on an empty rack-server, \d\.\d s where its shared layers are there",
        title,
    ), title
    rows = [row for row in FIGURES["pull"].table(inputs)[1] if row[0] == "measured"]
    assert [row[2] for row in rows] == ["large", "small", "any"]
