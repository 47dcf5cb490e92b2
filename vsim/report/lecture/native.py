"""Figures as charts that stay editable: what each shows, from the same table that its CSV file has.

A figure whose marks PowerPoint has no chart for (single starts in rows, nested boxes, squares) stays a picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vsim.report.palette import colour, layer_of_stack
from vsim.report.plain import plain
from vsim.samples.human import format_estimate, format_value, scale_of
from vsim.samples.metrics import METRICS, unit_of
from vsim.samples.result import Estimate

if TYPE_CHECKING:
    from vsim.report.figures._figure import Cell
    from vsim.samples.bars import Bars

__all__ = ["Line", "Plot", "of_bars", "plots_of"]

_LONGEST, _SHORT = 60, 24
_ACCENT, _PALE, _STRONG = "#0072B2", "#C9CDD3", "#3C4148"
# A limit that is more than this many times the one that counts would leave no room for that.
_FAR = 4.0
Row = Mapping[str, "Cell"]


@dataclass(frozen=True, slots=True)
class Line:
    """One series: a value for each category (None: none), or points at `xs`; `fills` is a colour for each value.

    `low` and `high` are the ends of its intervals, if it has any.
    """

    name: str
    values: tuple[float | None, ...]
    fills: tuple[str, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    xs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """One native chart. All numbers are in the unit that the axis is titled with.

    `bars` lie, one below the other; `stacked` ones are end to end, `overlaid` ones start at the same line; `points`
    stand over their categories; `lines` are over numbers of their own. `caption` says how to read it where the figure's
    own caption is about marks that this one hasn't.
    """

    kind: Literal["bars", "stacked", "overlaid", "points", "lines"]
    title: str
    categories: tuple[str, ...]
    lines: tuple[Line, ...]
    form: str = "General"
    log: bool = False
    log_x: bool = False
    title_x: str = ""
    ends: tuple[float, float] | None = None
    caption: str = ""

    @property
    def legend(self) -> bool:
        """Whether the series have to be told apart."""
        return len(self.lines) > 1


def of_bars(bars: Bars, fills: Sequence[str] = ()) -> Plot:
    """Return a metric's bars as a chart; on a logarithmic scale, where a bar has no zero, as points."""
    largest = max(bar.value for bar in bars.bars)
    plain_unit = bars.unit if bars.unit != "1" else ""
    divisor, unit = (1.0, plain_unit) if bars.log else scale_of(bars.metric, largest, bars.unit)
    percent = bars.metric.endswith("_fraction") or bars.metric == "availability"
    return Plot(
        kind="points" if bars.log else "bars",
        title=", ".join(part for part in (bars.title, unit) if part),
        # A value stands with the name, where no error bar can run through it.
        categories=tuple(f"{plain(bar.label, _LONGEST)}\n{bar.text}" for bar in bars.bars),
        lines=(
            Line(
                f"{bars.title}, {unit}" if unit else bars.title,
                tuple(bar.value / divisor for bar in bars.bars),
                tuple(fills) or (_ACCENT,) * len(bars.bars),
                tuple(None if bar.low is None else bar.low / divisor for bar in bars.bars),
                tuple(None if bar.high is None else bar.high / divisor for bar in bars.bars),
            ),
        ),
        form=("0.######%" if percent else "#,##0.###") if bars.log else "General",
        log=bars.log,
        ends=(bars.least, bars.most) if bars.log else None,
    )


def plots_of(
    figure: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], names: Mapping[str, str], currency: str = "USD"
) -> list[Plot]:
    """Return the figure's table as native charts; none when there is no kind of chart for it.

    `names` says what architectures are called, `currency` what costs are in.
    """
    read = [dict(zip(header, row, strict=True)) for row in rows]
    if figure == "tornado":
        return _tornado(read, names, currency)
    make = _FIGURES.get(figure)
    return [] if make is None else make(read, names)


# -- one figure each ---------------------------------------------------------------------------------------------------


def _density(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    limits = list(dict.fromkeys(str(row["limit"]) for row in rows))
    found = {(str(row["architecture"]), str(row["limit"])): _float(row["instances_per_machine"]) for row in rows}
    chosen = _architectures(rows)
    counts = {name: min(value for (of, _), value in found.items() if of == name) for name in chosen}
    most = _FAR * max(counts.values())
    shown = [limit for limit in limits if any(found.get((name, limit), most + 1) <= most for name in chosen)]
    counting = {name: next(limit for limit in limits if found.get((name, limit)) == counts[name]) for name in chosen}
    return [
        Plot(
            kind="bars",
            title="instances that one empty machine has room for",
            categories=tuple(
                f"{_called(name, names, chosen)}\n{counts[name]:,.0f} by {counting[name]}" for name in chosen
            ),
            lines=tuple(
                Line(
                    f"by {limit}",
                    tuple(v if (v := found.get((name, limit))) is not None and v <= most else None for name in chosen),
                    tuple(_of(name) if limit == counting[name] else _PALE for name in chosen),
                )
                for limit in shown
            ),
            form="#,##0",
            caption="In colour: the limit that counts; grey: those that aren't reached. Without intervals.",
        )
    ]


def _measures(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    """One small chart for each metric."""
    plots = []
    for metric in dict.fromkeys(str(row["metric"]) for row in rows):
        own = [row for row in rows if row["metric"] == metric]
        plots.append(_measure(metric, own, names))
    return plots


def _measure(metric: str, rows: Sequence[Row], names: Mapping[str, str]) -> Plot:
    unit = str(rows[0]["unit"])
    found = [Estimate(_float(row["value"]), _maybe(row["low"]), _maybe(row["high"]), unit) for row in rows]
    largest = max(one.value for one in found)
    known = metric in METRICS
    divisor, shown = scale_of(metric, largest, unit) if known else (1.0, unit)
    title = METRICS[metric].title if known else metric.replace("_", " ")
    texts = [format_estimate(metric, one) if known else f"{one.value:,.4g} {unit}" for one in found]
    return Plot(
        kind="bars",
        title=", ".join(part for part in (title, shown) if part not in ("", "1")),
        categories=tuple(
            f"{_called(str(row['architecture']), names)}\n{text}" for row, text in zip(rows, texts, strict=True)
        ),
        lines=(
            Line(
                title,
                tuple(one.value / divisor for one in found),
                tuple(_of(str(row["architecture"])) for row in rows),
                tuple(None if one.low is None else one.low / divisor for one in found),
                tuple(None if one.high is None else one.high / divisor for one in found),
            ),
        ),
    )


def _latency(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    divisor, unit = scale_of("latency_p95_s", max(_float(row["latency_p95_s"]) for row in rows), "s")
    lines = []
    for name in _architectures(rows):
        own = [row for row in rows if row["architecture"] == name]
        lines.append(
            Line(
                _called(name, names, _architectures(rows)),
                tuple(_float(row["latency_p95_s"]) / divisor for row in own),
                (_of(name),) * len(own),
                tuple(None if (low := _maybe(row["low_s"])) is None else low / divisor for row in own),
                tuple(None if (high := _maybe(row["high_s"])) is None else high / divisor for row in own),
                tuple(_float(row["requests_per_s"]) for row in own),
            )
        )
    return [Plot("lines", f"latency p95, {unit}", (), tuple(lines), title_x="requests/s")]


def _concurrency(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    lines = []
    for rung in dict.fromkeys(str(row["rung"]) for row in rows):
        own = [row for row in rows if row["rung"] == rung]
        lines.append(
            Line(
                plain(rung, _LONGEST),
                tuple(_float(row["median_s"]) for row in own),
                (colour(layer_of_stack(str(own[0]["stack"]))),) * len(own),
                tuple(_maybe(row["low_s"]) for row in own),
                tuple(_maybe(row["high_s"]) for row in own),
                tuple(_float(row["at_once"]) for row in own),
            )
        )
    return [
        Plot("lines", "median start-up, s", (), tuple(lines), "General", True, True, title_x="starts at once"),
    ]


def _overhead(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    # what was simulated of all layers together is no layer, and would be added to them
    rows = [row for row in rows if not str(row["layer"]).startswith("simulated")]
    chosen = _architectures(rows)
    found = {(str(row["architecture"]), str(row["layer"])): _float(row["added_fraction"]) for row in rows}
    order = _merged([[str(row["layer"]) for row in rows if row["architecture"] == name] for name in chosen])
    totals = {name: sum(value for (of, _), value in found.items() if of == name) for name in chosen}
    return [
        Plot(
            kind="stacked",
            title="CPU time that layers add to the same work",
            categories=tuple(
                f"{_called(name, names, chosen)}\n+{format_value('cpu_overhead_fraction', totals[name], '1', digits=2)}"
                for name in chosen
            ),
            lines=tuple(
                Line(layer, tuple(found.get((name, layer)) for name in chosen), (colour(layer),) * len(chosen))
                for layer in order
                if any(found.get((name, layer)) for name in chosen)
            ),
            form="0%",
            caption="CPU time that a layer adds, to requests and in the background, in percent of the work on the bare "
            "machine. No intervals.",
        )
    ]


def _provision(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    return _times(
        "until one more instance is there, s",
        rows,
        ("provision_s", "value_s"),
        [_called(str(row["what"]), names) for row in rows],
        [_of(str(row["what"]).partition(",")[0]) for row in rows],
    )


def _times(
    title: str, rows: Sequence[Row], what: tuple[str, str], called: Sequence[str], colours: Sequence[str]
) -> list[Plot]:
    """Return points on a logarithmic axis of seconds, each with its interval; `what` is the metric and its column."""
    metric, column = what
    ends = [end for row in rows for key in (column, "low_s", "high_s") if (end := _maybe(row[key]))]
    values = tuple(_float(row[column]) for row in rows)
    return [
        Plot(
            kind="points",
            title=title,
            categories=tuple(
                f"{name}\n{format_value(metric, value, 's', digits=2)}"
                for name, value in zip(called, values, strict=True)
            ),
            lines=(
                Line(
                    "seconds",
                    values,
                    tuple(colours),
                    tuple(_maybe(row["low_s"]) for row in rows),
                    tuple(_maybe(row["high_s"]) for row in rows),
                ),
            ),
            form="#,##0.####",
            log=True,
            ends=_decades(ends),
        )
    ]


def _timeline(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    chosen = _architectures(rows)
    spent: dict[tuple[str, str], float] = {}
    for row in rows:
        key = str(row["architecture"]), str(row["layer"])
        spent[key] = spent.get(key, 0.0) + _float(row["length_s"])
    totals = {name: sum(value for (of, _), value in spent.items() if of == name) for name in chosen}
    divisor, unit = scale_of("startup_p50_s", max(totals.values()), "s")
    order = _merged([[str(row["layer"]) for row in rows if row["architecture"] == name] for name in chosen])
    return [
        Plot(
            kind="stacked",
            title=f"one start, layer by layer, {unit}",
            categories=tuple(
                f"{_called(name, names, chosen)}\n{format_value('startup_p50_s', totals[name], 's', digits=2)}"
                for name in chosen
            ),
            lines=tuple(
                Line(
                    layer,
                    tuple(None if (v := spent.get((name, layer))) is None else v / divisor for name in chosen),
                    (colour(layer),) * len(chosen),
                )
                for layer in order
            ),
        )
    ]


def _stacks(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    """What there is once on a machine is left of the line, what each instance takes right of it."""
    chosen = _architectures(rows)
    found: dict[tuple[str, str, str], float] = {}
    for row in rows:
        # what a guest takes is divided among those in it: each instance has its part
        per = "machine" if row["once_per"] == "machine" else "instance"
        key = str(row["architecture"]), str(row["layer"]), per
        found[key] = found.get(key, 0.0) + _float(row["bytes"])
    largest = max(sum(v for (of, _, per), v in found.items() if of == name and per != "machine") for name in chosen)
    divisor, unit = scale_of("memory_overhead_bytes", largest, "bytes")
    order = _merged([[str(row["layer"]) for row in rows if row["architecture"] == name] for name in chosen])
    lines = []
    each = {layer for (_, layer, per), value in found.items() if per != "machine" and value}
    for per, sign in (("machine", -1.0), ("instance", 1.0)):
        # the layer next to the line comes first
        for layer in reversed(order) if sign < 0 else order:
            values = [found.get((name, layer, per)) for name in chosen]
            if any(values):
                own = tuple(None if value is None else sign * value / divisor for value in values)
                title = f"{layer}, machine" if sign < 0 and layer in each else layer
                lines.append(Line(title, own, (colour(layer),) * len(chosen)))
    return [
        Plot(
            kind="stacked",
            title=f"memory, {unit}: left once on a machine, right for each instance",
            categories=tuple(_called(name, names, chosen) for name in chosen),
            lines=tuple(lines),
            form="#,##0.##;#,##0.##",
            caption="Length is memory, to scale. Left of the line: once on a machine; right of it: for every instance. "
            "What a guest takes is divided among those in it.",
        )
    ]


def _tornado(rows: Sequence[Row], names: Mapping[str, str], currency: str) -> list[Plot]:
    metric, name = str(rows[0]["metric"]), str(rows[0]["architecture"])
    unit = unit_of(metric, currency)
    largest = max(abs(_float(row[key]) - _float(row["value"])) for row in rows for key in ("at_low", "at_high"))
    divisor, shown = scale_of(metric, largest, unit)
    title = METRICS[metric].title
    at = format_value(metric, _float(rows[0]["value"]), unit)
    return [
        Plot(
            kind="overlaid",
            title=", ".join(part for part in (f"change of {title} of {_called(name, names)} from {at}", shown) if part),
            categories=tuple(f"{plain(row['parameter'], _LONGEST)}\n{plain(row['source'], 20)}" for row in rows),
            lines=tuple(
                Line(
                    f"the parameter at its {end} end",
                    tuple((_float(row[f"at_{end}"]) - _float(row["value"])) / divisor for row in rows),
                    (fill,) * len(rows),
                )
                for end, fill in (("low", _PALE), ("high", _STRONG))
            ),
            caption="Each bar: one number at the low (pale) and the high end (dark) of its interval, the others at "
            f"their values, which give {at}.",
        )
    ]


def _pull(rows: Sequence[Row], names: Mapping[str, str]) -> list[Plot]:
    # the measured pulls are of many images: they stay in the figure, and in its table
    rows = [row for row in rows if row["kind"] == "simulated"]
    return _times(
        "until the image is there (simulated), s",
        rows,
        ("startup_p50_s", "seconds"),
        [f"{plain(row['machine'], _SHORT)}: {plain(row['cached'], _SHORT)}" for row in rows],
        [colour("container-engine")] * len(rows),
    )


_FIGURES: Mapping[str, Callable[[Sequence[Row], Mapping[str, str]], list[Plot]]] = {
    "concurrency": _concurrency,
    "density": _density,
    "fleet": _measures,
    "latency": _latency,
    "overhead": _overhead,
    "provision": _provision,
    "pull": _pull,
    "raspberry": _measures,
    "stacks": _stacks,
    "timeline": _timeline,
}


# -- cells -------------------------------------------------------------------------------------------------------------


def _float(cell: Any) -> float:
    return float(cell)


def _maybe(cell: Any) -> float | None:
    return None if cell is None or cell == "" else float(cell)


def _architectures(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(str(row["architecture"]) for row in rows))


def _called(name: str, names: Mapping[str, str], among: Sequence[str] = ()) -> str:
    """Return what the lecture calls an architecture; by its stack alone where all are on the same machine."""
    if name not in names and len({other.partition("@")[2] for other in among}) == 1:
        return plain(name.partition("@")[0], _LONGEST)
    return plain(names.get(name, name), _LONGEST)


def _of(architecture: str) -> str:
    return colour(layer_of_stack(architecture.partition("@")[0]))


def _decades(ends: Sequence[float]) -> tuple[float, float]:
    return 10.0 ** math.floor(math.log10(min(ends))), 10.0 ** math.ceil(math.log10(max(ends)))


def _merged(orders: Sequence[Sequence[str]]) -> list[str]:
    """Return all layers in an order that each of `orders` agrees with, as far as they agree with each other."""
    left = [list(dict.fromkeys(order)) for order in orders]
    merged: list[str] = []
    while any(left):
        heads = [order[0] for order in left if order]
        free = [head for head in heads if not any(head in order[1:] for order in left)]
        chosen = (free or heads)[0]
        merged.append(chosen)
        left = [[layer for layer in order if layer != chosen] for order in left]
    return merged
