"""Slides made from a source and results: every number worked out by hand."""

from __future__ import annotations

import dataclasses
from html import unescape
from pathlib import Path

import pytest

from tests.report.lecture.sources import LECTURE, context, everything, small
from vsim.report.lecture.deck import Deck, Slide, make
from vsim.report.lecture.expressions import resolve
from vsim.report.lecture.source import Line


def deck(tmp_path: Path, text: str = LECTURE) -> Deck:
    return make(context(tmp_path, text))


def slide(made: Deck, name: str) -> Slide:
    return next(one for one in made.slides if one.name == name)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("value ours hosts vm@rack-server", "4"),
        ("estimate ours hosts vm@rack-server", "4.0±0.4"),
        ("value ours startup_p95_s container@rack-server", "700 ms"),
        (
            "finding ours hosts container@rack-server vm@rack-server",
            "Containers need 2 machines, virtual machines 4 machines",
        ),
        (
            "finding ours startup_p95_s container@rack-server vm@rack-server",
            "Containers start within 700 ms, virtual machines within 9 s",
        ),
        (
            "finding ours blast_radius_instances vm@rack-server container@rack-server",
            "One failure takes down 10 instances with virtual machines, 20 instances with containers",
        ),
        (
            "finding ours hosts vm@rack-server vm@rack-server",
            "Virtual machines and virtual machines are alike: 4 machines",
        ),
        ("called container@rack-server", "containers"),
        ("called vm@laptop", "vm@laptop"),
        ("title ours", "Ours"),
        ("command ours", "`vsim explain mine`"),
        ("replications ours", "10"),
        ("kinds ours", "2 parameters: 0 measured, 1 published, 0 derived, 1 assumed"),
        ("hinge ours hosts", "hypervisor.memory.unit_bytes (assumed): 4 to 8 (vm@rack-server)"),
        (
            "metrics ours hosts",
            "|  | virtual machines | containers |\n| --- | ---: | ---: |\n| hosts | 4.0±0.4 | 2.0±0.2 |",
        ),
    ],
)  # fmt: skip
def test_an_expression_says_what_the_result_says(tmp_path: Path, expression: str, said: str) -> None:
    found = resolve(context(tmp_path), [Line(f"{{{{ {expression} }}}}", 1)])
    assert unescape(found) == said


def test_a_difference_that_may_be_luck_is_called_that(tmp_path: Path) -> None:
    one = small()
    wide = next(d for d in one.differences if d.metric == "hosts")
    unsure = dataclasses.replace(one, differences=(dataclasses.replace(wide, low=-5.0, high=1.0),))
    made = make(context(tmp_path, LECTURE, unsure))
    assert unescape(slide(made, "machines").title).endswith("(which may be luck)")
    # without a paired difference, intervals that overlap don't tell two apart
    alone = dataclasses.replace(one, differences=())
    assert "luck" not in slide(make(context(tmp_path, LECTURE, alone)), "machines").title  # 3.6 to 4.4 and 1.8 to 2.2
    assert "luck" in unescape(
        resolve(
            context(tmp_path, LECTURE, alone),
            [Line("{{ finding ours latency_p95_s vm@rack-server container@rack-server }}", 1)],
        )
    )


def test_notes_have_the_caveats_the_command_and_what_it_hangs_on(tmp_path: Path) -> None:
    notes = unescape(slide(deck(tmp_path), "machines").notes)
    assert notes.startswith("A caveat.")
    assert "Behind the picture: `vsim explain mine`; its numbers are in `figures/ours-hosts.csv`." in notes
    assert "10 replications, intervals of 95 %; seed 1, profile toys; 2 parameters: 0 measured, 1 published" in notes
    assert "What hosts hangs on most: hypervisor.memory.unit_bytes (assumed) moves it from 4 to 8" in notes
    assert "2 of these parameters differ from the built-in profile." in notes


def test_what_the_results_lack_is_left_out_with_the_question_that_it_answers(tmp_path: Path) -> None:
    made = make(context(tmp_path, LECTURE, everything(("vm@laptop", "container@rack-server"))))
    assert [one.name for one in made.slides] == ["provision"]
    assert made.left_out == (
        "machines: the result has no vm@rack-server",
        "ask: its answer, the slide machines, is left out",
    )


def test_a_chart_has_the_numbers_of_the_result(tmp_path: Path) -> None:
    picture = slide(deck(tmp_path), "provision").picture
    assert picture is not None
    assert picture.bars is not None
    assert [(bar.label, bar.value, bar.text) for bar in picture.bars.bars] == [
        ("virtual machines", 30.0, "30±3 s"),
        ("containers", 0.5, "500±50 ms"),
    ]
    assert picture.bars.log, "one is sixty times the other"
    assert picture.files["csv"].decode().splitlines()[1] == "vm@rack-server,provision_s,30.0,27.0,33.0,s"
    assert picture.alt == "provisioning: virtual machines 30±3 s; containers 500±50 ms"


def test_of_an_availability_the_rest_is_drawn(tmp_path: Path) -> None:
    text = LECTURE.replace("chart:ours/provision_s", "chart:ours/availability")
    picture = slide(deck(tmp_path, text), "provision").picture
    assert picture is not None
    assert picture.bars is not None
    # 99.95 % and 99.9 %, intervals of a tenth that end at all of it
    assert [bar.value for bar in picture.bars.bars] == pytest.approx([0.0005, 0.001])
    assert [bar.low for bar in picture.bars.bars] == [0.0, 0.0]
    assert [bar.high for bar in picture.bars.bars] == pytest.approx([1 - 0.9995 * 0.9, 1 - 0.999 * 0.9])
    assert picture.bars.title == "what is missing to full availability"
    assert "99.95" in picture.alt or "100" in picture.alt, picture.alt
    # the numbers beside the picture are the availability itself
    assert picture.files["csv"].decode().splitlines()[1].startswith("vm@rack-server,availability,0.9995,")
