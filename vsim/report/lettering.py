"""How wide text is, where its lines break, and what of it can be shown: names come from anywhere.

Widths are those of DejaVu Sans, which comes with matplotlib, unhinted: the same on every host.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

__all__ = ["FONT", "clean", "shorten", "width_of", "wrap"]

FONT = "DejaVu Sans"
# What is shown for a character that the font lacks.
_LACKING = "□"
# The height of a line, as a multiple of the text's size.
LEADING = 1.25
# A digit, a space and a unit: they stay on one line.
_UNIT = re.compile(r"\d (?:[%×]|(?:[mµ]?s|min|h|weeks?|days?|years?|k?W|[kMG]i?B|times|bytes)\b)")


@lru_cache(maxsize=4)
def _properties(bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FONT, weight="bold" if bold else "normal", size=100)


@lru_cache(maxsize=2)
def _font() -> Any:
    from matplotlib.font_manager import findfont, get_font

    return get_font(findfont(_properties(False)))


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Return `text` as one line that shows nothing but itself.

    White space and control characters become single spaces; marks that turn the direction of what follows are left
    out; a character that the font lacks becomes a box.
    """
    shown = []
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Zl", "Zp") or character.isspace():
            shown.append(" ")
        elif category in ("Cf", "Cs", "Co", "Cn"):
            continue
        else:
            shown.append(character if _font().get_char_index(ord(character)) else _LACKING)
    return " ".join("".join(shown).split())


@lru_cache(maxsize=8192)
def width_of(text: str, size: float, bold: bool = False) -> float:
    """Return how wide `text` is, in points, at `size` points, as it is shown: see :func:`clean`."""
    text = clean(text)
    if not text:
        return 0.0
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, _properties(bold), ismath=False)
    return float(width) * size / 100


def shorten(text: str, size: float, width: float, bold: bool = False) -> str:
    """Return `text` on one line, cut to `width` points and ended with … where it is longer."""
    text = clean(text)
    if width_of(text, size, bold) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of(f"{text[:middle].rstrip()}…", size, bold) <= width:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low].rstrip()}…"


def wrap(text: str, size: float, width: float, lines: int, bold: bool = False) -> list[str]:
    """Return `text` in at most `lines` lines of `width` points; what is left over is cut off with ….

    Lines break at spaces, but not between a number and its unit, and after hyphens where a word is too long otherwise.
    """
    found: list[str] = []
    rest = clean(text)
    while rest and len(found) < lines:
        if width_of(rest, size, bold) <= width:
            found.append(rest)
            rest = ""
            break
        if len(found) == lines - 1:
            found.append(shorten(rest, size, width, bold))
            rest = ""
            break
        taken = _fitting(rest, size, width, bold)
        found.append(rest[:taken].rstrip())
        rest = rest[taken:].lstrip()
    return found


def _fitting(text: str, size: float, width: float, bold: bool) -> int:
    """Return how many characters of `text` go on a line."""
    breaks = [i for i, c in enumerate(text) if c == " " and not _UNIT.match(text, max(0, i - 1))]
    fitting = [i for i in breaks if width_of(text[:i], size, bold) <= width]
    if fitting:
        return fitting[-1]
    hyphens = [i + 1 for i, c in enumerate(text) if c in "-@·/" and width_of(text[: i + 1], size, bold) <= width]
    if hyphens:
        return hyphens[-1]
    # one long word: as many letters as fit
    count = len(text)
    while count > 1 and width_of(text[:count], size, bold) > width:
        count -= 1
    return count
