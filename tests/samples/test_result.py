"""A result's JSON: written and read back the same, valid by its schema, and refused where it isn't one."""

from __future__ import annotations

import copy
import dataclasses
import json

import jsonschema
import pytest

from tests.samples.results import RESULT
from vsim.errors import InputError
from vsim.samples.metrics import HEADLINE, METRICS, unit_of
from vsim.samples.result import Estimate, Result, Swing, result_schema

PLAIN = dataclasses.replace(RESULT, sensitivity=None, precision=None, sweep=None)


def content(result: Result = RESULT):
    return json.loads(result.to_json())


def valid(made: object) -> bool:
    return jsonschema.Draft202012Validator(result_schema()).is_valid(made)


def changed(*path: str | int, to: object = None, drop: bool = False):
    made = copy.deepcopy(content())
    at = made
    for key in path[:-1]:
        at = at[key]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return made


@pytest.mark.parametrize("result", [RESULT, PLAIN], ids=["whole", "plain"])
def test_what_is_written_is_read_back_and_written_again_the_same(result):
    read = Result.from_dict(content(result))
    assert read == result
    assert read.to_json() == result.to_json()


def test_floats_keep_all_their_digits():
    assert content()["architectures"][0]["metrics"]["startup_p95_s"]["value"] == 0.1 + 0.2 != 0.3


def test_the_form_is_that_of_the_design():
    made = content()
    assert made["schema"] == "vsim.result/1"
    assert {"schema", "seed", "replications", "scenario", "profile", "architectures"} <= set(made)
    first = made["architectures"][0]
    assert first["name"] == "vm@laptop"
    assert first["metrics"]["hosts"] == {"value": 3.0, "low": 3.0, "high": 3.0, "unit": "1"}


def test_the_metrics_are_those_of_the_design():
    # as the design lists them
    names = """hosts, rack_units, instances_per_host, unplaced, memory_overhead_bytes, cpu_overhead_fraction,
    provision_s, startup_p50_s, startup_p95_s, startup_p99_s, latency_p50_s, latency_p95_s, latency_p99_s,
    throughput_per_s, slo_fraction, availability, blast_radius_instances, energy_wh, cost_per_month"""
    assert list(METRICS) == [name.strip() for name in names.split(",")]
    assert set(HEADLINE) <= set(METRICS)
    assert {unit_of(name, "EUR") for name in METRICS} == {"1", "U", "bytes", "s", "1/s", "Wh", "EUR/month"}


def test_json_reads_well_and_differs_by_lines():
    lines = RESULT.to_json().splitlines()
    assert '        "hosts": {"value": 3.0, "low": 3.0, "high": 3.0, "unit": "1"},' in lines
    assert '    "title": "Größe, „quoted“",' in lines
    assert '    "sizes": [1, 2]' in lines
    assert RESULT.to_json().endswith("}\n")
    assert json.loads(RESULT.to_json()) == RESULT.to_dict() | {
        "sensitivity": json.loads(json.dumps(dataclasses.asdict(RESULT.sensitivity))),  # type: ignore[arg-type]
        "precision": {"relative": 0.05, "metrics": ["hosts"], "reached": False},
    }


def test_what_json_lacks_is_a_bug():
    bad = dataclasses.replace(RESULT.architectures[0], metrics={"hosts": Estimate(float("nan"), None, None, "1")})
    with pytest.raises(ValueError, match="JSON"):
        dataclasses.replace(RESULT, architectures=(bad,)).to_json()


@pytest.mark.parametrize("result", [RESULT, PLAIN], ids=["whole", "plain"])
def test_it_is_valid_by_its_schema(result):
    jsonschema.Draft202012Validator.check_schema(result_schema())
    assert valid(content(result))


@pytest.mark.parametrize(
    "broken",
    [
        changed("schema", to="vsim.result/2"),
        changed("seed", drop=True),
        changed("replications", to=0),
        changed("surplus", to=1),
        changed("architectures", 0, "name", to="vm"),
        changed("architectures", 0, "metrics", "hots", to={"value": 1, "low": 1, "high": 1, "unit": "1"}),
        changed("architectures", 0, "metrics", "hosts", "unit", to="s"),
        changed("architectures", 0, "metrics", "hosts", "low", drop=True),
        changed("architectures", 0, "metrics", "hosts", "value", to=None),
        changed("architectures", 0, "metrics", "cost_per_month", "unit", to="EUR"),
        changed("differences", 0, "metric", to="hots"),
        changed("parameters", "guessed", to=[]),
        changed("parameters", "measured", 0, "kind", to="measured"),
        changed("sensitivity", "method", to="none"),
        changed("sensitivity", "swings", 0, "at_low", to="2"),
        changed("precision", "reached", to=1),
        changed("sweep", "parameters", to=[]),
        changed("sweep", "points", 0, "architectures", 0, "metrics", "hosts", to=3),
        changed("scenario", "title", drop=True),
    ],
)
def test_what_breaks_it_is_seen_by_the_schema(broken):
    assert not valid(broken)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (None, "not a result: the schema is None"),
        ([], "not a result"),
        ({"schema": "vsim.samples/1"}, "the schema is 'vsim.samples/1', not 'vsim.result/1'"),
        ({"schema": "vsim.result/1"}, "'seed' is missing"),
        (changed("architectures", 0, "name", drop=True), "'name' is missing"),
        (changed("architectures", 0, "metrics", "hots", to={}), "unknown metric 'hots'"),
        (changed("architectures", 0, "metrics", "hosts", "unit", drop=True), "unit"),
        (changed("differences", to=3), "not a valid vsim.result/1"),
        (changed("parameters", "measured", 0, to="x"), "not a valid vsim.result/1"),
        (changed("sweep", "points", drop=True), "'points' is missing"),
        (changed("sensitivity", "swings", 0, "swings", to=1), "swings"),
    ],
)
def test_what_is_no_result_is_refused(broken, message):
    with pytest.raises(InputError) as caught:
        Result.from_dict(broken)
    assert message in caught.value.message


def test_certain_is_a_difference_whose_interval_leaves_out_zero():
    difference = RESULT.differences[0]
    intervals = {(-2.0, -1.0): True, (1.0, 2.0): True, (-1.0, 1.0): False, (0.0, 1.0): False, (-1.0, 0.0): False}
    for (low, high), certain in intervals.items():
        assert dataclasses.replace(difference, low=low, high=high).certain is certain
    assert not dataclasses.replace(difference, low=None, high=None).certain


def test_a_swing_from_zero_leads():
    sensitivity = RESULT.sensitivity
    assert sensitivity is not None
    leader = sensitivity.most("hosts")
    assert leader is not None
    assert leader.parameter == "vmm.cpu"
    assert sensitivity.most("energy_wh") is None


def test_a_span_counts_the_value_between_the_ends():
    assert Swing("p", "assumed", "hosts", "a@b", 0, 1, at_low=5.0, at_high=4.0, value=3.0, swing=None).span == 2.0
