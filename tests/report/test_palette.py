"""The layers' colours: told apart by everybody, and seen on their ground."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tests.report.colours import MACHADO, distance, linear, seen
from vsim.calibration import builtin
from vsim.report.palette import DARK_PAPER, LAYERS, PAPER, colour, contrast, hatch, ink_on, luminance, marker
from vsim.report.styles import STYLES

# About four times what is just noticed side by side.
APART = 8.0


def test_the_simulation_leaves_grey_alone_and_takes_red_from_green() -> None:
    # each row of Machado's matrices adds up to 1: grey stays grey
    for matrix in MACHADO.values():
        assert np.allclose(matrix.sum(axis=1), 1, atol=1e-5)
    # 0.152286 red and 1.052583 green give the first channel of a protanope
    assert seen("#FF0000", "protanopia")[0] == pytest.approx(0.152286)
    red, green = "#B00000", "#6B6B00"
    assert distance(seen(red, "protanopia"), seen(green, "protanopia")) < distance(linear(red), linear(green))


def test_the_contrast_is_that_of_the_guidelines() -> None:
    # WCAG 2.2: black on white has 21:1, and #767676 is the lightest grey with 4.5:1 on white
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") >= 4.5 > contrast("#777777", "#FFFFFF")
    assert luminance("#FF0000") == pytest.approx(0.2126)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("vision", [None, *MACHADO])
def test_any_two_layers_are_told_apart(dark: bool, vision: str | None) -> None:
    close = {
        (one, other): distance(seen(colour(one, dark), vision), seen(colour(other, dark), vision))
        for one, other in combinations(LAYERS, 2)
        # Docker Desktop's machine is a hypervisor, and differs by hatch and marker alone
        if {one, other} != {"hypervisor", "desktop-vm"}
    }
    assert {pair: far for pair, far in close.items() if far < APART} == {}


def test_no_two_layers_differ_by_colour_alone() -> None:
    assert len({mark.marker for mark in LAYERS.values()}) == len(LAYERS)
    # areas: those of one hatch never lie in one stack
    for stack in builtin().stacks.values():
        hatches = [hatch(layer.name) for layer in stack.layers]
        assert len(set(hatches)) == len(hatches), stack.name


def test_each_layer_of_the_profile_has_a_colour_of_its_own() -> None:
    assert set(builtin().layers) <= set(LAYERS)
    assert colour("my own layer") not in {mark.light for mark in LAYERS.values()}
    assert marker("my own layer") not in {mark.marker for mark in LAYERS.values()}


@pytest.mark.parametrize("layer", LAYERS)
def test_colours_stand_out_from_their_ground_and_carry_text(layer: str) -> None:
    assert contrast(colour(layer), PAPER) >= 3
    assert contrast(colour(layer, dark=True), DARK_PAPER) >= 3
    assert contrast(ink_on(colour(layer)), colour(layer)) >= 4.5


@pytest.mark.parametrize("style", STYLES.values(), ids=list(STYLES))
def test_text_reads_on_its_paper(style: object) -> None:
    assert contrast(style.ink, style.paper) >= 7  # type: ignore[attr-defined]
    assert contrast(style.faint, style.paper) >= 4.5  # type: ignore[attr-defined]
