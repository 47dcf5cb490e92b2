"""The table of statements: computed from results, its numbers those of the results, in every form."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import vsim
from tests.cli.command import SMALL
from tests.report.results import HOSTILE, result, swing
from vsim.errors import InputError
from vsim.report.myths import MYTHS, table, verdicts
from vsim.report.myths.table import COLUMNS
from vsim.samples.result import Result


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("small") / "small.yaml"
    # bare metal as well: what is said of it compares stacks on one machine
    text = SMALL.replace("[vm@rack-server,", "[bare-metal@rack-server, vm@rack-server,").replace(
        "replications: 3", "replications: 8"
    )
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def found(small: Path) -> Result:
    return vsim.simulate(small)


def outcome(name: str, *results: Result) -> str:
    return {verdict.myth.name: verdict.outcome for verdict in verdicts(results)}[name]


def test_each_number_is_that_of_the_result(found: Result) -> None:
    by_name = {architecture.name: architecture.metrics for architecture in found.architectures}
    told = {one["myth"]: one for one in json.loads(table([found], form="json"))}
    (instantly,) = told["containers-start-instantly"]["conditions"][0]["evidence"]
    ends = [by_name[name]["provision_s"].value for name in ("container@rack-server", "bare-metal@rack-server")]
    assert instantly["value"] == ends[0] - ends[1]
    step = next(d for d in found.differences if d.metric == "provision_s" and d.of == "container@rack-server")
    assert step.versus == "bare-metal@rack-server"
    assert (instantly["replications_low"], instantly["replications_high"]) == (step.low, step.high)
    (minutes,) = told["vms-take-minutes"]["conditions"][0]["evidence"]
    assert minutes["value"] == by_name["vm@rack-server"]["startup_p95_s"].value
    assert minutes["replications_low"] == by_name["vm@rack-server"]["startup_p95_s"].low
    (cheaper,) = told["containers-are-cheaper"]["conditions"][0]["evidence"]
    costs = [by_name[name]["cost_per_month"].value for name in ("container@rack-server", "vm@rack-server")]
    assert cheaper["value"] == costs[0] / costs[1]
    (half,) = told["vms-waste-half-the-memory"]["conditions"][0]["evidence"]
    overhead = by_name["vm@rack-server"]["memory_overhead_bytes"].value
    assert half["value"] == pytest.approx(overhead / (overhead + 300 * 2**20))
    # what moved the value is what the result's sensitivity analysis says
    assert found.sensitivity is not None
    most = max(
        (s for s in found.sensitivity.swings if (s.metric, s.architecture) == ("startup_p95_s", "vm@rack-server")),
        key=lambda s: abs(s.at_high - s.at_low),
    )
    assert minutes["rests_on"][0] == {"name": most.parameter, "kind": most.kind}


def test_another_profile_makes_other_verdicts(small: Path, found: Result, tmp_path: Path) -> None:
    quick = tmp_path / "quick.yaml"
    quick.write_text(
        "schema: vsim.profile/1\nreference:\n"
        "  container_start_s: {value: 5, unit: ms, low: 4, high: 6, override: true,\n"
        "    source: {kind: assumed, why: a test}}\n"
        "layers:\n  guest-os:\n    memory:\n"
        "      environment_bytes: {value: 2, unit: GB, low: 1.9, high: 2.1, override: true,\n"
        "        source: {kind: assumed, why: a test}}\n",
        encoding="utf-8",
    )
    other = vsim.simulate(small, profile=[quick])
    assert outcome("containers-start-instantly", found) == "doesn't hold"
    assert outcome("containers-start-instantly", other) == "holds"
    assert outcome("vms-waste-half-the-memory", found) != "holds"
    assert outcome("vms-waste-half-the-memory", other) == "holds"


def test_the_text_fits_80_columns_and_says_everything(found: Result) -> None:
    text = table([found])
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(f"{len(MYTHS)} statements: ")
    flat = " ".join(text.split())
    for myth in MYTHS:
        assert myth.statement in flat
        assert myth.reason in flat
    assert max(map(len, table([found], width=200).splitlines())) > 80


def test_csv_has_a_row_for_each_piece_of_evidence(found: Result) -> None:
    rows = list(csv.DictReader(io.StringIO(table([found], form="csv"))))
    assert tuple(rows[0]) == COLUMNS
    evidence = [row for row in rows if row["value"]]
    told = json.loads(table([found], form="json"))
    assert len(evidence) == sum(len(c["evidence"]) for one in told for c in one["conditions"])
    assert {row["myth"] for row in rows} == {myth.name for myth in MYTHS}
    one = next(row for row in rows if row["myth"] == "vms-take-minutes")
    vm = next(a for a in found.architectures if a.name.startswith("vm"))
    assert float(one["value"]) == vm.metrics["startup_p95_s"].value


def test_names_of_others_come_out_as_text() -> None:
    name = f"vm@{HOSTILE}"
    hostile = result(
        {name: {"startup_p95_s": (0.05, 0.04, 0.06)}},
        title=HOSTILE,
        swings=[swing(HOSTILE, "startup_p95_s", name, 0.05, 0.01, 0.5)],
    )
    plain = table([hostile])
    assert "\u202e" not in plain
    assert max(map(len, plain.splitlines())) <= 80 + len("onerror=alert(2)>")  # a word is never cut in two
    told = table([hostile], form="md")
    assert "<script" not in told
    assert "<img" not in told
    assert "](javascript" not in told
    lines = told.splitlines()[2:]
    assert len(lines) == len(MYTHS) + 2, "no name ends a line"
    assert {line.count("|") for line in lines} == {6}, "no name ends a cell"
    assert json.loads(table([hostile], form="json"))[1]["conditions"][0]["evidence"][0]["subject"] == name
    rows = list(csv.DictReader(io.StringIO(table([hostile], form="csv"))))
    assert name in {row["subject"] for row in rows}, "a cell holds it whole, line ends and quotes and all"
    assert all(None not in row and None not in row.values() for row in rows), "and no cell is cut in two"


def test_nothing_to_judge_from_is_an_error() -> None:
    with pytest.raises(InputError, match="nothing to judge from"):
        table()
