"""``vsim report`` and ``vsim show`` as a user calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import SMALL, vsim
from tests.report.conftest import measured, write_samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report-command")
    (path / "small.yaml").write_text(SMALL, encoding="utf-8")
    write_samples(path / "samples.jsonl", measured())
    return path


def test_a_report_its_receipt_and_the_same_again(folder: Path) -> None:
    done = vsim("report", "samples.jsonl", "small.yaml", "--style", "paper", "--format", "svg", cwd=folder)
    assert done.returncode == 0, done.stderr
    out = folder / "report"
    said = done.stdout.decode()
    assert "report/ladder: A process starts in" in said
    drawn = {path.stem for path in out.glob("*.svg")}
    assert drawn == {line.partition(":")[0].removeprefix("report/") for line in said.splitlines()}
    assert {path.stem for path in out.glob("*.csv")} == {path.stem for path in out.glob("*.txt")} == drawn
    page = (out / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.svg)" in page and f"({name}.csv)" in page for name in drawn)
    left_out = done.stderr.decode()
    assert "left out raspberry: it needs a Raspberry Pi and another machine in one result" in left_out
    assert "left out latency: it needs a sweep" in left_out

    shown = vsim("show", out / "fleet.svg", "--again", cwd=folder)
    assert shown.returncode == 0, shown.stderr
    assert "vsim report small.yaml --figure fleet --style paper --format svg" in shown.stdout.decode()
    assert shown.stdout.decode().endswith("made anew: the same bytes\n")

    receipt = vsim("show", out / "ladder.svg", "--format", "json", cwd=folder)
    assert json.loads(receipt.stdout)["inputs"][0]["path"] == "samples.jsonl"


def test_a_figure_of_something_else_now_ends_with_one(folder: Path, tmp_path: Path) -> None:
    samples = measured()
    write_samples(tmp_path / "samples.jsonl", samples)
    drawn = vsim("report", "samples.jsonl", "--figure", "ladder", "--format", "svg", "--out", ".", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    write_samples(tmp_path / "samples.jsonl", [s for s in samples if s.driver != "runc"])
    shown = vsim("show", "ladder.svg", "--again", "--out", "new.svg", cwd=tmp_path)
    assert shown.returncode == 1
    assert "samples.jsonl has changed since" in shown.stderr.decode()
    assert ">runc<" in (tmp_path / "ladder.svg").read_text(encoding="utf-8")
    assert ">runc<" not in (tmp_path / "new.svg").read_text(encoding="utf-8")


def test_bad_input_is_refused_before_anything_is_drawn(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "samples.jsonl", tmp_path)
    (tmp_path / "broken.jsonl").write_text('{"record": "run"}\n{"record": \n{"record": "x"}\n', encoding="utf-8")
    (tmp_path / "plain.svg").write_text("<svg/>", encoding="utf-8")
    for arguments, message in (
        (["report", "nothing-here"], "there is no nothing-here"),
        (["report", "broken.jsonl"], "broken.jsonl:1"),
        (["report", "samples.jsonl", "--figure", "lader"], "no figure 'lader'"),
        (["report", "samples.jsonl", "--figure", "fleet"], "it needs a result, or a scenario"),
        (["show", "plain.svg"], "there is no receipt in it"),
        (["show", "plain.svg", "--out", "x"], "--out goes with --again"),
    ):
        done = vsim(*arguments, cwd=tmp_path)
        assert done.returncode == 2, (arguments, done.stderr)
        assert message in done.stderr.decode(), done.stderr
    assert not (tmp_path / "report").exists()
