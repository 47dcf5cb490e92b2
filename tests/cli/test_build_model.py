"""``vsim build-model`` as a user calls it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.command import vsim

DOCKERFILE = """\
FROM python:3.12-slim
COPY requirements.txt .
# x-vsim: 40 s
RUN pip install -r requirements.txt
COPY . .
CMD ["python", "src/app.py"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("print(1)\n", encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("flask\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    return tmp_path


def test_the_table_says_what_runs_again_and_where_times_come_from(folder: Path) -> None:
    done = vsim("build-model", "Dockerfile", "--change", "src/app.py", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    states = {line.split()[0]: "runs again" in line for line in lines[1:6]}
    assert states == {"1": False, "2": False, "3": False, "4": True, "5": True}
    assert lines[3].split()[-3:] == ["40", "s", "x-vsim"]
    assert lines[-1].endswith("2 of 5 steps run again")
    assert max(map(len, lines)) <= 80
    assert b"\x1b" not in done.stdout


def test_without_a_change_it_is_a_cold_build(folder: Path) -> None:
    lines = vsim("build-model", "Dockerfile", cwd=folder).stdout.decode().splitlines()
    assert lines[-1].startswith("cold ")
    assert "runs again" not in "".join(lines)


def test_json_and_csv_give_the_reasons(folder: Path) -> None:
    arguments = ("build-model", "Dockerfile", "--change", "requirements.txt", "--builder", "classic")
    data = json.loads(vsim(*arguments, "--format", "json", cwd=folder).stdout)
    assert [step["reason"] for step in data["steps"]] == [
        "",
        "requirements.txt changed",
        "the step in line 2 runs again",
        "the step in line 4 runs again",
        "the step in line 5 runs again",
    ]
    assert data["rebuild_s"]["low"] <= data["rebuild_s"]["value"] <= data["rebuild_s"]["high"]
    assert data["steps"][2]["known_from"] == "annotated"
    rows = list(csv.DictReader(io.StringIO(vsim(*arguments, "--format", "csv", cwd=folder).stdout.decode())))
    assert [row["runs_again"] for row in rows] == ["no", "yes", "yes", "yes", "yes"]


def test_platforms_are_native_or_emulated(folder: Path) -> None:
    done = vsim(
        "build-model", "Dockerfile", "--platform", "linux/amd64,linux/arm64", "--platform=linux/arm/v7", cwd=folder
    )
    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "linux/amd64: native" in text
    assert "linux/arm64: emulated" in text
    assert "linux/arm/v7: emulated" in text
    assert text.count("pip install") == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "FROM a\nRNU b\n",
            "Dockerfile:2:1: error: unknown instruction 'RNU'\n  2 | RNU b\n    | ^\nhint: did you mean 'RUN'?",
        ),
        ("FROM a\nCOPY b\n", "Dockerfile:2:6: error: COPY needs a source and a destination"),
        ("FROM a\n# x-vsim: soon\nRUN b\n", "Dockerfile:2:11: error: 'soon' is not a time"),
        ("FROM a\nCOPY [x b/\n", "Dockerfile:2:6: error: the pattern '[x' can't be read: `[` isn't closed"),
    ],
)
def test_a_wrong_dockerfile_is_refused_with_its_place(text: str, said: str, folder: Path) -> None:
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    done = vsim("build-model", "Dockerfile", cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--change", "../x"), "'../x' lies outside the build context"),
        (("--target", "x"), "there is no stage 'x'"),
        (("--platform", "linux/vax"), "--platform: 'linux/vax' is not a platform"),
        (("--build-arg", "=1"), "'=1' has no name"),
        (("--timings", "none"), "none: error: there is no such file"),
        (("--context", "none"), "none: error: the build context isn't a folder"),
    ],
)
def test_wrong_options_are_refused(arguments: tuple[str, ...], said: str, folder: Path) -> None:
    done = vsim("build-model", "Dockerfile", *arguments, cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr.decode()
