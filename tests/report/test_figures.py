"""Every figure in every style: text is large enough, whole, and on nothing else; numbers are those of the inputs."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import RUNGS, measured, write_samples
from vsim.errors import HostError, InputError
from vsim.report.figures import FIGURES, lacking, render
from vsim.report.inputs import Inputs, read_inputs
from vsim.report.palette import contrast
from vsim.report.rendering import drawn, render_figure
from vsim.report.styles import STYLES, Style

HOSTILE = '<script>alert("x")</script> & $\\frac{1}{2}$ \n\u202egnirts‮ ' + "ع" * 5 + "n" * 200


def texts(figure: Any) -> Iterator[Any]:
    """Yield the visible texts of a drawn figure."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and _shown(text):
            yield text


def _shown(text: Any) -> bool:
    """Return whether the axes that the text belongs to are drawn, and the text is no tick beyond their limits."""
    axes = text.axes
    if axes is None:
        return True
    for axis in (axes.xaxis, axes.yaxis):
        for tick in (*axis.majorTicks, *axis.minorTicks):
            if text in (tick.label1, tick.label2):
                low, high = sorted(axis.get_view_interval())
                return bool(axis.get_visible() and axes.axison and low <= tick.get_loc() <= high)
    return bool(axes.axison or text in axes.texts)


def faults(figure: Any, style: Style) -> list[str]:
    """Return what is wrong with the texts of a figure: too small, cut off, over another one, hard to read."""
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    found, boxes = [], []
    width, height = figure.bbox.width, figure.bbox.height
    for text in texts(figure):
        name = text.get_text()
        if text.get_fontsize() < style.note - 0.01:
            found.append(f"{name!r} is {text.get_fontsize()} points")
        box = text.get_window_extent(renderer)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
            found.append(f"{name!r} is cut off")
        if contrast(_hex(text.get_color()), style.paper) < 4.5:
            found.append(f"{name!r} is hard to read")
        boxes.append((name, box))
    # letters without descenders leave a little of their line's box free
    slack = 0.12 * style.text * figure.dpi / 72
    for (one, here), (other, there) in combinations(boxes, 2):
        across = min(here.x1, there.x1) - max(here.x0, there.x0)
        down = min(here.y1, there.y1) - max(here.y0, there.y0)
        if across > slack and down > slack:
            found.append(f"{one!r} and {other!r} overlap")
    return found


def _hex(colour: Any) -> str:
    from matplotlib.colors import to_hex

    return str(to_hex(colour)).upper()


def of(inputs: Inputs, name: str) -> Inputs:
    figure = FIGURES[name]
    reason = figure.lacking(inputs)
    if reason is not None:
        pytest.fail(f"the test's inputs don't suffice for {name}: {reason}")
    return figure.narrowed(inputs)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", FIGURES)
def test_text_is_large_whole_and_alone(inputs: Inputs, name: str, style: str) -> None:
    with drawn(FIGURES[name], of(inputs, name), STYLES[style]) as done:
        assert faults(done.figure, STYLES[style]) == []


def test_the_check_sees_faults(inputs: Inputs) -> None:
    style = STYLES["slide"]
    with drawn(FIGURES["ladder"], of(inputs, "ladder"), style) as done:
        for place, size, colour in (
            (0.5, 20, "#000000"),
            (0.5, 20, "#000000"),
            (0.2, 8, "#000000"),
            (0.98, 20, "#DDDDDD"),
        ):
            done.figure.text(place, 0.02, "a text that is in the way", fontsize=size, color=colour)
        found = "\n".join(faults(done.figure, style))
    for fault in ("overlap", "is 8", "cut off", "hard to read"):
        assert fault in found


def test_a_slide_has_no_text_below_20_points() -> None:
    for style in (STYLES["slide"], STYLES["dark"]):
        assert min(style.text, style.note, style.title) >= 20
        assert style.width / style.height == pytest.approx(16 / 9)


@pytest.mark.parametrize("name", FIGURES)
def test_findings_captions_and_footers_aren_t_cut(inputs: Inputs, name: str) -> None:
    own = of(inputs, name)
    with drawn(FIGURES[name], own, STYLES["slide"]) as done:
        shown = [text.get_text() for text in texts(done.figure) if text.axes is None]
    assert not [line for line in shown if line.endswith("…")]
    assert shown[0] in done.title


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_inputs_make_the_same_bytes(folder: Path, inputs: Inputs, name: str) -> None:
    formats = ("svg", "png", "pdf") if name == "ladder" else ("svg",)
    once = render_figure(FIGURES[name], inputs, "paper", formats, None)[1]
    # read anew, and with settings of the user's that must not matter
    import matplotlib as mpl

    other = Inputs(inputs.simulated, inputs.measured, inputs.documents)
    with mpl.rc_context({"font.size": 33, "axes.facecolor": "red", "svg.fonttype": "path", "text.usetex": False}):
        again = render_figure(FIGURES[name], other, "paper", formats, None)[1]
    assert {form for form in once if once[form] != again[form]} == set()


def test_files_are_written_with_table_and_words(inputs: Inputs, tmp_path: Path) -> None:
    (done,) = render(inputs, ["ladder"], "slide", ["svg"], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ladder.csv", "ladder.svg", "ladder.txt"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "ladder.csv").read_text(encoding="utf-8"))))
    assert [row["rung"] for row in rows] == list(RUNGS)
    values = sorted(s.value for s in measured() if s.driver == "docker" and s.concurrency == 1)
    docker = next(row for row in rows if row["rung"] == "docker")
    assert float(docker["least_s"]) == pytest.approx(values[0])
    assert float(docker["median_s"]) == pytest.approx((values[15] + values[16]) / 2)
    assert float(docker["p95_s"]) == pytest.approx(values[30]), "31 of 32 are at least 95 %"
    words = (tmp_path / "ladder.txt").read_text(encoding="utf-8")
    for part in (done.title, done.alt, done.caption, done.footer):
        assert part in words
    assert "2 × CPU of a test" in done.footer
    assert "seed 1" in done.footer


def test_findings_say_what_is_in_the_data(inputs: Inputs) -> None:
    ladder = FIGURES["ladder"].title(inputs)
    assert re.match(r"A process starts in 0\.5\d? ms, a container in \d\d–2\d\d ms and a sandbox in 2\d0 ms", ladder), (
        ladder
    )
    assert "VM" not in ladder, "the only one is emulated"
    # n at once take n times as long in what the test has made
    growth = FIGURES["concurrency"].table(inputs)[1]
    by_level = {row[2]: float(row[4] or 0) for row in growth if row[0] == "runc"}
    assert by_level[4] / by_level[1] == pytest.approx(4, rel=0.1)
    assert re.search(r"With 4 starts at once, one takes [34]\.\d", FIGURES["concurrency"].title(inputs))
    fleet = {(row[0], row[1]): row[2] for row in FIGURES["fleet"].table(inputs)[1]}
    for one in inputs.result.result.architectures:
        assert fleet[one.name, "hosts"] == one.metrics["hosts"].value
        # Wh over the window of 2 s
        assert fleet[one.name, "power"] == pytest.approx(one.metrics["energy_wh"].value * 3600 / 2)


def test_names_come_out_as_text(tmp_path: Path) -> None:
    samples = measured()
    renamed = [type(s)(**{**_fields(s), "driver": HOSTILE}) if s.driver == "runc" else s for s in samples]
    path = write_samples(tmp_path / "samples.jsonl", renamed, host_hypervisor=HOSTILE)
    read = read_inputs([path])
    for name in ("ladder", "concurrency"):
        for style in (STYLES["slide"], STYLES["paper"]):
            with drawn(FIGURES[name], of(read, name), style) as done:
                assert faults(done.figure, style) == []
        _, made = render_figure(FIGURES[name], read, "slide", ("svg", "pdf"), None)
        text = made["svg"].decode()
        assert "<script" not in text
        assert "&lt;script&gt;alert(" in text
        assert "\u202e" not in text
        assert HOSTILE in next(row[0] for row in csv.reader(io.StringIO(made["csv"].decode())) if "script" in row[0])


def test_names_of_a_scenario_come_out_as_text(inputs: Inputs) -> None:
    one = inputs.simulated[0]
    content = one.result.to_dict()
    scenario = json.loads(json.dumps(content["scenario"]))
    scenario["name"] = scenario["title"] = HOSTILE
    for service in scenario["workload"]["services"]:
        service["name"] = HOSTILE
    renamed = Inputs((dataclasses.replace(one, result=dataclasses.replace(one.result, scenario=scenario)),))
    for name, figure in FIGURES.items():
        if figure.lacking(renamed) is None:
            with drawn(figure, figure.narrowed(renamed), STYLES["slide"]) as done:
                assert faults(done.figure, STYLES["slide"]) == []
            assert b"<script" not in render_figure(figure, renamed, "slide", ["svg"], None)[1]["svg"], name


def _fields(sample: Any) -> dict[str, Any]:
    return {field.name: getattr(sample, field.name) for field in dataclasses.fields(sample)}


def test_what_can_t_be_drawn_says_why(inputs: Inputs, tmp_path: Path) -> None:
    alone = Inputs(inputs.simulated, ())
    assert lacking(alone)["ladder"] == "it needs samples of startup"
    with pytest.raises(InputError, match="the figure ladder can't be drawn: it needs samples of startup"):
        render(alone, ["ladder"])
    assert "result" in lacking(Inputs((), inputs.measured))["fleet"]
    with pytest.raises(InputError, match="no figure 'lader'") as caught:
        render(inputs, ["lader"])
    assert caught.value.hint is not None
    assert "ladder" in caught.value.hint
    with pytest.raises(InputError, match="no style 'slides'"):
        render(inputs, ["ladder"], "slides")
    with pytest.raises(InputError, match="no format 'gif'"):
        render(inputs, ["ladder"], formats=["gif"])
    (tmp_path / "ladder.svg").mkdir()
    with pytest.raises(HostError, match="can't write"):
        render(inputs, ["ladder"], out=tmp_path)
