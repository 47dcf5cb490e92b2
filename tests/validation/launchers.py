"""Launchers that start one guest after another, on cores with run queues of their own.

A second simulator beside the engine, and independent of it, for what the engine leaves out: every core has its own
run queue, as in Linux, so that with ten starts on four cores some have a third of a core and some all of one. With
`queues="shared"` it is the engine's processor sharing, and a test holds one against the other.

The rules for queues of their own are a caricature of the Completely Fair Scheduler: who begins or wakes up goes to an
idle core if there is one (the core of before, first of all); if there is none, a new process is put on any core with
equal chances, and who wakes up stays where it was; a core that runs out of work pulls somebody from the longest queue,
and now and then every core does so as long as that queue has two more than its own. Within a queue everybody gets the
same share.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

__all__ = ["Busy", "Compute", "Floats", "Part", "Sleep", "launch"]

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Compute:
    """Core-seconds on one core; with `section`, nobody else is in the section of that name meanwhile."""

    core_s: float
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Sleep:
    """Seconds without a core."""

    s: float


@dataclass(frozen=True, slots=True)
class Busy:
    """Seconds that pass whether or not there is a core and take a share of one if there is: a loop that polls."""

    s: float


Part = Compute | Sleep | Busy
_TIMER, _BALANCE = -1, -2


@dataclass(slots=True)
class _Queue:
    """Who runs on `width` cores in equal shares: a heap of the virtual times at which each is done."""

    width: float = 1.0
    tags: list[tuple[float, int]] = field(default_factory=list)
    virtual: float = 0.0
    changed: float = 0.0
    version: int = 0

    def _rate(self) -> float:
        return min(1.0, self.width / len(self.tags))

    def pass_to(self, now: float) -> None:
        if self.tags:
            self.virtual += (now - self.changed) * self._rate()
        self.changed = now

    def next_done(self) -> float:
        """When the first is done if nothing changes; infinite if nobody ever is."""
        if not self.tags:
            return math.inf
        return self.changed + max(self.tags[0][0] - self.virtual, 0.0) / self._rate()

    def put(self, launcher: int, work: float) -> None:
        heapq.heappush(self.tags, (self.virtual + work, launcher))

    def take(self, launcher: int) -> float:
        """Remove `launcher` and return what is left of its work."""
        if self.tags[0][1] == launcher:
            return heapq.heappop(self.tags)[0] - self.virtual
        place = next(i for i, (_, other) in enumerate(self.tags) if other == launcher)
        tag, _ = self.tags.pop(place)
        heapq.heapify(self.tags)
        return tag - self.virtual


class _Launchers:
    """State of one run. A launcher's `core` is the queue that it is in, or ``-2 - the queue of before``, or -1."""

    def __init__(
        self,
        draw: Callable[[], Sequence[Part]],
        n: int,
        queues: list[_Queue],
        concurrency: int,
        rng: np.random.Generator,
        balance_s: float,
    ) -> None:
        self.draw = draw
        self.n = n
        self.left = n
        self.balance_s = balance_s
        self.rng = rng
        self.queues = queues
        self.lengths = [0] * len(queues)
        self.core = [-1] * concurrency
        self.parts: list[deque[Part]] = [deque() for _ in range(concurrency)]
        self.new = [True] * concurrency
        self.asked = [0.0] * concurrency
        self.sections: dict[str, deque[int]] = {}
        self.total: list[float] = []
        self.now = 0.0
        # (time, order, queue, version of the queue), or (…, _TIMER, launcher), or (…, _BALANCE, queue)
        self.events: list[tuple[float, int, int, int]] = []
        self.order = 0

    def run(self) -> list[float]:
        for launcher in range(len(self.core)):
            self._next_start(launcher)
        if self.balance_s < math.inf:
            for index in range(len(self.queues)):  # not all at once
                self._at(self.balance_s * (index + 1) / len(self.queues), _BALANCE, index)
        while len(self.total) < self.n:
            time, _, queue, key = heapq.heappop(self.events)
            if queue >= 0 and self.queues[queue].version != key:
                continue  # the queue has changed since
            self.now = time
            if queue == _BALANCE:
                self._balance(key)
                continue
            launcher = self.queues[queue].tags[0][1] if queue >= 0 else key
            if self.core[launcher] >= 0:
                self._leave(launcher)
            self._done(launcher)
        return self.total

    def _balance(self, index: int) -> None:
        while max(self.lengths) >= self.lengths[index] + 2:
            self._pull(index)
        self._at(self.now + self.balance_s, _BALANCE, index)

    def _pull(self, index: int) -> None:
        """Move anybody from the longest queue to this one."""
        tags = self.queues[self.lengths.index(max(self.lengths))].tags
        pulled = tags[int(self.rng.integers(len(tags)))][1]
        self._put(pulled, index, self._take(pulled))

    def _at(self, time: float, queue: int, key: int) -> None:
        self.order += 1
        heapq.heappush(self.events, (time, self.order, queue, key))

    def _put(self, launcher: int, index: int, work: float) -> None:
        queue = self.queues[index]
        queue.pass_to(self.now)
        queue.put(launcher, work)
        self.lengths[index] += 1
        self.core[launcher] = index
        self._rearm(index)

    def _take(self, launcher: int) -> float:
        index = self.core[launcher]
        queue = self.queues[index]
        queue.pass_to(self.now)
        left = queue.take(launcher)
        self.lengths[index] -= 1
        self.core[launcher] = -2 - index
        self._rearm(index)
        return left

    def _rearm(self, index: int) -> None:
        queue = self.queues[index]
        queue.version += 1
        time = queue.next_done()
        if time < math.inf:
            self._at(time, index, queue.version)

    def _join(self, launcher: int, work: float) -> None:
        before = -2 - self.core[launcher]
        if before >= 0 and self.lengths[before] == 0:
            index = before
        elif 0 in self.lengths:
            index = self.lengths.index(0)
        elif before < 0 or self.new[launcher]:
            index = int(self.rng.integers(len(self.queues)))
        else:
            index = before
        self._put(launcher, index, work)

    def _leave(self, launcher: int) -> None:
        index = self.core[launcher]
        self._take(launcher)
        if self.lengths[index] == 0 and max(self.lengths) >= 2:
            self._pull(index)

    def _next_start(self, launcher: int) -> None:
        if self.left:
            self.left -= 1
            self.new[launcher] = True
            self.parts[launcher].extend(self.draw())
            self._begin(launcher)

    def _begin(self, launcher: int) -> None:
        part = self.parts[launcher][0]
        if isinstance(part, Compute):
            if part.section is not None:
                inside = self.sections.setdefault(part.section, deque())
                inside.append(launcher)
                if inside[0] != launcher:
                    return
            self._join(launcher, part.core_s)
        else:
            self._at(self.now + part.s, _TIMER, launcher)
            if isinstance(part, Busy):
                self._join(launcher, math.inf)

    def _done(self, launcher: int) -> None:
        part = self.parts[launcher].popleft()
        if isinstance(part, Compute) and part.section is not None:
            inside = self.sections[part.section]
            inside.popleft()
            if inside:
                following = self.parts[inside[0]][0]
                assert isinstance(following, Compute)
                self._join(inside[0], following.core_s)
        if self.new[launcher]:
            self.new[launcher] = False
            self.asked[launcher] = self.now
        if self.parts[launcher]:
            self._begin(launcher)
        else:
            self.total.append(self.now - self.asked[launcher])
            self._next_start(launcher)


def launch(
    draw: Callable[[], Sequence[Part]],
    n: int,
    cores: int,
    concurrency: int,
    *,
    queues: Literal["shared", "own"] = "own",
    balance_s: float = math.inf,
    seed: int = 1,
) -> Floats:
    """Start `n` guests, `concurrency` at a time, on `cores` cores; return how long each took, in seconds, as they end.

    `draw` returns the parts of one start. The first is what the launcher does before the clock of that start runs.
    Every `balance_s` seconds a core looks for a longer queue to pull from.
    """
    lines = [_Queue() for _ in range(cores)] if queues == "own" else [_Queue(float(cores))]
    return np.asarray(_Launchers(draw, n, lines, concurrency, np.random.default_rng(seed), balance_s).run())
