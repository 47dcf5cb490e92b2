"""Bars: their places worked out by hand, in a terminal, as SVG and in a notebook."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tests.report.results import HOSTILE, result
from vsim.errors import InputError
from vsim.samples.bars import bars_of, in_terminal, worth_drawing
from vsim.samples.svg import to_svg

HOSTS = {"bare-metal@a": {"hosts": (8, 6, 10)}, "vm@a": {"hosts": (4, 2, 6)}, "container@a": {"hosts": 2}}
# Hebrew, and two hundred letters
LONG = f"שלום {'x' * 200}"
TIMES = {"bare-metal@a": {"provision_s": 1e6}, "container@a": {"provision_s": (1.0, 0.1, 10.0)}}


def test_a_linear_bar_begins_at_nothing_and_ends_at_the_largest_interval() -> None:
    bars = bars_of(result(HOSTS), "hosts")
    assert (bars.log, bars.least, bars.most) == (False, 0.0, 10.0)
    assert [bars.place(bar.value) for bar in bars.bars] == [0.8, 0.4, 0.2]


def test_a_logarithmic_scale_is_chosen_where_a_linear_one_shows_nothing() -> None:
    bars = bars_of(result(TIMES), "provision_s")
    assert (bars.log, bars.least, bars.most) == (True, 0.1, 1e6)  # whole powers of ten around the intervals
    assert [bars.place(end) for end in (0.1, 1.0, 10.0, 1e6)] == pytest.approx([0, 1 / 7, 2 / 7, 1])
    assert bars.place(0.0) == 0
    # 50 times isn't wide enough, and zero has no place on a logarithmic scale
    assert not bars_of(result({"a@a": {"hosts": 50}, "b@a": {"hosts": 1}}), "hosts").log
    assert bars_of(result({"a@a": {"hosts": 51}, "b@a": {"hosts": 1}}), "hosts").log
    assert not bars_of(result({"a@a": {"hosts": 51}, "b@a": {"hosts": 0}}), "hosts").log


def test_a_terminal_shows_value_and_interval() -> None:
    lines = list(in_terminal(bars_of(result(HOSTS), "hosts"), 41))
    # 12 columns for names, 2, 22 for the bar, 2, 3 for numbers; the largest interval ends at 10
    assert lines == [
        "hosts",
        f"bare-metal@a  {'█' * 13}{'▒' * 9}  8±2",
        f"vm@a          {'█' * 4}{'▒' * 9}           4±2",
        f"container@a   {'█' * 4}                      2",
    ]


def test_a_logarithmic_scale_in_a_terminal_has_marks() -> None:
    title, first, second = in_terminal(bars_of(result(TIMES), "provision_s"), 70)
    assert title == "provisioning (log scale, 100 ms to 11.6 days)"
    assert first.index("●") == 70 - 1 - len("11.6 days") - 2 or "●" in first
    assert re.search(r"├─+●─+┤", second)


def test_ascii_alone_where_there_is_no_more() -> None:
    for metrics in (HOSTS, TIMES):
        metric = next(iter(metrics["container@a"]))
        lines = list(in_terminal(bars_of(result(metrics), metric), 60, plain=True))
        assert "\n".join(lines).isascii()
    assert "8+-2" in "\n".join(in_terminal(bars_of(result(HOSTS), "hosts"), 60, plain=True))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    long = {f"container-with-a-very-long-name-{i}@a-machine-with-one-too": {"provision_s": 10.0**i} for i in range(7)}
    for line in in_terminal(bars_of(result(long), "provision_s"), width):
        assert len(line) <= width


def test_only_what_differs_is_worth_drawing() -> None:
    assert worth_drawing(result({"a@a": {"hosts": 1, "energy_wh": 2}, "b@a": {"hosts": 1, "energy_wh": 3}})) == [
        "energy_wh"
    ]
    assert worth_drawing(result({"a@a": {"hosts": 1}})) == []


def test_what_there_isnt_is_refused() -> None:
    with pytest.raises(InputError, match="no metric 'machines'"):
        bars_of(result(HOSTS), "machines")
    with pytest.raises(InputError, match="no hosts of vm@b"):
        bars_of(result(HOSTS), "hosts", on=["vm@b"])
    with pytest.raises(InputError, match="has no energy_wh"):
        bars_of(result(HOSTS), "energy_wh")


@pytest.mark.parametrize("plain", [False, True])
def test_a_name_in_a_terminal_is_text_on_its_own_line(plain: bool) -> None:
    names = [f"vm@{HOSTILE}", f"vm@\x1b[31m\r{LONG}", "container@\u2028b\x07"]
    hostile = result({name: {"hosts": number} for number, name in enumerate(names, start=1)}, title=HOSTILE)
    lines = list(in_terminal(bars_of(hostile, "hosts"), 80, plain=plain))
    assert len(lines) == 1 + len(names), "no name ends a line"
    for line in lines:
        assert len(line) <= 80
        assert line.isprintable(), "nothing moves the cursor, sets a colour or turns the direction"
    assert [line.split()[-1] for line in lines[1:]] == ["1", "2", "3"]


def test_an_svg_has_each_bar_at_its_length() -> None:
    svg = ElementTree.fromstring(to_svg(bars_of(result(HOSTS), "hosts"), fills=["#111111", "#222222", "#333333"]))
    space = "{http://www.w3.org/2000/svg}"
    bars = [e for e in svg.iter(f"{space}rect") if e.get("x")]
    widths = [float(e.get("width", "0")) for e in bars]
    assert widths[1] == pytest.approx(widths[0] / 2, abs=0.02)
    assert widths[2] == pytest.approx(widths[0] / 4, abs=0.02)
    assert [e.get("fill") for e in bars] == ["#111111", "#222222", "#333333"]
    assert len(list(svg.iter(f"{space}path"))) == 2, "two have an interval"
    texts = [e.text for e in svg.iter(f"{space}text")]
    assert {"bare-metal@a", "8±2", "vm@a", "4±2", "container@a", "2"} <= set(texts)
    assert to_svg(bars_of(result(HOSTS), "hosts")) == to_svg(bars_of(result(HOSTS), "hosts"))


def test_a_picture_of_nothing_but_zeros_is_drawn() -> None:
    zeros = result({"a@a": {"unplaced": 0}, "b@a": {"unplaced": 0}})
    assert list(in_terminal(bars_of(zeros, "unplaced"), 60))[1].split() == ["a@a", "0"]
    ElementTree.fromstring(to_svg(bars_of(zeros, "unplaced")))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_notebook_shows_a_table_and_pictures_with_every_name_as_text() -> None:
    hostile = result(
        {f"vm@{HOSTILE} {LONG}": {"hosts": (4, 2, 6)}, f"container@{HOSTILE}": {"hosts": 2}}, title=f"Title {HOSTILE}"
    )
    html = hostile._repr_html_()
    parsed = _Tags()
    parsed.feed(html)
    assert {"script", "style", "iframe"}.isdisjoint(parsed.tags)
    assert {name for name, _ in parsed.attributes} <= {"scope", "alt", "src"}
    assert parsed.tags.count("img") == 1
    assert "<script>alert(1)</script>" in parsed.text
    assert LONG in parsed.text
    assert "4±2" in parsed.text
    (source,) = [value for name, value in parsed.attributes if name == "src"]
    assert source is not None
    picture = ElementTree.fromstring(base64.b64decode(source.partition(",")[2]))
    assert {element.tag.partition("}")[2] for element in picture.iter()} <= {
        "svg",
        "title",
        "rect",
        "line",
        "path",
        "text",
    }
    assert "\u202e" not in html


def test_a_notebook_says_what_the_numbers_rest_on() -> None:
    assert "seed 1 · 10 replications, ± 95 % · profile toys · parameters: 0 measured" in result(HOSTS)._repr_html_()
    alike = result({"a@a": {"hosts": 1}, "b@a": {"hosts": 1}}, replications=1)._repr_html_()
    assert "1 replication ·" in alike
    assert "Nothing differs." in alike


def test_a_tick_stands_where_its_number_is() -> None:
    svg = to_svg(bars_of(result({"a@x": {"hosts": 215}, "b@x": {"hosts": 107}}), "hosts"))
    found = re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle" fill="#595959">([\d,]+)</text>', svg)
    ticks = [(float(x), float(text)) for x, text in found]
    assert [value for _, value in ticks] == [0.0, 100.0, 200.0]
    # equal steps of the value are equal steps on the page, to the bar that is 215 long
    zero, hundred, _ = (x for x, _ in ticks)
    (bar, *_) = re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"', svg)
    assert float(bar) / (hundred - zero) == pytest.approx(2.15, abs=0.01)
