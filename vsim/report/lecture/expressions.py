"""Expressions in slides: ``{{ value evolution hosts vm@rack-server }}`` and so on, worked out from the results.

| expression | becomes |
| --- | --- |
| ``value RESULT METRIC ARCHITECTURE`` | the value, for reading |
| ``estimate RESULT METRIC ARCHITECTURE`` | the same with ± half of its 95 % interval |
| ``finding RESULT METRIC OF VERSUS`` | a sentence with both values |
| ``figure NAME`` | the finding of one of the figures that ``vsim report`` draws |
| ``called ARCHITECTURE`` | what the lecture's head calls it |
| ``title RESULT`` | the title of the result's scenario |
| ``command RESULT`` | the command that makes it |
| ``replications RESULT`` | how often it was run |
| ``kinds RESULT`` | how many parameters have which kind of source |
| ``hinge RESULT METRIC`` | the parameter that moves the metric most, and how far |
| ``metrics RESULT METRIC …`` | a table, on a line of its own |
| ``myths NAME …`` | a table of statements and verdicts, on a line of its own |

What comes from data is text in Markdown, whatever is in it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from vsim.errors import InputError
from vsim.report.inputs import Inputs, Simulated
from vsim.report.lecture import sentences
from vsim.report.lecture.problems import NotThereError
from vsim.report.lecture.source import Line, Source
from vsim.report.plain import as_code, as_markdown
from vsim.samples.human import format_estimate, format_span, format_value
from vsim.samples.metrics import METRICS
from vsim.samples.result import KINDS, Result
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["Context", "check", "command_of", "resolve"]

_Function = Callable[..., str]
_EXPRESSION = re.compile(r"\{\{\s*(.*?)\s*\}\}")
# A name that somebody else chose is cut to this on a slide.
_LONGEST = 80


@dataclass(frozen=True)
class Context:
    """What expressions are worked out from: results by the lecture's names for them, and all inputs together."""

    source: Source
    results: Mapping[str, Simulated]
    inputs: Inputs
    memory: dict[str, str] = field(default_factory=dict)


def check(source: Source) -> None:
    """Raise InputError, with line and column, for an expression or a picture that there isn't.

    Before anything is simulated: what depends on the results is known later only.
    """
    from vsim.report.lecture.pictures import check_picture

    for slide in source.slides:
        for line in (slide.title, *slide.body, *slide.notes):
            for match in _EXPRESSION.finditer(line.text):
                _parsed(source, line, match)
        if slide.picture is not None:
            check_picture(source, slide.picture)


def resolve(context: Context, lines: Sequence[Line]) -> str:
    """Return the lines as Markdown, with every expression replaced.

    Raises InputError, with line and column, for an expression that there isn't, and NotThereError for data that the
    results don't have.
    """
    return "\n".join(_EXPRESSION.sub(partial(_one, context, line), line.text) for line in lines)


def _one(context: Context, line: Line, match: re.Match[str]) -> str:
    function, arguments = _parsed(context.source, line, match)
    try:
        return function(context, *arguments)
    except InputError as error:
        place = error.place or context.source.place(line, match[0])
        raise InputError(error.message, place=place, hint=error.hint) from None


def _parsed(source: Source, line: Line, match: re.Match[str]) -> tuple[_Function, list[str]]:
    """Return the function of an expression and its arguments, which are known by their kinds."""
    name, *arguments = match[1].split() or [""]
    if name not in _FUNCTIONS:
        raise InputError(
            f"there is no expression {name!r}",
            place=source.place(line, match[0]),
            hint=did_you_mean(name, list(_FUNCTIONS)) or f"there are {listed(tuple(_FUNCTIONS), 'and')}",
        )
    function, taken = _FUNCTIONS[name]
    kinds = taken.split()
    repeated = kinds[-1] == "…"
    kinds = kinds[: -1 if repeated else None]
    least = len(kinds) - (kinds[-1] == "STATEMENT")
    if len(arguments) < least or (len(arguments) > len(kinds) and not repeated):
        raise InputError(f"{name} takes {taken}", place=source.place(line, match[0]))
    for number, argument in enumerate(arguments):
        kind = kinds[min(number, len(kinds) - 1)]
        known = {"RESULT": source.results, "METRIC": METRICS, "STATEMENT": _statements()}.get(kind)
        if known is not None and argument not in known:
            what = f"the lecture has no result {argument!r}" if kind == "RESULT" else f"there is no {kind.lower()}"
            raise InputError(
                what if kind == "RESULT" else f"{what} {argument!r}",
                place=source.place(line, argument),
                hint=did_you_mean(argument, list(known)) or f"there are {listed(tuple(known), 'and')}",
            )
    return function, arguments


def _statements() -> list[str]:
    from vsim.report.myths.statements import MYTHS

    return [myth.name for myth in MYTHS]


# -- functions ---------------------------------------------------------------------------------------------------------


def _result(context: Context, name: str) -> Result:
    return context.results[name].result


def _value(context: Context, name: str, metric: str, architecture: str) -> str:
    found = sentences.estimate(_result(context, name), metric, architecture)
    return as_markdown(format_value(metric, found.value, found.unit))


def _estimate(context: Context, name: str, metric: str, architecture: str) -> str:
    return as_markdown(format_estimate(metric, sentences.estimate(_result(context, name), metric, architecture)))


def _finding(context: Context, name: str, metric: str, of: str, versus: str) -> str:
    return as_markdown(sentences.finding(_result(context, name), metric, of, versus, context.source.names))


def _figure(context: Context, name: str) -> str:
    from vsim.report.lecture.pictures import figure_named

    figure = figure_named(context.inputs, name)
    return as_markdown(figure.title(figure.narrowed(context.inputs)))


def _called(context: Context, architecture: str) -> str:
    return as_markdown(context.source.names.get(architecture, architecture), _LONGEST)


def _title(context: Context, name: str) -> str:
    return as_markdown(_result(context, name).scenario.get("title", name), _LONGEST)


def _command(context: Context, name: str) -> str:
    return as_code(command_of(context.results[name]))


def _replications(context: Context, name: str) -> str:
    return str(_result(context, name).replications)


def _kinds(context: Context, name: str) -> str:
    parameters = _result(context, name).parameters
    counts = [f"{sum(p.kind == kind for p in parameters)} {kind}" for kind in KINDS]
    return as_markdown(f"{len(parameters)} parameters: {', '.join(counts)}")


def _hinge(context: Context, name: str, metric: str) -> str:
    result = _result(context, name)
    swing = result.sensitivity.most(metric) if result.sensitivity else None
    if swing is None:
        raise NotThereError(f"the result {name} doesn't say what {metric} hangs on")
    unit = sentences.estimate(result, metric, swing.architecture).unit
    ends = sorted((swing.at_low, swing.at_high, swing.value))
    span = format_span(metric, ends[0], ends[-1], unit)
    return as_markdown(f"{swing.parameter} ({swing.kind}): {span} ({swing.architecture})")


def _metrics(context: Context, name: str, *metrics: str) -> str:
    result = _result(context, name)
    header = ["", *(as_markdown(context.source.names.get(a.name, a.name), 40) for a in result.architectures)]
    rows = [header, ["---", *["---:"] * len(result.architectures)]]
    for metric in metrics:
        found = [one.metrics.get(metric) for one in result.architectures]
        cells = ["–" if one is None else as_markdown(format_estimate(metric, one)) for one in found]
        rows.append([as_markdown(METRICS[metric].title), *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _myths(context: Context, *names: str) -> str:
    from vsim.report.myths import verdicts
    from vsim.report.myths.table import in_brief, in_words

    results = [one.result for one in context.results.values()]
    samples = [one.samples for one in context.inputs.measured]
    judged = {verdict.myth.name: verdict for verdict in verdicts(results, samples)}
    rows = [["people say", "", "the data"], ["---"] * 3]
    for name in names or judged:
        verdict = judged[name]
        outcome = f"**{as_markdown(in_words(verdict.outcome))}**"
        rows.append([as_markdown(verdict.myth.statement), outcome, as_markdown(in_brief(verdict))])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def command_of(one: Simulated) -> str:
    """Return the command that makes the result; of one that was read, the one that looks at it."""
    profiles = [word for file in one.profile_files for word in ("--profile", file.path)]
    if one.file.kind == "scenario":
        seed = ["--seed", str(one.seed)] if one.seed is not None else []
        return shlex.join(["vsim", "simulate", one.file.path, *profiles, *seed])
    return shlex.join(["vsim", "explain", one.file.path])


# What each takes: … repeats the last.
_FUNCTIONS: Mapping[str, tuple[_Function, str]] = {
    "value": (_value, "RESULT METRIC ARCHITECTURE"),
    "estimate": (_estimate, "RESULT METRIC ARCHITECTURE"),
    "finding": (_finding, "RESULT METRIC ARCHITECTURE ARCHITECTURE"),
    "figure": (_figure, "FIGURE"),
    "called": (_called, "ARCHITECTURE"),
    "title": (_title, "RESULT"),
    "command": (_command, "RESULT"),
    "replications": (_replications, "RESULT"),
    "kinds": (_kinds, "RESULT"),
    "hinge": (_hinge, "RESULT METRIC"),
    "metrics": (_metrics, "RESULT METRIC …"),
    "myths": (_myths, "STATEMENT …"),
}
