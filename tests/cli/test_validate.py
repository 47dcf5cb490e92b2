"""``vsim validate`` as a user calls it: samples that the simulator has made itself, and profiles that differ."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.cli.command import vsim
from vsim import InputError, validate
from vsim.calibration import load_profile
from vsim.engine.plans import perform
from vsim.model.plan import Plan, Start
from vsim.samples.records import SampleWriter, read_samples

SAME = "schema: vsim.profile/1\n"
# All cores work at half their speed: what is CPU work takes twice as long.
SLOW = """\
schema: vsim.profile/1
machines:
  laptop:
    core_speed: {value: 0.5, unit: "1", low: 0.4, high: 0.6, override: true, source: {kind: assumed, why: a test}}
"""
WHERE = ("--machine", "laptop")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a profile, one of a slow machine, and samples of the first: 8 blocks at two levels."""
    made = tmp_path_factory.mktemp("validate")
    (made / "same.yaml").write_text(SAME)
    (made / "slow.yaml").write_text(SLOW)
    plan = Plan("two levels", (Start(8, 1), Start(8, 8)), blocks=8, warmup_blocks=0, seed=5)
    samples = perform(plan, load_profile(made / "same.yaml"), ["container", "microvm"], "laptop")
    with SampleWriter(made / "s.jsonl") as writer:
        for record in (*samples.runs, *samples.samples):
            writer.write(record)
    return made


def test_a_profile_is_close_to_what_it_made_itself(folder: Path) -> None:
    done = vsim("validate", "same.yaml", "s.jsonl", *WHERE, "--max-error", "25%", cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    summary, rows, *_ = text.split("\n\n")
    assert summary.splitlines()[0].split() == ["metric", "rows", "median", "worst"]
    assert "startup_s p95" in summary
    assert rows.splitlines()[0].split() == ["error", "95", "%", "driver", "metric", "at", "measured", "simulated"]
    assert "8 at once" in rows
    errors = [abs(float(re.sub("[+−]", "", line.split()[0]))) for line in rows.splitlines()[1:] if "%" in line]
    assert errors == sorted(errors, reverse=True), "the bad ones come first"


def test_a_slow_machine_is_noticed_with_exit_code_1(folder: Path) -> None:
    done = vsim("validate", "slow.yaml", "s.jsonl", *WHERE, "--max-error", "0.25", cwd=folder)
    assert done.returncode == 1
    assert re.search(rb"above 25 %: \d+ of \d+ errors", done.stderr)
    assert b"hint: the largest: " in done.stderr
    assert b"startup" in done.stdout, "the table comes before the verdict"
    # without a limit, it is only told
    assert vsim("validate", "slow.yaml", "s.jsonl", *WHERE, cwd=folder).returncode == 0


def test_other_formats_hold_every_row(folder: Path) -> None:
    def printed(form: str) -> str:
        done = vsim("validate", "slow.yaml", "s.jsonl", *WHERE, "--format", form, "--blocks", "8", cwd=folder)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    content = json.loads(printed("json"))
    assert content["schema"] == "vsim.validation/1"
    rows = list(csv.DictReader(printed("csv").splitlines()))
    assert len(rows) == len(content["rows"]) > 10
    for row, other in zip(rows, content["rows"], strict=True):
        assert float(row["error"]) == other["error"]
        assert float(row["error"]) == pytest.approx(float(row["predicted"]) / float(row["measured"]) - 1)
        assert row["unit"] == other["unit"]
    table = [line for line in printed("md").splitlines() if line.startswith("|")]
    assert len(table) == len(rows) + 2 + 2 + len({(row["metric"], row["statistic"]) for row in rows})
    assert printed("json") == printed("json"), "the same seeds make the same errors"


def test_the_python_interface_returns_the_same(folder: Path) -> None:
    done = vsim("validate", "slow.yaml", "s.jsonl", *WHERE, "--format", "json", "--blocks", "8", cwd=folder)
    profile, samples = folder / "slow.yaml", folder / "s.jsonl"
    found = validate(profile, samples, machine="laptop", blocks=8)
    assert found.to_dict() == json.loads(done.stdout)
    assert validate(load_profile(profile), read_samples(samples), machine="laptop", blocks=8) == found
    for arguments in ({}, {"leave_out": ["block=1"], "leave_one_out": "block"}):
        with pytest.raises(InputError, match="takes either a profile, or one of"):
            validate(None, samples, **arguments)
    with pytest.raises(InputError, match="takes either a profile, or one of"):
        validate(profile, samples, leave_out=["block=1"])


def test_metrics_are_chosen(folder: Path) -> None:
    done = vsim(*("validate", "same.yaml", "s.jsonl", *WHERE, "--metric", "startup_s", "--format", "csv"), cwd=folder)
    assert {row["metric"] for row in csv.DictReader(done.stdout.decode().splitlines())} == {"startup_s"}


def test_a_drawing(folder: Path) -> None:
    done = vsim("validate", "same.yaml", "s.jsonl", *WHERE, "--plot", "p.png", cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")
    assert vsim("validate", "same.yaml", "s.jsonl", *WHERE, "--plot", "p.bmp", cwd=folder).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["same.yaml"], "name the PROFILE and then the SAMPLES"),
        (["same.yaml", "nosuch.jsonl"], "nosuch.jsonl: error: there is no such file"),
        (["nosuch.yaml", "s.jsonl"], "nosuch.yaml"),
        (["s.jsonl", "same.yaml"], "s.jsonl"),
        (["same.yaml", "s.jsonl", "--machine", "laptob"], "did you mean 'laptop'?"),
        (["same.yaml", "s.jsonl", "--machine", "laptop", "--metric", "startup_x"], "did you mean 'startup_s'?"),
        (["same.yaml", "s.jsonl", "--max-error", "ten"], "'ten' is no error"),
        (["same.yaml", "s.jsonl", "--max-error", "-1%"], "'-1%' is no error"),
        (["same.yaml", "s.jsonl", "--leave-out", "concurrency=8"], "leave same.yaml out"),
        (["s.jsonl", "--leave-out", "concurency=8"], "did you mean 'concurrency'?"),
        (["s.jsonl", "--leave-out", "concurrency=64"], "the samples have concurrency 1 and 8"),
        (["s.jsonl", "--leave-out", "concurrency=8", "--leave-one-out", "block"], "don't go together"),
        (["s.jsonl", "--leave-out", "block=1", "--machine", "laptop"], "goes with a PROFILE"),
        (["s.jsonl", "--leave-one-out", "rate"], "the samples have none"),
    ],
)
def test_bad_arguments_end_with_2_and_say_what_to_do(folder: Path, arguments: list[str], message: str) -> None:
    done = vsim("validate", *arguments, cwd=folder)
    assert done.returncode == 2, done.stderr.decode()
    assert message in done.stderr.decode()
    assert done.stdout == b""
