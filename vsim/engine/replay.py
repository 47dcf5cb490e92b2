"""Replay an explicit list of jobs on hosts whose cores are shared fairly.

Each job names its host, the time it arrives and the core-seconds it needs; with n jobs on a host of c cores
each of them runs at ``min(1, c / n)`` cores. It is the simplest use of a
:class:`~vsim.engine.capacity.SharedCapacity`, and the one that other simulators can be asked to repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappush
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from simpy.core import Environment
from simpy.events import NORMAL, Event

from vsim.engine.capacity import SharedCapacity

__all__ = ["Replay", "replay"]


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found: when each job was done (s), in the order of the list.

    `events` is the number of SimPy events that it took, which is what the cost of a replay depends on.
    """

    completion_s: NDArray[np.float64]
    events: int


def replay(
    jobs: tuple[ArrayLike, ArrayLike, ArrayLike],
    hosts: int,
    cores_per_host: float,
    *,
    hosts_per_clock: int = 1,
) -> Replay:
    """Run `jobs`, three sequences `(host, arrival_s, demand_core_s)`, and return when each was done.

    Hosts are numbered from 0 to `hosts` - 1; a host without jobs costs nothing. The list may be in any order;
    jobs that arrive on a host at the same time are taken in the order of the list.

    The hosts of a replay have nothing in common, so they needn't share a clock: `hosts_per_clock` of them at a
    time run in a SimPy environment of their own. Completion times are the same to the last bit whatever that
    number is. With one, the queue of events stays a few entries long and what it touches stays in the
    processor's cache, so that a job costs the same among a million as among ten thousand, and only one host
    exists at a time.

    Raises ValueError if the sequences don't fit together, a host is out of range, or a time or demand is
    negative, infinite or not a number.
    """
    host, arrival_s, demand_core_s = _checked(jobs, hosts)
    if hosts_per_clock < 1:
        raise ValueError(f"hosts_per_clock is at least 1, not {hosts_per_clock}")
    order = np.lexsort((arrival_s, host))  # stable: ties stay in the order of the list
    arrival_s, demand_core_s = arrival_s[order], demand_core_s[order]
    firsts = np.append(np.flatnonzero(np.diff(host[order], prepend=-1)), len(host))
    completion_s = np.empty(len(host))
    events = 0
    for batch in range(0, len(firsts) - 1, hosts_per_clock):
        bounds = firsts[batch : batch + hosts_per_clock + 1]
        part = slice(bounds[0], bounds[-1])
        completion_s[order[part]], scheduled = _run(
            arrival_s[part].tolist(), demand_core_s[part].tolist(), (bounds - bounds[0]).tolist(), cores_per_host
        )
        events += scheduled
    return Replay(completion_s, events)


def _checked(
    jobs: tuple[ArrayLike, ArrayLike, ArrayLike], hosts: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the job list as arrays of integers and floats, or raise ValueError."""
    given = np.asarray(jobs[0])
    arrival_s = np.asarray(jobs[1], dtype=np.float64)
    demand_core_s = np.asarray(jobs[2], dtype=np.float64)
    if given.ndim != 1 or not given.shape == arrival_s.shape == demand_core_s.shape:
        raise ValueError("host, arrival_s and demand_core_s are three sequences of one length")
    with np.errstate(invalid="ignore"):  # what isn't a number is found out just below
        host = given.astype(np.int64)
    if not np.array_equal(host, given) or (len(host) and not 0 <= host.min() <= host.max() < hosts):
        raise ValueError(f"a host is a whole number from 0 to {hosts - 1}")
    for name, values in (("arrival_s", arrival_s), ("demand_core_s", demand_core_s)):
        wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
        if len(wrong):
            raise ValueError(f"{name} is finite and not negative, not {values[wrong[0]]} (job {wrong[0]})")
    return host, arrival_s, demand_core_s


class _Source(Event):
    """The arrivals of one host: one event, scheduled again for each next arrival."""

    __slots__ = ("callbacks", "cores", "end", "env", "job")
    _ok = True
    _value = None

    def __init__(self, cores: SharedCapacity, job: int, end: int) -> None:
        self.env = cores.env
        self.cores = cores
        self.job = job  # the next to arrive
        self.end = end  # the first that isn't this host's


def _run(
    arrival_s: list[float], demand_core_s: list[float], bounds: list[int], cores_per_host: float
) -> tuple[list[float], int]:
    """Run hosts, whose jobs lie between successive `bounds`, on one clock; return completions and events."""
    env = Environment()
    completion_s = [0.0] * len(arrival_s)

    def complete(job: Event) -> None:
        completion_s[job._value] = env._now

    def arrive(source: Any) -> None:
        submit = source.cores.submit
        now = env._now
        job, end = source.job, source.end
        while job < end and arrival_s[job] <= now:
            submit(demand_core_s[job], value=job).callbacks.append(complete)
            job += 1
        if job < end:
            source.job = job
            schedule(source, arrival_s[job])

    def schedule(source: _Source, at: float) -> None:
        source.callbacks = on_arrival
        heappush(env._queue, (at, NORMAL, next(env._eid), source))

    on_arrival: list[Callable[[Any], None]] = [arrive]
    for first, end in pairwise(bounds):
        source = _Source(SharedCapacity(env, cores_per_host, per_job_cap=1.0), first, end)
        schedule(source, arrival_s[first])
    env.run()
    return completion_s, next(env._eid)
