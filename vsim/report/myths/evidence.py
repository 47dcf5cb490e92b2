"""What the data say about one quantity: a value, an interval, and the parameters that both rest on.

The interval of a simulated value has two causes, and both are in it: luck (the 95 % interval over the replications) and
what nobody knows exactly (each parameter that the sensitivity analysis of the result moved, over its own interval, one
at a time). A verdict that holds for one end of a parameter's interval and not for the other isn't one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from vsim.samples.records import Samples
from vsim.samples.result import ArchitectureResult, Difference, Parameter, Result

__all__ = [
    "Basis",
    "Evidence",
    "Moved",
    "Sources",
    "Span",
    "bases",
    "find",
    "moved",
    "paired",
    "parameter_of",
    "title_of",
    "widen",
]

# So many parameters are named as what a value rests on.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Sources:
    """What statements are judged from: results of comparisons and samples of real hosts."""

    results: tuple[Result, ...] = ()
    samples: tuple[Samples, ...] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """A parameter that a value rests on, and the kind of its source; or a run that measured it."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Span:
    """A value with an interval, and the same interval before any parameter was moved; None: there is none.

    `widest` is the parameter that makes it wider than any other does.
    """

    value: float
    low: float | None
    high: float | None
    luck_low: float | None
    luck_high: float | None
    widest: Basis | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number about one subject, in `unit`: a metric's or parameter's own, ``×`` (a ratio), or ``fraction``.

    `where` is the title of the result, or the host, that it is from.
    """

    subject: str
    where: str
    metric: str
    unit: str
    span: Span
    basis: tuple[Basis, ...]


def find(result: Result, pattern: str, metric: str) -> Iterator[ArchitectureResult]:
    """Yield the architectures of `result` whose name matches `pattern` (``vm@*``) and that have `metric`."""
    for architecture in result.architectures:
        if fnmatchcase(architecture.name, pattern) and metric in architecture.metrics:
            yield architecture


def paired(result: Result, metric: str, of: str, versus: str) -> Difference | None:
    """Return the paired difference of two architectures, turned round where the result has it the other way."""
    for d in result.differences:
        if d.metric == metric and (d.of, d.versus) == (of, versus):
            return d
        if d.metric == metric and (d.of, d.versus) == (versus, of):
            low, high = (None if end is None else -end for end in (d.high, d.low))
            return Difference(metric, of, versus, -d.value, low, high, d.unit)
    return None


@dataclass(frozen=True, slots=True)
class Moved:
    """What one parameter makes of a metric: `value` at its own value, `ends` at those of its interval."""

    basis: Basis
    value: float
    ends: tuple[float, float]


def moved(result: Result, metric: str, name: str) -> Mapping[str, Moved]:
    """Return, by parameter, what it makes of a metric of the architecture `name`."""
    if result.sensitivity is None:
        return {}
    return {
        swing.parameter: Moved(Basis(swing.parameter, swing.kind), swing.value, (swing.at_low, swing.at_high))
        for swing in result.sensitivity.swings
        if swing.metric == metric and swing.architecture == name
    }


def widen(value: float, low: float | None, high: float | None, ends: Iterable[tuple[Basis, float, float]]) -> Span:
    """Return the interval `low` to `high` joined with where each parameter moves it: by a factor, or a step, each.

    `ends` yields for each parameter how far it moves the interval down and up (below and above 0), in the value's unit.
    """
    if low is None or high is None:
        return Span(value, None, None, None, None)
    widest: Basis | None = None
    down = up = 0.0
    most = 0.0
    for basis, least, largest in ends:
        down, up = min(down, least), max(up, largest)
        if largest - least > most:
            widest, most = basis, largest - least
    return Span(value, low + down, high + up, low, high, widest)


def bases(result: Result, swings: Iterable[Basis], patterns: tuple[str, ...]) -> tuple[Basis, ...]:
    """Return what moves the value most, then the parameters of the result that match `patterns`; a few of them."""
    found = dict.fromkeys(swings)
    for parameter in result.parameters:
        if any(fnmatchcase(parameter.name, pattern) for pattern in patterns):
            found.setdefault(Basis(parameter.name, parameter.kind))
    return tuple(found)[:_NAMED]


def parameter_of(result: Result, name: str) -> Parameter | None:
    """Return the parameter `name` as the result used it."""
    return next((parameter for parameter in result.parameters if parameter.name == name), None)


def title_of(result: Result) -> str:
    """Return what the scenario of a result is called."""
    return str(result.scenario.get("title", "a result"))
