from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import pytest

from tests.experiment.sets import samples, starts
from tests.report.conftest import validated
from vsim.errors import HostError, InputError
from vsim.experiment.rehearsal import Validation
from vsim.experiment.validation import compare
from vsim.report.predicted import draw


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")], ids=["png", "svg", "pdf"]
)
def test_a_drawing_of_each_kind(tmp_path: Path, suffix: str, magic: bytes) -> None:
    for name in ("p", "q"):
        draw(validated(), tmp_path / f"{name}{suffix}")
    made = (tmp_path / f"p{suffix}").read_bytes()
    assert made.startswith(magic)
    assert made == (tmp_path / f"q{suffix}").read_bytes()


def test_drivers_kinds_and_the_worst_are_named(tmp_path: Path) -> None:
    draw(validated(), tmp_path / "p.svg", name="of a test")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "p.svg").read_text(encoding="utf-8"))
    assert {"process", "runc", "docker", "docker-runsc", "start-up", "starts/s", "measured", "simulated"} <= set(texts)
    said = " ".join(texts)
    assert "of 9 predictions are within 10 % of the measurement" in said
    assert "start-up of docker-runsc, 4 at once" in said
    assert "Predicted with profile toys" in said


def test_bad_targets_are_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    for name in ("p.gif", "p"):
        with pytest.raises(InputError, match="can't be drawn to"):
            draw(validated(), tmp_path / name)
    with pytest.raises(InputError, match="no such folder"):
        draw(validated(), tmp_path / "no" / "p.png")
    (tmp_path / "p.png").mkdir()
    with pytest.raises(HostError, match="can't be written"):
        draw(validated(), tmp_path / "p.png")
    with pytest.raises(InputError, match="nothing was both measured and predicted"):
        draw(dataclasses.replace(validated(), rows=()), tmp_path / "q.png")


def test_without_matplotlib_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(HostError) as caught:
        draw(validated(), tmp_path / "p.png")
    assert caught.value.hint == "pip install 'vsim[plot]'"
    assert list(tmp_path.iterdir()) == []


def test_zeros_have_no_place_and_one_block_has_no_bars(tmp_path: Path) -> None:
    alone = compare(
        samples(starts([[1.0]]), starts([[0.0]], driver="runc")),
        samples(starts([[2.0]]), starts([[1.0]], driver="runc")),
    )
    draw(Validation("toys", tuple(alone)), tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 1000
