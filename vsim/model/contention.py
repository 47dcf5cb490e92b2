"""Starts that compete for one machine: when each of a wave is done, exactly and without a simulation kernel.

Every start goes through its phases in order. A phase with a section first waits, first come first served, until nobody
else is in it; then it alternates between waiting and computing, part by part. Who computes shares the cores equally and
has at most `cap` of them (processor sharing), as in :class:`vsim.engine.capacity.SharedCapacity`. Who waits busily has
its share as well, at most `busy` cores, and is done when its time is over, whatever it got.

Fitting needs thousands of waves for each parameter that it tries; this takes some tens of microseconds for each start.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Phase", "Wave", "wave"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One stage of one start: its parts, each seconds of waiting and then core-seconds of computing on `cap` cores.

    While it waits it keeps `busy` cores busy, if it gets them.
    """

    parts: tuple[tuple[float, float], ...]
    section: str | None = None
    cap: float = 1.0
    busy: float = 0.0


@dataclass(frozen=True, slots=True)
class Wave:
    """When each start had gone through its first phase and when it was done, in seconds.

    `busy_core_s` are the core-seconds that went into busy waiting.
    """

    first_s: list[float]
    done_s: list[float]
    busy_core_s: float


def wave(starts: Sequence[Sequence[Phase]], cores: float, *, one_by_one: bool = False) -> Wave:
    """Let all of `starts` be asked for at the moment 0, and go through their phases on `cores` cores.

    With `one_by_one` whoever asks for them is one himself: a start comes to its first phase when the one before has
    ended that phase, and after what that one does next.

    Raises ValueError for a machine without cores.
    """
    if cores <= 0:
        raise ValueError(f"a machine with {cores} cores gets nothing done")
    return _Wave(starts, cores, one_by_one).run()


class _Wave:
    """The state of a wave; `computing` maps a start to what is left of its work and to its cap, `busy` to its cap."""

    def __init__(self, starts: Sequence[Sequence[Phase]], cores: float, one_by_one: bool) -> None:
        self.cores, self.one_by_one = cores, one_by_one
        self.now = 0.0
        self.spun = 0.0
        self.computing: dict[int, list[float]] = {}
        self.busy: dict[int, float] = {}
        self.waiting: list[tuple[float, int]] = []
        self.sections: dict[str, deque[int]] = {}
        self.first = [0.0] * len(starts)
        self.done = [math.nan] * len(starts)
        self.starts = starts
        # of each start: its phase, the part within it, and 1 if the part's wait is over
        self.at = [[0, 0, 0] for _ in starts]

    def run(self) -> Wave:
        for start in range(min(1, len(self.starts)) if self.one_by_one else len(self.starts)):
            self._enter(start)
        while self.computing or self.waiting:
            rates = self._rates()
            span, start = math.inf, -1
            for each, (left, _) in self.computing.items():
                if left < span * rates[each]:
                    span, start = left / rates[each], each
            if self.waiting and self.waiting[0][0] - self.now < span:
                until, start = heapq.heappop(self.waiting)
                self._pass(until - self.now, rates)
                self.now = until
                self.busy.pop(start, None)
            else:
                self._pass(span, rates)
                self.now += span
                del self.computing[start]
            self._go_on(start)
        return Wave(self.first, self.done, self.spun)

    def _rates(self) -> dict[int, float]:
        """Return how many cores each start has that computes or waits busily: equal shares, none above its cap."""
        rates: dict[int, float] = {}
        caps = {**{start: cap for start, (_, cap) in self.computing.items()}, **self.busy}
        left, count = self.cores, len(caps)
        for start, cap in sorted(caps.items(), key=lambda item: item[1]):
            rates[start] = min(cap, left / count)
            left -= rates[start]
            count -= 1
        return rates

    def _pass(self, span: float, rates: dict[int, float]) -> None:
        for start, rate in rates.items():
            if start in self.busy:
                self.spun += span * rate
            else:
                self.computing[start][0] -= span * rate

    def _enter(self, start: int) -> None:
        """Begin the phase that `start` has come to, or wait for its section, or be done."""
        phases, at = self.starts[start], self.at[start]
        if at[0] == 1:
            self.first[start] = self.now
        if at[0] == len(phases):
            self.done[start] = self.now
            return
        section = phases[at[0]].section
        if section is not None:
            queue = self.sections.setdefault(section, deque())
            queue.append(start)
            if queue[0] != start:
                return
        self._go_on(start)

    def _go_on(self, start: int) -> None:
        """Do what comes next in the phase: wait, compute, and again; at its end let the next one in."""
        at = self.at[start]
        phase = self.starts[start][at[0]]
        while at[1] < len(phase.parts):
            wait_s, cpu_core_s = phase.parts[at[1]]
            if at[2] == 0:
                at[2] = 1
                if wait_s:
                    heapq.heappush(self.waiting, (self.now + wait_s, start))
                    if phase.busy:
                        self.busy[start] = phase.busy
                    return
            at[1], at[2] = at[1] + 1, 0
            if cpu_core_s:
                self.computing[start] = [cpu_core_s, phase.cap]
                return
        at[0], at[1], at[2] = at[0] + 1, 0, 0
        asked = self.one_by_one and at[0] == 1 and start + 1 < len(self.starts)
        if phase.section is not None:
            queue = self.sections[phase.section]
            queue.popleft()
            # Looked up first: who leaves may come back to the same section at once, behind it.
            following = queue[0] if queue else None
            self._enter(start)
            if asked:
                self._enter(start + 1)
            if following is not None:
                self._go_on(following)
        else:
            self._enter(start)
            if asked:
                self._enter(start + 1)
