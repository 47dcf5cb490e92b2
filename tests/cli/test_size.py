"""``vsim size`` as a user calls it: what it prints, what it refuses, and when it says that it can't be done."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.command import vsim

FILE = """\
name: shop
services:
  web: {build: ., ports: ["80:80"], depends_on: [db], x-vsim: {memory: 100 MiB, request: {user: 10 ms}}}
  db: {image: mongo, volumes: ["data:/data/db"], x-vsim: {memory: 500 MiB, request: {user: 1 ms}}}
volumes: {data: }
"""
ON = ("--on", "container@raspberry-pi-4", "--replications", "20")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_table_says_how_many_why_and_what_it_hangs_on(file: Path) -> None:
    done = vsim("size", file, "--rate", "400/s", "--p95", "300ms", *ON, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "p95 latency at most 300 ms, with a probability of 95 % or more" in text
    rows = {line.split("  ")[0]: line.split()[-1] for line in text.splitlines() if line}
    assert int(rows["machines"]) > 1
    assert rows["bound by"] in ("CPU", "latency")
    assert "• container@raspberry-pi-4: it hangs most on " in text
    assert "• web is asked 400 times a second" in text
    assert "• web: each request calls db" in text
    assert "• db has the replicas that are stated" in text
    assert "seed 1 · 20 replications, ± 95 % · profile builtin" in text


def test_all_formats_say_the_same(file: Path) -> None:
    goals = ("--rate", "400/s", "--p95", "300ms", *ON)
    content = json.loads(vsim("size", file, *goals, "--format", "json").stdout)
    (one,) = content["architectures"]
    assert content["schema"] == "vsim.sizing/1"
    assert one["probability"]["low"] <= one["probability"]["value"] <= one["probability"]["high"]
    (row,) = csv.DictReader(io.StringIO(vsim("size", file, *goals, "--format", "csv").stdout.decode()))
    assert (int(row["machines"]), row["bound_by"]) == (one["machines"], one["bound_by"])
    assert float(row["latency_p95_s"]) == one["metrics"]["latency_p95_s"]["value"]
    assert row["hinge"] == one["hinge"]["parameter"]
    shown = vsim("size", file, *goals, "--format", "md").stdout.decode()
    assert f"| machines | {one['machines']} |" in shown


def test_goals_that_nothing_meets_are_told_by_the_exit_code(file: Path) -> None:
    done = vsim("size", file, "--rate", "web=10/s", "--p95", "5ms", *ON)
    assert done.returncode == 1
    assert "not 1" in done.stdout.decode()
    assert "a request takes too long even when there is no other" in " ".join(done.stdout.decode().split())
    assert "no architecture meets the goals" in done.stderr.decode()


def test_a_scenario_is_sized_as_well(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "schema: vsim.scenario/1\narchitectures: [container@rack-server]\nservices:\n"
        "  web: {image: 1 MB, memory: 1 GiB, request: {user: 10 ms}, arrivals: {rate: 10/s}}\n",
        encoding="utf-8",
    )
    done = vsim("size", path, "--replications", "5", "--format", "json")
    assert json.loads(done.stdout)["architectures"][0]["machines"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rate", "fast"), "'fast' is not a rate"),
        (("--rate", "5/s", "--rate", "6/s"), "there is one rate of all requests"),
        (("--rate", "5/s", "--rate", "web=6/s"), "don't go together"),
        (("--rate", "wbe=5/s"), "there is no service 'wbe' to ask did you mean 'web'?"),
        (("--p95", "3 MB"), "measures a size"),
        (("--p95", "100ms"), "nothing is asked of this application"),
        (("--availability", "99.9"), "did you mean `99.9 %`?"),
        (("--availability", "100%"), "nothing is available always"),
        (("--budget", "0"), "0"),
        (("--scale", "dbb"), "there is no service 'dbb'"),
        (("--on", "container@toaster"), "there is no machine 'toaster'"),
    ],
)
def test_refused(file: Path, arguments: tuple[str, ...], message: str) -> None:
    done = vsim("size", file, *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.decode().replace("hint: ", "").split())


def test_bad_files_are_told_with_their_place(file: Path) -> None:
    file.write_text(FILE.replace("depends_on: [db]", "depends_on: [dbb]"), encoding="utf-8")
    done = vsim("size", "compose.yaml", "--rate", "1/s", cwd=file.parent)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("compose.yaml:3:50: error: 'web' depends on the unknown service 'dbb'")
