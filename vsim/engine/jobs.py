"""Explicit jobs: each arrives at its host at its time and needs its core-seconds, next to all else that runs there."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import partial

import simpy

from vsim.engine.cluster import Cluster
from vsim.engine.timer import call_later
from vsim.model.workload import Job

__all__ = ["JobRun"]


class JobRun:
    """Offers the jobs, in order of arrival, from now on. `sojourn_s` holds the response time of each finished job."""

    def __init__(self, cluster: Cluster, jobs: Sequence[Job]) -> None:
        self._env = cluster.env
        self._hosts = cluster.hosts
        self._scale = cluster.architecture.cpu.user / cluster.hardware.speed
        self._bare = 1 / cluster.hardware.speed
        self._jobs = sorted(jobs, key=lambda job: job.arrival_s)
        self._start = cluster.env.now
        self._next = 0
        self.sojourn_s = array("d")
        self._done_at = array("d")
        self.submitted = 0
        self.work_core_s = 0.0
        self.bare_core_s = 0.0
        if self._jobs:
            call_later(self._env, self._jobs[0].arrival_s, self._arrive)

    @property
    def done(self) -> int:
        """The number of jobs finished."""
        return len(self.sojourn_s)

    def _arrive(self, _: simpy.Event) -> None:
        job = self._jobs[self._next]
        self._next += 1
        env = self._env
        if self._next < len(self._jobs):
            call_later(env, max(0.0, self._start + self._jobs[self._next].arrival_s - env.now), self._arrive)
        self.submitted += 1
        work = job.demand_core_s * self._scale
        self.work_core_s += work
        self.bare_core_s += job.demand_core_s * self._bare
        arrived = env.now
        event = self._hosts[job.host].cpu.submit(work)
        assert event.callbacks is not None
        event.callbacks.append(partial(self._finish, arrived))

    def _finish(self, arrived: float, _: simpy.Event) -> None:
        now = self._env.now
        self.sojourn_s.append(now - arrived)
        self._done_at.append(now - self._start)

    def finished_between(self, begin_s: float, end_s: float) -> int:
        """Return how many jobs were done from `begin_s` to before `end_s`, counted from the start of the run."""
        return sum(begin_s <= at < end_s for at in self._done_at)
