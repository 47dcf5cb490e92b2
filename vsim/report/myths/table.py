"""The verdicts as text, Markdown, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from vsim.report.myths.evidence import Evidence
from vsim.report.myths.judging import Condition, Finding, Outcome, Verdict
from vsim.report.plain import as_markdown, plain
from vsim.samples.human import format_value

__all__ = [
    "COLUMNS",
    "FORMATS",
    "Format",
    "found_in_words",
    "in_brief",
    "in_words",
    "shown",
    "to_csv",
    "to_json",
    "to_markdown",
    "to_text",
]

Format = Literal["table", "md", "json", "csv"]
FORMATS: tuple[Format, ...] = ("table", "md", "json", "csv")

COLUMNS = (
    "myth",
    "statement",
    "outcome",
    "quantity",
    "bound",
    "threshold",
    "subject",
    "where",
    "value",
    "low",
    "high",
    "unit",
    "met",
    "hangs_on",
    "rests_on",
)

_WORDS: dict[Outcome, str] = {
    "holds": "holds",
    "depends": "depends",
    "doesn't hold": "doesn't hold",
    "open": "the data can't settle it",
}
_LABEL = 10
_WITH_UNIT = re.compile(r"(?<=\d) (?=(?:%|[mµn]?s|min|h|days|weeks|[KMGT]i?B|[Mkmµ]?Wh)(?:\W|$))")
# A name is shown up to here; JSON and CSV have all of it.
_LONGEST = 60


def shown(value: float, unit: str, metric: str) -> str:
    """Return a value for reading: a ratio as ``×1.2``, a fraction in percent, the rest in the metric's own steps."""
    if unit == "×":
        return f"×{value:.3g}"
    if unit == "fraction":
        return f"{value * 100:.3g} %"
    if metric == "parameter":
        return f"{value:.3g}" if unit == "1" else f"{value:.3g} {unit}"
    return format_value(metric, value, unit)


def to_text(verdicts: Sequence[Verdict], width: int = 80) -> str:
    """Return the verdicts as paragraphs, at most `width` (40 or more) columns wide."""
    width = max(40, width)
    lines = [_counts(verdicts), ""]
    numbers = _numbered(verdicts)
    for where, number in numbers.items():
        lines += textwrap.wrap(f"[{number}] {plain(where)}", width, subsequent_indent=" " * 4)
    lines += [""] if numbers else []
    for verdict in verdicts:
        lines += textwrap.wrap(verdict.myth.statement, width)
        lines += _field("", f"→ {_WORDS[verdict.outcome]}", width)
        for i, condition in enumerate(verdict.myth.conditions):
            lines += _field("" if i else "takes", _condition(condition), width)
            for finding in (f for f in verdict.findings if f.condition is condition):
                where = f" [{numbers[finding.evidence.where]}]" if len(numbers) > 1 else ""
                lines += _field("found", found_in_words(finding) + where, width)
        lines += _field("because", verdict.myth.reason, width)
        if verdict.why:
            lines += _field("open", plain(verdict.why), width)
        named = _rests_on(verdict)
        if named:
            lines += _field("rests on", named, width)
        lines.append("")
    return "\n".join(lines[:-1])


def to_markdown(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as one table: statement, verdict, what it takes, what was found, what that rests on."""
    rows = [("statement", "verdict", "what it takes", "what was found", "which rests on"), ("---",) * 5]
    for verdict in verdicts:
        found = [
            as_markdown(f"{found_in_words(one)} ({plain(one.evidence.where, _LONGEST)})") for one in verdict.findings
        ]
        if verdict.why:
            found.append(as_markdown(verdict.why))
        takes = "; ".join(_condition(condition) for condition in verdict.myth.conditions)
        rows.append(
            (
                as_markdown(verdict.myth.statement),
                f"**{as_markdown(_WORDS[verdict.outcome])}**",
                as_markdown(f"{takes}. {verdict.myth.reason}"),
                "<br>".join(found),
                as_markdown(_rests_on(verdict)),
            )
        )
    return "\n".join([_counts(verdicts), "", *("| " + " | ".join(row) + " |" for row in rows)])


def to_json(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts with every number in full, in base units."""
    return json.dumps([_record(verdict) for verdict in verdicts], ensure_ascii=False, indent=2, allow_nan=False)


def to_csv(verdicts: Sequence[Verdict]) -> str:
    """Return a row for each piece of evidence, and one without for a condition that has none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for verdict in verdicts:
        for condition in verdict.myth.conditions:
            found = [finding for finding in verdict.findings if finding.condition is condition]
            writer.writerows(_row(verdict, condition, finding) for finding in found)
            if not found:
                writer.writerow(_row(verdict, condition, None))
    return text.getvalue()


# -- in words ----------------------------------------------------------------------------------------------------------


def in_words(outcome: Outcome) -> str:
    """Return a verdict for reading."""
    return _WORDS[outcome]


def _counts(verdicts: Sequence[Verdict]) -> str:
    words: dict[Outcome, str] = {
        "holds": "hold",
        "depends": "depend",
        "doesn't hold": "don't hold",
        "open": "can't be settled",
    }
    said = [f"{sum(v.outcome == outcome for v in verdicts)} {word}" for outcome, word in words.items()]
    return f"{len(verdicts)} statements: {', '.join(said)}"


def _condition(condition: Condition) -> str:
    quantity = condition.quantity
    return f"{quantity.title} {condition.bound} {shown(condition.threshold, quantity.unit, quantity.metric)}"


def found_in_words(finding: Finding) -> str:
    """Return ``container@rack-server: 1.2 s (0.8 to 2.9 s): no``, with the parameter that it hangs on."""
    one = finding.evidence
    said = {True: "yes", False: "no", None: "open"}[finding.met]
    hangs = f", hangs on {finding.hangs_on.name} ({finding.hangs_on.kind})" if finding.hangs_on else ""
    return plain(f"{plain(one.subject, 2 * _LONGEST)}: {_interval(one)}, {said}{hangs}")


def in_brief(verdict: Verdict) -> str:
    """Return the evidence that the verdict hangs on, in a line: of one that depends, a yes and a no."""
    if verdict.why:
        return verdict.why
    met = {"holds": (True,), "doesn't hold": (False,), "depends": (True, False)}[verdict.outcome]
    told = []
    for answer in met:
        one = next(finding.evidence for finding in verdict.findings if finding.met is answer)
        said = f"{'yes' if answer else 'no'}: " if len(met) > 1 else ""
        told.append(f"{said}{plain(one.subject, 2 * _LONGEST)}: {_interval(one)}")
    return "; ".join(told)


def _numbered(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Return a number for each result and host that something was found in."""
    found = dict.fromkeys(finding.evidence.where for verdict in verdicts for finding in verdict.findings)
    return {where: number for number, where in enumerate(found, start=1)}


def _interval(one: Evidence) -> str:
    span = one.span
    value = shown(span.value, one.unit, one.metric)
    if span.low is None or span.high is None or span.low == span.high:
        return value
    return f"{value} [{shown(span.low, one.unit, one.metric)} to {shown(span.high, one.unit, one.metric)}]"


def _rests_on(verdict: Verdict) -> str:
    named = dict.fromkeys(basis for finding in verdict.findings for basis in finding.evidence.basis)
    return ", ".join(f"{plain(basis.name, _LONGEST)} ({basis.kind})" for basis in named)


def _field(label: str, text: str, width: int) -> list[str]:
    # a number and its unit stay on one line
    lines = textwrap.wrap(
        _WITH_UNIT.sub("\N{NO-BREAK SPACE}", text),
        width,
        initial_indent=f"  {label:<{_LABEL}}",
        subsequent_indent=" " * (_LABEL + 2),
        break_on_hyphens=False,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


# -- in numbers --------------------------------------------------------------------------------------------------------


def _record(verdict: Verdict) -> dict[str, Any]:
    return {
        "myth": verdict.myth.name,
        "statement": verdict.myth.statement,
        "outcome": verdict.outcome,
        "why": verdict.why,
        "reason": verdict.myth.reason,
        "conditions": [
            {
                "quantity": condition.quantity.title,
                "bound": condition.bound,
                "threshold": condition.threshold,
                "unit": condition.quantity.unit,
                "evidence": [_evidence(finding) for finding in verdict.findings if finding.condition is condition],
            }
            for condition in verdict.myth.conditions
        ],
    }


def _evidence(finding: Finding) -> dict[str, Any]:
    one, hangs = finding.evidence, finding.hangs_on
    return {
        "subject": one.subject,
        "where": one.where,
        "metric": one.metric,
        "value": one.span.value,
        "low": one.span.low,
        "high": one.span.high,
        "replications_low": one.span.luck_low,
        "replications_high": one.span.luck_high,
        "unit": one.unit,
        "met": finding.met,
        "hangs_on": None if hangs is None else {"name": hangs.name, "kind": hangs.kind},
        "rests_on": [{"name": basis.name, "kind": basis.kind} for basis in one.basis],
    }


def _row(verdict: Verdict, condition: Condition, finding: Finding | None) -> Iterator[object]:
    myth = verdict.myth
    yield from (myth.name, myth.statement, verdict.outcome)
    yield from (condition.quantity.title, condition.bound, condition.threshold)
    if finding is None:
        yield from [None] * (len(COLUMNS) - 6)
        return
    one = finding.evidence
    yield from (one.subject, one.where, one.span.value, one.span.low, one.span.high, one.unit)
    yield "" if finding.met is None else str(finding.met).lower()
    yield finding.hangs_on.name if finding.hangs_on else None
    yield "; ".join(f"{basis.name} ({basis.kind})" for basis in one.basis)
