"""The search for the fewest machines that meet stated goals on one architecture.

It begins where counting ends: with the fewest machines that have room for everything and aren't asked for more than
they can do. From there it goes up until the goals hold, in steps that double, and back by halving. All numbers of
machines see the same requests and failures (common random numbers), so it is the machines that make the difference.
The search looks at a few replications of each number, which tell what won't do. The last word have others, which it
hasn't seen: whoever picks the first number that looks good on some draws picks those draws as well. Where the goals
don't hold often enough there, the next number is tried.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vsim.experiment.deploying import Deployment, Deployments, percent
from vsim.experiment.runner import Runner, Task
from vsim.model.machine import Site
from vsim.samples.human import format_value
from vsim.scenario.scenario import Run, Scenario

__all__ = ["SEARCHED", "Found", "Goals", "Search", "window"]

# So many replications, the first ones, are enough to tell numbers of machines that won't do; one miss among them is
# forgiven, so that luck seldom rules out a number that would.
SEARCHED, FORGIVEN = 5, 1
# Replications are run so many at a time: a number of machines that misses its goals is soon given up.
BATCH = 10
# A replication counts at least so many requests. For each machine it is at least so many times as many, after as many
# that aren't counted, as it takes a machine to forget that it was empty; that is between these numbers. More than the
# most in all take too long.
REQUESTS, TIMES, FORGOTTEN, MOST_REQUESTS = 400, 3, (5.0, 100.0), 20_000
# More machines than this aren't tried.
MOST_MACHINES = 4096
# Steps up that change neither latency nor availability by this part say that no number of machines will do.
WORTH_MORE, VAIN_STEPS = 0.02, 2
# The load at which a request is as good as alone on its machine.
ALONE = 0.01


@dataclass(frozen=True, slots=True)
class Goals:
    """What is to hold: the 95th percentile of response times (seconds), the availability, the cost per month.

    A goal that is None isn't one. `probability` is the part of the replications in which all of them have to hold.
    """

    p95_s: float | None = None
    availability: float | None = None
    budget: float | None = None
    probability: float = 0.95

    def missed(self, metrics: Mapping[str, float], *, budget: bool = True) -> list[str]:
        """Return which goals one replication misses; that everything has a place and every request an answer is one."""
        missed = ["memory"] if metrics.get("unplaced", 0) > 0 else []
        if self.p95_s is not None and metrics.get("latency_p95_s", math.inf) > self.p95_s:
            missed.append("latency")
        if self.availability is not None and metrics.get("availability", 0.0) < self.availability:
            missed.append("availability")
        if budget and self.budget is not None and metrics["cost_per_month"] > self.budget:
            missed.append("budget")
        return missed


@dataclass(frozen=True, slots=True)
class Found:
    """Where a search ended: the deployment, whether goals that more machines help to meet are met there, and what keeps
    it from being smaller (`bound_by`, and `why` in a sentence). `bound_by` is what fails where they aren't met."""

    deployment: Deployment
    meets: bool
    bound_by: str
    why: str


class Search:
    """Searches one architecture. `metrics` holds what was simulated, by number of machines and of replication.

    One miss more than the goals allow is `forgiven` before a closer look; with `own_window` the scenario says how long
    a replication is.
    """

    def __init__(
        self,
        deployments: Deployments,
        goals: Goals,
        site: Site,
        runner: Runner,
        *,
        forgiven: int = FORGIVEN,
        own_window: bool = False,
    ) -> None:
        self.deployments = deployments
        self.metrics: dict[int, dict[int, Mapping[str, float]]] = {}
        self._goals = goals
        self._site = site
        self._runner = runner
        self._own_window = own_window
        self._searched = range(SEARCHED)
        self._forgiven = forgiven

    def find(self, confirming: Sequence[int] = ()) -> Found:
        """Return the fewest machines with which the goals hold, or where they are missed for good.

        `confirming` are the numbers of the replications that have the last word.
        """
        least = self._least()
        if isinstance(least, Deployment):
            assert least.short is not None
            why = f"{least.short.sentence}, whatever the number of machines"
            return Found(least, False, least.short.resource, why)
        if not self._own_window:
            self.deployments.run_for(window(self.deployments.on(least)))
        failed, machines, step, vain = least - 1, least, 1, 0
        while not self._may_do(machines):
            vain = vain + 1 if failed >= least and not self._better(failed, machines) else 0
            hopeless = machines == least and self._too_slow_alone(machines)
            if machines >= self._most() or vain >= VAIN_STEPS or hopeless:
                return self._given_up(machines, hopeless)
            failed, machines = machines, min(machines + step, self._most())
            step *= 2
        while machines - failed > 1:
            middle = (failed + machines) // 2
            failed, machines = (failed, middle) if self._may_do(middle) else (middle, machines)
        while confirming and not self._hold(machines, confirming):
            if machines >= self._most() or (machines > least + VAIN_STEPS and not self._better(machines - 1, machines)):
                return self._given_up(machines, None)
            machines += 1
        return Found(self.deployments.on(machines), True, *self._one_fewer(machines))

    def run(self, machines: int, numbers: Sequence[int]) -> list[Mapping[str, float]]:
        """Return the metrics of these replications on so many machines."""
        known = self.metrics.setdefault(machines, {})
        new = [number for number in numbers if number not in known]
        scenario, architecture = self.deployments.on(machines).scenario, self.deployments.architecture
        tasks = [Task(architecture, scenario, self._site, number) for number in new]
        for number, replication in zip(new, self._runner.run(tasks), strict=True):
            known[number] = replication.metrics
        return [known[number] for number in numbers]

    # -- the steps of the search ------------------------------------------------------------------------------------

    def _most(self) -> int:
        return int(min(MOST_MACHINES, self.deployments.most))

    def _least(self) -> int | Deployment:
        """Return the fewest machines that have room and aren't overloaded.

        When no number of them is enough, return a deployment that says so: the largest there may be, or one that twice
        as many machines haven't relieved, twice in a row.
        """
        fits, most = 1, self._most()
        too_few, vain = 0, 0
        while (deployment := self.deployments.on(fits)).short is not None:
            before = self.deployments.on(too_few) if too_few else None
            relieved = before is None or deployment.unplaced < before.unplaced or before.unplaced > 0
            relieved = relieved or (before is not None and deployment.busiest[1] < before.busiest[1] * (1 - WORTH_MORE))
            vain = 0 if relieved else vain + 1
            if fits == most or vain >= VAIN_STEPS:
                return deployment
            too_few, fits = fits, min(2 * fits, most)
        while fits - too_few > 1:
            middle = (fits + too_few) // 2
            too_few, fits = (too_few, middle) if self.deployments.on(middle).short is None else (middle, fits)
        return fits

    def _may_do(self, machines: int) -> bool:
        """Return whether so many machines are worth a closer look."""
        return self._hold(machines, self._searched, forgiven=self._forgiven)

    def _hold(self, machines: int, numbers: Sequence[int], *, forgiven: int = 0) -> bool:
        """Return whether the goals that machines help to meet hold in enough of these replications.

        It ends as soon as too many have missed one: the answer is the same as that of all of them.
        """
        if self.deployments.on(machines).short is not None:
            return False
        may_miss = math.floor(len(numbers) * (1 - self._goals.probability) + 1e-9) + forgiven
        missed = 0
        for batch in _batches(numbers):
            missed += sum(bool(self._goals.missed(one, budget=False)) for one in self.run(machines, batch))
            if missed > may_miss:
                return False
        return True

    def _better(self, fewer: int, machines: int) -> bool:
        """Return whether more machines are worth it: whether latency or availability, where it is a goal, improves."""
        pairs = [(self._mean(n, "latency_p95_s"), self._goals.p95_s) for n in (fewer, machines)]
        if pairs[0][1] is not None and pairs[1][0] < pairs[0][0] * (1 - WORTH_MORE):
            return True
        if self._mean(machines, "unplaced") < self._mean(fewer, "unplaced"):
            return True
        downs = [1 - self._mean(n, "availability") for n in (fewer, machines)]
        return self._goals.availability is not None and downs[1] < downs[0] * (1 - WORTH_MORE)

    def _mean(self, machines: int, metric: str) -> float:
        """Return the mean of a metric over the replications that every number of machines has had, or nan."""
        values = [m[metric] for m in self.run(machines, self._searched) if metric in m]
        return math.fsum(values) / len(values) if values else math.nan

    def _too_slow_alone(self, machines: int) -> bool:
        """Return whether the latency is missed even by requests that meet no other one: no machine helps then."""
        deployment = self.deployments.on(machines)
        if self._goals.p95_s is None or "latency" not in self._failing(machines):
            return False
        _, busy = deployment.busiest
        slow = _slowed(deployment.scenario, ALONE / max(busy, ALONE))
        task = Task(self.deployments.architecture, slow, self._site, 0)
        return "latency" in self._goals.missed(self._runner.run([task])[0].metrics, budget=False)

    # -- what it is that fails --------------------------------------------------------------------------------------

    def _failing(self, machines: int) -> Counter[str]:
        """Return how often each goal was missed on so many machines, in what was simulated."""
        found = self.metrics.get(machines, {}).values()
        return Counter(goal for metrics in found for goal in self._goals.missed(metrics, budget=False))

    def _given_up(self, machines: int, alone: bool | None) -> Found:
        deployment = self.deployments.on(machines)
        if deployment.short is not None:
            return Found(deployment, False, deployment.short.resource, deployment.short.sentence)
        goal, sentence = self._missing(machines)
        if alone and self._answered(machines):
            return Found(deployment, False, goal, "a request takes too long even when there is no other")
        return Found(deployment, False, goal, f"{sentence}, and more machines don't help")

    def _one_fewer(self, machines: int) -> tuple[str, str]:
        """Return what binds: what is lacking or missed with one machine fewer, in a word and in a sentence."""
        if machines == 1:
            name, busy = self.deployments.on(1).busiest
            memory = self.deployments.on(1).memory
            return (
                "nothing",
                f"one is enough: {percent(busy)} of its {name} and {percent(memory)} of its memory are asked for",
            )
        count = "1 machine" if machines == 2 else f"{machines - 1} machines"
        short = self.deployments.on(machines - 1).short
        if short is not None:
            return short.resource, f"with {count} {short.sentence}"
        goal, sentence = self._missing(machines - 1)
        return goal, f"with {count} {sentence}"

    def _missing(self, machines: int) -> tuple[str, str]:
        """Return the goal that is missed most on so many machines, and by how much."""
        failing = self._failing(machines)
        goal = max(failing, key=lambda one: failing[one], default="latency")
        tried = len(self.metrics.get(machines, {}))
        times = f"in {failing[goal]} of {tried} replications"
        name, busy = self.deployments.on(machines).busiest
        if goal == "memory":
            return goal, f"instances have no room {times}"
        if goal == "availability":
            return goal, f"the availability is {self._shown(machines, 'availability')}, too little {times}"
        if not self._answered(machines):
            return goal, "no request is answered: a service can't reach one that it calls"
        latency = self._shown(machines, "latency_p95_s")
        return (
            goal,
            f"the p95 latency is {latency}, too much {times}, with {percent(busy)} of the busiest {name} asked for",
        )

    def _answered(self, machines: int) -> bool:
        """Return whether any request was answered on so many machines."""
        return any("latency_p95_s" in one for one in self.metrics[machines].values())

    def _shown(self, machines: int, metric: str) -> str:
        values = [one[metric] for one in self.metrics[machines].values() if metric in one]
        return format_value(metric, math.fsum(values) / len(values), "s" if metric.endswith("_s") else "1")


def window(deployment: Deployment) -> Run:
    """Return how long a replication of a deployment is: enough requests for each of its machines, by their load.

    A queue with the load r has forgotten that it was empty after 1 / (1 - sqrt(r))^2 mean services (the relaxation time
    of M/M/1: Abate and Whitt, Transient behavior of the M/M/1 queue, Queueing Systems 2, 1987, 41-65), in which r times
    as many requests arrive: 140 at a load of 85 %. Bursts, recorded arrivals and incidents need the scenario's own
    window.
    """
    scenario, load = deployment.scenario, deployment.busiest[1]
    arriving = [one.arrivals for one in scenario.workload.services if one.request and one.arrivals is not None]
    if scenario.incidents or any(one.kind in ("bursty", "trace") for one in arriving):
        return scenario.run
    rate = sum(one.rate_per_s for one in arriving)
    if not rate:
        # nothing happens that one would have to wait for
        return dataclasses.replace(scenario.run, duration_s=1.0, warmup_s=0.0)
    least, most = FORGOTTEN
    warmup = deployment.machines * (most if load >= 1 else min(most, max(least, load / (1 - math.sqrt(load)) ** 2)))
    requests = max(REQUESTS, TIMES * warmup)
    part = min(1.0, MOST_REQUESTS / (requests + warmup))
    return dataclasses.replace(scenario.run, duration_s=part * requests / rate, warmup_s=part * warmup / rate)


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the numbers in parts: the first is small, as most of what fails fails there, and the rest is one."""
    yield numbers[:BATCH]
    if len(numbers) > BATCH:
        yield numbers[BATCH:]


def _slowed(scenario: Scenario, factor: float) -> Scenario:
    """Return `scenario` with `factor` times the arrivals in a window that is as many times longer."""
    services = tuple(
        one
        if one.arrivals is None or one.arrivals.kind == "trace"
        else dataclasses.replace(
            one, arrivals=dataclasses.replace(one.arrivals, rate_per_s=one.arrivals.rate_per_s * factor)
        )
        for one in scenario.workload.services
    )
    run = dataclasses.replace(
        scenario.run, duration_s=scenario.run.duration_s / factor, warmup_s=scenario.run.warmup_s / factor
    )
    return dataclasses.replace(
        scenario,
        workload=dataclasses.replace(scenario.workload, services=services),
        run=run,
        incidents=(),
        reliability=dataclasses.replace(scenario.reliability, years=0.0),
    )
