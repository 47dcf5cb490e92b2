"""The picture of a layout: it names what is in it, counts what isn't, and is the same each time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vsim.calibration import builtin
from vsim.calibration.catalogue import load_compose
from vsim.errors import InputError
from vsim.experiment.layout import Layout, layout
from vsim.report.nested import draw_layouts

FILE = """\
services:
  web: {image: nginx, deploy: {replicas: 20}}
  db: {image: redis, privileged: true}
"""


@pytest.fixture
def placed(tmp_path: Path) -> list[Layout]:
    path = tmp_path / "compose.yaml"
    path.write_text(FILE, encoding="utf-8")
    read = load_compose(path)
    return [layout(read, builtin().architecture(name)) for name in ("bare-metal@blade", "container@rack-server")]


def texts(path: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_it_names_and_counts(placed: list[Layout], tmp_path: Path) -> None:
    draw_layouts(placed, tmp_path / "a.svg", title="Twenty-one", privileged=frozenset({"db"}))
    found = texts(tmp_path / "a.svg")
    # 8 of 21 blades, with a web each; 12 of 21 containers on one kernel
    assert found.count("web") == 8 + 12
    assert found.count("host-os (process)") == 8
    assert found.count("host-os (namespace)") == 1
    assert "and 13 more machines" in found
    assert "and 9 more" in found
    assert found.count("m1000e") == 1
    assert found[0] == "Twenty-one"


def test_it_is_the_same_each_time(placed: list[Layout], tmp_path: Path) -> None:
    for ending in ("svg", "png", "pdf"):
        for name in ("a", "b"):
            draw_layouts(placed, tmp_path / f"{name}.{ending}", title="Same")
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_another_kind_of_file_is_refused(placed: list[Layout], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be drawn to"):
        draw_layouts(placed, tmp_path / "a.txt", title="")
