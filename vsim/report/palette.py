"""One fixed colour, hatch and marker for each layer, the same in every figure, page and slide.

Ten colours that people with any kind of colour vision tell apart: any two of them are at least 8 apart in Oklab (times
100; 2 is just noticed), as seen with all cones and without those for long, middle or short waves (the simulation of
Machado, Oliveira & Fernandes, IEEE TVCG 15(6), 2009), and each stands out from its background with 3:1 or more, what
WCAG 2.2 asks of graphical objects (1.4.11). They were found by a search for the largest least distance; a test holds
them to it. Text is in ink, 4.5:1 or more. A colour never says anything alone: beside it there is a hatch, a marker or a
name.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "DARK_PAPER",
    "LAYERS",
    "PAPER",
    "Mark",
    "colour",
    "contrast",
    "hatch",
    "ink_on",
    "layer_of_stack",
    "luminance",
    "marker",
]

PAPER, DARK_PAPER = "#FFFFFF", "#14161A"
_BLACK, _WHITE = "#000000", "#FFFFFF"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a layer looks: colour on paper and on a dark background, hatch of areas, marker of points (matplotlib's)."""

    light: str
    dark: str
    hatch: str
    marker: str


# By layer, as the built-in profile names them; `machine` is the hardware, `application` what runs in the process.
LAYERS: Mapping[str, Mark] = {
    "machine": Mark("#5F5F5F", "#8E8E8E", "", "s"),
    "host-os": Mark("#2A4FA0", "#4999EC", "//", "o"),
    "process": Mark("#A3210F", "#D9750C", "\\\\", "d"),
    "application": Mark("#C68624", "#F1EDA3", "", "D"),
    "hypervisor": Mark("#1B1445", "#7F50F5", "xx", "^"),
    "desktop-vm": Mark("#1B1445", "#7F50F5", "++", "<"),
    "vmm": Mark("#A92BD0", "#D5B5DC", "xx", "v"),
    "guest-os": Mark("#4C846C", "#3ED44A", "..", "P"),
    "guest-kernel": Mark("#1A9CC2", "#AAF3FE", "--", "X"),
    "container-engine": Mark("#EC3A92", "#CE2B28", "||", "p"),
    "sandbox-kernel": Mark("#5E1E2D", "#9C5490", "oo", "h"),
}
_SPARE = Mark("#555555", "#C8C8C8", "", "*")
_SPARE_HATCHES = ("*", "O", "+", "x", "/", "\\")

# The layer that makes a stack what it is: an architecture as a whole has its colour.
_OF_STACKS: Mapping[str, str] = {
    "bare-metal": "host-os",
    "vm": "hypervisor",
    "microvm": "vmm",
    "container": "container-engine",
    "sandboxed-container": "sandbox-kernel",
    "container-in-vm": "guest-os",
    "container-on-desktop": "desktop-vm",
    "none": "machine",
}


def colour(layer: str, dark: bool = False) -> str:
    """Return the colour of a layer, ``#RRGGBB``; a layer that the built-in profile doesn't have is grey."""
    mark = LAYERS.get(layer, _SPARE)
    return mark.dark if dark else mark.light


def hatch(layer: str) -> str:
    """Return the hatch of a layer's areas; one that the built-in profile doesn't have gets one by its name."""
    if layer in LAYERS:
        return LAYERS[layer].hatch
    return _SPARE_HATCHES[zlib.crc32(layer.encode()) % len(_SPARE_HATCHES)]


def marker(layer: str) -> str:
    """Return the marker of a layer's points."""
    return LAYERS.get(layer, _SPARE).marker


def layer_of_stack(stack: str) -> str:
    """Return the layer whose colour the stack has as a whole; for a stack of the user's, its own name."""
    return _OF_STACKS.get(stack, stack)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#RRGGBB``, 0 to 1 (WCAG 2.2)."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(background: str) -> str:
    """Return black or white, whichever reads better on `background`."""
    return max((_BLACK, _WHITE), key=lambda ink: contrast(ink, background))
