"""Recorded demands: what each instance used, interval by interval, put on the hosts that hold the instances.

Within an interval a demand is constant, so nothing queues: a host serves the sum of its demands up to its cores, and
its power follows. One event per interval, whatever the number of instances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import simpy

from vsim.engine.timer import call_later
from vsim.model.workload import DemandSeries, Image, Service

if TYPE_CHECKING:
    from vsim.engine.cluster import Cluster

__all__ = ["DemandRun", "as_services"]

# The percentile that `fleet.reserve: p95` names.
_PERCENT = {"peak": 100.0, "p95": 95.0}


def as_services(demands: tuple[DemandSeries, ...], reserve: str) -> tuple[Service, ...]:
    """Return one service of one replica per recorded demand, reserving what the fleet's policy says.

    Memory reserved is the peak of what was used, or what was provisioned when nothing else was recorded or asked for:
    memory, unlike CPU time, can't be handed back when it is missing. Raises ValueError for a series that states no
    memory at all.
    """
    services = []
    for series in demands:
        cpu = np.asarray(series.cpu_cores, dtype=np.float64)
        if reserve == "provisioned" and series.provisioned_cores is not None:
            cores = series.provisioned_cores
        elif reserve == "mean":
            cores = float(cpu.mean())
        else:
            cores = float(np.percentile(cpu, _PERCENT.get(reserve, _PERCENT["peak"])))
        used = max(series.memory_bytes, default=None)
        memory = series.provisioned_bytes if reserve == "provisioned" or used is None else used
        if memory is None:
            memory = used
        if memory is None:
            raise ValueError(f"{series.name} states no memory")
        services.append(
            Service(name=series.name, replicas=1, memory_bytes=memory, image=Image(series.name, 0.0), cpu_cores=cores)
        )
    return tuple(services)


class DemandRun:
    """Plays the recorded demands of the placed instances from now on, for `duration_s`.

    `satisfied` and `intervals` count, over instances and intervals, how often a demand was met in full;
    `asked_core_s` is the work demanded on bare metal and `served_core_s` what the hosts' cores did for it.
    """

    def __init__(self, cluster: Cluster, demands: tuple[DemandSeries, ...], duration_s: float) -> None:
        # recorded demands come after the scenario's services, one instance each
        first = len(cluster.services) - len(demands)
        placed = [state.instances[0] for state in cluster.services[first:] if state.instances[0].host is not None]
        self._env = cluster.env
        self._hosts = cluster.hosts
        self.interval_s = min((demands[i.service.index - first].interval_s for i in placed), default=duration_s)
        steps = max(1, int(np.ceil(duration_s / self.interval_s)))
        speed = cluster.hardware.speed
        self._loads = np.zeros((steps, len(cluster.hosts)))
        self._bare = np.zeros(steps)
        cores = cluster.hardware.cores
        where = []
        each = np.zeros((steps, len(placed)))
        for column, instance in enumerate(placed):
            assert instance.host is not None
            series = demands[instance.service.index - first]
            times = np.arange(steps) * self.interval_s
            recorded = np.asarray(series.cpu_cores, dtype=np.float64)
            demand = recorded[(times // series.interval_s).astype(np.int64) % len(recorded)] / speed
            each[:, column] = demand
            where.append(instance.host.index)
            self._loads[:, instance.host.index] += demand * cluster.architecture.cpu.user
            self._bare += demand
        background = np.array([host.background_cores for host in cluster.hosts])
        met = self._loads + background <= cores * (1 + np.finfo(np.float64).eps)
        self.satisfied = int(met[:, where].sum()) if where else 0
        self.intervals = steps * len(placed)
        self.steps = steps
        self._left_s = duration_s
        self._step = 0
        self.asked_core_s = 0.0
        self.served_core_s = 0.0
        self._carrying = sorted(set(where))
        self._apply(None)

    def _apply(self, _: simpy.Event | None) -> None:
        """Put the demands of the next interval on the hosts."""
        length = min(self.interval_s, self._left_s)
        loads = self._loads[self._step]
        for index in self._carrying:
            host = self._hosts[index]
            cores = host.hardware.cores
            busy = min(cores, float(loads[index]) + host.background_cores)
            host.draw(host.hardware.power(busy / cores))
            self.served_core_s += min(float(loads[index]), cores - min(cores, host.background_cores)) * length
        self.asked_core_s += float(self._bare[self._step]) * length
        self._step += 1
        self._left_s -= length
        if self._step < self.steps:
            call_later(self._env, self.interval_s, self._apply)
