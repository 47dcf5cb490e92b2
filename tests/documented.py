"""Runs the code blocks of the documentation, page by page, each page in a directory of its own.

``python``   is executed; the blocks of one page share their names.
``console``  lines after ``$ `` are given to the shell and must end with 0, or with N where the line ends in
             ``# exit N``; what is printed must be what the block shows, where ``…`` stands for anything. A block that
             shows no output asks for none to be compared.
``yaml``, ``csv``, ``dockerfile``  a block that starts with ``# file: NAME`` is written to that file first.

Blocks in any other language (``text``, ``sh``) are shown, not run.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

__all__ = ["examples"]

PROJECT = Path(__file__).parent.parent
_EXIT = re.compile(r"\s+# exit (\d+)$")
_FILE = re.compile(r"# file: ([\w.-]+)\n")


def examples() -> Sybil:
    """Return the collector of all blocks of README.md and docs/."""
    return Sybil(
        path=str(PROJECT),
        patterns=["README.md", "docs/*.md", "docs/**/*.md"],
        parsers=[
            CodeBlockParser("python", _python),
            CodeBlockParser("console", _console),
            CodeBlockParser("yaml", _file),
            CodeBlockParser("csv", _file),
            CodeBlockParser("dockerfile", _file),
        ],
        setup=_enter,
        teardown=_leave,
    )


def _enter(namespace: dict[str, Any]) -> None:
    directory = Path(tempfile.mkdtemp(prefix="vsim-docs-"))
    # The records that are kept are where a checkout has them.
    (directory / "benchmarks").symlink_to(PROJECT / "benchmarks")
    namespace["_directory"] = directory


def _leave(namespace: dict[str, Any]) -> None:
    shutil.rmtree(namespace["_directory"])


@contextlib.contextmanager
def _inside(example: Example) -> Iterator[Path]:
    directory = example.namespace["_directory"]
    with contextlib.chdir(directory):
        yield directory


def _python(example: Example) -> str | None:
    with _inside(example):
        return PythonEvaluator()(example)


def _file(example: Example) -> None:
    named = _FILE.match(example.parsed)
    if named:
        (example.namespace["_directory"] / named[1]).write_text(example.parsed, encoding="utf-8")


def _console(example: Example) -> None:
    commands: list[tuple[str, list[str]]] = []
    for line in example.parsed.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif commands:
            commands[-1][1].append(line)
    assert commands, "a console block starts with a line like `$ vsim --help`"
    with _inside(example) as directory:
        for command, shown in commands:
            _run(command, shown, directory)


def _run(command: str, shown: list[str], directory: Path) -> None:
    expected = _EXIT.search(command)
    # the vsim of the Python that runs the tests, whatever else is installed; and the width that the pages show
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        ["/bin/sh", "-c", _EXIT.sub("", command)],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == (int(expected[1]) if expected else 0), f"$ {command}\n{done.stdout}"
    text = "\n".join(shown).strip("\n")
    if text:
        pattern = ".*?".join(map(re.escape, text.split("…")))
        assert re.fullmatch(pattern, done.stdout.strip("\n"), re.DOTALL), (
            f"$ {command}\nprinted\n{done.stdout}\nnot\n{text}"
        )
