"""One-at-a-time sensitivity: which parameter does the answer hang on most?

Each parameter that has an interval is set to its low and its high end, all others staying at their values, and the runs
see the same workload as the base (common random numbers). What moves is the parameter's doing. Interactions of
two parameters are not seen; that is the price of two runs per parameter.

*Screening* is what every comparison gets: one replication, services started but no requests offered and no random
failures. Every parameter is set to the end of its interval that is farther away; those that lead any metric then get
their other end, too. Parameters with the widest intervals come first, until a budget of simulated events is used up (a
count, so the same parameters are tried on every machine). It ranks what moves hosts, memory, start-up, provisioning,
energy and cost; latency and availability it can't see.
*Full* is the scenario as it is, with a few replications, for every parameter: minutes instead of a second.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsim.calibration.catalogue import quantities_of, with_catalogue
from vsim.experiment.replicate import Outcome, Point, check_metrics, replicate
from vsim.experiment.runner import Runner
from vsim.experiment.statistics import interval
from vsim.model.quantity import Quantity
from vsim.model.stack import Architecture
from vsim.samples.metrics import HEADLINE
from vsim.samples.result import Impossible, Sensitivity, Swing
from vsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["FULL_REPLICATIONS", "analyse", "screen", "used_quantities"]

# Common random numbers make few replications enough: what differs is the parameter, not luck.
FULL_REPLICATIONS = 3
# How many simulated events screening may cost: one to two seconds on a laptop.
SCREENING_EVENTS = 200_000
# How many parameters for each metric and architecture are tried at both ends after screening.
LEADERS = 2
# How many parameters are kept for each metric and architecture.
KEPT = 10
# A parameter matters if some metric changes by at least this part of what the parameter changes by, both relatively.
MATTERS = 0.05


@dataclass(frozen=True, slots=True)
class _Move:
    """A parameter at one end of its interval, and the architectures that use it."""

    quantity: Quantity
    at: float
    architectures: tuple[str, ...]


def used_quantities(
    profile: Profile, architectures: Sequence[Architecture], besides: Iterable[str] = ()
) -> dict[str, tuple[Quantity, list[str]]]:
    """Return the quantities behind `architectures` and the site, by name, each with the architectures that use it.

    Those named in `besides` are used by all.
    """
    used: dict[str, tuple[Quantity, list[str]]] = {}
    for architecture in architectures:
        for quantity in profile.used_by(architecture):
            users = used.setdefault(quantity.name, (quantity, []))[1]
            if architecture.name not in users:
                users.append(architecture.name)
    for name in besides:
        used[name] = (profile.quantities[name], [architecture.name for architecture in architectures])
    return dict(sorted(used.items()))


def analyse(
    scenario: Scenario, profile: Profile, names: Sequence[str], runner: Runner, metrics: Sequence[str] = ()
) -> Sensitivity:
    """Move every parameter of the architectures `names` over its interval, on the whole scenario.

    `metrics` (default: the headline ones) are those that the result lists. Raises InputError for an unknown one.
    """
    check_metrics(metrics)
    run = dataclasses.replace(scenario.run, replications=FULL_REPLICATIONS)
    scenario = dataclasses.replace(scenario, run=run, sweep=None)
    base = _base(scenario, profile, names, runner)
    moves = _moves(profile, base, scenario)
    ends = [end for pair in moves for end in pair]
    outcomes = _run(ends, scenario, profile, runner)
    tried = list(zip(moves, outcomes[::2], outcomes[1::2], strict=True))
    return Sensitivity(
        method="full",
        metrics=_seen(metrics or HEADLINE, base),
        replications=FULL_REPLICATIONS,
        uncertain=len(moves),
        tried=len(moves),
        swings=_swings(metrics or HEADLINE, base, tried),
        impossible=_impossible(list(zip(ends, outcomes, strict=True))),
        matter=_matter(metrics or HEADLINE, base, list(zip(ends, outcomes, strict=True))),
    )


def screen(scenario: Scenario, profile: Profile, names: Sequence[str], runner: Runner) -> Sensitivity:
    """Move the parameters of the architectures `names` over their intervals on a cheap variant of the scenario."""
    services = tuple(dataclasses.replace(s, request=None, arrivals=None) for s in scenario.workload.services)
    scenario = dataclasses.replace(
        scenario,
        workload=dataclasses.replace(scenario.workload, services=services),
        run=dataclasses.replace(scenario.run, replications=1),
        reliability=dataclasses.replace(scenario.reliability, years=0.0),
        sweep=None,
    )
    base = _base(scenario, profile, names, runner)
    moves = _moves(profile, base, scenario)
    more = _more_than_events(scenario)
    events = {name: replications[0].events + more for name, replications in base.outcome.replications.items()}
    affordable, budget = [], SCREENING_EVENTS
    for pair in sorted(moves, key=lambda m: (-_width(m[0].quantity), m[0].quantity.name)):
        budget -= sum(events[name] for name in pair[0].architectures)
        if budget < 0:
            break
        affordable.append(pair)
    far_first = [pair if _low_is_farther(pair[0].quantity) else pair[::-1] for pair in affordable]
    far = _run([pair[0] for pair in far_first], scenario, profile, runner)
    led = _leading(base, far_first, far)
    near = _run([far_first[i][1] for i in led], scenario, profile, runner)
    tried = []
    for i, other in zip(led, near, strict=True):
        low, high = affordable[i]
        ends = (far[i], other) if far_first[i][0] is low else (other, far[i])
        tried.append(((low, high), *ends))
    ends_tried = [*zip([pair[0] for pair in far_first], far, strict=True)]
    ends_tried += [(far_first[i][1], outcome) for i, outcome in zip(led, near, strict=True)]
    return Sensitivity(
        method="screening",
        metrics=_seen(HEADLINE, base),
        replications=1,
        uncertain=len(moves),
        tried=len(affordable),
        swings=_swings(HEADLINE, base, tried),
        impossible=_impossible(ends_tried),
        matter=_matter(HEADLINE, base, ends_tried),
    )


def _more_than_events(scenario: Scenario) -> int:
    """Return what a run takes besides its events, in events: each service (it is reserved for, and provisioned once
    more) and each recorded number. Rounded from runs of the presets; a trace of a large data centre is screened for
    few parameters, or none, instead of for many minutes."""
    workload = scenario.workload
    services = len(workload.services) + len(workload.demands)
    recorded = sum(len(series.cpu_cores) + len(series.memory_bytes) for series in workload.demands)
    return 1 + 50 * services + recorded // 20


def _low_is_farther(quantity: Quantity) -> bool:
    """Return whether the low end is the farther one, as a ratio; an interval down to 0 counts by its length."""
    if quantity.low > 0 and quantity.value > 0:
        return quantity.value / quantity.low > quantity.high / quantity.value
    return quantity.value - quantity.low > quantity.high - quantity.value


def _leading(base: _Base, moves: Sequence[_Pair], outcomes: Sequence[Outcome]) -> list[int]:
    """Return the numbers of the moves that change some metric of some architecture most, in order."""
    leading: set[int] = set()
    for metric in HEADLINE:
        for architecture in base.outcome.replications:
            value = _mean(base.outcome, architecture, metric)
            if value is None:
                continue
            changes = []
            for number, (move, outcome) in enumerate(zip(moves, outcomes, strict=True)):
                moved = _mean(outcome, architecture, metric) if architecture in move[0].architectures else None
                if moved is not None and moved != value:
                    changes.append((-abs(moved - value), number))
            leading.update(number for _, number in sorted(changes)[:LEADERS])
    return sorted(leading)


@dataclass(frozen=True, slots=True)
class _Base:
    architectures: tuple[Architecture, ...]
    outcome: Outcome


_Pair = tuple[_Move, _Move]


def _base(scenario: Scenario, profile: Profile, names: Sequence[str], runner: Runner) -> _Base:
    architectures = tuple(profile.architecture(name) for name in names)
    return _Base(
        architectures, replicate([Point(with_catalogue(scenario, profile), architectures, profile.site)], runner)[0]
    )


def _moves(profile: Profile, base: _Base, scenario: Scenario) -> list[_Pair]:
    return [
        (_Move(quantity, quantity.low, tuple(users)), _Move(quantity, quantity.high, tuple(users)))
        for quantity, users in used_quantities(profile, base.architectures, quantities_of(scenario)).values()
        if quantity.high > quantity.low
    ]


def _run(moves: Sequence[_Move], scenario: Scenario, profile: Profile, runner: Runner) -> list[Outcome]:
    points = []
    for move in moves:
        moved = profile.with_value(move.quantity.name, move.at)
        architectures = tuple(moved.architecture(name) for name in move.architectures)
        points.append(Point(with_catalogue(scenario, moved), architectures, moved.site, tolerant=True))
    return replicate(points, runner)


def _seen(metrics: Sequence[str], base: _Base) -> tuple[str, ...]:
    """Return those of `metrics` that any architecture has."""
    architectures = base.outcome.replications
    return tuple(m for m in metrics if any(_mean(base.outcome, name, m) is not None for name in architectures))


def _swings(metrics: Sequence[str], base: _Base, tried: Sequence[tuple[_Pair, Outcome, Outcome]]) -> tuple[Swing, ...]:
    """Return, for each metric and architecture, the parameters that move it most."""
    swings: list[Swing] = []
    for metric in metrics:
        for architecture in base.outcome.replications:
            value = _mean(base.outcome, architecture, metric)
            if value is None:
                continue
            found = []
            for (low, high), at_low, at_high in tried:
                if architecture in low.architectures:
                    ends = _mean(at_low, architecture, metric), _mean(at_high, architecture, metric)
                    if ends[0] is not None and ends[1] is not None and not value == ends[0] == ends[1]:
                        found.append(_swing(low, high, metric, architecture, value, ends[0], ends[1]))
            found.sort(key=lambda swing: (-swing.span, swing.parameter))
            swings += found[:KEPT]
    return tuple(swings)


def _matter(metrics: Sequence[str], base: _Base, tried: Sequence[tuple[_Move, Outcome]]) -> tuple[str, ...]:
    """Return the parameters whose move changed some metric by a part of it that is no less than MATTERS of the move's.

    How wide a parameter's interval is has no part in it: what was measured well still matters. A parameter that is 0
    counts as changed by its whole.
    """
    values = {
        (name, metric): _mean(base.outcome, name, metric) for name in base.outcome.replications for metric in metrics
    }
    found: set[str] = set()
    for move, outcome in tried:
        quantity = move.quantity
        step = abs(move.at - quantity.value) / abs(quantity.value) if quantity.value else 1.0
        if not step or quantity.name in found:
            continue
        for architecture, metric in values:
            if architecture not in move.architectures:
                continue
            value, moved = values[architecture, metric], _mean(outcome, architecture, metric)
            if value is None or moved is None or moved == value:
                continue
            if not value or abs(moved - value) / abs(value) >= MATTERS * step:
                found.add(quantity.name)
                break
    return tuple(sorted(found))


def _impossible(tried: Sequence[tuple[_Move, Outcome]]) -> tuple[Impossible, ...]:
    """Return the ends at which an architecture can't carry the workload at all, by parameter."""
    found = [
        Impossible(move.quantity.name, architecture, float(move.at), move.quantity.unit)
        for move, outcome in tried
        for architecture, replications in outcome.replications.items()
        if not replications[0].events
    ]
    return tuple(sorted(found, key=lambda one: (one.parameter, one.architecture, one.at)))


def _swing(
    low: _Move, high: _Move, metric: str, architecture: str, value: float, at_low: float, at_high: float
) -> Swing:
    span = max(at_low, at_high, value) - min(at_low, at_high, value)
    return Swing(
        parameter=low.quantity.name,
        kind=low.quantity.source.kind,
        metric=metric,
        architecture=architecture,
        low=low.at,
        high=high.at,
        at_low=at_low,
        at_high=at_high,
        value=value,
        swing=span / abs(value) if value else None,
    )


def _mean(outcome: Outcome, architecture: str, metric: str) -> float | None:
    values: Mapping[str, tuple[float | None, ...]] = outcome.values(architecture)
    found = [value for value in values.get(metric, ()) if value is not None]
    return interval(found).mean if found else None


def _width(quantity: Quantity) -> float:
    """The interval's length relative to the value; a parameter that may be anything above zero counts as widest."""
    return (quantity.high - quantity.low) / quantity.value if quantity.value else float("inf")
