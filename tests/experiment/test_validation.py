"""Errors worked out by hand, and laws that a comparison obeys."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.experiment.sets import START, joined, run, samples, starts, value
from vsim.experiment.validation import compare, describe, unmatched

DENSITY = {"suite": "density", "limit": 4, "touch_bytes": 0, "reserve": 0.25, "slowest_start_s": 10.0}
MEMORY = {"suite": "memory", "count": 2, "touch_bytes": 0, "points": 3}
REQUESTS = {"suite": "requests", "rate_per_s": 100.0, "duration_s": 1.0, "operations": 10, "arrivals": "poisson"}


def test_the_error_is_predicted_over_measured_less_one() -> None:
    rows = compare(samples(starts([[1, 2], [3, 4], [5]])), samples(starts([[2, 4], [6]])))
    (row,) = rows
    assert (row.metric, row.statistic, row.driver, row.concurrency) == ("startup_s", "median", "docker", 4)
    assert (row.measured.value, row.predicted.value) == (3, 4)
    assert row.error == pytest.approx(1 / 3)
    assert (row.measured.values, row.measured.blocks, row.predicted.values, row.predicted.blocks) == (5, 3, 3, 2)
    assert row.measured.low is not None
    assert 1 <= row.measured.low <= 3 <= row.measured.high <= 5
    assert row.low < row.error < row.high
    assert row.at == "4 at once"


def test_a_95th_percentile_needs_twenty_values_on_both_sides() -> None:
    many = [list(range(1, 11)), list(range(11, 22))]
    rows = compare(samples(starts(many)), samples(starts(many, factor=2)))
    assert [row.statistic for row in rows] == ["median", "p95"]
    # rank 0.95 × 20 = 19: the twentieth of 21
    assert (rows[1].measured.value, rows[1].predicted.value, rows[1].error) == (20, 40, 1)
    assert [row.statistic for row in compare(samples(starts(many)), samples(starts(many[:1])))] == ["median"]


def test_a_set_compared_with_itself_has_no_error() -> None:
    rng = np.random.default_rng(3)
    own = samples(starts(rng.lognormal(size=(8, 8)).tolist()))
    for row in compare(own, own):
        assert row.error == 0
        assert row.low < 0 < row.high


@pytest.mark.parametrize("statistic", ["median", "p95"])
def test_a_shift_of_a_fifth_is_found_and_its_interval_holds_it(statistic: str) -> None:
    rng = np.random.default_rng(11)
    held = 0
    for seed in range(40):
        measured, predicted = (rng.lognormal(sigma=0.2, size=(20, 16)) for _ in range(2))
        rows = compare(
            samples(starts(measured.tolist())),
            samples(starts(predicted.tolist(), factor=1.2)),
            seed=seed,
            resamples=500,
        )
        row = next(row for row in rows if row.statistic == statistic)
        assert row.low > 0, "20 % are more than chance"
        held += row.low <= 0.2 <= row.high
    # 95 % of 40, less three standard deviations
    assert held >= 34


def test_rates_are_averaged() -> None:
    def rates(*numbers: float):
        return [value("starts_per_s", n, unit="1/s", block=i) for i, n in enumerate(numbers)]

    (row,) = compare(samples(rates(1, 2, 6)), samples(rates(2, 2)))
    assert row.statistic == "throughput"
    assert (row.measured.value, row.predicted.value, row.error) == (3, 2, pytest.approx(-1 / 3))


def test_what_a_block_has_once_has_a_median_only() -> None:
    def sizes(*numbers: float):
        return [
            value("memory_host_bytes", n, unit="bytes", suite="memory", block=i % 30) for i, n in enumerate(numbers)
        ]

    rows = compare(
        samples(sizes(*range(1, 62)), runs=[run(steps=[MEMORY])]), samples(sizes(31), runs=[run(steps=[MEMORY])])
    )
    assert [(row.statistic, row.error) for row in rows] == [("median", 0)]
    # a single block can't tell how far off it is
    assert (rows[0].low, rows[0].predicted.low) == (None, None)
    assert rows[0].measured.low is not None


def test_warm_up_throttled_samples_the_harness_and_the_canary_do_not_count() -> None:
    noise = [
        *starts([[100.0] * 4], flags=("warmup",)),
        *starts([[100.0] * 4], flags=("throttled",)),
        *starts([[100.0] * 4], driver="null"),
        *starts([[100.0] * 4], driver="canary", suite="canary", step=-1),
    ]
    (row,) = compare(samples(starts([[1.0]]), noise), samples(starts([[1.0]]), noise))
    assert row.measured.values == 1


def test_equal_steps_are_one_whatever_their_number_and_their_run() -> None:
    other = {**START, "concurrency": 2}
    measured = joined(
        samples(starts([[1.0]], run_id="a", step=0), runs=[run("a")]),
        samples(starts([[3.0]], run_id="b", step=1), runs=[run("b", [other, START])]),
    )
    predicted = samples(starts([[4.0]], run_id="c", step=2), runs=[run("c", [other, other, START])])
    (row,) = compare(measured, predicted)
    assert (row.measured.value, row.measured.blocks, row.error) == (2, 2, 1)


def test_what_an_earlier_version_did_not_write_down_has_the_value_that_it_had() -> None:
    older = {name: size for name, size in START.items() if name != "cold"}
    one, other = samples(starts([[1.0]]), runs=[run(steps=[older])]), samples(starts([[2.0]]))
    assert [row.error for row in compare(one, other)] == [1]


def test_steps_of_other_sizes_are_not_compared() -> None:
    other = samples(starts([[1.0]], run_id="o"), runs=[run("o", [{**START, "count": 8}])])
    assert compare(samples(starts([[1.0]])), other) == []
    assert unmatched(samples(starts([[1.0]])), other) == ["docker: startup_s"]
    assert unmatched(samples(starts([[1.0]])), samples(starts([[2.0]]))) == []


def density(*available: float, run_id: str, block: int = 0, factor: float = 1.0):
    weights = [
        value(
            "density_available_bytes",
            number,
            unit="bytes",
            suite="density",
            concurrency=max(1, count),
            instance=count,
            run_id=run_id,
            block=block,
        )
        for count, number in enumerate(available)
    ]
    ramp = [
        value("density_startup_s", factor * (count + 1), suite="density", concurrency=1, instance=count, run_id=run_id)
        for count in range(len(available) - 1)
    ]
    return samples(weights, ramp, runs=[run(run_id, [DENSITY])])


def test_memory_is_compared_as_what_instances_take() -> None:
    # The hosts have different amounts to begin with: what is taken counts.
    rows = compare(density(1000, 990, 975, run_id="m"), density(500, 490, 470, run_id="p"))
    taken = {row.concurrency: row for row in rows if row.metric == "density_taken_bytes"}
    assert {n: (row.measured.value, row.predicted.value) for n, row in taken.items()} == {1: (10, 10), 2: (25, 30)}
    assert taken[2].error == pytest.approx(0.2)
    assert taken[2].at == "2 running"


def test_the_memory_suite_weighs_the_empty_host_at_a_concurrency_of_none() -> None:
    def weights(*numbers: float):
        return [
            value("memory_available_bytes", n, unit="bytes", suite="memory", concurrency=count)
            for count, n in enumerate(numbers)
        ]

    rows = compare(
        samples(weights(100, 90, 70), runs=[run(steps=[MEMORY])]),
        samples(weights(50, 41, 20), runs=[run(steps=[MEMORY])]),
    )
    assert [(row.metric, row.concurrency, row.measured.value, row.predicted.value) for row in rows] == [
        ("memory_taken_bytes", 1, 10, 9),
        ("memory_taken_bytes", 2, 30, 30),
    ]


def test_ramps_are_compared_as_far_as_both_go() -> None:
    rows = compare(density(9, 8, 7, 6, run_id="m"), density(9, 8, 7, run_id="p", factor=2))
    (row,) = [row for row in rows if row.metric == "density_startup_s"]
    assert (row.measured.values, row.predicted.values) == (2, 2)
    assert row.error == 1
    assert max(row.concurrency for row in rows if row.metric == "density_taken_bytes") == 2


def latencies(numbers: dict[int, float], *, run_id: str, seed: int = 1, **step: object):
    return samples(
        [
            value("latency_p95_s", n, suite="requests", concurrency=1, run_id=run_id, block=block)
            for block, n in numbers.items()
        ],
        runs=[run(run_id, [{**REQUESTS, **step}], seed=seed)],
    )


def test_equal_arrivals_are_compared_block_by_block() -> None:
    wild = {block: float(2**block) for block in range(1, 9)}
    predicted = {block: 1.1 * number for block, number in wild.items()} | {50: 1e6}
    (row,) = compare(latencies(wild, run_id="m"), latencies(predicted, run_id="p"))
    assert row.predicted.blocks == 8, "a block that nobody measured had other arrivals"
    assert (row.error, row.low, row.high) == tuple(map(pytest.approx, (0.1, 0.1, 0.1)))
    # At constant rates, nothing ties a block to its number.
    (apart,) = compare(
        latencies(wild, run_id="m", arrivals="constant"), latencies(predicted, run_id="p", arrivals="constant")
    )
    assert apart.predicted.blocks == 9
    assert apart.low < -0.5


def test_two_parts_of_one_set_can_be_compared_all_the_same() -> None:
    one, other = latencies({0: 1.0, 2: 3.0}, run_id="m"), latencies({1: 4.0, 3: 4.0}, run_id="m")
    assert compare(one, other) == []
    (row,) = compare(one, other, paired=False)
    assert row.error == 1


def test_arrivals_of_other_seeds_have_no_block_in_common() -> None:
    assert compare(latencies({0: 1.0}, run_id="m"), latencies({0: 1.0}, run_id="p", seed=2)) == []


def test_nothing_measured_is_an_error_without_a_value_unless_nothing_is_predicted() -> None:
    def lost(*numbers: float):
        return samples(
            [value("requests_failed", n, unit="1", suite="requests", block=i) for i, n in enumerate(numbers)],
            runs=[run(steps=[REQUESTS | {"arrivals": "constant"}])],
        )

    (none,) = compare(lost(0, 0), lost(0, 0))
    assert (none.error, none.low, none.high) == (0, 0, 0)
    (some,) = compare(lost(0, 0), lost(0.1, 0.1))
    assert (some.error, some.low) == (None, None)
    assert some.exceeds(1e9)
    assert not none.exceeds(0)


def test_metrics_can_be_chosen() -> None:
    both = samples(starts([[1.0]]), value("ready_s", 1.0, instance=0))
    assert {row.metric for row in compare(both, both)} == {"startup_s", "ready_s"}
    assert {row.metric for row in compare(both, both, metrics=["ready_s"])} == {"ready_s"}


def test_intervals_depend_on_the_seed_and_not_on_what_else_is_compared() -> None:
    rng = np.random.default_rng(5)
    one = samples(starts(rng.lognormal(size=(5, 4)).tolist()))
    two = samples(one.samples, starts(rng.lognormal(size=(5, 4)).tolist(), driver="runc"))
    other_order = dataclasses.replace(two, samples=two.samples[::-1])
    assert compare(one, one) == compare(one, one)
    assert compare(one, one)[0] in compare(two, two)
    ends = {(row.driver, row.statistic): (row.low, row.high) for row in compare(two, two)}
    # block order changes which draw hits which block, not what the interval is about
    for row in compare(other_order, other_order):
        assert row.low == pytest.approx(ends[row.driver, row.statistic][0], abs=0.15)
    assert compare(one, one)[0].low != compare(one, one, seed=2)[0].low


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (START, "4 at once"),
        (START | {"cold": True}, "4 at once, cold"),
        (DENSITY, "up to 4"),
        (MEMORY, "2, idle"),
        (MEMORY | {"touch_bytes": 5}, "2, touched"),
        (REQUESTS, "100/s"),
        ({"suite": "cpu", "work": "system_call"}, "system call"),
        ({"suite": "disk", "pattern": "random_read", "path": "bind", "depth": 8}, "random read bind depth 8"),
        ({"suite": "network", "mode": "user_defined"}, "user defined"),
        ({"suite": "exchange", "over": "http"}, "over http"),
        ({"suite": "imported"}, "imported"),
    ],
)
def test_a_step_is_described_by_what_makes_it_differ(step: dict[str, object], words: str) -> None:
    assert describe(step) == words


def test_what_no_plan_describes_is_told_apart_by_its_number() -> None:
    bare = dataclasses.replace(run(), plan={})
    one = samples(starts([[1.0]], step=0), starts([[2.0]], step=1), runs=[bare])
    assert [(row.step, row.error) for row in compare(one, one)] == [(0, 0), (1, 0)]
