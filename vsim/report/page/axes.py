"""What the sliders of a page move: values that are set together, one position after another.

A scenario's own sweep has a slider for each of its parameters (one for all of them where it takes them side by side).
A scenario without one gets sliders for what people ask first: a larger or smaller workload, images that have to be
fetched, and how many starts at a time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vsim.samples.human import format_value
from vsim.samples.result import SweepResult
from vsim.scenario.scenario import Scenario, Sweep

__all__ = ["Axis", "Position", "axes_of", "combinations", "default_axes", "sweep_over"]

# How large the workload is, as a factor on replicas and on the rate of requests.
SIZES = (0.25, 0.5, 1.0, 2.0)
_FRACTIONS = {0.25: "¼", 0.5: "½"}
# Starts at a time per host, where the scenario starts all at once.
FEW = 4
# A label is a word or two under a slider, not a paragraph.
MOST_LETTERS = 60


@dataclass(frozen=True, slots=True)
class Position:
    """One position of a slider: its label, and the values by path that it sets (none: the scenario as it is)."""

    label: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Axis:
    """One slider: what it is called, its positions, and the number of the one that it stands at in the beginning."""

    title: str
    positions: tuple[Position, ...]
    start: int = 0


def default_axes(scenario: Scenario) -> tuple[Axis, ...]:
    """Return the sliders of a scenario that states no sweep."""
    axes = []
    if scenario.workload.services:
        axes.append(_size(scenario))
        warm = (Position("on every host"), Position("fetched first", {"start.images": "cold"}))
        cold = (Position("on every host", {"start.images": "warm"}), Position("fetched first"))
        is_cold = scenario.start.images == "cold"
        axes.append(Axis("images", cold if is_cold else warm, int(is_cold)))
    elif scenario.workload.demands:
        kinds = ("mean", "p95", "peak", "provisioned")
        reserved = scenario.fleet.reserve
        positions = tuple(Position(kind, {} if kind == reserved else {"fleet.reserve": kind}) for kind in kinds)
        axes.append(Axis("reserved for each instance", positions, kinds.index(reserved)))
    if scenario.workload.services or scenario.workload.demands:
        stated = scenario.start.concurrency
        few = FEW if stated is None else stated
        positions = (
            Position(f"{few} at a time", {"start.concurrency": few} if stated is None else {}),
            Position("all at once", {} if stated is None else {"start.concurrency": None}),
        )
        axes.append(Axis("starts on a host", positions, int(stated is None)))
    return tuple(axes)


def _size(scenario: Scenario) -> Axis:
    """Return the slider for the size of the workload: replicas, how many are needed, and rates, all by one factor."""
    positions = []
    for factor in SIZES:
        values: dict[str, object] = {}
        for service in scenario.workload.services:
            path = f"services.{service.name}"
            replicas = max(1, math.ceil(service.replicas * factor))
            values[f"{path}.replicas"] = replicas
            # as many as before may be down, as far as that can be said of fewer
            values[f"{path}.needs"] = max(1, min(replicas, round(service.needs * factor)))
            if service.arrivals is not None and service.arrivals.kind != "trace":
                values[f"{path}.arrivals.rate_per_s"] = service.arrivals.rate_per_s * factor
        positions.append(Position(f"× {_FRACTIONS.get(factor, f'{factor:g}')}", {} if factor == 1 else values))
    return Axis("size of the workload", tuple(positions), SIZES.index(1.0))


def combinations(axes: Sequence[Axis]) -> Iterator[tuple[int, ...]]:
    """Yield the positions of all points, the last slider running fastest; one point without sliders."""
    return itertools.product(*(range(len(axis.positions)) for axis in axes))


def sweep_over(axes: Sequence[Axis], scenario: Scenario) -> Sweep | None:
    """Return the sweep that visits all points but the one where the sliders stand first, which is the scenario itself.

    Every parameter that a slider moves is stated at every point: where a position sets nothing, as the scenario has it.
    """
    start = tuple(axis.start for axis in axes)
    points = [at for at in combinations(axes) if at != start]
    if not points:
        return None
    paths = list(dict.fromkeys(path for axis in axes for position in axis.positions for path in position.values))
    stated = _stated(scenario)
    columns: dict[str, tuple[object, ...]] = {}
    for path in paths:
        column = []
        for at in points:
            values = merged(axes, at)
            column.append(values[path] if path in values else stated[path])
        columns[path] = tuple(column)
    return Sweep(columns, "list")


def merged(axes: Sequence[Axis], at: Sequence[int]) -> dict[str, object]:
    """Return all values that the sliders set at the positions `at`."""
    return {
        path: value
        for axis, number in zip(axes, at, strict=True)
        for path, value in axis.positions[number].values.items()
    }


def _stated(scenario: Scenario) -> dict[str, object]:
    """Return what the scenario itself states for the paths that the default sliders move."""
    stated: dict[str, object] = {
        "start.images": scenario.start.images,
        "start.concurrency": scenario.start.concurrency,
        "fleet.reserve": scenario.fleet.reserve,
    }
    for service in scenario.workload.services:
        stated[f"services.{service.name}.replicas"] = service.replicas
        stated[f"services.{service.name}.needs"] = service.needs
        if service.arrivals is not None:
            stated[f"services.{service.name}.arrivals.rate_per_s"] = service.arrivals.rate_per_s
    return stated


def axes_of(sweep: SweepResult) -> tuple[Axis, ...]:
    """Return the sliders of a sweep that was run: one for each parameter where all combinations are there, else one."""
    columns = {path: _distinct([point.values[path] for point in sweep.points]) for path in sweep.parameters}
    if math.prod(map(len, columns.values())) == len(sweep.points):
        return tuple(
            Axis(path, tuple(Position(label(path, value), {path: value}) for value in values))
            for path, values in columns.items()
        )
    positions = tuple(
        Position(_cut(", ".join(label(path, value) for path, value in point.values.items())), dict(point.values))
        for point in sweep.points
    )
    return (Axis(_cut(", ".join(sweep.parameters)), positions),)


def _distinct(values: Sequence[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def label(path: str, value: object) -> str:
    """Return a swept value for reading, in the unit that the path's end tells."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        if value is None:
            return "none"
        return _cut(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
    if path.endswith("bytes"):
        return format_value("memory_overhead_bytes", float(value), "bytes")
    if path.endswith("_per_s"):
        return f"{value:g}/s"
    if path.endswith("core_s"):
        return f"{value:g} core-s"
    if path.endswith("_s"):
        return format_value("startup_p50_s", float(value), "s")
    return f"{value:g}"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
