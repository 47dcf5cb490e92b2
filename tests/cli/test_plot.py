"""``vsim simulate --plot``: what differs, drawn below the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import SMALL, vsim


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plot") / "small.yaml"
    file.write_text(SMALL, encoding="utf-8")
    return file


def test_bars_follow_the_table_within_80_columns_and_without_escapes(small: Path) -> None:
    done = vsim("simulate", small, "--plot", PYTHONIOENCODING="utf-8", NO_COLOR="1")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    table, _, drawn = text.partition("parameters: ")
    assert table
    assert "█" in drawn
    assert drawn.count("vm@rack-server") == drawn.count("container@rack-server") >= 3
    assert text.rstrip().splitlines()[-1].startswith("█ up to the 95 % interval, ▒ within it")
    latin = vsim("simulate", small, "--plot", "--replications", "1", PYTHONIOENCODING="latin-1", NO_COLOR="1")
    assert latin.returncode == 0
    assert "###" in latin.stdout.decode("latin-1")


def test_other_forms_are_not_drawn(small: Path) -> None:
    done = vsim("simulate", small, "--plot", "--format", "json")
    assert done.returncode == 2
    assert b"--plot goes with --format table" in done.stderr
