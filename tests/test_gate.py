"""`make unit` runs pytest in two parts: together they are all tests, each of them once."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.conftest import ALONE, BESIDE_ANY, ONE_AT_A_TIME, PROJECT, piece_of_work

# Options that have no say in which tests there are.
HARMLESS = {"--numprocesses": 1, "--dist": 1, "--no-loadscope-reorder": 0, "--benchmark-disable": 0}


def parts() -> list[list[str]]:
    """Return what pytest is given, part by part."""
    rule = re.search(r"^unit:.*\n((?:\t.*\n)+)", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert rule is not None
    lines = [shlex.split(line) for line in rule[1].replace("\\\n", " ").splitlines()]
    assert all(line[:3] == ["$(BIN)/python", "-m", "pytest"] for line in lines)
    return [line[3:] for line in lines]


def test_the_two_parts_are_those_with_a_marker_and_those_without() -> None:
    chosen = []
    for words in parts():
        left = list(words)
        for option, arguments in HARMLESS.items():
            if option in left:
                at = left.index(option)
                del left[at : at + 1 + arguments]
        chosen.append(left)
    assert chosen == [["-m", "not alone"], ["-m", "alone"]]


def test_what_runs_alone_does_so_in_one_process() -> None:
    beside, alone = parts()
    assert "--numprocesses" in beside
    assert not set(HARMLESS) & set(alone)


def test_what_looks_at_the_host_runs_alone_or_says_that_it_need_not(request: pytest.FixtureRequest) -> None:
    beside = ONE_AT_A_TIME | BESIDE_ANY
    assert all((PROJECT / name).exists() for name in (*ALONE, *beside))
    looks = [item for item in request.session.items if item.nodeid.startswith(ALONE)]
    unmarked = {item.nodeid.partition("::")[0] for item in looks if item.get_closest_marker("alone") is None}
    assert unmarked <= beside


def test_of_what_bears_one_another_not_one_worker_gets_all() -> None:
    pieces = {piece_of_work(f"{name}::test_it[a::b]") for name in ONE_AT_A_TIME}
    assert len(pieces) == 1
    assert piece_of_work("tests/test_gate.py::test_it[a::b]") == "tests/test_gate.py"
    assert piece_of_work("README.md::line:3,column:1") == "README.md"
    assert pieces.isdisjoint({"tests/test_gate.py", "README.md"})
