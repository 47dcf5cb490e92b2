"""Many waves of starts at once: what :func:`vsim.model.contention.wave` computes, for arrays of waves.

All starts go through the same parts, with amounts of their own: a part is seconds of waiting and then core-seconds of
computing, within a section or outside. Fitting compares thousands of waves with each set of parameters that it tries;
numpy moves all of them from event to event together, in about a microsecond for each start and event.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Waves", "waves"]

# What a start is doing.
_DONE, _QUEUED, _WAITING, _COMPUTING = range(-1, 2 + 1)
# Events closer than this part of a span are one: sums of floats that should be equal differ in the last places.
_TOGETHER = 1e-12


@dataclass(frozen=True, slots=True)
class Waves:
    """When each start came to the marked part and when it was done, in seconds: arrays (waves, starts).

    `busy_core_s` (waves) are the core-seconds that went into busy waiting.
    """

    first_s: Floats
    done_s: Floats
    busy_core_s: Floats


def waves(
    wait_s: Floats,
    cpu_core_s: Floats,
    cap: Floats,
    sections: Sequence[int],
    cores: float,
    *,
    mark: int = 0,
    apart: Collection[int] = (),
    one_by_one: bool = False,
    busy: Floats | None = None,
) -> Waves:
    """Let the starts of each wave be asked for at the moment 0, and go through their parts on `cores` cores.

    `wait_s` and `cpu_core_s` are arrays (waves, starts, parts); `cap` (waves, parts) is how many cores a start can use
    in a part. `sections` has the number of the section that each part is in, or -1; parts in a row with the same number
    are one stay, unless the first one's place is in `apart`: then a start leaves the section and queues again. A
    section serves one start at a time, first come, first served. With `one_by_one` whoever asks for the starts is one
    himself: a start comes to its first part when the one before has ended that part, and after what that one does next.
    `first_s` is taken when a start begins the part `mark`, or queues for its section. While a start waits it keeps
    `busy` (waves) cores busy: it competes with those that compute, and its time passes whether it gets them or not.

    Raises ValueError for a machine without cores.
    """
    if cores <= 0:
        raise ValueError(f"a machine with {cores} cores gets nothing done")
    return _Waves(wait_s, cpu_core_s, cap, tuple(sections), float(cores), mark, apart, one_by_one, busy).run()


class _Waves:
    """The state of all starts: which part, in which mode, and what is left of its seconds or core-seconds."""

    def __init__(
        self,
        wait_s: Floats,
        cpu_core_s: Floats,
        cap: Floats,
        sections: tuple[int, ...],
        cores: float,
        mark: int,
        apart: Collection[int],
        one_by_one: bool,
        busy: Floats | None,
    ) -> None:
        self.n, self.k, self.parts = wait_s.shape
        # one more part, so that the last one has a next one
        self.wait = np.concatenate([wait_s, np.zeros((self.n, self.k, 1))], axis=2)
        self.work = np.concatenate([cpu_core_s, np.zeros((self.n, self.k, 1))], axis=2)
        self.cap = np.concatenate([cap, np.ones((self.n, 1))], axis=1)
        self.caps_differ = self.parts > 1 and bool((cap != cap[:, :1]).any())
        self.section = np.array([*sections, -1])
        ends = [j in apart or self.section[j] != self.section[j + 1] for j in range(self.parts)]
        self.leaves = np.array([self.section[j] >= 0 and ends[j] for j in range(self.parts)])
        self.enters = np.array([self.section[j] >= 0 and (j == 0 or ends[j - 1]) for j in range(self.parts)] + [False])
        self.numbers = sorted({number for number in sections if number >= 0})
        self.cores, self.mark, self.one_by_one = cores, mark, one_by_one
        self.at = np.zeros((self.n, self.k), dtype=np.int64)
        self.mode = np.full((self.n, self.k), _DONE)
        self.left = np.zeros((self.n, self.k))
        self.ticket = np.zeros((self.n, self.k))
        self.busy = {number: np.zeros(self.n, dtype=bool) for number in self.numbers}
        self.busy_cap = np.zeros(self.n) if busy is None else busy
        self.spins = bool(self.busy_cap.any())
        self.now = np.zeros(self.n)
        self.spun = np.zeros(self.n)
        self.first = np.zeros((self.n, self.k))
        self.done = np.full((self.n, self.k), np.nan)
        self.turn = 0

    def run(self) -> Waves:
        every = np.ones((self.n, self.k), dtype=bool)
        if self.parts == 0:
            return Waves(self.first, np.zeros_like(self.first), self.spun)
        if self.one_by_one:
            every[:, 1:] = False
        self._begin(every)
        self._admit()
        while True:
            waiting, computing = self.mode == _WAITING, self.mode == _COMPUTING
            active = waiting | computing
            if not active.any():
                return Waves(self.first, self.done, self.spun)
            # Without busy waiting, cores are for those that compute only: fewer caps to look after.
            share = self._rates(active if self.spins else computing, waiting)
            rate = np.where(computing, share, 1.0)
            until = np.where(active, self.left / rate, np.inf)
            span = until.min(axis=1)
            over = active & (until <= (span * (1 + _TOGETHER))[:, None])
            span[np.isinf(span)] = 0.0
            if self.spins:
                self.spun += span * (share * waiting).sum(axis=1)
            self.now += span
            self.left -= np.where(active, rate * span[:, None], 0.0)
            self._go_on(over, over & waiting)
            self._admit()

    def _rates(self, competing: NDArray[np.bool_], waiting: NDArray[np.bool_]) -> Floats:
        """Return the cores of each competing start: equal shares, none above its cap."""
        count = competing.sum(axis=1)
        cap = np.take_along_axis(self.cap, self.at, axis=1) if self.caps_differ else self.cap[:, :1]
        if self.spins:
            cap = np.where(waiting, self.busy_cap[:, None], cap)
        share = self.cores / np.maximum(count, 1)
        # What those with a low cap leave over goes to the others; each round settles at least one cap more.
        settled = not self.caps_differ and not self.spins
        while not settled:
            capped = competing & (cap <= share[:, None])
            free = count - capped.sum(axis=1)
            left = self.cores - (cap * capped).sum(axis=1)
            more = np.where(free > 0, left / np.maximum(free, 1), share)
            settled = not (more > share * (1 + _TOGETHER)).any()
            share = np.maximum(more, share)
        rate: Floats = np.minimum(cap, share[:, None])
        return rate

    def _begin(self, who: NDArray[np.bool_]) -> None:
        """Let those who have come to a new part begin it, or queue for its section, or be done."""
        row, column = np.nonzero(who)
        at = self.at[row, column]
        marked = at == self.mark
        self.first[row[marked], column[marked]] = self.now[row[marked]]
        ended = at == self.parts
        self.done[row[ended], column[ended]] = self.now[row[ended]]
        entering = self.enters[at]
        self.turn += 1
        self.ticket[row, column] = self.turn * self.k + column
        self.mode[row, column] = np.where(ended, _DONE, np.where(entering, _QUEUED, _WAITING))
        self.left[row, column] = self.wait[row, column, at]
        # who needn't wait computes at once: one event less
        direct = ~ended & ~entering & (self.left[row, column] == 0)
        self._compute(row[direct], column[direct])

    def _compute(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> None:
        self.mode[row, column] = _COMPUTING
        self.left[row, column] = self.work[row, column, self.at[row, column]]

    def _go_on(self, over: NDArray[np.bool_], waited: NDArray[np.bool_]) -> None:
        """Let those whose wait is over compute, and those who have computed leave their part."""
        self._compute(*np.nonzero(waited))
        # a part without work is over as well
        through = over & (~waited | (self.left == 0))
        row, column = np.nonzero(through)
        at = self.at[row, column]
        leaving = self.leaves[at]
        for number in self.numbers:
            self.busy[number][row[leaving & (self.section[at] == number)]] = False
        self.at[row, column] += 1
        if self.one_by_one:
            asked = through & (self.at == 1)
            through[:, 1:] |= asked[:, :-1]
        self._begin(through)

    def _admit(self) -> None:
        """Let who has waited longest into each section that is free."""
        for number in self.numbers:
            queued = (self.mode == _QUEUED) & (self.section[self.at] == number)
            ready = queued.any(axis=1) & ~self.busy[number]
            if not ready.any():
                continue
            row = np.nonzero(ready)[0]
            column = np.argmin(np.where(queued[row], self.ticket[row], np.inf), axis=1)
            self.busy[number][row] = True
            self.mode[row, column] = _WAITING
            direct = self.left[row, column] == 0
            self._compute(row[direct], column[direct])
