"""Statements that people repeat, judged from results and samples: holds, depends, doesn't hold, or can't be settled.

A statement (:mod:`~vsim.report.myths.statements`) names the quantities it is about and the thresholds that it would
take; the quantities (:mod:`~vsim.report.myths.claims`) find their evidence; :mod:`~vsim.report.myths.judging` makes the
verdict. No verdict is written down anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from vsim.errors import InputError
from vsim.report.myths.evidence import Sources
from vsim.report.myths.judging import Verdict, judge
from vsim.report.myths.statements import MYTHS
from vsim.report.myths.table import Format, to_csv, to_json, to_markdown, to_text
from vsim.samples.records import Samples
from vsim.samples.result import Result

__all__ = ["MYTHS", "table", "verdicts"]


def verdicts(results: Sequence[Result] = (), samples: Sequence[Samples] = ()) -> list[Verdict]:
    """Return the verdict on every statement, from `results` of comparisons and `samples` of real hosts."""
    sources = Sources(tuple(results), tuple(samples))
    return [judge(myth, sources) for myth in MYTHS]


def table(
    results: Sequence[Result] = (), samples: Sequence[Samples] = (), *, form: Format = "table", width: int = 80
) -> str:
    """Return the verdicts as text: `table` (at most `width` columns), `md`, `json` or `csv`, without a last newline.

    Raises InputError when there is nothing to judge from.
    """
    if not results and not samples:
        raise InputError("there is nothing to judge from", hint="name results (`vsim simulate --out`) or samples")
    found = verdicts(results, samples)
    if form == "json":
        return to_json(found)
    if form == "csv":
        return to_csv(found).rstrip("\n")
    return to_markdown(found) if form == "md" else to_text(found, width)
