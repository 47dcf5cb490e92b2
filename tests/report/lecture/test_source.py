"""The source of a lecture: what it can say, and slips that are pointed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.lecture.sources import LECTURE, source
from vsim.errors import InputError, Place
from vsim.report.lecture import builtin_source
from vsim.report.lecture.expressions import check
from vsim.report.lecture.source import Line, read_source


def test_a_lecture_is_read_slide_by_slide(tmp_path: Path) -> None:
    read = source(tmp_path)
    assert (read.title, dict(read.results)) == ("A short lecture", {"ours": "evolution"})
    assert read.names["vm@rack-server"] == "virtual machines"
    ask, machines, provision = read.slides
    assert (ask.kind, ask.answer, ask.title) == ("question", "machines", Line("How many?", 10))
    assert [line.text for line in ask.notes if line.text] == ["Let them guess."]
    assert machines.picture is not None
    assert (machines.picture.kind, machines.picture.name, machines.picture.on) == ("chart", "ours/hosts", ())
    assert [line.text for line in machines.body if line.text] == ["- exactly {{ value ours hosts vm@rack-server }}"]
    assert provision.notes == ()


def test_a_picture_can_be_of_some_architectures(tmp_path: Path) -> None:
    text = LECTURE.replace("(chart:ours/hosts)", '(chart:ours/hosts "vm@rack-server container@rack-server")')
    (picture,) = [s.picture for s in source(tmp_path, text).slides if s.name == "machines"]
    assert picture is not None
    assert picture.on == ("vm@rack-server", "container@rack-server")


def test_a_rule_in_a_block_of_code_begins_no_slide(tmp_path: Path) -> None:
    text = LECTURE + "\n```yaml\n---\na: 1\n```\n"
    assert len(source(tmp_path, text).slides) == 3


@pytest.mark.parametrize(
    ("written", "instead", "line", "column", "message"),
    [
        ("title: A short lecture", "titel: A short lecture", 1, 1, "no line of a lecture's head"),
        ("# How many?", "How many?", 10, 1, "needs a title"),
        ("kind: question", "kind: quiz", 8, 7, "no kind of slide 'quiz'"),
        ("name: ask", "name: Ask me", 7, 7, "can't be called 'Ask me'"),
        ("answer: machines", "answer: hosts", 10, 1, "no slide 'hosts'"),
        ("name: provision", "name: ask", 28, 1, "two slides are called ask"),
        ("{{ value ours hosts vm@", "{{ vale ours hosts vm@", 21, 11, "no expression 'vale'"),
        ("{{ value ours hosts", "{{ value theirs hosts", 21, 20, "no result 'theirs'"),
        ("value ours hosts", "value ours host", 21, 25, "no metric 'host'"),
        ("{{ value ours hosts vm@rack-server }}", "{{ value ours hosts }}", 21, 11, "takes RESULT METRIC ARCHITECTURE"),
        ("(chart:ours/hosts)", "(chart:ours/machines)", 19, 16, "no metric 'machines' to draw"),
        ("(chart:ours/hosts)", "(chart:mine/hosts)", 19, 11, "no result 'mine' to draw"),
        ("(chart:ours/hosts)", "(figure:laddr)", 19, 12, "no figure 'laddr'"),
    ],
)  # fmt: skip
def test_a_slip_is_pointed_at(tmp_path: Path, written: str, instead: str, line: int, column: int, message: str) -> None:
    assert written in LECTURE
    with pytest.raises(InputError, match=message) as caught:
        check(source(tmp_path, LECTURE.replace(written, instead)))
    place = caught.value.place
    assert isinstance(place, Place)
    assert (place.line, place.column) == (line, column)


def test_two_pictures_on_a_slide_are_refused(tmp_path: Path) -> None:
    text = LECTURE.replace("- exactly", "![](chart:ours/cost_per_month)\n- exactly")
    with pytest.raises(InputError, match="room for one picture"):
        source(tmp_path, text)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="isn't text"):
        read_source(tmp_path / "x.md")
    with pytest.raises(InputError, match="can't be read"):
        read_source(tmp_path / "none.md")
    (tmp_path / "x.md").write_text("title: A lecture\n", encoding="utf-8")
    with pytest.raises(InputError, match="no slides"):
        read_source(tmp_path / "x.md")


def test_the_lecture_that_comes_along_is_sound() -> None:
    own = read_source(builtin_source())
    check(own)
    assert 20 <= len(own.slides) <= 36
    for slide in own.slides:
        assert any(line.text for line in slide.notes), f"{slide.name} has no notes"
        # a title with a number in it has it from the data
        assert not any(c.isdigit() for c in slide.title.text.partition("{{")[0]), slide.title.text
    assert sum(slide.kind == "question" for slide in own.slides) >= 4
