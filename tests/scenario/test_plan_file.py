from __future__ import annotations

from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.model.plan import SUITES, HoldMemory, OfferRequests, Plan, Start, preset
from vsim.samples.plans import plan_from_data, plan_to_data
from vsim.scenario.plan_file import read_plan

TEXT = """\
schema: vsim.plan/1
name: small
blocks: 4
time_limit: 2 min
steps:
  - {suite: startup, count: 6, concurrency: 3}
  - {suite: memory, count: 40, touch: 16 MiB}
  - {suite: requests, rate: 50/s, duration: 500 ms}
  - {suite: requests, rate: 50/s, duration: 500 ms, arrivals: poisson}
"""


def test_a_plan_in_the_users_words(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT)
    assert read_plan(str(path)) == Plan(
        name="small",
        blocks=4,
        time_limit_s=120.0,
        steps=(
            Start(count=6, concurrency=3),
            HoldMemory(count=40, touch_bytes=16 * 2**20),
            OfferRequests(rate_per_s=50.0, duration_s=0.5),
            OfferRequests(rate_per_s=50.0, duration_s=0.5, arrivals="poisson"),
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("count: 6", "cuont: 6", 6),
        ("16 MiB", "16 ms", 7),
        ("suite: memory", "suite: memroy", 7),
        ("arrivals: poisson", "arrivals: bursty", 9),
        ("blocks: 4", "blocks: 0", 3),
        ("vsim.plan/1", "vsim.plan/2", 1),
    ],
)
def test_a_mistake_is_shown_where_it_is(tmp_path: Path, old: str, new: str, line: int) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_plan(str(path))
    assert caught.value.place is not None
    assert caught.value.place.line == line


@pytest.mark.parametrize("quick", [True, False])
def test_every_suite_has_a_preset_that_survives_the_run_record(quick: bool) -> None:
    for suite in SUITES:
        plan = preset((suite,), quick=quick)
        assert {step.suite for step in plan.steps} == {suite}
        assert plan_from_data(plan_to_data(plan)) == plan
