"""Colour vision: what a colour looks like to people who lack one kind of cones, and how far two colours are apart.

Simulation: Machado, Oliveira & Fernandes, "A physiologically-based model for simulation of color vision deficiency",
IEEE TVCG 15(6), 2009, table for severity 1.0, applied to linear RGB. Distance: Oklab (Ottosson, 2020), times 100.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MACHADO", "distance", "seen"]

Colour = NDArray[np.float64]

MACHADO = {
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> Colour:
    """Return ``#RRGGBB`` as linear RGB, 0 to 1."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def seen(colour: str, by: str | None) -> Colour:
    """Return the linear RGB that somebody sees: None for all cones, or a key of MACHADO."""
    rgb = linear(colour)
    return rgb if by is None else np.clip(MACHADO[by] @ rgb, 0, 1)


def distance(one: Colour, other: Colour) -> float:
    """Return how far two linear RGB colours are apart; about 2 is just noticed side by side."""
    labs = [_LAB @ np.cbrt(_LMS @ rgb) for rgb in (one, other)]
    return float(np.linalg.norm(labs[0] - labs[1]) * 100)
