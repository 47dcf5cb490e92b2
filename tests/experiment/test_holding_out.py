from __future__ import annotations

import dataclasses

import pytest

from tests.experiment.sets import START, failure, joined, run, samples, starts, value
from vsim.errors import InputError
from vsim.experiment.holding_out import each_in_turn, parse, split
from vsim.samples.records import Samples

DENSITY = {"suite": "density", "limit": 4}
SLOW, FAST = {"suite": "requests", "rate_per_s": 50.0}, {"suite": "requests", "rate_per_s": 400.0}

LEVELS = samples(
    [sample for level in (1, 2, 8, 16) for sample in starts([[1.0], [2.0]], concurrency=level)],
    value("fork_exec_s", 1.0, driver="canary", suite="canary", concurrency=1, step=-1),
    failures=[failure(concurrency=8), failure(concurrency=2)],
)
RAMP = samples(
    [
        value("density_available_bytes", 9 - n, suite="density", concurrency=max(1, n), instance=n, unit="bytes")
        for n in range(5)
    ],
    [value("density_startup_s", 1.0, suite="density", concurrency=1, instance=n) for n in range(4)],
    value("density_instances", 4, suite="density", concurrency=1, unit="1"),
    runs=[run(steps=[DENSITY])],
)
RATES = samples(
    value("latency_p50_s", 1.0, suite="requests", step=0),
    value("latency_p50_s", 2.0, suite="requests", step=1),
    runs=[run(steps=[SLOW, FAST])],
)


def test_levels_of_concurrency() -> None:
    kept, left = split(LEVELS, [parse("concurrency=8,16")])
    assert {s.concurrency for s in left.samples} == {8, 16}
    assert {s.concurrency for s in kept.samples if s.suite == "startup"} == {1, 2}
    assert [s.driver for s in kept.samples if s.suite == "canary"] == ["canary"]
    assert len(kept.samples) + len(left.samples) == len(LEVELS.samples)
    assert [f.concurrency for f in kept.failures] == [2]
    assert [f.concurrency for f in left.failures] == [8]
    assert kept.runs == left.runs == LEVELS.runs


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("concurrency>2", {8, 16}),
        ("concurrency >= 8", {8, 16}),
        ("concurrency<2", {1}),
        ("concurrency<=2", {1, 2}),
        ("concurrency=2..8", {2, 8}),
        ("concurrency=1,8..99", {1, 8, 16}),
    ],
)
def test_ranges(text: str, left: set[int]) -> None:
    assert {s.concurrency for s in split(LEVELS, [parse(text)])[1].samples} == left


def test_a_range_of_densities_keeps_the_weight_of_the_empty_host_on_both_sides() -> None:
    kept, left = split(RAMP, [parse("density>2")])
    weights = [[s.instance for s in part.samples if s.metric == "density_available_bytes"] for part in (kept, left)]
    assert weights == [[0, 1, 2], [0, 3, 4]]
    # the start of instance number 2 makes the third
    ramps = [[s.instance for s in part.samples if s.metric == "density_startup_s"] for part in (kept, left)]
    assert ramps == [[0, 1], [2, 3]]
    assert [s.metric for s in left.samples if s.instance is None] == ["density_instances"]
    assert not [s for s in kept.samples if s.instance is None], "what the whole ramp tells is known at its end"


def test_memory_is_left_out_by_the_number_of_instances() -> None:
    weights = samples(
        [value("memory_available_bytes", 9 - n, suite="memory", concurrency=n, unit="bytes") for n in range(3)],
        value("memory_pss_bytes", 1.0, suite="memory", concurrency=2, instance=0, unit="bytes"),
    )
    kept, left = split(weights, [parse("density>1")])
    assert [s.concurrency for s in kept.samples] == [0, 1]
    assert [(s.metric, s.concurrency) for s in left.samples] == [
        ("memory_available_bytes", 0),
        ("memory_available_bytes", 2),
        ("memory_pss_bytes", 2),
    ]


def test_rates_come_from_the_plan() -> None:
    kept, left = split(RATES, [parse("rate>100/s")])
    assert [s.step for s in kept.samples] == [0]
    assert [s.step for s in left.samples] == [1]


def test_blocks_and_runs_are_left_out_whole() -> None:
    kept, left = split(LEVELS, [parse("block=1")])
    assert {s.block for s in left.samples} == {1}
    assert {s.block for s in kept.samples} == {0}

    both = joined(
        samples(starts([[1.0]], run_id="20260101-aa"), runs=[run("20260101-aa")]),
        samples(
            dataclasses.replace(RAMP.samples[0], run_id="20260102-bb"),
            starts([[1.0]], run_id="20260102-bb"),
            value("fork_exec_s", 1.0, driver="canary", suite="canary", run_id="20260102-bb"),
            runs=[run("20260102-bb", steps=[START, DENSITY])],
        ),
    )
    kept, left = split(both, [parse("run=20260102")])
    assert [r.run_id for r in kept.runs] == ["20260101-aa"]
    assert [r.run_id for r in left.runs] == ["20260102-bb"]
    assert {s.run_id for s in kept.samples} == {"20260101-aa"}, "not even the weight of the empty host stays"


def test_several_selections_leave_out_what_any_of_them_does() -> None:
    _, left = split(joined_levels_and_rates(), [parse("concurrency=16"), parse("rate=400")])
    assert {(s.suite, s.concurrency, s.step) for s in left.samples} == {("startup", 16, 0), ("requests", 4, 1)}


def joined_levels_and_rates() -> Samples:
    rates = dataclasses.replace(
        RATES,
        runs=(dataclasses.replace(RATES.runs[0], run_id="q"),),
        samples=tuple(dataclasses.replace(s, run_id="q") for s in RATES.samples),
    )
    return joined(LEVELS, rates)


def test_each_value_in_turn() -> None:
    assert [s.text for s in each_in_turn(LEVELS, "concurrency")] == [f"concurrency={n}" for n in (1, 2, 8, 16)]
    assert [s.text for s in each_in_turn(LEVELS, "block")] == ["block=0", "block=1"]
    assert [s.text for s in each_in_turn(RATES, "rate")] == ["rate=50", "rate=400"]
    with pytest.raises(InputError, match="only r"):
        each_in_turn(LEVELS, "run")
    with pytest.raises(InputError, match="the samples have none"):
        each_in_turn(LEVELS, "rate")
    with pytest.raises(InputError, match="no levels"):
        each_in_turn(RAMP, "density")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "doesn't say", "concurrency=8,16"),
        ("concurrency", "doesn't say", "concurrency=8,16"),
        ("concurrency=", "doesn't say", "concurrency=8,16"),
        ("concurency=8", "'concurency'", "did you mean 'concurrency'?"),
        ("driver=docker", "'driver'", "run"),
        ("concurrency=8,,16", "beside a comma", "concurrency"),
        ("concurrency=eight", "'eight'", "concurrency"),
        ("concurrency=8..x", "'x'", "concurrency"),
        ("density>-1", "'-1'", "concurrency"),
        ("density>nan", "'nan'", "concurrency"),
        ("density>inf", "'inf'", "concurrency"),
        ("run>5", "no order", "run=ID"),
    ],
)
def test_what_can_not_be_understood_is_refused_with_a_hint(text: str, message: str, hint: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse(text)
    assert hint in (caught.value.hint or "")


def test_leaving_out_nothing_or_all_is_refused() -> None:
    with pytest.raises(InputError, match="concurrency=32 leaves out nothing") as caught:
        split(LEVELS, [parse("concurrency=32")])
    assert caught.value.hint == "the samples have concurrency 1, 2, 8 and 16"
    with pytest.raises(InputError, match="leaves out nothing"):
        split(LEVELS, [parse("rate=5")])
    with pytest.raises(InputError, match="nothing to calibrate on"):
        split(LEVELS, [parse("concurrency<3"), parse("concurrency>3")])
