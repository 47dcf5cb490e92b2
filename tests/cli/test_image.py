"""``vsim image`` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import vsim
from tests.scenario.images.layouts import layer, oci_layout, saved

BASE, APP, OTHER = layer("base", 500_000), layer("app", 2000, files=3), layer("other", 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved(tmp_path / "saved.tar", {"a:1": [BASE, APP], "b:1": [BASE, OTHER]})
    oci_layout(tmp_path / "layout", {"app:1": [BASE, APP]})
    return tmp_path


def test_layers_and_what_images_share(folder: Path) -> None:
    done = vsim("image", "inspect", "saved.tar", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0].split()[:5] == ["image", "layer", "compressed", "uncompressed", "files"]
    assert lines[1].split()[0] == "a:1"
    assert lines[1].split()[2:] == ["–", f"{len(BASE) / 1000:.0f}", "kB", "1"]
    assert "2 layers" in lines[3]
    assert lines[-1].startswith("a:1 and b:1 share 1 of their layers, ")
    assert max(map(len, lines)) <= 80


def test_json_that_pull_time_takes(folder: Path) -> None:
    data = vsim("image", "inspect", "layout", "--format", "json", cwd=folder).stdout
    (image,) = json.loads(data)["images"]
    assert [one["uncompressed_bytes"] for one in image["layers"]] == [len(BASE), len(APP)]
    (folder / "images.json").write_bytes(data)
    done = vsim("image", "pull-time", "images.json", "--format", "json", "--hosts", "3", cwd=folder)
    assert done.returncode == 0, done.stderr
    times = json.loads(done.stdout)
    assert (times["hosts"], times["registry"], times["machine"]) == (3, "docker-hub", "rack-server")
    assert 0 < times["images"][0]["warm_s"] < times["images"][0]["cold_s"]
    assert "docker-pull.unpack_core_s" in times["parameters"]["derived"]


def test_bandwidth_replaces_the_profiles(folder: Path) -> None:
    def cold(*options: str) -> float:
        done = vsim("image", "pull-time", "layout", "--format", "json", *options, cwd=folder)
        assert done.returncode == 0, done.stderr
        return float(json.loads(done.stdout)["images"][0]["cold_s"])

    compressed = json.loads(vsim("image", "inspect", "layout", "--format", "json", cwd=folder).stdout)
    size = sum(one["compressed_bytes"] for one in compressed["images"][0]["layers"])
    # slow enough for the link to be all that counts
    assert cold("--bandwidth", "100 B/s") == pytest.approx(size / 100, rel=0.1)


def test_what_is_estimated_is_said(folder: Path) -> None:
    done = vsim("image", "pull-time", "saved.tar", cwd=folder)
    assert done.returncode == 0
    assert b"note: sizes that aren't known are estimated" in done.stderr


@pytest.mark.parametrize("form", ["csv", "md"])
def test_other_formats(form: str, folder: Path) -> None:
    lines = vsim("image", "inspect", "layout", "--format", form, cwd=folder).stdout.decode().splitlines()
    assert lines[0].startswith({"csv": "image,layer,", "md": "| image | layer |"}[form])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("inspect", "./none"), "./none: error: there is no such file or folder"),
        (("inspect", "none.tar"), "none.tar: error: there is no such file or folder"),
        (("pull-time", "layout", "--registry", "dockerhub"), "there is no registry 'dockerhub'\nhint: did you mean"),
        (("pull-time", "layout", "--machine", "pi"), "there is no machine 'pi'"),
        (("pull-time", "layout", "--bandwidth", "fast"), "--bandwidth: 'fast' is not a throughput"),
        (("pull-time", "layout", "--bandwidth", "0"), "--bandwidth: a throughput can't be '0'"),
        (("pull-time", "layout", "--hosts", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments: tuple[str, ...], said: str, folder: Path) -> None:
    done = vsim("image", *arguments, cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert done.stdout == b""


def test_without_an_engine_exit_code_3(folder: Path) -> None:
    done = vsim("image", "inspect", "nginx", cwd=folder, DOCKER_HOST=f"unix://{folder}/none.sock")
    assert done.returncode == 3
    assert b"the Docker engine doesn't answer" in done.stderr
