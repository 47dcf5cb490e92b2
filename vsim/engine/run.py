"""One replication: a scenario on one architecture, in simulated time.

Place, start, serve, and have things fail: the phases follow one another, and each leaves its metrics. Random failures
have a run of their own, over years with no requests; serving takes seconds to days.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import simpy

from vsim.engine.cluster import Cluster
from vsim.engine.demand import DemandRun
from vsim.engine.failures import SECONDS_PER_YEAR, Failures
from vsim.engine.jobs import JobRun
from vsim.engine.provisioning import provision_s
from vsim.engine.requests import Offered
from vsim.engine.timer import call_later, scheduled
from vsim.model.machine import Site
from vsim.model.power import cost_per_month, rack_units
from vsim.model.quantity import value_of
from vsim.model.stack import Architecture
from vsim.scenario.scenario import Incident, Scenario

__all__ = ["Replication", "run_replication"]

JOULES_PER_WATT_HOUR = 3600.0  # unit: 1 Wh


@dataclass(frozen=True, slots=True)
class Replication:
    """What one replication yields: one value per metric (names and units of the design), and the events it took.

    A metric that doesn't apply to the scenario (latency without requests) is absent, not zero.
    """

    metrics: Mapping[str, float]
    events: int


def run_replication(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    """Simulate `scenario` on `architecture`; the replication's number and the scenario's seed fix every random draw.

    Two architectures with the same seed and replication number see the same workload. Raises InputError when the
    architecture can't carry the workload at all.
    """
    with _seldom_collecting():
        return _run(architecture, scenario, site, replication)


# A run allocates hundreds of thousands of small objects that live to its end. Python's collector would walk through all
# of them again and again (a third of the time of a large run); hardly anything is garbage that counting misses.
_COLLECTOR = (100_000, 50, 100)


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*_COLLECTOR)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _run(architecture: Architecture, scenario: Scenario, site: Site, replication: int) -> Replication:
    env = simpy.Environment()
    cluster = Cluster(env, architecture, scenario, replication)
    cluster.place_all()
    cluster.start_up()
    # before anything breaks: a restart after an incident is not a start of the fleet
    metrics = {**_fleet(cluster), **_startup(cluster)}
    window = _Window(cluster)
    window.serve()
    metrics |= {**window.metrics(), **window.energy(site)}
    events = scheduled(env)
    if scenario.reliability.years > 0 and not scenario.incidents:
        availability, more = _reliability(architecture, scenario, replication)
        if availability is not None:
            metrics["availability"] = availability
        events += more
    provision, more = provision_s(cluster)
    if provision is not None:
        metrics["provision_s"] = provision
    events += more
    return Replication(metrics, events)


def _fleet(cluster: Cluster) -> dict[str, float]:
    """Return what placement alone decides: hosts, density, overhead of memory, and the blast radius."""
    architecture, hosts = cluster.architecture, cluster.used_hosts
    instances = [instance for host in hosts for instance in host.instances]
    units, _ = rack_units(architecture.machine, len(hosts))
    metrics: dict[str, float] = {"hosts": len(hosts), "rack_units": units}
    if not cluster.services:
        return metrics
    metrics["unplaced"] = cluster.unplaced
    if not instances:
        return metrics
    layers = (
        len(hosts) * architecture.host_memory_bytes
        + sum(len(host.guests) for host in hosts) * architecture.guest_memory_bytes
        + len(instances) * architecture.instance_memory_bytes
        + architecture.memory_fraction * sum(instance.memory_bytes for instance in instances)
    )
    metrics["instances_per_host"] = len(instances) / len(hosts)
    metrics["memory_overhead_bytes"] = layers / len(instances)
    metrics["blast_radius_instances"] = _blast_radius(cluster)
    return metrics


def _blast_radius(cluster: Cluster) -> int:
    """Return how many instances the failure of one thing takes down at most.

    One host's, or one chassis' where it has a part without a spare.
    """
    hosts, chassis = cluster.used_hosts, cluster.architecture.machine.chassis
    single = chassis is not None and any(value_of(p.needed) >= value_of(p.count) for p in chassis.parts.values())
    together: dict[int, int] = {}
    for host in hosts:
        key = host.chassis if single and host.chassis is not None else host.index
        together[key] = together.get(key, 0) + len(host.instances)
    return max(together.values())


def _startup(cluster: Cluster) -> dict[str, float]:
    """Return the quantiles of the time from the order to start until the instance is ready."""
    times = [i.start_s for state in cluster.services for i in state.instances if i.start_s is not None]
    return _quantiles("startup", times)


def _quantiles(name: str, values: Sequence[float]) -> dict[str, float]:
    if not len(values):
        return {}
    p50, p95, p99 = np.percentile(np.asarray(values), (50, 95, 99)).tolist()
    return {f"{name}_p50_s": p50, f"{name}_p95_s": p95, f"{name}_p99_s": p99}


class _Window:
    """The measured window: requests, jobs and recorded demands on a fleet that is up, with incidents in it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._env = cluster.env
        self._offered: list[Offered] = []
        self._jobs: JobRun | None = None
        self._demand: DemandRun | None = None
        self._energy_j = (0.0, 0.0)
        self._background_core_s = 0.0
        self._available_s: tuple[list[float], list[float]] = ([], [])

    def serve(self) -> None:
        """Run the window to its end, and on until the last request and job is answered."""
        cluster, run, workload = self._cluster, self._cluster.scenario.run, self._cluster.scenario.workload
        start = self._env.now
        for state in cluster.services:
            service = state.service
            if service.request is not None and service.arrivals is not None:
                self._offered.append(Offered(cluster, state, service.request, service.arrivals))
        if workload.jobs:
            self._jobs = JobRun(cluster, workload.jobs)
        call_later(self._env, run.warmup_s, self._open)
        failures = Failures(cluster)
        for incident in cluster.scenario.incidents:
            call_later(self._env, run.warmup_s + incident.at_s, partial(_break, failures, incident))
        self._env.run(until=start + run.warmup_s + run.duration_s)
        self._close(run.warmup_s + run.duration_s)
        self._env.run()
        for offered in self._offered:
            if offered.in_flight:
                raise AssertionError(f"{offered.in_flight} requests were neither answered nor lost")
        if self._jobs is not None and self._jobs.done != len(workload.jobs):
            raise AssertionError("a job was lost")

    def _open(self, _: simpy.Event) -> None:
        workload, run = self._cluster.scenario.workload, self._cluster.scenario.run
        if workload.demands:
            self._demand = DemandRun(self._cluster, workload.demands, run.duration_s)
        self._energy_j = (self._energy(), 0.0)
        self._available_s = ([state.available_s() for state in self._cluster.services], [])

    def _close(self, length_s: float) -> None:
        self._energy_j = (self._energy_j[0], self._energy())
        self._available_s = (self._available_s[0], [state.available_s() for state in self._cluster.services])
        self._background_core_s = length_s * sum(host.background_cores for host in self._cluster.used_hosts)

    def _energy(self) -> float:
        return sum(host.energy_j() for host in self._cluster.hosts)

    def metrics(self) -> dict[str, float]:
        """Return latency, throughput, the SLO's fraction, CPU overhead, and availability if something was broken."""
        run = self._cluster.scenario.run
        metrics: dict[str, float] = {}
        latencies = np.concatenate([np.zeros(0), *(np.asarray(offered.latencies_s) for offered in self._offered)])
        finished = sum(offered.finished_in_window for offered in self._offered)
        counted = sum(offered.counted for offered in self._offered)
        in_time = sum(offered.in_time for offered in self._offered)
        if self._jobs is not None:
            latencies = np.concatenate([latencies, np.asarray(self._jobs.sojourn_s)])
            finished += self._jobs.finished_between(run.warmup_s, run.warmup_s + run.duration_s)
        metrics |= _quantiles("latency", latencies.tolist())
        if self._offered or self._jobs is not None:
            metrics["throughput_per_s"] = finished / run.duration_s
        has_slo = any(state.service.slo_s is not None for state in self._cluster.services)
        if self._demand is not None:
            counted += self._demand.intervals
            in_time += self._demand.satisfied
        if counted and (has_slo or self._demand is not None):
            metrics["slo_fraction"] = in_time / counted
        overhead = self._cpu_overhead()
        if overhead is not None:
            metrics["cpu_overhead_fraction"] = overhead
        if self._cluster.scenario.incidents:
            before, after = self._available_s
            metrics["availability"] = _mean(
                (end - begin) / run.duration_s for begin, end in zip(before, after, strict=True)
            )
        return metrics

    def _cpu_overhead(self) -> float | None:
        """Return the core-seconds used beyond what the same work takes on the bare machine, as a fraction of that.

        What layers do in the background counts; what was demanded and never served (an overloaded host) doesn't.
        """
        work = sum(offered.work_core_s for offered in self._offered)
        bare = sum(offered.bare_core_s for offered in self._offered)
        if self._jobs is not None:
            work, bare = work + self._jobs.work_core_s, bare + self._jobs.bare_core_s
        if self._demand is not None:
            factor = self._cluster.architecture.cpu.user
            work, bare = work + self._demand.served_core_s, bare + self._demand.served_core_s / factor
        if bare <= 0:
            return None
        return (work + self._background_core_s) / bare - 1

    def energy(self, site: Site) -> dict[str, float]:
        """Return the energy of the window at the site's meter, and the cost per month at that mean power."""
        cluster, run = self._cluster, self._cluster.scenario.run
        machine, hosts = cluster.architecture.machine, len(cluster.used_hosts)
        units, chassis_count = rack_units(machine, hosts)
        watts = (self._energy_j[1] - self._energy_j[0]) / run.duration_s
        if machine.chassis is not None:
            watts += chassis_count * machine.chassis.power_w.value
        return {
            "energy_wh": watts * run.duration_s / JOULES_PER_WATT_HOUR * site.pue.value,
            "cost_per_month": cost_per_month(
                machine, site, hosts=hosts, chassis_count=chassis_count, rack_units=units, mean_power_w=watts
            ),
        }


def _break(failures: Failures, incident: Incident, _: simpy.Event) -> None:
    failures.incident(incident)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


def _reliability(architecture: Architecture, scenario: Scenario, replication: int) -> tuple[float | None, int]:
    """Let things fail at random for the scenario's years; return the mean availability of the services, and events."""
    env = simpy.Environment()
    cluster = Cluster(env, architecture, scenario, replication)
    cluster.place_all()
    cluster.start_up()
    if not cluster.services:
        return None, scheduled(env)
    start = env.now
    before = [state.available_s() for state in cluster.services]
    Failures(cluster).run_random()
    horizon = scenario.reliability.years * SECONDS_PER_YEAR
    env.run(until=start + horizon)
    after = [state.available_s() for state in cluster.services]
    shares = [(end - begin) / horizon for begin, end in zip(before, after, strict=True)]
    return _mean(shares), scheduled(env)
