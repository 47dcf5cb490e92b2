"""``vsim calibrate`` as a user calls it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import vsim
from tests.calibration.fitting.made import Rung, environment, joined, starts
from tests.cli.command import vsim as command
from vsim.samples.records import Samples, to_line

RUNGS = {"process": Rung(0.002, 0.004), "docker": Rung(0.08, 0.1)}


def write(path: Path, samples: Samples) -> Path:
    path.write_text("".join(f"{to_line(record)}\n" for record in (*samples.runs, *samples.samples)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("samples") / "mine.jsonl", starts(RUNGS, levels=(1, 2), blocks=4, count=4))


def test_a_profile_is_written_and_used(mine: Path, tmp_path: Path) -> None:
    done = command("calibrate", mine, "--out", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert "docker@box-1" in shown
    assert "left to the lower source:" in shown
    assert "profile written to mine.yaml" in done.stderr.decode()
    explained = command(
        "explain", "docker.startup.bring-up.cpu_core_s", "--profile", "mine.yaml", cwd=tmp_path
    ).stdout.decode()
    fitted = vsim.calibrate(mine).report.fitted["docker.startup.bring-up.cpu_core_s"]
    told = dict(line.strip().split(maxsplit=1) for line in explained.splitlines() if len(line.split()) > 1)
    assert (told["source"], told["run"], told["host"], told["date"]) == ("measured", "r1", "Box 1", "2026-03-02")
    assert told["n"] == str(fitted.n)
    low, _, high, unit = told["interval"].split()
    assert unit == "core-ms"
    assert (float(low), float(high)) == pytest.approx((1e3 * fitted.low, 1e3 * fitted.high), rel=1e-3)
    # what is asked for on the command line is what Python does
    assert (tmp_path / "mine.yaml").read_text() == vsim.calibrate(mine).text
    simulated = command(
        "simulate", "startup-storm", "--replications", 1, "--on", "docker@box-1", "--profile", "mine.yaml", cwd=tmp_path
    )
    assert simulated.returncode == 0, simulated.stderr
    # The footer says how many of the parameters were measured and where, and of those that matter: the work of a start
    # is nearly all of a storm. (The container engine's memory is the built-in profile's, measured elsewhere.)
    footer = " ".join(simulated.stdout.decode().split())
    counts = [
        re.search(rf"(\d+) {what}: (\d+) measured \([^)]*?\b(\d+) on Box 1\b", footer)
        for what in ("parameters", r"that matter \([^)]*\)")
    ]
    (every, of_all, here), (some, of_some, mattering) = (map(int, found.groups()) for found in counts if found)
    assert 1 <= mattering < of_some < some < every
    assert mattering < here < of_all


def test_the_table_fits_a_terminal(mine: Path, tmp_path: Path) -> None:
    shown = command("calibrate", mine, "--out", "mine.yaml", cwd=tmp_path).stdout.decode()
    tables = shown.partition("left to the lower source")[0]
    assert max(map(len, tables.splitlines())) <= 80


def test_json_is_for_programs(mine: Path, tmp_path: Path) -> None:
    data = json.loads(command("calibrate", mine, "--out", "mine.yaml", "--format", "json", cwd=tmp_path).stdout)
    work = data["fitted"]["docker.startup.bring-up.cpu_core_s"]
    assert work["low"] <= work["value"] <= work["high"]
    assert (work["unit"], data["machine"], data["architectures"]) == (
        "core-s",
        "box-1",
        ["process@box-1", "docker@box-1"],
    )
    assert {rung["driver"] for rung in data["ladder"]} == {"process", "docker"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch.jsonl"], "nosuch.jsonl: error: there is no such file"),
        (["--driver", "dokcer"], "did you mean 'docker'"),
        (["--host", "other"], "no samples of the host 'other'"),
    ],
)
def test_bad_input(mine: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    done = command("calibrate", mine, *arguments, "--out", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert not (tmp_path / "mine.yaml").exists()


def test_two_hosts_are_refused_with_the_place_and_one_can_be_picked(mine: Path, tmp_path: Path) -> None:
    other = starts(RUNGS, levels=(1,), blocks=4, run_id="r2", environment=environment(hostname="other"))
    write(tmp_path / "other.jsonl", other)
    done = command("calibrate", mine, "other.jsonl", "--out", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert (
        "other.jsonl:1: error: the run r2 is of another host than r1: host name other, not Box 1"
        in done.stderr.decode()
    )
    picked = command("calibrate", mine, "other.jsonl", "--host", "other", "--out", "mine.yaml", cwd=tmp_path)
    assert picked.returncode == 0, picked.stderr
    assert "docker@other" in picked.stdout.decode()


def test_a_class_is_calibrated_host_by_host(tmp_path: Path) -> None:
    """What `vsim samples merge` joins is one file; --host takes each in turn."""
    everybody = joined(
        *(
            starts(
                {"process": RUNGS["process"]},
                levels=(1,),
                blocks=3,
                run_id=name,
                environment=environment(hostname=name),
            )
            for name in ("anna", "ben")
        )
    )
    path = write(tmp_path / "class.jsonl", everybody)
    for name in ("anna", "ben"):
        assert vsim.calibrate(path, host=name).report.architectures == [f"process@{name}"]


def test_where_it_can_not_be_written(mine: Path, tmp_path: Path) -> None:
    done = command("calibrate", mine, "--out", "nosuch/mine.yaml", cwd=tmp_path)
    assert done.returncode == 3
    assert "nosuch/mine.yaml can't be written" in done.stderr.decode()
