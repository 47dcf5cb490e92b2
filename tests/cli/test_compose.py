"""Compose files on the command line, as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import vsim

FILE = """\
name: shop
services:
  web: {image: "nginx:${TAG:-1}", depends_on: [db], ports: ["80:80"], networks: [front]}
  db: {image: mongo, volumes: ["data:/data/db"], networks: [back], command: [--quiet]}
  debug: {image: busybox, profiles: [debug]}
networks: {front: , back: }
volumes: {data: }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_simulate_tells_how_the_file_was_read(file: Path) -> None:
    done = vsim("simulate", "--compose", file, "--on", "container@rack-server", "--replications", "2")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "\nHow the file was read:\n• web: memory, image and start-up from the catalogue's nginx\n" in text
    assert "• not active, by their profiles: debug\n" in text
    assert "not used by the model: command (db); depends_on (web)" in text
    assert "• container@rack-server: web can't reach db: they share no network\n" in text


def test_the_result_lists_the_catalogues_parameters(file: Path) -> None:
    done = vsim(
        "simulate", "--compose", file, "--on", "container@rack-server", "--replications", "1", "--format", "json"
    )
    result = json.loads(done.stdout)
    names = {p["name"]: kind for kind, found in result["parameters"].items() for p in found}
    assert names["mongo.memory_bytes"] == "assumed"
    assert names["nginx.image_bytes"] == "assumed"
    assert "redis.memory_bytes" not in names
    assert [service["name"] for service in result["scenario"]["workload"]["services"]] == ["web", "db"]
    assert str(file.parent) not in done.stdout.decode()


def test_a_profile_of_the_users_own_replaces_the_catalogue(file: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "schema: vsim.profile/1\nimages:\n  mongo:\n    memory_bytes: {value: 2, unit: GiB, source: "
        "{kind: measured, run: r, host: h, date: '2026-01-01', n: 3}}\n",
        encoding="utf-8",
    )
    arguments = ("--compose", file, "--on", "container@rack-server", "--replications", "1", "--format", "json")
    result = json.loads(vsim("simulate", *arguments, "--profile", own).stdout)
    assert result["scenario"]["workload"]["services"][1]["memory_bytes"] == 2 * 2**30
    own_ones = [p["name"] for p in result["parameters"]["measured"] if p["source"].startswith("measured: run r on h, ")]
    assert own_ones == ["mongo.memory_bytes"]


def test_profiles_and_the_environment(file: Path) -> None:
    arguments = ("--compose", file, "--compose-profile", "debug", "--on", "container@laptop", "--format", "json")
    done = vsim("layout", *arguments, TAG="2")
    (architecture,) = json.loads(done.stdout)["architectures"]
    assert architecture["hosts"] == [{"chassis": None, "kernels": [["web", "db", "debug"]]}]
    assert architecture["instances"]["kernel"] == 3
    assert architecture["paths"][0]["mode"] is None


@pytest.mark.parametrize("command", ["simulate", "layout"])
def test_bad_input_is_told_with_its_place(command: str, file: Path) -> None:
    file.write_text(FILE.replace("depends_on: [db]", "depends_on: [dbb]"), encoding="utf-8")
    done = vsim(command, "--compose", "compose.yaml", cwd=file.parent)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "compose.yaml:3:48: error: 'web' depends on the unknown service 'dbb'\n"
        '  3 |   web: {image: "nginx:${TAG:-1}", depends_on: [dbb], ports: ["80:80"], networks: [front]}\n'
        "    |                                                ^\n"
        "hint: did you mean 'db'?\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("simulate", "evolution", "--compose", "x"), "--compose takes the place of a scenario"),
        (("simulate", "--compose-profile", "x"), "--compose-profile goes with --compose"),
        (("layout", "evolution", "--compose", "x"), "--compose takes the place of a scenario"),
        (("layout", "--compose", "nowhere.yaml"), "there is no such file"),
        (("layout", "--on", "container@toaster"), "there is no machine 'toaster'"),
    ],
)
def test_refused(arguments: tuple[str, ...], message: str) -> None:
    done = vsim(*arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.decode().split())


def test_layout_of_a_preset() -> None:
    done = vsim("layout", "--on", "bare-metal@blade")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    # 43 replicas, each on a blade of its own, in enclosures of 16
    assert "share a chassis" in text
    row = next(line for line in text.splitlines() if line.startswith("share a chassis"))
    assert row.split()[-1] == "16"
    assert "… and 37 more machines" in text
