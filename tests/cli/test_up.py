"""``vsim up`` on the command line, as a user calls it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.cli.command import vsim

FILE = """\
name: shop
services:
  web:
    image: nginx
    depends_on: {api: {condition: service_healthy}}
    deploy: {replicas: 2}
    x-vsim: {startup: {wait: 1 s}}
  api:
    image: node
    depends_on: {migrate: {condition: service_completed_successfully}}
    healthcheck: {test: "curl -f localhost", interval: 5s}
    x-vsim: {startup: {wait: 2 s}, stop: 3 s}
  migrate:
    image: node
    depends_on: [db]
    x-vsim: {startup: {wait: 1 s}}
  db: {image: mongo, x-vsim: {startup: {wait: 1 s}}, command: [--quiet]}
"""
ONE = ("--on", "container@rack-server", "--replications", "3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_a_chart_of_a_line_for_each_service(folder: Path) -> None:
    done = vsim("up", *ONE, "--down", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "shop, from compose.yaml"
    assert lines[2].startswith("container@rack-server: started after ")
    assert all(len(line) <= 80 for line in lines)
    bars = {line.split()[0]: line for line in lines[3:8] if line[:1].isalpha()}
    assert list(bars) == ["web", "api", "migrate", "db"]
    assert bars["web"].startswith("web ×2")
    assert bars["web"].endswith(" ready")
    assert bars["api"].endswith(" healthy")
    assert bars["migrate"].endswith(" done")
    # the parts of api's way, each once, in the order of things: what takes less than a cell has no letter
    bar = bars["api"].split()[1]
    assert re.fullmatch(r"P*·*C?·+S*A+H+", bar), bar
    assert any(line.startswith("and down again after ") for line in lines)
    assert "\x1b" not in done.stdout.decode()
    text = " ".join(done.stdout.decode().split())
    assert "P image is fetched" in text
    # only what is really not used is listed as such
    assert "not used by the model: command (db)" in text
    assert "depends_on" not in text


def test_as_json(folder: Path) -> None:
    done = vsim("up", *ONE, "--format", "json", cwd=folder)
    found = json.loads(done.stdout)
    assert found["schema"] == "vsim.timeline/1"
    assert found["replications"] == 3
    (one,) = found["architectures"]
    rows = {row["service"]: row for row in one["shown"]["up"]}
    assert (one["failed"], one["failure"]) == (0, None)
    assert one["up"]["low"] <= one["up"]["value"] <= one["up"]["high"]
    # five seconds after its start at the earliest it is found healthy, and web starts after that
    assert rows["api"]["end_s"] > rows["api"]["started_s"] + 5
    assert rows["web"]["started_s"] > rows["api"]["end_s"]
    # a poll of half a second and a start are between the two
    assert rows["web"]["started_s"] - rows["api"]["end_s"] < 3
    assert rows["migrate"]["outcome"] == "done"
    assert one["shown"]["up_s"] == max(row["end_s"] for row in one["shown"]["up"])
    names = {parameter["name"] for parameter in found["parameters"]}
    assert {"compose.poll_s", "container-engine.probe.exec.cpu_core_s", "mongo.image_bytes"} <= names
    assert str(folder) not in done.stdout.decode()


def test_as_csv(folder: Path) -> None:
    done = vsim("up", folder / "compose.yaml", *ONE, "--format", "csv", "--down")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert {row["direction"] for row in rows} == {"up", "down"}
    assert [row["phase"] for row in rows if row["service"] == "db" and row["direction"] == "up"] == [
        "pull",
        "wait",
        "create",
        "wait",
        "start",
        "application",
    ]
    assert all(float(row["end_s"]) > float(row["begin_s"]) for row in rows)


def test_as_markdown(folder: Path) -> None:
    done = vsim("up", *ONE, "--format", "md", cwd=folder)
    text = done.stdout.decode()
    assert text.startswith("## shop, from compose.yaml\n\n### container@rack-server\n\nStarted after ")
    assert "| web ×2 | " in text


def test_images_that_are_there_are_not_fetched(folder: Path) -> None:
    done = vsim("up", *ONE, "--warm", "--seed", "7", "--format", "json", cwd=folder)
    found = json.loads(done.stdout)
    assert found["seed"] == 7
    assert not any(p["phase"] == "pull" for row in found["architectures"][0]["shown"]["up"] for p in row["phases"])


def test_the_four_eras_of_hardware(folder: Path) -> None:
    done = vsim("up", "--replications", "1", "--format", "json", cwd=folder)
    up = {one["name"]: one["up"]["value"] for one in json.loads(done.stdout)["architectures"]}
    # a machine has to boot, a guest as well, though in less time; a container only starts
    assert up["bare-metal@tower-server"] > up["vm@rack-server"] > up["container@rack-server"]


def test_what_does_not_come_up_is_told(folder: Path) -> None:
    text = FILE.replace("interval: 5s}", "interval: 1s, retries: 1}").replace("wait: 2 s", "wait: 20 s")
    (folder / "compose.yaml").write_text(text, encoding="utf-8")
    done = vsim("up", *ONE, cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[2] == "container@rack-server: not up: web is not started: api is unhealthy"
    assert next(line for line in lines if line.startswith("web ×2")).endswith(" not started")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("up", "nowhere.yaml"), "there is no such file"),
        (("up", "--on", "container@toaster"), "there is no machine 'toaster'"),
        (("up", "--plot", "chart.txt"), "chart.txt can't be drawn to"),
        (("up", "--replications", "0"), "0 is not in the range"),
    ],
)
def test_refused(arguments: tuple[str, ...], message: str, folder: Path) -> None:
    done = vsim(*arguments, cwd=folder)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.decode().split())


def test_an_annotation_that_can_not_be_used_is_told_with_its_place(folder: Path) -> None:
    (folder / "compose.yaml").write_text(FILE.replace("stop: 3 s", "stop: soon"), encoding="utf-8")
    done = vsim("up", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("compose.yaml:12:42: error: 'soon' is not a time\n")


def test_a_figure(folder: Path) -> None:
    done = vsim("up", *ONE, "--plot", "chart.svg", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert b"drawn to chart.svg" in done.stderr
    assert "web ×2" in (folder / "chart.svg").read_text(encoding="utf-8")


def test_images_are_built_again_as_far_as_something_has_changed(folder: Path) -> None:
    (folder / "compose.yaml").write_text(FILE.replace("    image: node", "    build: ./api"), encoding="utf-8")
    (folder / "api").mkdir()
    (folder / "api" / "app.py").write_text("print(1)\n", encoding="ascii")
    (folder / "api" / "Dockerfile").write_text(
        "FROM python\n# x-vsim: 40 s\nRUN pip install flask\nCOPY app.py .\n", encoding="ascii"
    )

    def built(*arguments: str) -> float:
        done = vsim("up", *ONE, "--warm", "--build", *arguments, "--format", "json", cwd=folder)
        assert done.returncode == 0, done.stderr
        (one,) = json.loads(done.stdout)["architectures"]
        row = next(row for row in one["shown"]["up"] if row["service"] == "api")
        return float(next(p["end_s"] - p["begin_s"] for p in row["phases"] if p["phase"] == "build"))

    # the step of 40 s comes before what changes
    assert built() > 40
    assert 0 < built("--change", "api/app.py") < 20
    done = vsim("up", *ONE, "--build", "--change", "compose.yaml", cwd=folder)
    assert done.returncode == 2
    assert b"no image is built from 'compose.yaml'" in done.stderr
    assert b"--change goes with --build" in vsim("up", "--change", "api", cwd=folder).stderr
