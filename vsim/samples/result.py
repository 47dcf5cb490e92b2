"""The result of a comparison, ``vsim.result/1``: what it holds, and its form as JSON.

The bytes depend on the result alone: fixed order, exact floats, no times, host names, paths or job counts. Files are
written and read by :mod:`vsim.samples.result_files`, tidy tables made by :mod:`vsim.samples.tables`.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from vsim.errors import InputError
from vsim.samples.metrics import METRICS

__all__ = [
    "KINDS",
    "SCHEMA",
    "ArchitectureResult",
    "Difference",
    "Estimate",
    "Impossible",
    "Parameter",
    "PrecisionReached",
    "Result",
    "Sensitivity",
    "SweepPoint",
    "SweepResult",
    "Swing",
    "result_schema",
]

SCHEMA = "vsim.result/1"

# The kinds of source, from the best to the weakest: the order of `parameters` in a result.
KINDS = ("measured", "published", "derived", "assumed")

# A measured source as it is written out, by :class:`vsim.model.quantity.Source`.
_MEASURED = re.compile(r"measured: run .+? on (?P<host>.+), \d{4}-\d\d-\d\d.*, n = ")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric's mean over the replications and its 95 % interval; None for `low` and `high` after one replication."""

    value: float
    low: float | None
    high: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class ArchitectureResult:
    """One architecture's metrics, in the order of :data:`vsim.samples.metrics.METRICS`.

    A metric that doesn't apply is absent. `values` holds each metric's value in each replication (None: none in that
    one) and `events` the number of events simulated in each; they go to a table of their own, not into the JSON.
    """

    name: str
    metrics: Mapping[str, Estimate]
    values: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict, compare=False)
    events: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """`of` minus `versus` in one metric, paired over replications with the same workload, and its 95 % interval."""

    metric: str
    of: str
    versus: str
    value: float
    low: float | None
    high: float | None
    unit: str

    @property
    def certain(self) -> bool:
        """Whether the interval leaves no doubt about the sign."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that the result used: value, interval, and source with its kind."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    kind: str
    source: str

    @property
    def host(self) -> str:
        """The host that it was measured on, from the text of its source; empty for other kinds."""
        found = _MEASURED.match(self.source)
        return found["host"] if found else ""


@dataclass(frozen=True, slots=True)
class Swing:
    """How far one parameter, moved over its interval `low` to `high`, moves one metric of one architecture.

    `at_low` and `at_high` are the metric there, `value` at the parameter's own value; `swing` is the span of the three
    relative to `value` (None where that is 0).
    """

    parameter: str
    kind: str
    metric: str
    architecture: str
    low: float
    high: float
    at_low: float
    at_high: float
    value: float
    swing: float | None

    @property
    def span(self) -> float:
        """The metric's largest value minus its smallest over the three runs, in the metric's unit."""
        ends = (self.at_low, self.at_high, self.value)
        return max(ends) - min(ends)


@dataclass(frozen=True, slots=True)
class Impossible:
    """An end of a parameter's interval at which an architecture can't carry the workload: one replica doesn't fit."""

    parameter: str
    architecture: str
    at: float
    unit: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """One-at-a-time sensitivity: for each metric and architecture the parameters that move it most, first first.

    `method` is `screening` (cheap: one replication, no requests) or `full`. Of `uncertain` parameters (those used that
    have an interval) `tried` were moved. `impossible` lists the ends that say nothing about a metric, but a lot.
    `matter` has the names of those tried that the result depends on, however well they are known: some metric changes
    by at least a twentieth of what the parameter changes by, both as parts of what they are.
    """

    method: Literal["screening", "full"]
    metrics: tuple[str, ...]
    replications: int
    uncertain: int
    tried: int
    swings: tuple[Swing, ...]
    impossible: tuple[Impossible, ...] = ()
    matter: tuple[str, ...] = ()

    def most(self, metric: str) -> Swing | None:
        """Return the swing that moves `metric` most over all architectures; None when nothing moves it."""
        found = [swing for swing in self.swings if swing.metric == metric]
        return max(found, key=lambda s: (s.swing if s.swing is not None else math.inf, s.span), default=None)


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One point of a sweep: the parameters' values there, and what came out."""

    values: Mapping[str, object]
    replications: int
    architectures: tuple[ArchitectureResult, ...]


@dataclass(frozen=True, slots=True)
class SweepResult:
    """A sweep: the swept parameters' paths, and the points in the order in which the scenario states them."""

    parameters: tuple[str, ...]
    points: tuple[SweepPoint, ...]


@dataclass(frozen=True, slots=True)
class PrecisionReached:
    """What `--replications auto` was to reach (half width relative to the value), for which metrics, and whether."""

    relative: float
    metrics: tuple[str, ...]
    reached: bool


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a comparison yields. `scenario` and `profile` are descriptions made of JSON's own types."""

    seed: int
    replications: int
    scenario: Mapping[str, Any]
    profile: Mapping[str, Any]
    architectures: tuple[ArchitectureResult, ...]
    differences: tuple[Difference, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    sensitivity: Sensitivity | None = None
    precision: PrecisionReached | None = None
    sweep: SweepResult | None = None
    version: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON's own types, in the order of the file."""
        content: dict[str, Any] = {
            "schema": SCHEMA,
            "version": self.version,
            "seed": self.seed,
            "replications": self.replications,
            "scenario": dict(self.scenario),
            "profile": dict(self.profile),
            "architectures": _architectures(self.architectures),
            "differences": [dataclasses.asdict(difference) for difference in self.differences],
            "parameters": {
                kind: [_without(dataclasses.asdict(p), "kind") for p in self.parameters if p.kind == kind]
                for kind in KINDS
            },
        }
        if self.sensitivity:
            content["sensitivity"] = dataclasses.asdict(self.sensitivity)
        if self.precision:
            content["precision"] = dataclasses.asdict(self.precision)
        if self.sweep:
            content["sweep"] = {
                "parameters": list(self.sweep.parameters),
                "points": [
                    {
                        "values": dict(point.values),
                        "replications": point.replications,
                        "architectures": _architectures(point.architectures),
                    }
                    for point in self.sweep.points
                ],
            }
        return content

    def to_json(self) -> str:
        """Return the bytes of ``result.json`` as text: one line per record, a newline at the end.

        Raises ValueError for a number that JSON doesn't have (NaN, infinity).
        """
        return _pretty(self.to_dict(), "") + "\n"

    def _repr_html_(self) -> str:
        """Return the result as notebooks show it."""
        from vsim.samples.notebook import to_html

        return to_html(self)

    @classmethod
    def from_dict(cls, content: object) -> Result:
        """Return the result that :meth:`to_dict` made. Raises InputError when `content` isn't one."""
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            found = content.get("schema") if isinstance(content, dict) else None
            raise InputError(f"not a result: the schema is {found!r}, not {SCHEMA!r}")
        try:
            return cls(
                seed=content["seed"],
                replications=content["replications"],
                scenario=content["scenario"],
                profile=content["profile"],
                architectures=_read_architectures(content["architectures"]),
                differences=tuple(Difference(**row) for row in content["differences"]),
                parameters=tuple(Parameter(kind=kind, **row) for kind in KINDS for row in content["parameters"][kind]),
                sensitivity=_read_sensitivity(content.get("sensitivity")),
                precision=_tupled(PrecisionReached, content.get("precision")),
                sweep=_read_sweep(content.get("sweep")),
                version=content["version"],
            )
        except KeyError as error:
            raise InputError(f"not a whole {SCHEMA}: {error} is missing") from None
        except (TypeError, AttributeError, ValueError) as error:
            raise InputError(f"not a valid {SCHEMA}: {error}") from None


def result_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``result.json``."""
    from vsim.samples.result_schema import RESULT_SCHEMA

    return RESULT_SCHEMA


# -- to and from JSON's own types --------------------------------------------------------------------------------------


def _without(row: dict[str, Any], key: str) -> dict[str, Any]:
    del row[key]
    return row


def _architectures(architectures: Sequence[ArchitectureResult]) -> list[dict[str, Any]]:
    return [
        {
            "name": architecture.name,
            "metrics": {
                name: dataclasses.asdict(architecture.metrics[name]) for name in METRICS if name in architecture.metrics
            },
        }
        for architecture in architectures
    ]


def _read_architectures(rows: Sequence[dict[str, Any]]) -> tuple[ArchitectureResult, ...]:
    read = []
    for row in rows:
        unknown = sorted(set(row["metrics"]) - set(METRICS))
        if unknown:
            raise ValueError(f"unknown metric {unknown[0]!r}")
        read.append(ArchitectureResult(row["name"], {name: Estimate(**e) for name, e in row["metrics"].items()}))
    return tuple(read)


def _read_sensitivity(row: dict[str, Any] | None) -> Sensitivity | None:
    if row is None:
        return None
    records = {
        "swings": [Swing(**swing) for swing in row["swings"]],
        "impossible": [Impossible(**one) for one in row["impossible"]],
    }
    return _tupled(Sensitivity, {**row, **records})


def _read_sweep(row: dict[str, Any] | None) -> SweepResult | None:
    if row is None:
        return None
    return SweepResult(
        tuple(row["parameters"]),
        tuple(
            SweepPoint(point["values"], point["replications"], _read_architectures(point["architectures"]))
            for point in row["points"]
        ),
    )


_C = TypeVar("_C")


def _tupled(kind: type[_C], row: dict[str, Any] | None) -> _C | None:
    if row is None:
        return None
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})


def _pretty(value: object, indent: str) -> str:
    """Return JSON with one record a line: a list or an object of plain values stays on its line."""
    if isinstance(value, Mapping):
        items = [f"{json.dumps(str(key), ensure_ascii=False)}: " for key in value]
        children = list(value.values())
        opening, closing = "{", "}"
    elif isinstance(value, list | tuple):
        children, items = list(value), [""] * len(value)
        opening, closing = "[", "]"
    else:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not any(isinstance(child, Mapping | list | tuple) for child in children):
        return opening + ", ".join(k + _pretty(c, "") for k, c in zip(items, children, strict=True)) + closing
    deeper = indent + "  "
    lines = [deeper + k + _pretty(c, deeper) for k, c in zip(items, children, strict=True)]
    return f"{opening}\n" + ",\n".join(lines) + f"\n{indent}{closing}"
