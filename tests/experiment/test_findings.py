"""What a comparison found, told in sentences that were written by hand."""

from __future__ import annotations

import pytest

from vsim.experiment.findings import findings
from vsim.samples.metrics import unit_of
from vsim.samples.result import ArchitectureResult, Difference, Estimate, Result


def result(
    values: dict[str, dict[str, float]], *differences: tuple[str, str, str, float, float | None, float | None], n=10
) -> Result:
    """A result with each architecture's metrics (without intervals), and differences: metric, of, versus, value …."""
    return Result(
        seed=1,
        replications=n,
        scenario={"title": "By hand"},
        profile={"name": "toys"},
        architectures=tuple(
            ArchitectureResult(
                name, {metric: Estimate(value, None, None, unit_of(metric, "USD")) for metric, value in metrics.items()}
            )
            for name, metrics in values.items()
        ),
        differences=tuple(
            Difference(metric, of, versus, value, low, high, unit_of(metric, "USD"))
            for metric, of, versus, value, low, high in differences
        ),
    )


def two(metric: str, before: float, after: float, low: float, high: float) -> list[str]:
    values = {"vm@a": {metric: before}, "container@a": {metric: after}}
    return findings(result(values, (metric, "container@a", "vm@a", after - before, low, high)))


@pytest.mark.parametrize(
    ("metric", "before", "after", "low", "high", "said", "interval"),
    [
        ("hosts", 5.1, 2, -3.4, -2.8, "needs 3.1 fewer hosts than vm@a", "2.8 to 3.4"),
        ("hosts", 2, 4, 2, 2, "needs 2 more hosts than vm@a", ""),
        ("hosts", 2, 1, -1, -1, "needs 1 fewer host than vm@a", ""),
        ("startup_p95_s", 20, 8, -14, -10, "starts 12 s faster than vm@a at p95", "10 to 14 s"),
        ("startup_p95_s", 20.4, 7.3, -13.5, -12.6, "starts 13.1 s faster than vm@a at p95", "12.6 to 13.5 s"),
        ("startup_p95_s", 97.0, 0.04, -102, -92, "starts 97 s faster than vm@a at p95", "92 to 102 s"),
        ("startup_p95_s", 40.0, 10.0, -50, -10, "starts 30 s faster than vm@a at p95", "10 to 50 s"),
        ("latency_p95_s", 0.125, 0.245, 0.1, 0.14, "answers 120 ms slower than vm@a at p95", "100 to 140 ms"),
        (
            *("slo_fraction", 0.5, 0.75, 0.2, 0.3),
            "answers 25 percentage points more of its requests in time than vm@a",
            "20 to 30",
        ),
        ("cost_per_month", 300, 100, -250, -150, "costs $200 less per month than vm@a", "$150 to $250"),
        ("energy_wh", 100, 150, 40, 60, "uses 50 Wh more energy than vm@a", "40 to 60 Wh"),
        (
            *("memory_overhead_bytes", 3 * 2**30, 2**30, -3 * 2**30, -(2**30)),
            "spends 2 GiB less memory on overhead than vm@a",
            "1.0 to 3.0 GiB",
        ),
        ("provision_s", 30, 10, -20, -20, "is provisioned 20 s sooner than vm@a", ""),
        ("availability", 0.75, 0.5, -0.25, -0.25, "is available 25 percentage points less of the time than vm@a", ""),
    ],
)
def test_one_difference_is_one_sentence(metric, before, after, low, high, said, interval):
    end = f" (95 % interval {interval})." if interval else ", in all 10 replications."
    told = [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in two(metric, before, after, low, high)]
    assert told == [f"container@a {said}{end}"]


def test_an_interval_that_would_not_be_seen_is_left_out():
    assert two("energy_wh", 103_630.0, 9710.0, -93_920.004, -93_919.996) == [
        "container@a uses 93.9 kWh less energy than vm@a."
    ]


def test_an_uncertain_difference_is_not_told():
    assert two("hosts", 3, 2.8, -0.5, 0.1) == [
        "No difference is larger than its interval: more replications would tell more."
    ]


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [
        ("cost_per_month", 111.0, 110.97),  # three cents
        ("startup_p95_s", 100.0, 99.5),
        ("availability", 0.99, 0.99005),  # of the missing hundredth, half a hundredth
    ],
)
def test_a_difference_too_small_to_matter_is_not_told(metric, before, after):
    change = after - before
    assert two(metric, before, after, change, change) == ["No difference is larger than a hundredth of the values."]


def test_a_hundredth_is_told_and_so_are_nines():
    assert len(two("startup_p95_s", 100.0, 99.0, -1.0, -1.0)) == 1
    (told,) = two("availability", 0.999, 0.9999, 0.0009, 0.0009)  # a tenth of the outage
    assert "is available 0.0900 percentage points more" in told


def test_a_step_that_was_told_gives_way_to_others():
    # hosts: a → b is the larger step. Start-up: a → b changes by 0.9, which counts for half now; b → c by 0.6.
    # Energy: both were told once; a → b by 0.8, b → c by 0.5.
    values = {
        "a@x": {"hosts": 100.0, "startup_p95_s": 100.0, "energy_wh": 100.0},
        "b@x": {"hosts": 10.0, "startup_p95_s": 10.0, "energy_wh": 20.0},
        "c@x": {"hosts": 9.0, "startup_p95_s": 4.0, "energy_wh": 10.0},
    }
    told = findings(
        result(
            values,
            *(
                (metric, of, versus, *[values[of][metric] - values[versus][metric]] * 3)
                for metric in ("hosts", "startup_p95_s", "energy_wh")
                for of, versus in (("b@x", "a@x"), ("c@x", "b@x"))
            ),
        )
    )
    assert [(s.split()[0], s.split()[1]) for s in told] == [("b@x", "needs"), ("c@x", "starts"), ("b@x", "uses")]


def test_one_replication_tells_nothing_for_certain():
    values = {"vm@a": {"hosts": 5.0}, "container@a": {"hosts": 2.0}}
    told = findings(result(values, ("hosts", "container@a", "vm@a", -3, None, None), n=1))
    assert told == ["One replication has no intervals: whether the differences are more than luck can't be said."]


def test_one_architecture_has_no_differences():
    assert findings(result({"vm@a": {"hosts": 5.0}})) == []


def test_of_several_steps_the_one_that_changes_most_is_told():
    # 100 → 50 halves, 50 → 40 is a fifth less; 100 → 40 is larger still but no step from one to the next
    values = {"a@x": {"hosts": 100.0}, "b@x": {"hosts": 50.0}, "c@x": {"hosts": 40.0}}
    told = findings(
        result(
            values,
            ("hosts", "b@x", "a@x", -50, -50, -50),
            ("hosts", "c@x", "a@x", -60, -60, -60),
            ("hosts", "c@x", "b@x", -10, -10, -10),
        )
    )
    assert told == ["b@x needs 50 fewer hosts than a@x, in all 10 replications."]


def test_at_most_so_many_sentences_are_told_in_the_order_of_importance():
    metrics = ["energy_wh", "hosts", "cost_per_month", "provision_s"]
    values = {"a@x": dict.fromkeys(metrics, 1.0), "b@x": dict.fromkeys(metrics, 3.0)}
    made = result(values, *((metric, "b@x", "a@x", 2.0, 2.0, 2.0) for metric in metrics))
    assert [sentence.split()[1] for sentence in findings(made)] == ["needs", "costs", "uses", "is"]
    assert [sentence.split()[1] for sentence in findings(made, limit=2)] == ["needs", "costs"]
