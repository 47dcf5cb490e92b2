"""Verdicts on results that were written down by hand: each number and each outcome is worked out on paper."""

from __future__ import annotations

import pytest

from tests.experiment.sets import run, samples, starts
from tests.report.results import parameter, result, swing
from vsim.report.myths import MYTHS
from vsim.report.myths.claims import Measured, MemoryShare, NetworkShare, ParameterValue, Quantity, Value
from vsim.report.myths.evidence import Evidence, Sources
from vsim.report.myths.judging import Condition, Myth, Verdict, judge
from vsim.report.myths.pairs import Gap, Ratio
from vsim.samples.records import Samples
from vsim.samples.result import Result

INSTANTLY = Myth("m", "S.", (Condition(Value("startup_p95_s", "container@*"), "at most", 0.1),), "Because.")


def verdict(myth: Myth, *results: Result) -> Verdict:
    return judge(myth, Sources(results))


def only(quantity: Quantity, *results: Result, measured: tuple[Samples, ...] = ()) -> Evidence:
    (found,) = quantity.evidence(Sources(results, measured))
    return found


@pytest.mark.parametrize(
    ("startups", "outcome"),
    [
        ({"container@a": (0.05, 0.04, 0.06)}, "holds"),
        ({"container@a": (0.05, 0.04, 0.1)}, "holds"),
        ({"container@a": (0.5, 0.4, 0.6)}, "doesn't hold"),
        ({"container@a": (0.09, 0.07, 0.11)}, "open"),
        ({"container@a": (0.05, 0.04, 0.06), "container@b": (0.5, 0.4, 0.6)}, "depends"),
        ({"container@a": (0.05, 0.04, 0.06), "container@b": (0.09, 0.07, 0.11)}, "open"),
        ({"container@a": (0.5, 0.4, 0.6), "container@b": (0.09, 0.07, 0.11)}, "open"),
        ({"vm@a": (0.05, 0.04, 0.06)}, "open"),
        ({"container@a": (0.05, None, None)}, "open"),
    ],
)
def test_the_whole_interval_decides_for_every_subject(startups: dict[str, object], outcome: str) -> None:
    judged = verdict(INSTANTLY, result({name: {"startup_p95_s": s} for name, s in startups.items()}))  # type: ignore[dict-item]
    assert judged.outcome == outcome
    assert bool(judged.why) is (outcome == "open")


def test_a_statement_of_two_conditions_needs_both() -> None:
    both = Myth(
        "m",
        "S.",
        (
            Condition(Value("provision_s", "bare-metal@*"), "at least", 100.0),
            Condition(Value("provision_s", "container@*"), "at most", 10.0),
        ),
        "Because.",
    )
    assert verdict(both, result({"bare-metal@a": {"provision_s": 200}, "container@a": {"provision_s": 5}})).outcome == (
        "holds"
    )
    assert verdict(
        both, result({"bare-metal@a": {"provision_s": 200}, "container@a": {"provision_s": 50}})
    ).outcome == ("doesn't hold")
    lone = verdict(both, result({"container@a": {"provision_s": 5}}))
    assert lone.outcome == "open"
    assert lone.why == "It takes a result with provisioning of bare-metal@*."
    # one condition that fails is enough, whatever is missing
    assert verdict(both, result({"container@a": {"provision_s": 50}})).outcome == "doesn't hold"


def test_what_a_parameter_can_change_is_not_settled_and_the_parameter_is_named() -> None:
    startup = {"container@a": {"startup_p95_s": (0.05, 0.04, 0.06)}}
    # one replication of the screening said 0.04: the engine's start makes it half or three times as much
    engine = swing("engine.start", "startup_p95_s", "container@a", 0.04, 0.02, 0.12)
    little = swing("engine.create", "startup_p95_s", "container@a", 0.04, 0.039, 0.041)
    judged = verdict(INSTANTLY, result(startup, swings=[little, engine]))
    (found,) = judged.findings
    assert judged.outcome == "open"
    assert found.evidence.span.low == pytest.approx(0.02)  # 0.04 × 0.5
    assert found.evidence.span.high == pytest.approx(0.18)  # 0.06 × 3
    assert (found.evidence.span.luck_low, found.evidence.span.luck_high) == (0.04, 0.06)
    assert found.hangs_on is not None
    assert found.hangs_on.name == "engine.start"
    assert judged.why == "It hangs on engine.start, which is assumed: its interval reaches over the threshold."
    assert [basis.name for basis in found.evidence.basis] == ["engine.start", "engine.create"]
    assert verdict(INSTANTLY, result(startup, swings=[little])).outcome == "holds"


def test_a_ratio_uses_the_paired_difference() -> None:
    latency = {
        "container@a": {"latency_p95_s": (0.11, 0.09, 0.13)},
        "bare-metal@a": {"latency_p95_s": (0.10, 0.08, 0.125)},
    }
    ratio = Ratio("latency_p95_s", "container@*", "bare-metal@*")
    alone = only(ratio, result(latency)).span
    assert alone.value == pytest.approx(1.1)
    assert (alone.low, alone.high) == (pytest.approx(0.09 / 0.125), pytest.approx(0.13 / 0.08))
    step = [("latency_p95_s", "container@a", "bare-metal@a", 0.01, 0.008, 0.012)]
    together = only(ratio, result(latency, differences=step)).span
    assert (together.low, together.high) == (pytest.approx(1 + 0.008 / 0.125), pytest.approx(1 + 0.012 / 0.08))
    turned = [("latency_p95_s", "bare-metal@a", "container@a", -0.01, -0.012, -0.008)]
    assert only(ratio, result(latency, differences=turned)).span == together


def test_a_parameter_of_both_sides_moves_their_ratio_by_what_is_left_of_it() -> None:
    start = {"microvm@a": {"startup_p95_s": 0.4}, "container@a": {"startup_p95_s": 0.2}}
    # the application's own start doubles both: nothing of it is left in the ratio
    swings = [
        swing("site.app", "startup_p95_s", "microvm@a", 0.4, 0.4, 0.8),
        swing("site.app", "startup_p95_s", "container@a", 0.2, 0.2, 0.4),
        swing("engine.start", "startup_p95_s", "container@a", 0.2, 0.1, 0.2),
    ]
    span = only(Ratio("startup_p95_s", "microvm@*", "container@*"), result(start, swings=swings)).span
    assert (span.value, span.low, span.high) == (pytest.approx(2), pytest.approx(2), pytest.approx(4))
    assert span.widest is not None
    assert span.widest.name == "engine.start"


def test_only_architectures_on_the_same_machine_are_compared_unless_a_statement_says_otherwise() -> None:
    hosts = {"vm@a": {"hosts": 2}, "vm@b": {"hosts": 4}, "bare-metal@b": {"hosts": 8}}
    assert only(Ratio("hosts", "vm@*", "bare-metal@*"), result(hosts)).subject == "vm@b / bare-metal@b"
    crossed = Ratio("hosts", "vm@*", "bare-metal@*", same_machine=False).evidence(Sources((result(hosts),)))
    assert [(one.subject, one.span.value) for one in crossed] == [
        ("vm@a / bare-metal@b", 0.25),
        ("vm@b / bare-metal@b", 0.5),
    ]


def test_downtime_is_what_availability_lacks() -> None:
    up = {
        "container@a": {"availability": (0.998, 0.997, 0.999)},
        "bare-metal@a": {"availability": (0.999, 0.998, 0.9995)},
    }
    span = only(Ratio("availability", "container@*", "bare-metal@*", missing=True), result(up)).span
    assert span.value == pytest.approx(2.0)
    assert (span.low, span.high) == (pytest.approx(0.001 / 0.002), pytest.approx(0.003 / 0.0005))
    # nothing is missing at all: there is nothing to divide by
    whole = {"container@a": {"availability": 1.0}, "bare-metal@a": {"availability": 1.0}}
    quantity = Ratio("availability", "container@*", "bare-metal@*", missing=True)
    assert not list(quantity.evidence(Sources((result(whole),))))


def test_the_memory_share_is_that_of_overhead_and_need_together() -> None:
    services = [{"replicas": 3, "memory_bytes": 200e6}, {"replicas": 1, "memory_bytes": 600e6}]  # 300 MB on average
    found = result({"vm@a": {"memory_overhead_bytes": (100e6, 60e6, 300e6)}}, services=services)
    evidence = only(MemoryShare("vm@*"), found)
    assert (evidence.unit, evidence.span.value) == ("fraction", 0.25)
    assert (evidence.span.low, evidence.span.high) == (pytest.approx(60 / 360), pytest.approx(0.5))
    assert not list(MemoryShare("vm@*").evidence(Sources((result({"vm@a": {"memory_overhead_bytes": 1e8}}),))))


def test_a_gap_is_a_difference_and_shifts_with_a_parameter() -> None:
    overhead = {"container@a": {"cpu_overhead_fraction": 0.06}, "bare-metal@a": {"cpu_overhead_fraction": 0.01}}
    calls = swing("engine.calls", "cpu_overhead_fraction", "container@a", 0.06, 0.05, 0.10)
    span = only(Gap("cpu_overhead_fraction", "container@*", "bare-metal@*"), result(overhead, swings=[calls])).span
    assert (span.value, span.low, span.high) == (pytest.approx(0.05), pytest.approx(0.04), pytest.approx(0.09))


def test_a_way_through_the_network_counts_twice_and_its_interval_is_the_parameters() -> None:
    name = "container-engine.network.published.latency_s"
    found = result(
        {"container@a": {"latency_p50_s": (0.010, 0.008, 0.0125)}},
        parameters=[parameter(name, 1e-4, 5e-5, 4e-4, unit="s")],
    )
    span = only(NetworkShare(name, "container@*"), found).span
    assert (span.value, span.low, span.high) == (pytest.approx(0.02), pytest.approx(1e-4 / 0.0125), pytest.approx(0.1))


def test_a_parameter_is_judged_over_its_own_interval() -> None:
    myth = Myth("m", "S.", (Condition(ParameterValue("disk.factor"), "at most", 0.5),), "Because.")
    wide = result({"vm@a": {"hosts": 1}}, parameters=[parameter("disk.factor", 0.5, 0.2, 0.9)])
    assert verdict(myth, wide).outcome == "open"
    assert "disk.factor, which is assumed" in verdict(myth, wide).why
    narrow = result({"vm@a": {"hosts": 1}}, parameters=[parameter("disk.factor", 0.4, 0.3, 0.45)])
    assert verdict(myth, narrow).outcome == "holds"


def test_measured_ratios_are_paired_within_blocks_and_emulation_is_left_out() -> None:
    def fields(driver: str, **more: object) -> dict[str, object]:
        return {"driver": driver, "concurrency": 1, **more}

    # the host is twice as slow in the second block: each block's ratio is 3 all the same
    base = starts([[1.0, 1.2], [2.0, 2.4]], **fields("process"))
    own = starts([[3.0, 3.6], [6.0, 7.2]], **fields("runc"))
    emulated = starts([[99.0], [99.0]], **fields("runc", flags=("emulated",), step=1))
    many = starts([[50.0], [50.0]], **fields("runc", step=2) | {"concurrency": 4})
    evidence = only(Measured("startup_s", "runc", "process"), measured=(samples(base, own, emulated, many),))
    assert evidence.span.value == pytest.approx(3.0)
    assert (evidence.span.low, evidence.span.high) == (pytest.approx(3.0), pytest.approx(3.0))
    assert (evidence.where, evidence.basis[0].kind) == ("box", "measured")
    simulated = samples(base, own, runs=[run(world="simulated")])
    assert not list(Measured("startup_s", "runc", "process").evidence(Sources((), (simulated,))))


def test_every_statement_has_a_threshold_with_a_reason() -> None:
    assert len({myth.name for myth in MYTHS}) == len(MYTHS) >= 20
    for myth in MYTHS:
        assert myth.statement.endswith(".")
        assert myth.reason.endswith(".")
        assert myth.conditions
        # without any data, none is settled, and each says what it would take
        judged = judge(myth, Sources())
        assert judged.outcome == "open"
        assert judged.why.startswith("It takes ")
