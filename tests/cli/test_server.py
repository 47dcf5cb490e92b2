"""What the tests of the command rely on: a forked process does what a new one does."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.command import SMALL, new_vsim, vsim


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["simulat"],
        ["schema", "result"],
        ["explain", "container-engine.memory.unit_bytes"],
        ["simulate", "small.yaml", "--format", "json", "--jobs", "2"],
        ["simulate", "small.yaml", "--on", "vm@toaster"],
        ["simulate", "none.yaml"],
    ],
    ids=" ".join,
)
def test_the_same_code_and_the_same_bytes(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    forked, new = (run(*words, cwd=tmp_path) for run in (vsim, new_vsim))
    assert (forked.returncode, forked.stdout, forked.stderr) == (new.returncode, new.stdout, new.stderr)


def test_the_environment_is_that_of_the_call() -> None:
    texts = []
    for width in ("60", "100"):
        forked, new = (run("explain", "container-engine.memory", COLUMNS=width) for run in (vsim, new_vsim))
        assert (forked.returncode, forked.stdout) == (new.returncode, new.stdout)
        texts.append(forked.stdout)
    # how long a line may be is said by a variable
    assert texts[0] != texts[1]


def test_what_takes_too_long_is_killed_and_the_next_one_is_served(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(SMALL.replace("replications: 3", "replications: 5000"), encoding="utf-8")
    with pytest.raises(subprocess.TimeoutExpired):
        vsim("simulate", "long.yaml", "--jobs", "1", cwd=tmp_path, timeout=1)
    begin = time.monotonic()
    assert vsim("--version").stdout == new_vsim("--version").stdout
    assert time.monotonic() - begin < 20  # the rest of the long one would take minutes
