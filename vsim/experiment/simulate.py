"""A whole comparison: replications, intervals, paired differences, sensitivity and sweep, put into one result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vsim.calibration.catalogue import quantities_of, with_catalogue
from vsim.errors import InputError
from vsim.experiment.capabilities import check_capabilities
from vsim.experiment.describe import describe, digest
from vsim.experiment.incidents import check_incidents
from vsim.experiment.replicate import Outcome, Point, check_metrics, replicate
from vsim.experiment.runner import Runner
from vsim.experiment.sensitivity import analyse, screen, used_quantities
from vsim.experiment.statistics import Interval, interval, paired_difference
from vsim.experiment.sweep import Variant, expand
from vsim.model.stack import Architecture
from vsim.samples.metrics import HEADLINE, METRICS, unit_of
from vsim.samples.result import (
    KINDS,
    ArchitectureResult,
    Difference,
    Estimate,
    Parameter,
    PrecisionReached,
    Result,
    Sensitivity,
    SweepPoint,
    SweepResult,
)
from vsim.scenario.scenario import Scenario
from vsim.scenario.written import located

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["Analysis", "compare"]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Which sensitivity analysis to make: `screening` (cheap), `full`, or none; of which metrics (none: headline)."""

    method: str = "screening"
    metrics: tuple[str, ...] = ()


def compare(
    scenario: Scenario, profile: Profile, runner: Runner, *, analysis: Analysis = Analysis(), version: str = ""
) -> Result:
    """Run `scenario` on its architectures and return the result; the runner decides where, not what.

    Raises InputError when an architecture, a swept path or a metric doesn't exist, or two architectures are the same.
    """
    check_metrics(analysis.metrics)
    base = Variant({}, replace(scenario, sweep=None), profile)
    variants = [base, *expand(scenario, profile)]
    points = [_point(variant) for variant in variants]
    outcomes = replicate(points, runner)
    currency = profile.site.currency
    parameters = _parameters(profile, points[0].architectures, quantities_of(scenario))
    return Result(
        seed=scenario.run.seed,
        replications=outcomes[0].n,
        scenario=describe(scenario),
        profile={"name": profile.name, "sha256": digest([describe(parameter) for parameter in parameters])},
        architectures=_estimates(outcomes[0], currency),
        differences=_differences(outcomes[0], currency),
        parameters=parameters,
        sensitivity=_sensitivity(base, runner, analysis),
        precision=_precision(base.scenario, outcomes),
        sweep=_sweep(scenario, variants[1:], outcomes[1:], currency),
        version=version,
    )


def _point(variant: Variant) -> Point:
    names = variant.scenario.architectures
    if not names:
        raise InputError("no architecture to simulate", hint="state some under `architectures`, or with --on")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"the architecture {twice} is there twice")
    check_incidents(variant.scenario, variant.profile)
    scenario = with_catalogue(variant.scenario, variant.profile, variant.values)
    architectures = tuple(_architectures(variant))
    check_capabilities(scenario, architectures, variant.profile)
    return Point(scenario, architectures, variant.profile.site)


def _architectures(variant: Variant) -> Iterator[Architecture]:
    for name in variant.scenario.architectures:
        with located(name):
            yield variant.profile.architecture(name)


def _estimates(outcome: Outcome, currency: str) -> tuple[ArchitectureResult, ...]:
    results = []
    for name, replications in outcome.replications.items():
        values = outcome.values(name)
        metrics = {
            metric: _estimate(metric, interval([v for v in found if v is not None]), currency)
            for metric, found in values.items()
        }
        results.append(ArchitectureResult(name, metrics, values, tuple(r.events for r in replications)))
    return tuple(results)


def _estimate(metric: str, found: Interval, currency: str) -> Estimate:
    """Return the interval as an estimate, cut where the metric can't go (an availability above 1)."""
    low, high = found.low, found.high
    if low is not None and high is not None:
        low, high = min(found.mean, METRICS[metric].clip(low)), max(found.mean, METRICS[metric].clip(high))
    return Estimate(_plain(found.mean), _plain(low), _plain(high), unit_of(metric, currency))


def _differences(outcome: Outcome, currency: str) -> tuple[Difference, ...]:
    """Return the paired differences of every architecture to the first one, and to the one before it."""
    names = list(outcome.replications)
    pairs = [(name, names[0]) for name in names[1:]]
    pairs += [pair for pair in zip(names[1:], names, strict=False) if pair not in pairs]
    values = {name: outcome.values(name) for name in names}
    found = []
    for metric in METRICS:
        for of, versus in pairs:
            if metric in values[of] and metric in values[versus]:
                difference = paired_difference(values[of][metric], values[versus][metric])
                if difference is not None:
                    numbers = _plain(difference.mean), _plain(difference.low), _plain(difference.high)
                    found.append(Difference(metric, of, versus, *numbers, unit_of(metric, currency)))
    return tuple(found)


def _parameters(
    profile: Profile, architectures: Sequence[Architecture], besides: Sequence[str]
) -> tuple[Parameter, ...]:
    used = [quantity for quantity, _ in used_quantities(profile, architectures, besides).values()]
    return tuple(
        Parameter(q.name, float(q.value), float(q.low), float(q.high), q.unit, q.source.kind, str(q.source))
        for q in sorted(used, key=lambda q: (KINDS.index(q.source.kind), q.name))
    )


def _sensitivity(base: Variant, runner: Runner, analysis: Analysis) -> Sensitivity | None:
    names = base.scenario.architectures
    if analysis.method == "full":
        return analyse(base.scenario, base.profile, names, runner, analysis.metrics)
    return screen(base.scenario, base.profile, names, runner) if analysis.method == "screening" else None


def _precision(scenario: Scenario, outcomes: Sequence[Outcome]) -> PrecisionReached | None:
    if scenario.run.replications is not None:
        return None
    precision = scenario.run.precision
    reached = all(outcome.reached for outcome in outcomes)
    return PrecisionReached(precision.relative, tuple(precision.metrics) or HEADLINE, reached)


def _sweep(
    scenario: Scenario, variants: Sequence[Variant], outcomes: Sequence[Outcome], currency: str
) -> SweepResult | None:
    if scenario.sweep is None:
        return None
    points = (
        SweepPoint(describe(variant.values), outcome.n, _estimates(outcome, currency))
        for variant, outcome in zip(variants, outcomes, strict=True)
    )
    return SweepResult(tuple(scenario.sweep.parameters), tuple(points))


def _plain(value: float | None) -> float:
    """Return the number as a float without a negative zero, which would differ in the file but in nothing else."""
    return value if value is None else float(value) + 0.0  # type: ignore[return-value]  # None stays None
