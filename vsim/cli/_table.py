"""A result as text for people: metrics down, architectures across, in as many blocks as the width asks for.

The table is laid out here and not by rich: it costs no import, and the same lines go to a terminal and into a pipe.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import click

from vsim.experiment.findings import findings
from vsim.samples.human import format_estimate, format_span, format_value
from vsim.samples.metrics import HEADLINE, METRICS
from vsim.samples.result import KINDS, ArchitectureResult, Estimate, Parameter, Result

__all__ = ["laid_out", "markdown", "on_hosts", "text"]

_GAP = "  "
_NOTHING = "–"
_NOTES = "How the file was read"


def text(result: Result, width: int, notes: Sequence[str] = ()) -> str:
    """Return tables, findings and footer, at most `width` columns wide; with ANSI styles (click strips them).

    `notes` is how the scenario was read.
    """
    blocks = [click.style(str(result.scenario["title"]), bold=True)]
    blocks += [*_metrics_blocks(result, width), *_sweep_blocks(result, width)]
    told = findings(result)
    if told:
        blocks.append("\n".join(_wrapped(sentence, width, "• ") for sentence in told))
    title, *hinged = hinges(result) or [""]
    if hinged:
        blocks.append("\n".join([_wrapped(title, width), *(_wrapped(line, width, "• ") for line in hinged)]))
    if notes:
        blocks.append("\n".join([f"{_NOTES}:", *(_wrapped(note, width, "• ") for note in notes)]))
    blocks.append("\n".join(_wrapped(line, width) for line in footer(result)))
    return "\n\n".join(blocks)


def markdown(result: Result, notes: Sequence[str] = ()) -> str:
    """Return the same as Markdown: one table, the findings as a list, the footer as a paragraph."""
    names = [architecture.name for architecture in result.architectures]
    lines = [f"## {result.scenario['title']}", "", *_markdown_table(["", *names], _rows(result.architectures))]
    for title, rows in _sweep_tables(result):
        lines += ["", f"### {title}", "", *_markdown_table(rows[0], rows[1:])]
    told = findings(result)
    lines += ["", *(f"- {sentence}" for sentence in told)] if told else []
    title, *hinged = hinges(result) or [""]
    lines += ["", title, "", *(f"- {line}" for line in hinged)] if hinged else []
    lines += ["", f"{_NOTES}:", "", *(f"- {note}" for note in notes)] if notes else []
    lines += ["", " ".join(f"{line}." for line in footer(result))]
    return "\n".join(lines)


def footer(result: Result) -> list[str]:
    """Return what the result rests on: seed, replications, profile, parameters by source, sensitivity."""
    auto = " (auto)" if result.precision else ""
    replications = "1 replication" if result.replications == 1 else f"{result.replications} replications{auto}, ± 95 %"
    lines = [f"seed {result.seed} · {replications} · profile {result.profile['name']}"]
    if result.precision and not result.precision.reached:
        lines.append(f"The precision of ±{result.precision.relative:.0%} was not reached everywhere")
    lines.append(f"{len(result.parameters)} parameters: {_by_kind(result.parameters)} (vsim explain)")
    matter = set(result.sensitivity.matter) if result.sensitivity else set()
    mattered = [p for p in result.parameters if p.name in matter]
    if mattered:
        lines.append(f"{len(mattered)} that matter (10 % of one is 0.5 % of a result, or more): {_by_kind(mattered)}")
    return lines


def _by_kind(parameters: Sequence[Parameter]) -> str:
    """Return how many have which kind of source, and on which hosts those were measured that are."""
    counts = {kind: f"{sum(p.kind == kind for p in parameters)} {kind}" for kind in KINDS}
    counts["measured"] += on_hosts(p.host for p in parameters if p.host)
    return ", ".join(counts.values())


def on_hosts(hosts: Iterable[str]) -> str:
    """Return where so many parameters were measured: `` on vm``, or how many of them on each of several hosts."""
    counted = Counter(hosts).most_common()
    if len(counted) < 2:
        return "".join(f" on {host}" for host, _ in counted)
    return f" ({', '.join(f'{count} on {host}' for host, count in counted)})"


def hinges(result: Result) -> list[str]:
    """Return, for each metric that some parameter moves, which one moves it most and how far; the first is a title."""
    sensitivity = result.sensitivity
    if sensitivity is None:
        return []
    lines = []
    for metric in sensitivity.metrics:
        swing = sensitivity.most(metric)
        if swing is None:
            continue
        estimate = next(a.metrics[metric] for a in result.architectures if a.name == swing.architecture)
        ends = sorted((swing.at_low, swing.at_high, swing.value))
        span = format_span(metric, ends[0], ends[-1], estimate.unit)
        lines.append(f"{METRICS[metric].title}: {swing.parameter}, {span} ({swing.architecture})")
    lines += [
        f"{one.architecture} can't carry the workload at {one.parameter} = {_in_unit(one.at, one.unit)}"
        for one in sensitivity.impossible
    ]
    title = "What the answer hangs on most, each parameter over its own interval"
    if sensitivity.tried < sensitivity.uncertain:
        title += f" (the {sensitivity.tried} most uncertain of {sensitivity.uncertain}; --sensitivity tries all)"
    return [f"{title}:", *lines] if lines else []


def _in_unit(value: float, unit: str) -> str:
    """Return a parameter's value for reading: bytes in binary units, all else in the profile's unit."""
    if unit == "bytes":
        return format_value("memory_overhead_bytes", value, unit)
    return f"{value:.3g}" if unit == "1" else f"{value:.3g} {unit}"


# -- cells -------------------------------------------------------------------------------------------------------------


def _rows(architectures: Sequence[ArchitectureResult]) -> list[list[str]]:
    """Return a row for every metric that any of the architectures has: title, then a cell each."""
    return [
        [metric.title, *(_cell(metric.name, architecture.metrics.get(metric.name)) for architecture in architectures)]
        for metric in METRICS.values()
        if any(metric.name in architecture.metrics for architecture in architectures)
    ]


def _cell(metric: str, estimate: Estimate | None) -> str:
    return _NOTHING if estimate is None else format_estimate(metric, estimate)


def _best(architectures: Sequence[ArchitectureResult]) -> dict[str, set[str]]:
    """Return, by metric's title, the names of those that are best, where they differ."""
    best: dict[str, set[str]] = {}
    for metric in METRICS.values():
        values = {a.name: a.metrics[metric.name].value for a in architectures if metric.name in a.metrics}
        if metric.better and len(set(values.values())) > 1:
            goal = min(values.values()) if metric.better == "lower" else max(values.values())
            best[metric.title] = {name for name, value in values.items() if value == goal}
    return best


def _sweep_tables(result: Result) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield, for each headline metric that a sweep has, its title and rows: a header, then one row per point.

    Architectures are the columns, so points that differ in them alone share a row.
    """
    if result.sweep is None:
        return
    paths = [path for path in result.sweep.parameters if path != "architectures"]
    corner = ", ".join(_swept_name(path) for path in paths)
    rows: dict[str, dict[str, ArchitectureResult]] = {}
    for point in result.sweep.points:
        label = ", ".join(_swept_value(path, point.values[path]) for path in paths)
        rows.setdefault(label, {}).update({architecture.name: architecture for architecture in point.architectures})
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    for metric in HEADLINE:
        if any(metric in architecture.metrics for row in rows.values() for architecture in row.values()):
            table = [[corner, *names]]
            for label, row in rows.items():
                table.append([label, *(_cell(metric, row[n].metrics.get(metric) if n in row else None) for n in names)])
            yield METRICS[metric].title, table


def _swept_name(path: str) -> str:
    name = path.rpartition(".")[2]
    return name if name.endswith("_per_s") else name.removesuffix("_bytes").removesuffix("_s")


def _swept_value(path: str, value: object) -> str:
    """Return a swept value for reading: in the unit that the path's end says, where it does."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if path.endswith("_bytes"):
            return format_value("memory_overhead_bytes", value, "bytes")
        if path.endswith("_s") and not path.endswith("_per_s"):
            return format_value("startup_p95_s", value, "s")
        return f"{value:g}"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


# -- layout ------------------------------------------------------------------------------------------------------------


def _metrics_blocks(result: Result, width: int) -> list[str]:
    best = _best(result.architectures)
    names = [architecture.name for architecture in result.architectures]

    def style(row: str, column: int, padded: str) -> str:
        return click.style(padded, fg="green") if names[column] in best.get(row, ()) else padded

    return laid_out("", names, _rows(result.architectures), width, style)


def _sweep_blocks(result: Result, width: int) -> list[str]:
    blocks = []
    for title, (header, *rows) in _sweep_tables(result):
        made = laid_out(header[0], header[1:], rows, width, lambda _row, _column, padded: padded)
        blocks.append(click.style(title, bold=True) + "\n" + "\n\n".join(made))
    return blocks


def laid_out(
    corner: str, names: Sequence[str], rows: Sequence[Sequence[str]], width: int, style: Callable[[str, int, str], str]
) -> list[str]:
    """Lay the table out; columns that don't fit beside the others go to another block below."""
    heads = [_head(name) for name in names]
    label = max(len(corner), *(len(row[0]) for row in rows)) if rows else len(corner)
    label = max(8, min(label, width // 2))
    sizes = [max(map(len, (*head, *(row[i + 1] for row in rows)))) for i, head in enumerate(heads)]
    blocks, start = [], 0
    while start < len(names):
        end, used = start + 1, label + len(_GAP) + sizes[start]
        while end < len(names) and used + len(_GAP) + sizes[end] <= width:
            used += len(_GAP) + sizes[end]
            end += 1
        shown = range(start, end)
        height = max(len(heads[i]) for i in shown)
        lines = []
        for line in range(height):
            first = corner if line == height - 1 else ""
            cells = [([""] * (height - len(heads[i])) + heads[i])[line].rjust(sizes[i]) for i in shown]
            lines.append(click.style(_line(first, cells, label), bold=True))
        for row in rows:
            cells = [style(row[0], i, row[i + 1].rjust(sizes[i])) for i in shown]
            lines.append(_line(row[0], cells, label))
        blocks.append("\n".join(lines))
        start = end
    return blocks


def _line(first: str, cells: Sequence[str], label: int) -> str:
    first = first if len(first) <= label else first[: label - 1] + "…"
    return _GAP.join([first.ljust(label), *cells]).rstrip()


def _head(name: str) -> list[str]:
    """Return an architecture's name over as many lines as keep the columns narrow."""
    stack, at, machine = name.partition("@")
    return [*_broken(stack), *_broken(at + machine)] if at else [name]


def _broken(word: str) -> list[str]:
    if len(word) <= 14:
        return [word]
    # not in the last three letters: `@raspberry-` and `pi-4`
    at = word.rfind("-", 0, min(14, len(word) - 3)) + 1 or len(word)
    return [word[:at], *([word[at:]] if word[at:] else [])]


# A number and its unit stay on one line.
_WITH_UNIT = re.compile(r"(?<=\d) (?=(?:%|[mµn]?s|min|h|days|weeks|[KMGT]i?B|[Mkmµ]?Wh)(?:\W|$))")


def _wrapped(sentence: str, width: int, bullet: str = "") -> str:
    text = textwrap.fill(
        bullet + _WITH_UNIT.sub("\N{NO-BREAK SPACE}", sentence),
        width,
        subsequent_indent=" " * len(bullet),
        break_on_hyphens=False,
        break_long_words=False,
    )
    return text.replace("\N{NO-BREAK SPACE}", " ")  # what is printed can be searched with plain spaces


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
