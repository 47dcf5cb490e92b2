"""The files of a lecture: the same bytes each time, native charts, and every name as text."""

from __future__ import annotations

import io
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.report.lecture.sources import LECTURE, context, everything, small
from tests.report.results import HOSTILE
from vsim.report.lecture import Lecture, build
from vsim.report.lecture.repacked import packed, repacked

SHOWN = "<script>alert(1)</script>"
HOSTILE_MACHINE = f"vm@{HOSTILE} {'x' * 200} שלום"
HOSTILE_LECTURE = LECTURE.replace(
    "# Provisioning",
    "# {{ title ours }} {{ command ours }}\n\n{{ metrics ours hosts }}\n\n{{ myths vms-take-minutes }}",
)


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Lecture:
    return build(context(tmp_path_factory.mktemp("lecture")))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Lecture:
    one = everything((HOSTILE_MACHINE, "container@rack-server"), HOSTILE)
    text = HOSTILE_LECTURE.replace("vm@rack-server", "container@rack-server", 1)
    return build(context(tmp_path_factory.mktemp("hostile"), text, one))


def content(lecture: Lecture) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(lecture.archive)) as archive:
        return {name.removeprefix("lecture/"): archive.read(name) for name in archive.namelist()}


def presentation(lecture: Lecture) -> Any:
    pptx = pytest.importorskip("pptx")
    return pptx.Presentation(io.BytesIO(content(lecture)["slides.pptx"]))


def test_the_archive_has_all_of_it_and_the_same_bytes_each_time(lecture: Lecture, tmp_path: Path) -> None:
    assert set(content(lecture)) == {
        "README.txt",
        "slides.html",
        "slides.md",
        "slides-remark.html",
        "slides.pptx",
        "figures/ours-hosts.svg",
        "figures/ours-hosts.csv",
        "figures/ours-provision-s.svg",
        "figures/ours-provision-s.csv",
        "results/ours/result.json",
        "source/slides.md",
        "licences/reveal.js.txt",
        "licences/remark.txt",
    }
    assert build(context(tmp_path)).archive == lecture.archive
    with zipfile.ZipFile(io.BytesIO(lecture.archive)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_archive_is_repacked_without_dates_also_inside() -> None:
    def office(year: int) -> bytes:
        core = f"<dcterms:created xsi:type='x'>{year}-01-01T00:00:00Z</dcterms:created>".encode()
        sheet = packed({"docProps/core.xml": core, "a": b"1"})
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr(zipfile.ZipInfo("ppt/sheet.xlsx", (year, 1, 1, 0, 0, 0)), sheet)
        return made.getvalue()

    assert office(2001) != office(2002)
    assert repacked(office(2001)) == repacked(office(2002))


def test_remark_has_title_picture_text_and_notes_of_each_slide(lecture: Lecture) -> None:
    slides = content(lecture)["slides.md"].decode().split("\n\n---\n\n")
    assert len(slides) == 3
    assert slides[1].startswith(
        "name: machines\nclass: is-finding\n\n# Containers need 2 machines, virtual machines 4 machines"
    )
    assert "(figures/ours-hosts.svg)\n\n- exactly 4\n\n???\n\nA caveat." in slides[1]


def test_a_powerpoint_chart_is_native_and_has_the_numbers_of_the_result(lecture: Lecture) -> None:
    made = presentation(lecture)
    charts = [shape.chart for page in made.slides for shape in page.shapes if shape.has_chart]
    assert len(charts) == 2
    hosts, provision = charts
    assert str(hosts.chart_type).startswith("BAR_CLUSTERED")
    assert list(hosts.plots[0].categories) == ["virtual machines\n4.0±0.4", "containers\n2.0±0.2"]
    assert list(hosts.plots[0].series[0].values) == [4.0, 2.0]
    # ± 10 %, as the result has it
    errors = hosts.plots[0].series[0]._element.xpath("c:errBars/c:plus//c:v")
    assert [float(e.text) for e in errors] == pytest.approx([0.4, 0.2])
    assert str(provision.chart_type).startswith("LINE_MARKERS")
    assert provision.value_axis._element.xpath("c:scaling/c:logBase/@val") == ["10"]
    assert list(provision.plots[0].series[0].values) == [30.0, 0.5]
    # the numbers can be edited: a workbook is in it
    with zipfile.ZipFile(io.BytesIO(content(lecture)["slides.pptx"])) as archive:
        sheets = [name for name in archive.namelist() if name.endswith(".xlsx")]
        assert len(sheets) == 2
        with zipfile.ZipFile(io.BytesIO(archive.read(sheets[0]))) as book:
            assert b"<v>4</v>" in book.read("xl/worksheets/sheet1.xml")


def test_a_powerpoint_slide_has_its_title_notes_and_alternative_text(lecture: Lecture) -> None:
    ask, machines, _ = presentation(lecture).slides
    assert ask.shapes.title.text_frame.text == "How many?"
    assert machines.shapes.title.text_frame.text == "Containers need 2 machines, virtual machines 4 machines"
    notes = machines.notes_slide.notes_text_frame.text
    assert notes.startswith("A caveat.\n• Behind the picture: vsim explain mine;")
    (chart,) = [shape for shape in machines.shapes if shape.has_chart]
    assert chart._element.xpath(".//p:cNvPr/@descr") == ["hosts: virtual machines 4.0±0.4; containers 2.0±0.2"]


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._raw = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._raw = self._raw and tag not in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text.append(data)


def test_names_are_text_in_html(hostile: Lecture) -> None:
    page = _Page(content(hostile)["slides.html"].decode())
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert len(scripts) == 3, "reveal.js, its notes, and the line that starts it"
    assert scripts == [{}, {}, {}]
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert not (attributes.get("href") or "").startswith("javascript")
        if tag == "img":
            assert (attributes.get("src") or "").startswith("data:image/")
    text = "".join(page.text)
    assert SHOWN in text
    assert "<img src=x onerror=alert(2)>" in text
    assert "{{x}}" in text
    assert "\u202e" not in text
    assert "שלום" in text


def test_names_are_text_in_remark(hostile: Lecture) -> None:
    text = content(hostile)["slides.md"].decode()
    assert text.count("\n---\n") == len(hostile.deck.slides) - 1
    assert text.count("\n???\n") == sum(bool(slide.notes) for slide in hostile.deck.slides)
    for bad in ("<script", "<img", "{{", "](javascript", "\u202e"):
        assert bad not in text
    # the HTML that holds the same for remark has it in a string that nothing ends
    html = content(hostile)["slides-remark.html"].decode()
    (source,) = re.findall(r"source:(\".*\")\}\);", html)
    assert json.loads(source).count("\n---\n") == len(hostile.deck.slides) - 1
    assert "<" not in source


def test_names_are_text_in_powerpoint(hostile: Lecture) -> None:
    made = presentation(hostile)
    texts = [
        p.text
        for page in made.slides
        for shape in page.shapes
        if shape.has_text_frame
        for p in shape.text_frame.paragraphs
    ]
    assert any(SHOWN in text for text in texts)
    cells = [
        c.text for page in made.slides for shape in page.shapes if shape.has_table for c in shape.table.iter_cells()
    ]
    assert any("<script>" in cell for cell in cells)
    (chart, *_) = [shape.chart for page in made.slides for shape in page.shapes if shape.has_chart]
    assert any("<script>" in category for category in chart.plots[0].categories)
    assert all(len(category) <= 60 + len("\n4.0±0.4") for category in chart.plots[0].categories)
    with zipfile.ZipFile(io.BytesIO(content(hostile)["slides.pptx"])) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                part = archive.read(name).decode()
                assert "<script" not in part
                assert "\u202e" not in part
                assert 'TargetMode="External"' not in part


def test_without_python_pptx_the_rest_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pptx", None)
    built = build(context(tmp_path, LECTURE, small()))
    assert "slides.pptx" not in content(built)
    pptx = "slides.pptx: PowerPoint needs python-pptx, which isn't here (pip install 'vsim[pptx]')"
    # a page needs the layers of the result, which was written down by hand
    assert built.left_out == (
        pptx,
        "page.html: the profile at hand lacks site.price, which the result uses (give it with --profile)",
    )
