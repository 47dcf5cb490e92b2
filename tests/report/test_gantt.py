"""The picture of an application coming up: it names what is in it, draws each part once, and is the same each time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vsim.engine.timeline import Row, Span, Timeline
from vsim.errors import InputError
from vsim.experiment.bringing_up import BroughtUp
from vsim.experiment.statistics import interval
from vsim.report.gantt import draw_bringing_up


def brought_up() -> BroughtUp:
    web = (Span("create", 0, 1), Span("wait", 1, 4), Span("start", 4, 5), Span("application", 5, 6))
    database = (Span("create", 0, 1), Span("start", 1, 2), Span("application", 2, 3), Span("check", 3, 4))
    up = (
        Row("web", 0, 0, web, "ready", 5.0, 6.0, 6.0),
        Row("web", 1, 0, web[:2], "not started"),
        Row("database", 0, 0, database, "healthy", 2.0, 3.0, 4.0),
    )
    down = (Row("web", 0, 0, (Span("stop", 0, 2),), "ready", end_s=2.0),)
    shown = Timeline("container@box", up, 5.0, 6.0, None, down, 2.0)
    mean = interval([6.0])
    return BroughtUp("container@box", shown, mean, mean, mean, 1, 0, None)


def texts(path: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_it_names_what_is_in_it(tmp_path: Path) -> None:
    draw_bringing_up([brought_up()], tmp_path / "a.svg", title="A shop")
    found = texts(tmp_path / "a.svg")
    # of the two instances of web the one that comes to its end last is drawn, and that is the one that never does
    assert {"A shop", "container@box: up after 6 s", "web ×2", "database", "healthy", "seconds"} <= set(found)
    assert {"created", "waits", "started", "application gets ready", "until found healthy"} <= set(found)
    assert "stops" not in found


def test_down_has_a_panel_of_its_own(tmp_path: Path) -> None:
    draw_bringing_up([brought_up()], tmp_path / "a.svg", title="A shop", down=True)
    assert {"container@box: down after 2 s", "stops"} <= set(texts(tmp_path / "a.svg"))


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    for ending in ("svg", "png", "pdf"):
        for name in ("a", "b"):
            draw_bringing_up([brought_up()], tmp_path / f"{name}.{ending}", title="Same")
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be drawn to"):
        draw_bringing_up([brought_up()], tmp_path / "a.txt", title="")
