"""A validation as text: a summary by metric, and the rows with the largest errors, at most 80 columns wide."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from vsim.cli._bench_table import short
from vsim.cli._columns import columns
from vsim.cli._columns import markdown as markdown_table

if TYPE_CHECKING:
    from vsim.experiment.rehearsal import Validation
    from vsim.experiment.validation import Comparison, Side

__all__ = ["SHOWN", "markdown", "percent", "text", "to_csv"]

# Rows of the table, unless all are asked for.
SHOWN = 20
_BAD = "red"


def percent(error: float | None) -> str:
    """Return an error in percent with its sign; one that has no value as a dash."""
    if error is None:
        return "–"
    size = abs(100 * error)
    digits = f"{size:.1f}" if size < 100 else f"{size:.0f}"
    sign = "" if float(digits) == 0 else "−" if error < 0 else "+"
    return f"{sign}{digits} %"


def text(validation: Validation, *, width: int, limit: float | None, everything: bool) -> str:
    """Return the summary, the rows (the worst :data:`SHOWN` of them, or all) and the notes; ANSI styles in it."""
    rows = validation.rows if everything else validation.rows[:SHOWN]
    blocks = [columns(_summary_lines(validation), "<>><", width), _rows(rows, limit, width)]
    rest = len(validation.rows) - len(rows)
    last = [f"and {rest} more, with smaller errors (--all shows them)"] if rest else []
    last += [_footer(validation), *_shortened(validation.notes, everything)]
    blocks.append("\n".join(_wrapped(line, width) for line in last))
    return "\n\n".join(blocks)


def markdown(validation: Validation) -> str:
    """Return the summary and all rows as Markdown tables, and the notes as a list."""
    lines = [*markdown_table(_summary_lines(validation)), "", *markdown_table(_row_lines(validation.rows))]
    lines += ["", f"{_footer(validation)}."]
    lines += ["", *(f"- {note}" for note in validation.notes)] if validation.notes else []
    return "\n".join(lines)


def to_csv(validation: Validation) -> str:
    """Return one line per row, in base units; what has no value is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    sides = [f"{side}{part}" for side in ("measured", "predicted") for part in ("", "_low", "_high", "_values")]
    head = ["driver", "suite", "step", "at", "metric", "statistic", "concurrency", *sides, "unit"]
    writer.writerow([*head, "error", "error_low", "error_high", "machine", "held_out"])
    for row in validation.rows:
        writer.writerow(
            [
                *(row.driver, row.suite, row.step, row.at, row.metric, row.statistic, row.concurrency),
                *_side(row.measured),
                *_side(row.predicted),
                *(row.unit, row.error, row.low, row.high, row.machine, row.held_out),
            ]
        )
    return out.getvalue()


def _side(side: Side) -> tuple[Any, ...]:
    return side.value, side.low, side.high, side.values


def _footer(validation: Validation) -> str:
    return (
        f"profile {validation.profile} · {len(validation.rows)} rows: medians or p95, of rates the mean · error = "
        "simulated / measured − 1, its 95 % interval from drawing whole blocks of both"
    )


def _shortened(notes: Sequence[str], everything: bool) -> Iterable[str]:
    """Yield the notes, the long lists of what isn't simulated cut, unless everything is asked for."""
    for note in notes:
        names = note.split(", ")
        cut = note if everything or len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5} more"
        yield f"note: {cut}"


def _summary_lines(validation: Validation) -> list[list[str]]:
    lines = [["metric", "rows", "median", "worst"]]
    for summary in validation.summaries():
        worst = summary.worst
        where = f"{percent(worst.error)} ({worst.driver}, {worst.at})"
        size = percent(summary.median_error).removeprefix("+") if summary.median_error < float("inf") else "–"
        lines.append([f"{summary.metric}{_marked(summary.statistic)}", str(summary.rows), size, where])
    return lines


def _row_lines(rows: Sequence[Comparison]) -> list[list[str]]:
    lines = [["error", "95 %", "driver", "metric", "at", "measured", "simulated"]]
    for row in rows:
        interval = "" if row.low is None or row.high is None else f"{_bare(row.low)}…{_bare(row.high)}"
        metric = row.metric.removesuffix("_s").removesuffix("_bytes").removesuffix("_core").removesuffix("_per")
        # The metric's name says that it is CPU time.
        unit = row.unit.removeprefix("core-")
        values = short(row.measured.value, unit), short(row.predicted.value, unit)
        name = f"{metric.replace('_', ' ')}{_marked(row.statistic)}"
        lines.append([percent(row.error), interval, row.driver, name, row.at, *values])
    return lines


def _marked(statistic: str) -> str:
    """Return what tells a statistic from the usual one: the median, and for rates the mean."""
    return " p95" if statistic == "p95" else ""


def _rows(rows: Sequence[Comparison], limit: float | None, width: int) -> str:
    bad = {number: _BAD for number, row in enumerate(rows, start=1) if limit is not None and row.exceeds(limit)}
    return columns(_row_lines(rows), "><<<<>>", width, bad)


def _bare(error: float) -> str:
    digits = f"{abs(100 * error):.0f}"
    return digits if digits == "0" else f"{'−' if error < 0 else '+'}{digits}"


def _wrapped(line: str, width: int) -> str:
    return textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
