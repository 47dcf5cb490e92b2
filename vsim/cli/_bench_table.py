"""A bench run's summary as text: one table per step, rungs down, at most 80 columns wide."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from vsim.bench.suites import all_suites
from vsim.samples.summary import BASE, Interval, Row

if TYPE_CHECKING:
    from vsim.model.plan import Plan

__all__ = ["WIDTH", "describe_step", "short", "table"]

WIDTH = 80

_SCALES: Mapping[str, tuple[tuple[float, str], ...]] = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "bytes": ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")),
    "bytes/s": ((2.0**30, "GiB/s"), (2.0**20, "MiB/s"), (2.0**10, "KiB/s"), (1.0, "B/s")),
    "1/s": ((1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")),
    "1": ((1.0, ""),),
}


def table(rows: Sequence[Row], plan: Plan, *, base: str = BASE, width: int = WIDTH) -> str:
    """Return the tables; the caller styles nothing and prints them. `base` is what ratios refer to."""
    blocks = []
    for number, step in enumerate(plan.steps):
        own = [row for row in rows if row.step == number]
        if own:
            suite = all_suites().get(step.suite)
            headline = suite.headline if suite is not None else ()
            blocks.append(f"{describe_step(plan, number)}\n{_step(own, headline, base, width)}")
    return "\n\n".join(blocks)


def describe_step(plan: Plan, number: int) -> str:
    """Return a step in a few words: its suite and what makes it differ."""
    step = plan.steps[number]
    fields = {field.name: getattr(step, field.name) for field in dataclasses.fields(step)}
    words = [
        f"{name.removesuffix('_bytes').removesuffix('_s').replace('_', ' ')} {_field(name, value)}"
        for name, value in fields.items()
        if value not in (False, None)
    ]
    return click.style(step.suite, bold=True) + f" · {', '.join(words)}"


def _field(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and (name.endswith("bytes")):
        return short(float(value), "bytes")
    return f"{value:g}" if isinstance(value, float) else str(value)


def _step(rows: Sequence[Row], headline: Sequence[str], base: str, width: int) -> str:
    metrics = [name for name in headline if any(row.metric == name for row in rows)]
    metrics = metrics or list(dict.fromkeys(row.metric for row in rows))
    cells = {(row.driver, row.metric): row for row in rows}
    drivers = list(dict.fromkeys(row.driver for row in rows))
    first = metrics[0]
    header = ["", _title(first), "95 %", f"× {base}", *map(_title, metrics[1:])]
    lines = _lines(rows, drivers, metrics, cells, header, intervals=True)
    if _total(_sizes(lines)) > width:
        lines = _lines(rows, drivers, metrics, cells, header, intervals=False)
    return _laid_out(lines, width)


def _lines(
    rows: Sequence[Row],
    drivers: Sequence[str],
    metrics: Sequence[str],
    cells: Mapping[tuple[str, str], Row],
    header: list[str],
    *,
    intervals: bool,
) -> list[list[str]]:
    """Return the cells; the ratio with its interval where there is room for it."""
    lines = [header]
    for driver in _ladder(drivers):
        row = cells.get((driver, metrics[0]))
        line = [_name(rows, driver)]
        line += [short(row.median.value, row.unit), _range(row), _ratio(row.ratio, intervals)] if row else ["–", "", ""]
        for metric in metrics[1:]:
            other = cells.get((driver, metric))
            line.append(short(other.median.value, other.unit) if other else "–")
        lines.append(line)
    return lines


def _ladder(drivers: Sequence[str]) -> list[str]:
    from vsim.bench.drivers import all_drivers

    order = {driver.name: place for place, driver in enumerate(all_drivers())}
    return sorted(drivers, key=lambda name: order.get(name, -1))


def _name(rows: Sequence[Row], driver: str) -> str:
    emulated = any("emulated" in row.flags for row in rows if row.driver == driver)
    return f"{driver} *" if emulated else driver


def _title(metric: str) -> str:
    name, _, unit = metric.rpartition("_")
    name = name if unit in ("s", "bytes") else metric
    # What is left of a rate's unit says nothing without the rest: the cells have it.
    name = name.removesuffix("_per").removesuffix("_bytes")
    return name.removeprefix("memory_").removeprefix("network_").removeprefix("disk_").replace("_", " ")


def short(value: float, unit: str) -> str:
    """Return a value with three significant digits in the unit that suits it: `12.3 ms`."""
    factor, suffix = _scale(value, unit)
    return f"{_digits(value / factor)} {suffix}".strip()


def _scale(value: float, unit: str) -> tuple[float, str]:
    scales = _SCALES.get(unit, ((1.0, unit),))
    return next((scale for scale in scales if abs(value) >= scale[0]), scales[-1])


def _digits(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(places, 3)}f}".replace("-", "−")


def _range(row: Row) -> str:
    factor, _ = _scale(row.median.value, row.unit)
    return f"[{_digits(row.median.low / factor)}, {_digits(row.median.high / factor)}]"


def _ratio(ratio: Interval | None, interval: bool) -> str:
    if ratio is None:
        return ""
    if not interval:
        return _digits(ratio.value)
    return f"{_digits(ratio.value)} [{_digits(ratio.low)}, {_digits(ratio.high)}]"


def _sizes(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]


def _total(sizes: Sequence[int]) -> int:
    return sum(sizes) + 2 * (len(sizes) - 1)


def _laid_out(lines: Sequence[Sequence[str]], width: int) -> str:
    """Align the columns; those that don't fit any more are left out from the right."""
    sizes = _sizes(lines)
    while len(sizes) > 2 and _total(sizes) > width:
        sizes.pop()
    shown = []
    for line in lines:
        cells = [line[0].ljust(sizes[0]), *(line[i].rjust(sizes[i]) for i in range(1, len(sizes)))]
        shown.append("  ".join(cells).rstrip())
    return "\n".join(shown)
