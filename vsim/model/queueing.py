"""One server, first come, first served: how long each request stays, and what answers say of the server's work."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["alone_and_queued", "stays"]


def stays(moments: Sequence[float], services: Sequence[float], wake_s: float = 0.0) -> list[float]:
    """Return how long each request waits and is served, in seconds. `moments` ascend.

    Lindley's recursion (The theory of queues with a single server, 1952). A server that has nothing to do goes to
    sleep: before it serves the request that wakes it, `wake_s` go by (an exceptional first service: Welch, On a
    generalized M/G/1 queuing process, 1964).
    """
    found = []
    free = -math.inf
    for moment, service in zip(moments, services, strict=True):
        free = moment + wake_s + service if moment >= free else free + service
        found.append(free - moment)
    return found


def alone_and_queued(due: Sequence[float], latencies: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return what requests say of a server, in seconds: the latencies of some, and how long it was at the others.

    The former found it idle: the client's lateness, the way there and back and whatever has to wake up are in them. The
    latter waited for the one before them: the time since that was answered is the server's work alone. `due` is when
    each should have left; requests are answered in the order in which they were due.

    A request that was due shortly before the answer to the last one arrived may have found either: the work ended a way
    back earlier, and the request came a way there later. So one counts as having waited if it was due in the first half
    of the time that the one before it took, and nothing is told of those between.
    """
    alone: list[float] = []
    queued: list[float] = []
    free, surely_busy = -math.inf, -math.inf
    for moment, latency in sorted(zip(due, latencies, strict=True)):
        answered = moment + latency
        took = min(latency, answered - free)
        if moment >= free:
            alone.append(latency)
        elif moment <= surely_busy:
            queued.append(took)
        free, surely_busy = answered, answered - took / 2
    return alone, queued
