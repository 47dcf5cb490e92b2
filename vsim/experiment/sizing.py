"""How many of which machines an application needs to meet stated goals, how sure that is, and what it hangs on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vsim.calibration.catalogue import with_catalogue
from vsim.errors import InputError
from vsim.experiment.capabilities import check_capabilities
from vsim.experiment.deploying import Deployments
from vsim.experiment.hinging import Hinge, hinges
from vsim.experiment.runner import Runner
from vsim.experiment.searching import SEARCHED, Found, Goals, Search
from vsim.experiment.statistics import Share, interval, share
from vsim.model.stack import Architecture
from vsim.samples.metrics import METRICS, unit_of
from vsim.samples.result import Estimate
from vsim.scenario.calls import rates_per_s
from vsim.scenario.scenario import Scenario
from vsim.scenario.validation import listed
from vsim.scenario.written import located

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["REPLICATIONS", "SCHEMA", "Goals", "Hinge", "Sized", "Sizing", "find_sizes"]

SCHEMA = "vsim.sizing/1"
# How many replications say how often the goals hold. If all of 40 do, the probability is at least 91 %, with 95 %
# confidence.
REPLICATIONS = 40
# The availability of a year is what is agreed on, where the scenario says nothing else.
YEARS = 1.0
SHOWN = ("latency_p95_s", "availability", "cost_per_month")


@dataclass(frozen=True, slots=True)
class Sized:
    """One architecture: the fewest `machines` that meet the goals, or (`meets` is False) the number at which it was
    given up; None when not even one instance fits.

    `probability` says in how many replications, which the search hadn't seen, all goals hold. `bound_by` is what keeps
    the number from being smaller, or the goals from being met, and `why` says it in a sentence. `busy` and `memory` are
    the part of what there is that is asked for on the busiest machine. `window_s` is what a replication counts of the
    requests, and `scenario` what was simulated, to be simulated again.
    """

    name: str
    machines: int | None
    meets: bool
    bound_by: str
    why: str
    replicas: Mapping[str, int] = field(default_factory=dict)
    probability: Share | None = None
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    busy: Mapping[str, float] = field(default_factory=dict)
    memory: float | None = None
    window_s: float | None = None
    hinge: Hinge | None = None
    scenario: Scenario | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON's own types, without the scenario."""
        share = self.probability
        return {
            "name": self.name,
            "machines": self.machines,
            "meets": self.meets,
            "bound_by": self.bound_by,
            "why": self.why,
            "replicas": dict(self.replicas),
            "probability": None if share is None else {"value": share.value, **dataclasses.asdict(share)},
            "metrics": {name: dataclasses.asdict(estimate) for name, estimate in self.metrics.items()},
            "busy": dict(self.busy),
            "memory": self.memory,
            "window_s": self.window_s,
            "hinge": None if self.hinge is None else dataclasses.asdict(self.hinge),
        }


@dataclass(frozen=True, slots=True)
class Sizing:
    """The answer for all architectures, in order. `notes` say how the application was read."""

    title: str
    seed: int
    replications: int
    goals: Goals
    currency: str
    profile: str
    architectures: tuple[Sized, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON's own types: the content of what ``vsim size --format json`` prints."""
        return {
            "schema": SCHEMA,
            "title": self.title,
            "seed": self.seed,
            "replications": self.replications,
            "goals": dataclasses.asdict(self.goals),
            "currency": self.currency,
            "profile": self.profile,
            "architectures": [one.to_dict() for one in self.architectures],
            "notes": list(self.notes),
        }


def find_sizes(
    scenario: Scenario,
    profile: Profile,
    goals: Goals,
    runner: Runner,
    *,
    replications: int = REPLICATIONS,
    scalable: Sequence[str] = (),
) -> Sizing:
    """Return, for each architecture of `scenario`, the fewest machines on which `goals` hold.

    `scalable` are services that keep data and may be replicated all the same. Raises InputError for what can't be
    sized: jobs and recorded demands, goals that nothing can meet or miss, services that aren't there.
    """
    _check(scenario, goals, replications, scalable)
    scenario = _failing(scenario, goals)
    fixed = scenario.stateful - set(scalable)
    names = scenario.architectures
    architectures: list[Architecture] = []
    for name in names:
        with located(name):
            architectures.append(profile.architecture(name))
    check_capabilities(scenario, architectures, profile)
    rates_per_s(scenario)  # whoever calls in a circle is told so, whatever the architecture
    placed = with_catalogue(scenario, profile)
    spare = goals.availability is not None
    confirming = range(SEARCHED, SEARCHED + replications)
    sized: list[Sized] = []
    searches: dict[str, tuple[Search, Found]] = {}
    for architecture in architectures:
        try:
            deployments = Deployments(placed, architecture, fixed=fixed, spare=spare)
        except InputError as error:
            lacking = "memory" if "of memory" in error.message else "reserved CPU"
            sized.append(Sized(architecture.name, None, False, lacking, error.message))
            continue
        search = Search(deployments, goals, profile.site, runner)
        found = search.find(confirming)
        searches[architecture.name] = (search, found)
        sized.append(_sized(search, found, goals, confirming, profile.site.currency))
    hinged = hinges(
        scenario, profile, goals, runner, {n: found.deployment for n, (_, found) in searches.items()}, fixed
    )
    return Sizing(
        title=scenario.title,
        seed=scenario.run.seed,
        replications=replications,
        goals=goals,
        currency=profile.site.currency,
        profile=profile.name,
        architectures=tuple(dataclasses.replace(one, hinge=hinged.get(one.name)) for one in sized),
        notes=(*scenario.notes, *_notes(scenario, fixed)),
    )


def _failing(scenario: Scenario, goals: Goals) -> Scenario:
    """Return `scenario` with random failures if they matter: in the years it states, or in one."""
    years = 0.0
    if goals.availability is not None and not scenario.incidents:
        years = scenario.reliability.years or YEARS
    return dataclasses.replace(scenario, reliability=dataclasses.replace(scenario.reliability, years=years), sweep=None)


def _check(scenario: Scenario, goals: Goals, replications: int, scalable: Sequence[str]) -> None:
    workload = scenario.workload
    if workload.jobs or workload.demands:
        what = "jobs, which name their machines" if workload.jobs else "recorded demands"
        raise InputError(f"this scenario has {what}: there is no number of machines to find", hint="state `services:`")
    asked = any(one.request is not None and one.arrivals is not None for one in workload.services)
    if goals.p95_s is not None and not asked:
        raise InputError(
            "nothing is asked of this application, so there is no latency",
            hint="say how many requests there are: --rate 100/s",
        )
    if goals.p95_s is not None and goals.p95_s <= 0:
        raise InputError("no answer takes no time", hint="--p95 200ms")
    for what, value in (("availability", goals.availability), ("probability", goals.probability)):
        if value is not None and not 0 < value <= 1:
            raise InputError(f"the {what} can't be {value:g}", hint="a part of 1, or of 100 %, more than none")
    if goals.availability == 1:
        raise InputError("nothing is available always", hint="--availability 99.9%")
    if replications < 1:
        raise InputError(f"{replications} replications yield nothing", hint="--replications 1 or more")
    names = [one.name for one in workload.services]
    for name in scalable:
        if name not in names:
            raise InputError(f"there is no service {name!r}", hint=f"the services are {listed(names, 'and')}")


def _sized(search: Search, found: Found, goals: Goals, confirming: Sequence[int], currency: str) -> Sized:
    deployment = found.deployment
    architecture = search.deployments.architecture.name
    given = Sized(
        name=architecture,
        machines=deployment.machines,
        meets=found.meets,
        bound_by=found.bound_by,
        why=found.why,
        replicas=deployment.replicas,
        busy=deployment.busy,
        memory=deployment.memory,
        window_s=deployment.scenario.run.duration_s,
        scenario=deployment.scenario,
    )
    if deployment.short is not None:
        return given
    metrics = search.run(deployment.machines, confirming)
    held = sum(not goals.missed(one) for one in metrics)
    probability = share(held, len(metrics))
    estimates = {
        name: _estimate(name, [one[name] for one in metrics if name in one], currency)
        for name in SHOWN
        if any(name in one for one in metrics)
    }
    given = dataclasses.replace(given, probability=probability, metrics=estimates)
    if goals.budget is not None and found.meets and probability.value < goals.probability - 1e-9:
        # the other goals are met, and more machines cost more
        why = (
            f"so many machines cost more than {goals.budget:g} {currency} a month, and fewer don't meet the other goals"
        )
        return dataclasses.replace(given, meets=False, bound_by="budget", why=why)
    return given


def _estimate(metric: str, values: Sequence[float], currency: str) -> Estimate:
    found = interval(values)
    low, high = found.low, found.high
    if low is not None and high is not None:
        low, high = min(found.mean, METRICS[metric].clip(low)), max(found.mean, METRICS[metric].clip(high))
    return Estimate(found.mean, low, high, unit_of(metric, currency))


def _notes(scenario: Scenario, fixed: frozenset[str]) -> list[str]:
    notes = []
    kept = [one.name for one in scenario.workload.services if one.name in fixed]
    if kept:
        have = "has" if len(kept) == 1 else "have"
        notes.append(f"{listed(kept, 'and')} {have} the replicas that are stated: data isn't replicated (--scale does)")
    if any(one.networks == "joined" for one in scenario.connections):
        notes.append("on several machines the application's networks are overlays, as `docker stack deploy` makes them")
    return notes
