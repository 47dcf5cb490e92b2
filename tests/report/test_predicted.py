from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.experiment.sets import run, samples, starts, value
from vsim.errors import HostError, InputError
from vsim.experiment.validation import Comparison, compare
from vsim.report.predicted import draw


def rows() -> list[Comparison]:
    rng = np.random.default_rng(1)
    drivers = {"process": (0.001, 1.0), "runc": (0.05, 1.05), "docker": (0.3, 0.7), "docker-runsc": (0.31, 1.5)}
    sides = []
    for predicted in (False, True):
        parts = [
            starts(
                (scale * (factor if predicted else 1) * rng.lognormal(sigma=0.1, size=(6, 8))).tolist(), driver=driver
            )
            for driver, (scale, factor) in drivers.items()
        ]
        rates = [value("starts_per_s", n, unit="1/s", block=i) for i, n in enumerate((9.0, 10.0, 11.0))]
        sides.append(samples(*parts, rates, runs=[run()]))
    return compare(*sides)


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")], ids=["png", "svg", "pdf"]
)
def test_a_drawing_of_each_kind(tmp_path: Path, suffix: str, magic: bytes) -> None:
    draw(rows(), tmp_path / f"p{suffix}")
    assert (tmp_path / f"p{suffix}").read_bytes().startswith(magic)


def test_drivers_and_bad_points_are_named_and_good_ones_are_not(tmp_path: Path) -> None:
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        draw(rows(), tmp_path / "p.svg")
    text = (tmp_path / "p.svg").read_text(encoding="utf-8")
    for driver in ("process", "runc", "docker", "docker-runsc"):
        assert f">{driver}</text>" in text
    assert text.count(">startup, 4 at once</text>") == 2, "docker and docker-runsc are off, process and runc are not"
    assert "measured, per second" in text
    assert "measured, s" in text


def test_bad_targets_are_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    for name in ("p.gif", "p"):
        with pytest.raises(InputError, match="can't be drawn to"):
            draw(rows(), tmp_path / name)
    with pytest.raises(InputError, match="no such folder"):
        draw(rows(), tmp_path / "no" / "p.png")
    (tmp_path / "p.png").mkdir()
    with pytest.raises(HostError, match="can't be written"):
        draw(rows(), tmp_path / "p.png")
    with pytest.raises(InputError, match="nothing to draw"):
        draw([], tmp_path / "q.png")


def test_without_matplotlib_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(HostError) as caught:
        draw(rows(), tmp_path / "p.png")
    assert caught.value.hint == "pip install 'vsim[plot]'"
    assert list(tmp_path.iterdir()) == []


def test_zeros_have_no_place_and_one_block_has_no_bars(tmp_path: Path) -> None:
    alone = compare(
        samples(starts([[1.0]]), starts([[0.0]], driver="runc")),
        samples(starts([[2.0]]), starts([[1.0]], driver="runc")),
    )
    draw(alone, tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 1000
