"""Job lists and recorded arrivals."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.model.workload import Job
from vsim.scenario import load_scenario
from vsim.scenario.jobs import read_arrivals, read_jobs


def write(tmp_path: Path, text: str, name: str = "jobs.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "host,arrival_s,demand_core_s\n0,0.5,2\n1,1,3.25\n",
        "0,0.5,2\n1,1,3.25\n",  # no header
        "demand_core_s, host, arrival_s\n2, 0, 0.5\n3.25, 1, 1\n",  # the header says where
        "# two jobs\nhost,arrival_s,demand_core_s\n\n0,0.5,2 # the first\n1,1,3.25",
    ],
)
def test_jobs(tmp_path: Path, text: str) -> None:
    assert read_jobs(write(tmp_path, text)) == (Job(0, 0.5, 2.0), Job(1, 1.0, 3.25))


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("", "the file is empty", 1, 1),
        ("host,arrival_s,demand_core_s\n", "the file has no rows", 1, 1),
        ("host,arrival_s\n0,1\n", "no column 'demand_core_s'", 1, 1),
        ("host,arrival_s,demand_core_s,colour\n0,1,2,3\n", "unknown column 'colour'", 1, 30),
        ("0,0,1\n1.5,0,1\n", "host can't be '1.5': it is a whole number", 2, 1),
        ("0,0,1\n100000,0,1\n", "host can't be '100000': it is at most 99999", 2, 1),
        ("0,0,1\n0,-1,1\n", "arrival_s can't be '-1'", 2, 3),
        ("0,0,1\n0, later,1\n", "arrival_s can't be 'later'", 2, 4),
        ("0,0,1\n0,1,inf\n", "demand_core_s can't be 'inf'", 2, 5),
        ("0,0,1\n0,1\n", "the line has 2 of 3 columns", 2, 4),
        ("0,0,1\n0,1,2,3\n", "the line has 4 columns instead of 3", 2, 7),
        ("0,0,1\n0,,2\n", "arrival_s is missing", 2, 3),
    ],
)
def test_bad_job(tmp_path: Path, text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(InputError) as caught:
        read_jobs(write(tmp_path, text))
    assert message in caught.value.message
    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.column) == (line, column)
    assert caught.value.hint


def test_arrivals_are_sorted_and_have_the_mean_rate(tmp_path: Path) -> None:
    arrivals = read_arrivals(write(tmp_path, "arrival_s\n3\n1\n8\n"), 12.0)
    assert arrivals.times_s == (1.0, 3.0, 8.0)
    assert (arrivals.rate_per_s, arrivals.period_s) == (0.25, 12.0)
    assert read_arrivals(write(tmp_path, "3\n1\n8\n"), None).period_s == 8.0


def test_bad_arrivals(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="later than the period of 5 s") as caught:
        read_arrivals(write(tmp_path, "1\n8\n"), 5.0)
    assert caught.value.place is not None
    assert caught.value.place.line == 2
    with pytest.raises(InputError, match="no length"):
        read_arrivals(write(tmp_path, "0\n0\n"), None)


def test_a_scenario_of_jobs_and_recorded_arrivals(tmp_path: Path) -> None:
    write(tmp_path, "0,0.5,2\n")
    write(tmp_path, "1\n3\n", "clicks.csv")
    path = write(
        tmp_path,
        "schema: vsim.scenario/1\narchitectures: [container@blade]\njobs: jobs.csv\nservices:\n"
        "  web: {image: 1 MB, memory: 1 MB, request: {user: 1 ms}, arrivals: {kind: trace, trace: clicks.csv}}\n",
        "scenario.yaml",
    )
    workload = load_scenario(path).workload
    assert workload.jobs == (Job(0, 0.5, 2.0),)
    assert workload.services[0].arrivals is not None
    assert workload.services[0].arrivals.times_s == (1.0, 3.0)
