"""Boxes within boxes: where a scenario's instances are, and the largest part of them that one failure takes down.

What contains what: chassis, machines, kernels, instances, as placement has put them (:mod:`vsim.experiment.layout`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsim.errors import InputError

if TYPE_CHECKING:
    from vsim.experiment.layout import Layout
    from vsim.report.inputs import Simulated

__all__ = ["LEVELS", "Box", "Nest", "Shape", "flow", "nest_of", "placed", "scaled"]

# From the inside out.
LEVELS = ("instance", "kernel", "machine", "chassis")


@dataclass(frozen=True, slots=True)
class Box:
    """A thing with what is in it; `down`: it is the one that fails, with all that is in it."""

    level: str
    inside: tuple[Box, ...] = ()
    down: bool = False

    @property
    def instances(self) -> int:
        """How many instances are in it."""
        return 1 if self.level == "instance" else sum(box.instances for box in self.inside)


@dataclass(frozen=True, slots=True)
class Nest:
    """All boxes of an architecture, the one that fails first, and how many there are of each level."""

    boxes: tuple[Box, ...]
    fails: str
    counts: dict[str, int]

    @property
    def summary(self) -> tuple[int, int, str]:
        """How many kernels and chassis there are, and what fails."""
        return self.counts["kernel"], self.counts["chassis"], self.fails


def nest_of(simulated: Simulated, name: str, radius: float) -> Nest | None:
    """Return the boxes of an architecture of the result; None where its layers or the placement aren't known.

    What fails is the thing whose instances are nearest to `radius`, the outermost of several.
    """
    from vsim.experiment.layout import layout

    if simulated.lacking or simulated.scenario is None:
        return None
    architecture = simulated.profile.architecture(name)
    try:
        found = layout(simulated.scenario, architecture)
    except InputError:
        return None
    return _nest(found, radius)


def _nest(found: Layout, radius: float) -> Nest:
    # a sandbox has a kernel of its own, in whatever it lies
    own_kernels = any(layer.boundary == "sandbox-kernel" for layer in found.architecture.stack.layers)
    machines: list[tuple[int | None, Box]] = []
    for host in found.hosts:
        kernels = [1] * host.instances if own_kernels else [len(guest) for guest in host.guests]
        boxes = tuple(Box("kernel", (Box("instance"),) * count) for count in sorted(kernels, reverse=True))
        machines.append((host.chassis, Box("machine", boxes)))
    inside: dict[int | None, list[Box]] = {}
    for chassis, box in machines:
        inside.setdefault(chassis, []).append(box)
    top: list[Box] = []
    for chassis, members in inside.items():
        ordered = tuple(sorted(members, key=lambda box: -box.instances))
        top += ordered if chassis is None else (Box("chassis", ordered),)
    top.sort(key=lambda box: -box.instances)
    counts = Counter(level for box in top for level in _levels(box))
    fails = min(
        (level for level in reversed(LEVELS) if counts[level]),
        key=lambda level: abs(_largest(top, level) - radius),
        default="instance",
    )
    return Nest(tuple(_struck(top, fails)), fails, {level: counts[level] for level in LEVELS})


def _levels(box: Box) -> list[str]:
    return [box.level, *(level for part in box.inside for level in _levels(part))]


def _largest(boxes: Sequence[Box], level: str) -> int:
    return max((box.instances if box.level == level else _largest(box.inside, level) for box in boxes), default=0)


def _struck(boxes: Sequence[Box], level: str) -> list[Box]:
    """Return the boxes with the largest of `level` marked, and put first."""
    if not boxes:
        return []
    if boxes[0].level == level:
        first = max(range(len(boxes)), key=lambda i: boxes[i].instances)
        rest = [box for i, box in enumerate(boxes) if i != first]
        return [Box(level, boxes[first].inside, down=True), *rest]
    first = max(range(len(boxes)), key=lambda i: _largest([boxes[i]], level))
    rest = [box for i, box in enumerate(boxes) if i != first]
    return [Box(boxes[first].level, tuple(_struck(boxes[first].inside, level))), *rest]


# -- places ------------------------------------------------------------------------------------------------------------

# x and y of the upper left corner, width and height
Rectangle = tuple[float, float, float, float]


# How many times as wide as tall things lie in a box, to try.
_ASPECTS = (1.0, 0.7, 0.5, 0.33, 0.25, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """How boxes are laid out: the side of an instance's square, and how wide what is in a box lies to its height."""

    cell: float
    aspect: float = 1.0

    @property
    def gap(self) -> float:
        """What is free between two boxes."""
        return self.cell * 0.22

    def pad(self, box: Box) -> float:
        """What is free between a box and what is in it."""
        return self.cell * (0.3 if box.level == "chassis" else 0.18)


def scaled(nests: Sequence[Nest], width: float, height: float, most: float) -> tuple[float, list[float]]:
    """Return the side of an instance's square, at most `most`, with which each nest fits; and the aspect of each."""
    found = [
        max(
            ((_largest_cell(nest, aspect, width, height, most), aspect) for aspect in _ASPECTS),
            key=lambda pair: pair[0],
        )
        for nest in nests
    ]
    cell = min((cell for cell, _ in found), default=most)
    # with the common cell, the shape that is nearest to a square
    aspects = [
        next((aspect for aspect in _ASPECTS if _fits(nest, Shape(cell, aspect), width, height)), best)
        for nest, (_, best) in zip(nests, found, strict=True)
    ]
    return cell, aspects


def _largest_cell(nest: Nest, aspect: float, width: float, height: float, most: float) -> float:
    cell = most
    while cell > 1 and not _fits(nest, Shape(cell, aspect), width, height):
        cell *= 0.97
    return cell


def _fits(nest: Nest, shape: Shape, width: float, height: float) -> bool:
    sizes = [_natural(box, shape, width) for box in nest.boxes]
    return max((wide for wide, _ in sizes), default=0.0) <= width and flow(sizes, width, shape.gap)[1] <= height


def flow(sizes: Sequence[tuple[float, float]], width: float, gap: float) -> tuple[list[tuple[float, float]], float]:
    """Return where boxes of these sizes go, in lines of `width` from the top, and how tall that is."""
    places = []
    x = y = line = 0.0
    for wide, tall in sizes:
        if x > 0 and x + wide > width + 1e-6:
            x, y, line = 0.0, y + line + gap, 0.0
        places.append((x, y))
        x, line = x + wide + gap, max(line, tall)
    return places, y + line


def _natural(box: Box, shape: Shape, width: float) -> tuple[float, float]:
    """Return how wide and tall a box is, not wider than `width` where that can be."""
    if box.level == "instance":
        return shape.cell, shape.cell
    pad = shape.pad(box)
    wide, tall = _inner(box, shape, width - 2 * pad)[1]
    return wide + 2 * pad, tall + 2 * pad


def _inner(box: Box, shape: Shape, width: float) -> tuple[list[tuple[float, float]], tuple[float, float]]:
    """Return where the parts of a box are in it, and how wide and tall they are together."""
    gap = shape.gap
    sizes = [_natural(part, shape, width) for part in box.inside]
    if not sizes:
        return [], (shape.cell, shape.cell)
    widest = max(wide for wide, _ in sizes)
    across = max(1, min(math.ceil(math.sqrt(len(sizes) * shape.aspect)), int((width + gap) / (widest + gap))))
    places, tall = flow(sizes, across * (widest + gap) - gap, gap)
    return places, (max(x + wide for (x, _), (wide, _) in zip(places, sizes, strict=True)), tall)


def placed(boxes: Sequence[Box], shape: Shape, width: float) -> list[tuple[Box, Rectangle, bool]]:
    """Return every box with its place, those outside before those in them, and whether it goes down."""
    found: list[tuple[Box, Rectangle, bool]] = []

    def put(box: Box, x: float, y: float, width: float, down: bool) -> None:
        wide, tall = _natural(box, shape, width)
        down = down or box.down
        found.append((box, (x, y, wide, tall), down))
        if box.inside:
            pad = shape.pad(box)
            places, _ = _inner(box, shape, width - 2 * pad)
            for part, (right, below) in zip(box.inside, places, strict=True):
                put(part, x + pad + right, y + pad + below, width - 2 * pad, down)

    sizes = [_natural(box, shape, width) for box in boxes]
    for box, (x, y) in zip(boxes, flow(sizes, width, shape.gap)[0], strict=True):
        put(box, x, y, width, False)
    return found
