"""``vsim report --myths``: the statements from what was given, in each form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.experiment.sets import run, starts
from tests.report.results import result
from vsim.cli import cli
from vsim.errors import InputError
from vsim.report.myths import MYTHS
from vsim.samples.records import to_line
from vsim.samples.result_files import write_result


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a result, `found`, and measured starts, `mine.jsonl`."""
    monkeypatch.chdir(tmp_path)
    write_result(result({"vm@toy": {"startup_p95_s": (200, 190, 210)}}), tmp_path / "found")
    blocks = [[0.1, 0.1], [0.1, 0.1]]
    records = [
        run(),
        *starts(blocks, driver="process", concurrency=1),
        *starts(blocks, factor=50, driver="runc", concurrency=1),
    ]
    (tmp_path / "mine.jsonl").write_text("".join(f"{to_line(record)}\n" for record in records), encoding="utf-8")
    return tmp_path


def myths(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["report", "--myths", *arguments])


def test_results_and_samples_are_judged_together(here: Path) -> None:
    done = myths("found", "mine.jsonl")
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert f"{len(MYTHS)} statements: 1 hold, 0 depend, 1 don't hold" in done.stdout
    assert "vm@toy: 200 s [190 s to 210 s], yes [1]" in done.stdout
    assert "runc / process: ×50, no [2]" in done.stdout
    assert not (here / "report").exists(), "nothing is drawn"


def test_each_form(here: Path) -> None:
    assert len(json.loads(myths("found", "--format", "json").stdout)) == len(MYTHS)
    assert myths("found", "--format", "csv").stdout.startswith("myth,statement,outcome")
    assert "| statement | verdict |" in myths("found", "--format", "md").stdout
    for forms in (["--format", "svg"], ["--format", "md", "--format", "csv"]):
        error = myths("found", *forms).exception
        assert isinstance(error, InputError)
        assert error.hint == "--format is one of table, md, json or csv"
