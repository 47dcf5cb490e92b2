"""Results written down by hand, for what is made from results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vsim.samples.metrics import METRICS, unit_of
from vsim.samples.result import (
    ArchitectureResult,
    Difference,
    Estimate,
    Parameter,
    Result,
    Sensitivity,
    Swing,
)

__all__ = ["HOSTILE", "parameter", "result", "swing"]

# What a name can try: markup of HTML, Markdown and remark, an end of a table's cell, a turn of the reading direction.
HOSTILE = (
    "<script>alert(1)</script> \"'&<img src=x onerror=alert(2)>\n---\n???\n{{x}} | `*_[a](javascript:b) \u202egnp.exe"
)

Values = Mapping[str, float | tuple[float, float | None, float | None]]


def result(
    architectures: Mapping[str, Values],
    *,
    title: str = "By hand",
    differences: Sequence[tuple[str, str, str, float, float | None, float | None]] = (),
    parameters: Sequence[Parameter] = (),
    swings: Sequence[Swing] = (),
    services: Sequence[Mapping[str, Any]] = (),
    replications: int = 10,
) -> Result:
    """Return a result: of each architecture its metrics, each a value (that came out the same every time) or with ends.

    Differences are metric, of, versus, value, low and high.
    """
    metrics = tuple(dict.fromkeys(s.metric for s in swings))
    return Result(
        seed=1,
        replications=replications,
        scenario={"name": "by-hand", "title": title, "workload": {"services": [dict(s) for s in services]}},
        profile={"name": "toys", "sha256": "0" * 64},
        architectures=tuple(
            ArchitectureResult(
                name, {metric: _estimate(metric, values[metric]) for metric in METRICS if metric in values}
            )
            for name, values in architectures.items()
        ),
        differences=tuple(Difference(*row, unit_of(row[0], "USD")) for row in differences),
        parameters=tuple(parameters),
        sensitivity=Sensitivity("screening", metrics, 1, len(swings), len(swings), tuple(swings)) if swings else None,
        version="0",
    )


def _estimate(metric: str, given: float | tuple[float, float | None, float | None]) -> Estimate:
    value, low, high = given if isinstance(given, tuple) else (given, given, given)
    return Estimate(float(value), low, high, unit_of(metric, "USD"))


def parameter(name: str, value: float, low: float, high: float, *, kind: str = "assumed", unit: str = "1") -> Parameter:
    """Return a parameter as results list it."""
    return Parameter(name, value, low, high, unit, kind, f"{kind}: by hand")


def swing(
    parameter: str,
    metric: str,
    architecture: str,
    value: float,
    at_low: float,
    at_high: float,
    *,
    kind: str = "assumed",
) -> Swing:
    """Return how far a parameter moves a metric."""
    span = max(at_low, at_high, value) - min(at_low, at_high, value)
    return Swing(
        parameter, kind, metric, architecture, 0.0, 1.0, at_low, at_high, value, span / value if value else None
    )
