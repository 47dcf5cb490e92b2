"""``vsim simulate`` with bad input: exit code 2, the place, the line, a caret and a hint, and no traceback."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vsim.cli import cli
from vsim.cli._boundary import run

from .test_bad_input import BASE

Simulate = Callable[..., tuple[int, str, float]]

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.fixture
def simulate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Simulate:
    """Runs `vsim simulate` in the folder of the test; returns the exit code, what was said, and the CPU seconds."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, float]:
        before = time.process_time()
        code = run(cli, ["simulate", *arguments])
        seconds = time.process_time() - before
        captured = capsys.readouterr()
        assert captured.out == ""
        return code, captured.err, seconds

    return call


@pytest.mark.parametrize(
    ("text", "place", "caret"),
    [
        (BASE.replace("memory", "memmory"), "s.yaml:7:5: error: unknown key 'memmory'", "    memmory: 64 MiB"),
        (BASE.replace("64 MiB", "64 s"), "s.yaml:7:13: error: 's' measures a time", "    memory: 64 s"),
        (BASE.replace("rack-server", "cray"), "s.yaml:2:17: error: there is no machine 'cray'", "architectures:"),
        (BASE.replace("64 MiB", "1 TiB"), "s.yaml:4:3: error: a replica of 'web' needs", "  web:"),
        (BASE + "incidents: [{what: moon, at: 1}]", "s.yaml:8:20: error: nothing that can fail", "incidents:"),
        (BOMB, "s.yaml:5:", "a4: "),
        ("a: &a [*a]\n", "s.yaml:1:8: error: the alias *a stands inside", "a: &a [*a]"),
        ("", "s.yaml:1:1: error: the file is empty", ""),
    ],
)
def test_file(simulate: Simulate, tmp_path: Path, text: str, place: str, caret: str) -> None:
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    code, said, seconds = simulate("s.yaml")
    lines = said.splitlines()
    assert code == 2
    assert lines[0].startswith(place)
    assert lines[1].partition(" | ")[2].startswith(caret)
    assert lines[2].strip(" |") == "^"
    assert lines[3].startswith("hint: ")
    assert len(lines) == 4
    assert seconds < 2


def test_trace(simulate: Simulate, tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("1\n2\nlots\n", encoding="utf-8")
    code, said, _ = simulate("consolidation", "--trace", "trace")
    assert code == 2
    assert said.splitlines()[:3] == [
        "trace:3:1: error: cpu percentage can't be 'lots': it is a number",
        "  3 | lots",
        "    | ^",
    ]


def test_hundred_megabytes(simulate: Simulate, tmp_path: Path) -> None:
    for name in ("s.yaml", "trace"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(100 * 1024**2)
    code, said, seconds = simulate("s.yaml")
    assert (code, said.splitlines()[0]) == (
        2,
        "s.yaml: error: the file is larger than 1 MiB, the most that is read",
    )
    assert seconds < 2
    code, said, seconds = simulate("consolidation", "--trace", "trace")
    assert (code, said.splitlines()[0]) == (
        2,
        "trace: error: the file is larger than 64 MiB, the most that is read",
    )
    assert seconds < 2


def test_neither_preset_nor_file(simulate: Simulate) -> None:
    code, said, _ = simulate("evolutoin")
    assert (code, said) == (
        2,
        "error: there is no scenario 'evolutoin': neither a preset nor a file\nhint: did you mean 'evolution'?\n",
    )
