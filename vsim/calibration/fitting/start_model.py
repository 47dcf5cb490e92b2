"""The model of a start whose parameters are fitted: what a wave of them is predicted to show.

A start alone takes `alone_s`: it waits, and does `cpu_core_s` of work on up to `parallelism` cores, of which
`section_core_s` are done in a section that one start at a time may be in. With several `rounds`, waiting and computing
come in turns of random length. What varies from start to start is the wait or the work, whichever `carrier` says, by
the factors that were measured alone. While a start waits it may keep `busy` of a core busy (it looks again and again
whether its time has come): that shows in the host's CPU account, and whoever computes shares the cores with it.

The harness asks for the starts of a wave one after another; each takes `launch_core_s` before its clock begins. It asks
in threads of one interpreter, of which one at a time computes: `launched_core_s` of a start are the harness's own, in
`turns` between which whoever waits for the interpreter comes first, the next launch among them.

The random numbers are drawn once and used with all parameters, so that what is predicted is a smooth function of them
(the method of simulated moments: McFadden, Econometrica 57, 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vsim.model.waves import waves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Carrier", "Parameters", "Predictor"]

Carrier = Literal["wait", "work"]
_STARTS = 400


@dataclass(frozen=True, slots=True)
class Parameters:
    """One set of parameters; see the module."""

    alone_s: float
    cpu_core_s: float
    section_core_s: float = 0.0
    parallelism: float = 1.0
    busy: float = 0.0
    launched_core_s: float = 0.0

    @property
    def serial_core_s(self) -> float:
        """The work on one core in which one start at a time may be: in the section and in the harness."""
        return self.section_core_s + self.launched_core_s

    @property
    def wait_s(self) -> float:
        """What is left of a start alone when it computes on as many cores as it can use."""
        free = self.cpu_core_s - self.serial_core_s
        return max(0.0, self.alone_s - self.serial_core_s - free / self.parallelism)


@dataclass(frozen=True, slots=True)
class _Draws:
    """What is random in the waves of one level: arrays (waves, starts) and (waves, starts, rounds)."""

    factor: Floats
    waiting: Floats
    computing: Floats


class Predictor:
    """Predicts waves of starts on `cores` cores, of each concurrency that it is asked for.

    `factors` are the equally likely factors, of mean 1, by which what a start alone takes varies.
    """

    def __init__(
        self,
        cores: float,
        factors: Floats,
        *,
        carrier: Carrier = "wait",
        rounds: int = 1,
        section: bool = False,
        turns: int = 0,
        launch_core_s: float = 0.0,
        starts: int = _STARTS,
        seed: int = 1,
    ) -> None:
        self.cores, self.carrier, self.section, self.turns = cores, carrier, section, turns
        self.launch_core_s = launch_core_s
        self.starts = starts
        self._factors = np.sort(factors)
        self._rounds, self._seed = rounds, seed
        self._draws: dict[int, _Draws] = {}

    def predict(self, concurrency: int, sets: Sequence[Parameters]) -> tuple[Floats, Floats, Floats]:
        """Return, a row for each of `sets`: what starts take (waves, starts), waves take, and the CPU account shows.

        The account is core-seconds for each start of a wave, without what launching it took.
        """
        draws = self._drawn(concurrency)
        count, many = len(sets), len(draws.factor)
        wait, work, cap, sections = self._parts(draws, sets, concurrency)
        if concurrency == 1:
            return self._alone(wait, work, cap, sets)
        busy = np.repeat([each.busy for each in sets], many)
        found = waves(
            wait, work, cap, sections, self.cores, mark=1, apart=range(self.turns + 1), one_by_one=True, busy=busy
        )
        taken = (found.done_s - found.first_s).reshape(count, many, concurrency)
        ends = found.done_s.max(axis=1).reshape(count, many)
        burnt = found.busy_core_s.reshape(count, many) / concurrency
        done = work[:, :, 1:].sum(axis=(1, 2)).reshape(count, many) / concurrency
        return taken, ends, done + burnt

    def _alone(
        self, wait: Floats, work: Floats, cap: Floats, sets: Sequence[Parameters]
    ) -> tuple[Floats, Floats, Floats]:
        """Return the same for one start at a time: there is nobody to wait for."""
        count = len(sets)
        taken = (wait + work / np.minimum(cap, self.cores)[:, None, :]).sum(axis=2).reshape(count, -1, 1)
        burnt = np.array([each.busy for each in sets])[:, None] * wait.sum(axis=(1, 2)).reshape(count, -1)
        return taken, taken[:, :, 0], work.sum(axis=(1, 2)).reshape(count, -1) + burnt

    def _drawn(self, concurrency: int) -> _Draws:
        if concurrency not in self._draws:
            rng = np.random.default_rng([self._seed, concurrency])
            count = max(16, -(-self.starts // concurrency))
            shape = (count, concurrency)
            # One from each of as many equal parts of the distribution: less noise than independent draws.
            order = rng.permutation(count * concurrency)
            place = (order + rng.random(count * concurrency)) / (count * concurrency)
            n = len(self._factors)
            factor = np.interp(place, (np.arange(n) + 0.5) / n, self._factors).reshape(shape)
            self._draws[concurrency] = _Draws(factor, _cuts(rng, shape, self._rounds), _cuts(rng, shape, self._rounds))
        return self._draws[concurrency]

    def _parts(
        self, draws: _Draws, sets: Sequence[Parameters], concurrency: int
    ) -> tuple[Floats, Floats, Floats, tuple[int, ...]]:
        waits, works, caps = [], [], []
        for each in sets:
            total = each.alone_s * draws.factor
            free = each.cpu_core_s - each.serial_core_s
            if self.carrier == "wait":
                wait = np.maximum(0.0, total - each.serial_core_s - free / each.parallelism)
                work = np.full_like(total, free)
            else:
                wait = np.full_like(total, each.wait_s)
                work = np.maximum(0.0, (total - each.serial_core_s - each.wait_s) * each.parallelism)
            waits.append(wait[:, :, None] * draws.waiting)
            works.append(work[:, :, None] * draws.computing)
            caps.append(np.full((len(total), self._rounds), each.parallelism))
        wait, work, cap = np.concatenate(waits), np.concatenate(works), np.concatenate(caps)
        sections: tuple[int, ...] = (-1,) * self._rounds
        if self.section:
            inside = np.concatenate([np.full(draws.factor.shape, each.section_core_s) for each in sets])
            wait, work, cap = _before(wait, work, cap, inside)
            sections = (1, *sections)
        if self.turns:
            own = np.concatenate([np.full(draws.factor.shape, each.launched_core_s / self.turns) for each in sets])
            for _ in range(self.turns):
                wait, work, cap = _before(wait, work, cap, own)
            sections = (*(0,) * self.turns, *sections)
        if concurrency > 1:
            wait, work, cap = _before(wait, work, cap, np.full(wait.shape[:2], self.launch_core_s))
            sections = (0, *sections)
        return wait, work, cap, sections


def _before(wait: Floats, work: Floats, cap: Floats, first: Floats) -> tuple[Floats, Floats, Floats]:
    """Put a part of work for one core before the others."""
    nothing = np.zeros((*first.shape, 1))
    one = np.ones((len(cap), 1))
    return (
        np.concatenate([nothing, wait], axis=2),
        np.concatenate([first[:, :, None], work], axis=2),
        np.concatenate([one, cap], axis=1),
    )


def _cuts(rng: np.random.Generator, shape: tuple[int, int], rounds: int) -> Floats:
    """Return the lengths of `rounds` parts of 1 for each start, cut at random points as the engine cuts them."""
    points = np.sort(rng.random((*shape, rounds - 1)), axis=2)
    zero, one = np.zeros((*shape, 1)), np.ones((*shape, 1))
    return np.diff(np.concatenate([zero, points, one], axis=2), axis=2)
