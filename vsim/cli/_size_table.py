"""The answer of ``vsim size`` for people, as Markdown, and as CSV."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterator

import click

from vsim.cli._table import laid_out
from vsim.experiment.deploying import percent
from vsim.experiment.sizing import Sized, Sizing
from vsim.samples.human import format_estimate, format_value
from vsim.scenario.validation import listed

__all__ = ["markdown", "text", "to_csv"]

_NOTHING = "–"
_TITLES = {"latency_p95_s": "latency p95", "availability": "availability", "cost_per_month": "cost per month"}


def text(found: Sizing, width: int) -> str:
    """Return the table, a sentence or two about each architecture, and how it was found; at most `width` wide."""
    names = [one.name for one in found.architectures]

    def style(row: str, column: int, padded: str) -> str:
        if row != "machines":
            return padded
        return click.style(padded, fg="green" if found.architectures[column].meets else "red")

    blocks = [click.style(found.title, bold=True) + "\n" + _wrapped(_goals(found), width)]
    blocks += laid_out("", names, _rows(found), width, style)
    blocks.append("\n".join(_wrapped(line, width, "• ") for one in found.architectures for line in _sentences(one)))
    if found.notes:
        blocks.append("\n".join(["How the file was read:", *(_wrapped(note, width, "• ") for note in found.notes)]))
    blocks.append("\n".join(_wrapped(line, width) for line in _footer(found)))
    return "\n\n".join(blocks)


def markdown(found: Sizing) -> str:
    """Return the same as Markdown."""
    names = [one.name for one in found.architectures]
    table = [["", *names], ["---", *["---:"] * len(names)], *_rows(found)]
    lines = [f"## {found.title}", "", f"{_goals(found)}.", ""]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    lines += ["", *(f"- {line}" for one in found.architectures for line in _sentences(one))]
    if found.notes:
        lines += ["", "How the file was read:", "", *(f"- {note}" for note in found.notes)]
    return "\n".join([*lines, "", " ".join(f"{line}." for line in _footer(found))])


def to_csv(found: Sizing) -> str:
    """Return a row for each architecture, in base units."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    metrics = [name for name in _TITLES if any(name in one.metrics for one in found.architectures)]
    head = ["architecture", "machines", "meets", "probability", "probability_low", "probability_high", "bound_by"]
    head += [f"{name}{end}" for name in metrics for end in ("", "_low", "_high")]
    writer.writerow([*head, "hinge", "hinge_low", "hinge_high", "machines_at_low", "machines_at_high"])
    for one in found.architectures:
        share, hinge = one.probability, one.hinge
        row: list[object] = [one.name, one.machines, str(one.meets).lower()]
        row += [None] * 3 if share is None else [share.value, share.low, share.high]
        row.append(one.bound_by)
        for name in metrics:
            estimate = one.metrics.get(name)
            row += [None] * 3 if estimate is None else [estimate.value, estimate.low, estimate.high]
        row += [None] * 5 if hinge is None else [hinge.parameter, hinge.low, hinge.high]
        row += [] if hinge is None else [hinge.machines_at_low, hinge.machines_at_high]
        writer.writerow(row)
    return out.getvalue()


def _goals(found: Sizing) -> str:
    goals = found.goals
    told = []
    if goals.p95_s is not None:
        told.append(f"p95 latency at most {format_value('latency_p95_s', goals.p95_s, 's')}")
    if goals.availability is not None:
        told.append(f"available {100 * goals.availability:.10g} % of the time")
    if goals.budget is not None:
        told.append(f"at most {format_value('cost_per_month', goals.budget, f'{found.currency}/month')} a month")
    told = told or ["room for everything, and CPU enough"]
    return f"{listed(told, 'and')}, with a probability of {100 * goals.probability:.10g} % or more"


def _rows(found: Sizing) -> list[list[str]]:
    sized = found.architectures
    rows = [
        ["machines", *(_machines(one) for one in sized)],
        ["goals hold", *(_NOTHING if one.probability is None else percent(one.probability.value) for one in sized)],
        ["95 % interval", *(_interval(one) for one in sized)],
        ["bound by", *(one.bound_by for one in sized)],
    ]
    for metric, title in _TITLES.items():
        if any(metric in one.metrics for one in sized):
            cells = (one.metrics.get(metric) for one in sized)
            rows.append([title, *(_NOTHING if cell is None else format_estimate(metric, cell) for cell in cells)])
    for resource in ("CPU", "disk", "network"):
        if any(one.busy.get(resource, 0) >= 0.005 for one in sized):
            rows.append(
                [f"busiest {resource}", *(percent(one.busy[resource]) if one.busy else _NOTHING for one in sized)]
            )
    rows.append(["fullest memory", *(_NOTHING if one.memory is None else percent(one.memory) for one in sized)])
    return rows


def _machines(one: Sized) -> str:
    if one.machines is None:
        return "none"
    return f"{one.machines:,}" if one.meets else f"not {one.machines:,}"


def _interval(one: Sized) -> str:
    share = one.probability
    return _NOTHING if share is None else f"{100 * share.low:.0f}–{100 * share.high:.0f} %"


def _sentences(one: Sized) -> Iterator[str]:
    machines = "1 machine" if one.machines == 1 else f"{one.machines:,} machines" if one.machines else ""
    placed = listed([f"{name} ×{count}" for name, count in one.replicas.items()], "and")
    if one.meets:
        yield f"{one.name}: {machines} for {placed}. Bound by {one.bound_by}: {one.why}."
    else:
        given = f" at {machines}" if machines else ""
        yield f"{one.name}: given up{given}. Bound by {one.bound_by}: {one.why}."
    hinge = one.hinge
    if hinge is None:
        return
    span = f"{hinge.parameter} ({_in_unit(hinge.low, hinge.unit)} to {_in_unit(hinge.high, hinge.unit)}, {hinge.kind})"
    ends = [hinge.machines_at_low, hinge.machines_at_high]
    if ends[0] == ends[1] == one.machines and one.meets:
        yield f"{one.name}: no parameter moves the number alone; it hangs on {span} before the others."
        return
    low, high = ("no number of" if end is None else f"{end:,}" for end in ends)
    yield f"{one.name}: it hangs most on {span}: {low} to {high} machines."


def _in_unit(value: float, unit: str) -> str:
    if unit == "bytes":
        return format_value("memory_overhead_bytes", value, unit)
    if unit in ("s", "core-s"):
        return format_value("latency_p50_s", value, "s")
    return f"{value:.3g}" if unit == "1" else f"{value:.3g} {unit}"


def _footer(found: Sizing) -> Iterator[str]:
    yield f"seed {found.seed} · {found.replications} replications, ± 95 % · profile {found.profile}"


def _wrapped(sentence: str, width: int, bullet: str = "") -> str:
    return textwrap.fill(
        bullet + sentence,
        width,
        subsequent_indent=" " * len(bullet),
        break_on_hyphens=False,
        break_long_words=False,
    )
