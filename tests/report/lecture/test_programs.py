"""The lecture that comes with vsim in the programs that it is made for: Chromium and LibreOffice."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT, lacking
from tests.report.lecture.sources import context, everything
from tests.report.lecture.test_files import HOSTILE_LECTURE, HOSTILE_MACHINE
from tests.report.results import HOSTILE
from vsim.report.inputs import Inputs, Simulated, read_inputs
from vsim.report.lecture import Lecture, build, builtin_source
from vsim.report.lecture.expressions import Context
from vsim.report.lecture.source import read_source

STACKS = ("bare-metal", "container", "sandboxed-container", "microvm", "vm", "container-in-vm")
SCENARIO = """\
schema: vsim.scenario/1
title: Small
services:
  web:
    replicas: 3
    image: 50 MB
    memory: 512 MiB
    needs: 2
    slo: 100 ms
    startup: {cpu: 1 s}
    request: {user: 5 ms, system_calls: 1 ms}
    arrivals: {kind: poisson, rate: 20/s}
reliability: {years: 1}
run: {duration: 2 s, warmup: 0.5 s, replications: 2}
"""
PATH = ("bare-metal@tower-server", "bare-metal@blade", "vm@rack-server", "container@rack-server")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="module")
def lecture(folder: Path) -> Lecture:
    """The built-in slides, of small comparisons of the same architectures."""
    written = read_source(builtin_source())
    simulated: dict[str, Simulated] = {}
    for name, architectures in zip(written.results, (PATH, [f"{s}@rack-server" for s in STACKS]), strict=True):
        file = folder / f"{name}.yaml"
        text = SCENARIO + f"architectures: [{', '.join(architectures)}]\n"
        if name == "evolution":
            text += "fleet: {isolation: namespace}\n"
        file.write_text(text, encoding="utf-8")
        simulated[name] = read_inputs([str(file)]).simulated[0]
    return build(Context(written, simulated, Inputs(tuple(simulated.values()))))


def unpacked(lecture: Lecture, name: str, to: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(lecture.archive)) as archive:
        to.write_bytes(archive.read(f"lecture/{name}"))
    return to


@pytest.fixture(scope="module")
def visit() -> Callable[[Path], Any]:
    if shutil.which("chromium") is None:
        lacking("Chromium (Debian: chromium)")
    try:
        import playwright  # noqa: F401  # whether it is there is what is asked
    except ImportError:
        lacking("playwright (pip install 'vsim[dev]')")

    def run(path: Path) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "tests.report.lecture.visitor", path],
            capture_output=True,
            text=True,
            cwd=PROJECT,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("name", ["slides.html", "slides-remark.html"])
def test_every_slide_opens_from_a_file_and_asks_for_nothing_else(
    lecture: Lecture, folder: Path, visit: Callable[[Path], Any], name: str
) -> None:
    file = unpacked(lecture, name, folder / name)
    found = visit(file)
    assert {url.partition("#")[0] for url in found["asked"]} == {file.as_uri()}
    assert found["said"] == []
    assert len(found["slides"]) == len(lecture.deck.slides) >= 20
    for seen, slide in zip(found["slides"], lecture.deck.slides, strict=True):
        if slide.kind in ("question", "title"):
            assert " ".join(seen["title"].split()) == slide.title
        assert seen["outside"] == [], f"{slide.name} doesn't fit"
        assert seen["above"] == [], f"{slide.name} has something over its picture"
        assert seen["small"] == [], f"{slide.name} has text below 20 pixels of 720"
        assert all(width > 0 and inside for width, inside, _ in seen["pictures"]), slide.name
        assert [alt for _, _, alt in seen["pictures"]] == ([slide.picture.alt] if slide.picture else [])


@pytest.mark.parametrize("name", ["slides.html", "slides-remark.html"])
def test_a_hostile_name_is_seen_and_does_nothing(folder: Path, visit: Callable[[Path], Any], name: str) -> None:
    one = everything((HOSTILE_MACHINE, "container@rack-server"), HOSTILE)
    made = build(context(folder, HOSTILE_LECTURE.replace("vm@rack-server", "container@rack-server", 1), one))
    found = visit(unpacked(made, name, folder / f"hostile-{name}"))
    assert found["said"] == []
    assert len(found["asked"]) == 1
    seen = " ".join(slide["text"] for slide in found["slides"])
    assert "<script>alert(1)</script>" in seen
    assert "<img src=x onerror=alert(2)>" in seen
    assert "{{x}}" in seen


def test_the_powerpoint_opens_in_libreoffice_with_a_page_for_each_slide(lecture: Lecture, folder: Path) -> None:
    program = shutil.which("soffice")
    if program is None:
        lacking("LibreOffice (Debian: libreoffice-impress)")
    file = unpacked(lecture, "slides.pptx", folder / "slides.pptx")
    done = subprocess.run(
        [
            program,
            "--headless",
            f"-env:UserInstallation={(folder / 'office').as_uri()}",
            "--convert-to",
            "pdf",
            "--outdir",
            folder,
            file,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pdf = (folder / "slides.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == len(lecture.deck.slides)


def test_figures_are_native_charts_where_there_is_a_kind_for_them(lecture: Lecture) -> None:
    pptx = pytest.importorskip("pptx")
    with zipfile.ZipFile(io.BytesIO(lecture.archive)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    pages = dict(
        zip(
            (slide.name for slide in lecture.deck.slides),
            pptx.Presentation(io.BytesIO(files["lecture/slides.pptx"])).slides,
            strict=True,
        )
    )

    def table(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(files[f"lecture/figures/{name}.csv"].decode())))

    for slide in lecture.deck.slides:
        if slide.picture is None:
            continue
        page = pages[slide.name]
        charts = [shape for shape in page.shapes if shape.has_chart]
        pictures = [shape for shape in page.shapes if shape.shape_type == 13]
        notes = page.notes_slide.notes_text_frame.text
        assert len(charts) == len(slide.picture.plots)
        assert len(pictures) == (0 if charts else 1)
        (first, *_) = charts or pictures
        assert first._element.xpath(".//p:cNvPr/@descr") == [" ".join(slide.picture.alt.split())]
        said = "The chart is native" if charts else "The figure is a picture: there is no native chart of its kind."
        assert said in notes
        assert f"figures/{slide.picture.name}.csv" in notes
    # the sum of what a chart shows is the sum of the table
    for name, column in (("overhead", "added_fraction"), ("timeline", "length_s")):
        (chart,) = [shape.chart for shape in pages[name].shapes if shape.has_chart]
        shown = sum(value or 0.0 for series in chart.plots[0].series for value in series.values)
        layers = [row for row in table(name) if not row["layer"].startswith("simulated")]
        assert shown == pytest.approx(sum(float(row[column]) for row in layers), rel=1e-6)
    (chart,) = [shape.chart for shape in pages["stacks"].shapes if shape.has_chart]
    drawn = sum(abs(value or 0.0) for series in chart.plots[0].series for value in series.values)
    assert drawn * 2**20 == pytest.approx(sum(float(row["bytes"]) for row in table("stacks")), rel=1e-6)
    (chart,) = [shape.chart for shape in pages["density"].shapes if shape.has_chart]
    counts = {float(row["instances_per_machine"]) for row in table("density")}
    drawn = {value for series in chart.plots[0].series for value in series.values if value is not None}
    assert drawn <= counts
    assert min(drawn) == min(counts)


def test_the_page_has_sliders_around_the_first_result(lecture: Lecture) -> None:
    with zipfile.ZipFile(io.BytesIO(lecture.archive)) as archive:
        page = archive.read("lecture/page.html").decode()
    content = json.loads(re.findall('id="data">(.*?)</script>', page)[0])
    assert [axis["title"] for axis in content["axes"]] == ["size of the workload", "images", "starts on a host"]
    assert len(content["points"]) == 4 * 2 * 2
    assert len(page.encode()) < 1_000_000


def test_only_what_these_results_lack_is_left_out(lecture: Lecture) -> None:
    # no samples were given, and no parameter moves the three machines of a comparison that is so small
    # nor descriptions of images, nor a validation
    assert [reason.partition(":")[0] for reason in lecture.left_out] == ["ladder", "pull", "hinges", "predicted"]
    assert lecture.left_out[0] == "ladder: the figure ladder can't be drawn: it needs samples of startup"
    assert lecture.left_out[2] == "hinges: the result evolution doesn't say what hosts hangs on"
    charts = [slide for slide in lecture.deck.slides if slide.picture is not None and slide.picture.bars is not None]
    assert len(charts) >= 8
