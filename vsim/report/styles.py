"""How a figure is laid out for where it is shown: sizes, and colours of everything that isn't data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsim.errors import InputError
from vsim.report.palette import DARK_PAPER, PAPER
from vsim.scenario.validation import did_you_mean

__all__ = ["STYLES", "Style", "style_named"]


@dataclass(frozen=True, slots=True)
class Style:
    """Size in inches, dots per inch of the PNG, text sizes in points, and colours.

    `text` is the size of names and values, `note` that of caption and footer, `title` that of the finding on top.
    `line` is the width of a data line in points. Nothing is smaller than `note`.
    """

    name: str
    width: float
    height: float
    dpi: int
    title: float
    text: float
    note: float
    line: float
    dark: bool = False
    paper: str = PAPER
    ink: str = "#1A1A1A"
    faint: str = "#595959"
    grid: str = "#DDDDDD"

    @property
    def margin(self) -> float:
        """Free space at the edges, in points."""
        return self.text


# A projected slide is 13⅓ × 7½ inches, as presentation programs have it: 20 points there are 20 points here.
_SLIDE = Style("slide", 40 / 3, 7.5, 144, title=26, text=20, note=20, line=2.5)
STYLES: Mapping[str, Style] = {
    "slide": _SLIDE,
    # half a page of A4 with its margins, to be read on paper
    "handout": Style("handout", 7.2, 5.0, 200, title=13, text=9.5, note=8.5, line=1.4),
    # one column and a half of a paper
    "paper": Style("paper", 5.6, 3.9, 300, title=9.5, text=7.5, note=7, line=1.0),
    "dark": Style(
        "dark",
        _SLIDE.width,
        _SLIDE.height,
        _SLIDE.dpi,
        title=26,
        text=20,
        note=20,
        line=2.5,
        dark=True,
        paper=DARK_PAPER,
        ink="#F2F2F2",
        faint="#B4B8BE",
        grid="#33373D",
    ),
}


def style_named(name: str) -> Style:
    """Return the style. Raises InputError for a name that there isn't."""
    if name not in STYLES:
        raise InputError(
            f"there is no style {name!r}", hint=did_you_mean(name, list(STYLES)) or f"there are {', '.join(STYLES)}"
        )
    return STYLES[name]
