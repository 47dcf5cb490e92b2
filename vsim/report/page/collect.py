"""A study as JSON's own types: what the page's script works with.

Equal things are there once and are referred to by number: layouts, timelines and stacks are the same at most points.
Every number comes from the result, from the layout or from a formula of the model; the script draws and subtracts, and
simulates nothing.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vsim.experiment.footprint import footprint
from vsim.experiment.layout import Layout, layout
from vsim.experiment.start_stages import start_stages
from vsim.experiment.statistics import student_t
from vsim.model.quantity import value_of
from vsim.report.page.study import Point, Study, settings
from vsim.report.page.ticks import Scale, scale_of, scale_up_to
from vsim.report.palette import colour
from vsim.samples.human import format_estimate, format_value, scales
from vsim.samples.metrics import HEADLINE, METRICS, unit_of
from vsim.samples.result import ArchitectureResult, Swing

if TYPE_CHECKING:
    from vsim.experiment.layout import PlacedHost
    from vsim.model.stack import Architecture
    from vsim.model.workload import Service

__all__ = ["collect"]

# A fleet larger than this is drawn in part; the sums are those of all machines.
MOST_HOSTS = 240
# Values of single replications are kept, for paired differences, up to so many of them (about 10 bytes each).
MOST_VALUES = 30_000
# Significant digits of the numbers on the page: a difference of two availabilities needs many.
DIGITS = 9
# How many parameters are named for each metric.
MOST_SWINGS = 3


class _Shared:
    """A list in which equal things are once."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, item: Any) -> int:
        """Return the number of `item` in the list, where it is put unless it is there."""
        key = repr(item)
        if key not in self._places:
            self._places[key] = len(self.items)
            self.items.append(item)
        return self._places[key]


def collect(study: Study) -> dict[str, Any]:
    """Return all that the page shows."""
    names = list(dict.fromkeys(one.name for point in study.points for one in point.architectures))
    metrics = [
        name for name in METRICS if any(name in one.metrics for point in study.points for one in point.architectures)
    ]
    fleets, stacks, lines = _Shared(), _Shared(), _Shared()
    services = list(dict.fromkeys(s.name for point in study.points for s in point.scenario.workload.services))
    keep = _values(study) <= MOST_VALUES
    points = []
    for point in study.points:
        found: dict[str, Any] = {}
        for one in point.architectures:
            architecture = point.profile.architecture(one.name)
            placed = layout(point.scenario, architecture)
            found[str(names.index(one.name))] = {
                "m": _metrics(one, metrics, keep),
                "f": fleets.place(_fleet(placed, services)),
                "s": stacks.place(_stack(placed)),
                "t": [
                    lines.place(_timeline(point, architecture, service)) for service in point.scenario.workload.services
                ],
            }
        points.append(
            {
                "at": list(point.at),
                "n": point.replications,
                "set": settings(point.values),
                "services": [
                    {"n": s.name, "replicas": s.replicas, "needs": s.needs, "memory": s.memory_bytes}
                    for s in point.scenario.workload.services
                ],
                "of": found,
            }
        )
    layers = list(
        dict.fromkeys(
            [*(row[0] for stack in stacks.items for row in stack), *(row[0] for line in lines.items for row in line)]
        )
    )
    result = study.result
    return {
        "title": study.scenario.title,
        "seed": result.seed,
        "command": [shlex.quote(word) for word in study.command],
        "names": names,
        "quoted": [shlex.quote(name) for name in names],
        "on": study.on or any("architectures" in point.values for point in study.points),
        "axes": [
            {"title": axis.title, "start": axis.start, "labels": [position.label for position in axis.positions]}
            for axis in study.axes
        ],
        "metrics": [_metric(study, name) for name in metrics],
        "start": _start(metrics),
        "services": services,
        "colours": {layer: _colours(layer) for layer in layers},
        "fleets": fleets.items,
        "stacks": stacks.items,
        "lines": lines.items,
        "longest": _scale(scale_up_to("startup_p50_s", _longest(lines.items), "s")),
        "students": {str(n): student_t(n - 1, 0.95) for n in sorted({p.replications for p in study.points}) if n > 1},
        "points": points,
        "differences": _differences(study, names),
        "formats": {unit: [list(one) for one in scales(unit)] for unit in ("s", "bytes", "Wh")},
    }


def _differences(study: Study, names: Sequence[str]) -> list[Any]:
    """Return the result's own paired differences: metric, of, versus, value and ends.

    Of a single point, where there are no replications to work them out from.
    """
    if len(study.points) > 1 or _values(study):
        return []
    return [
        [d.metric, names.index(d.of), names.index(d.versus)]
        + [None if number is None else _number(number) for number in (d.value, d.low, d.high)]
        for d in study.result.differences
    ]


def _values(study: Study) -> int:
    return sum(len(v) for p in study.points for one in p.architectures for v in one.values.values())


def _start(metrics: Sequence[str]) -> int:
    """Return the number of the metric that is shown first."""
    wanted = next((name for name in ("startup_p95_s", *HEADLINE) if name in metrics), None)
    return metrics.index(wanted) if wanted is not None else 0


def _number(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _metrics(one: ArchitectureResult, metrics: Sequence[str], keep: bool) -> list[Any]:
    """Return for each metric None, or value, ends of the interval, the text, and the value of each replication."""
    rows: list[Any] = []
    for name in metrics:
        estimate = one.metrics.get(name)
        if estimate is None:
            rows.append(None)
            continue
        ends = [None if end is None else _number(end) for end in (estimate.low, estimate.high)]
        row: list[Any] = [_number(estimate.value), *ends, format_estimate(name, estimate)]
        values = one.values.get(name, ())
        if keep and values:
            row.append([None if value is None else _number(value) for value in values])
        rows.append(row)
    return rows


def _metric(study: Study, name: str) -> dict[str, Any]:
    metric = METRICS[name]
    unit = unit_of(name, study.profile.site.currency)
    ends = [
        end
        for point in study.points
        for one in point.architectures
        if (estimate := one.metrics.get(name)) is not None
        for end in (estimate.value, estimate.low, estimate.high)
        if end is not None
    ]
    return {
        "name": name,
        "title": metric.title,
        "unit": unit,
        "better": metric.better,
        "fraction": metric.most == 1.0 or name.endswith("_fraction"),
        "scale": _scale(scale_of(name, ends, unit)),
        "hangs": _hangs(study, name),
    }


def _hangs(study: Study, name: str) -> list[str]:
    """Return what the metric hangs on most, in words, each parameter once."""
    sensitivity = study.result.sensitivity
    if sensitivity is None:
        return []
    best: dict[str, Swing] = {}
    for swing in sensitivity.swings:
        if swing.metric == name and swing.swing:
            known = best.get(swing.parameter)
            if known is None or (known.swing or 0) < swing.swing:
                best[swing.parameter] = swing
    found = sorted(best.values(), key=lambda swing: -(swing.swing or 0))[:MOST_SWINGS]
    return [
        f"{swing.parameter} ({swing.kind}): {100 * swing.swing:.0f} % on {swing.architecture}"
        for swing in found
        if swing.swing is not None and swing.swing >= 0.005
    ]


def _scale(scale: Scale) -> dict[str, Any]:
    return {
        "log": scale.logarithmic,
        "low": scale.low,
        "high": scale.high,
        "marks": [list(mark) for mark in scale.marks],
    }


def _fleet(placed: Layout, services: Sequence[str]) -> dict[str, Any]:
    """Return where the instances are: for each machine its chassis, and its kernels with the instances in them."""
    chassis = placed.architecture.machine.chassis
    single = [] if chassis is None else [n for n, p in chassis.parts.items() if value_of(p.needed) >= value_of(p.count)]
    return {
        "machine": placed.architecture.machine.name,
        "boundary": placed.architecture.boundary,
        "guests": placed.in_guests,
        "chassis": None if chassis is None else chassis.name,
        "single": single,
        "unplaced": placed.unplaced,
        "more": max(0, len(placed.hosts) - MOST_HOSTS),
        "hosts": [[host.chassis, _kernels(host, services)] for host in placed.hosts[:MOST_HOSTS]],
        "rest": _together(placed.hosts[MOST_HOSTS:], services),
    }


def _kernels(host: PlacedHost, services: Sequence[str]) -> list[Any]:
    """Return the kernels of a machine: how many are alike, and how many instances of which service each holds."""
    alike = Counter(tuple(sorted(Counter(guest).items())) for guest in host.guests)
    # recorded demands are instances as well, of names that are no service's
    return [
        [times, [[services.index(name) if name in services else -1, count] for name, count in inside]]
        for inside, times in alike.items()
    ]


def _together(hosts: Sequence[PlacedHost], services: Sequence[str]) -> list[int]:
    """Return how many instances of each service the machines hold that aren't drawn."""
    names = Counter(name for host in hosts for guest in host.guests for name in guest)
    return [names[name] for name in services]


def _stack(placed: Layout) -> list[Any]:
    return [[row.layer, row.title, _number(row.fixed_bytes), row.fraction] for row in footprint(placed)]


def _timeline(point: Point, architecture: Architecture, service: Service) -> list[Any]:
    application = (service.name, "application")
    return [
        [
            *(("application", "start") if (row.layer, row.stage) == application else (row.layer, row.stage)),
            _number(row.seconds),
            format_value("startup_p50_s", row.seconds, "s"),
            _spent(row.wait_s, row.pull_s, row.disk_s, row.cpu_s),
        ]
        for row in start_stages(point.scenario, architecture, service)
    ]


def _spent(*seconds: float) -> str:
    """Return what a stage spends its time on, in words."""
    names = ("waiting", "fetching", "disk", "computing")
    parts = [(value, name) for value, name in zip(seconds, names, strict=True) if value >= sum(seconds) * 0.005]
    return ", ".join(f"{format_value('startup_p50_s', value, 's', digits=2)} {name}" for value, name in parts)


def _longest(lines: Sequence[Sequence[Any]]) -> float:
    return max((sum(row[2] for row in line) for line in lines), default=0.0) or 1.0


def _colours(layer: str) -> list[str]:
    """Return the colour of a layer on light and on dark pages."""
    return [colour(layer), colour(layer, dark=True)]
