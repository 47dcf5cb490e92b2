"""Fitting the model of a start to what was measured at some concurrencies.

Which parts the model has is chosen by evidence. It starts from waiting and computing on one core; a serialised section,
work on several cores, busy waiting, work of the harness itself, turns of waiting and computing, and what
it is that varies are added one after another as long as the distance falls by more than a parameter's worth (Akaike's
criterion). Models that fit about as well stay in the run: each counts with its Akaike weight (Burnham & Anderson, Model
Selection and Multimodel Inference, 2002, 2.9), the intervals are those of all of them together, and the one that is
taken is the one whose prediction at higher concurrencies is nearest to the prediction of all.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vsim.calibration.fitting.minimum_distance import minimise, uncertainty
from vsim.calibration.fitting.moments import Level, observed, predicted
from vsim.calibration.fitting.resampling import covariance, resampled
from vsim.calibration.fitting.start_model import Carrier, Parameters, Predictor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["StartFit", "Structure", "fit_starts"]

_CARRIERS: tuple[Carrier, ...] = ("wait", "work")
_OPTIONS = ("busy", "parallel", "section", "turns")
# In how many turns the harness does its own work for a start, where it has any.
_TURNS = (1, 2, 4)
# Launching the largest wave takes at least this part of what a start alone does where the harness is looked for.
_NOTICED = 0.1
# The price of a parameter, in squared standard deviations.
_PARAMETER = 2.0
# A logit of 3 is 0.95: parts of a whole beyond that are as good as the whole.
_LOGIT = 3.0
_DRAWS = 600
# By how much a rung's account must fall from the lowest concurrency to the highest to be looked into.
_LESS = 1.02
# Models with a weight below this part of the best one's are not considered any further.
_NEGLIGIBLE = 0.02
# At these multiples of the highest concurrency measured the models' predictions are compared.
_BEYOND = (2, 4)


@dataclass(frozen=True, slots=True)
class Structure:
    """Which parts a model of a start has, and what varies from start to start."""

    carrier: Carrier = "wait"
    rounds: int = 1
    busy: bool = False
    parallel: bool = False
    section: bool = False
    turns: int = 0


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A structure at its best parameters, with their uncertainty."""

    structure: Structure
    coding: _Coding
    at: Floats
    covariance: Floats
    score: float
    predictor: Predictor

    @property
    def parameters(self) -> Parameters:
        return self.coding.decode(self.at)


@dataclass(frozen=True, slots=True)
class StartFit:
    """The fitted model of a rung's start.

    `draws` are equally likely parameters: what is known of them. `weights` are those of all structures considered.
    `misfit` is the distance over its degrees of freedom: about 1 where noise explains all.
    """

    structure: Structure
    parameters: Parameters
    draws: tuple[Parameters, ...]
    weights: tuple[tuple[Structure, float], ...]
    misfit: float
    n: int

    def interval(self, of: str) -> tuple[float, float]:
        """Return the 95 % interval of a parameter (or property) by its name."""
        low, high = np.quantile([getattr(draw, of) for draw in self.draws], [0.025, 0.975])
        return float(low), float(high)


class _Coding:
    """Parameters as a vector of unbounded numbers of about the same scale."""

    def __init__(self, structure: Structure, cores: float) -> None:
        self._structure = structure
        self._parallel = structure.parallel and cores > 1
        self._most = cores
        self.names = ["alone", "work", *(name for name in _OPTIONS if getattr(structure, name))]
        self.prior_sd = np.array([math.inf, 2 * _LOGIT, *(_LOGIT for _ in self.names[2:])])

    def start(self, alone_s: float, work: float) -> Floats:
        share = min(0.95, max(0.05, work / alone_s))
        rest = (0.0 if name == "parallel" else -1.0 for name in self.names[2:])
        return np.array([math.log(alone_s), math.log(share / (1 - share)), *rest])

    def decode(self, at: Floats) -> Parameters:
        given = dict(zip(self.names, at.tolist(), strict=True))
        alone = math.exp(given["alone"])
        parallelism = 1 + (self._most - 1) * _logistic(given["parallel"]) if self._parallel else 1.0
        part = _logistic(given["section"]) if "section" in given else 0.0
        launched = _logistic(given["turns"]) * (1 - part) if "turns" in given else 0.0
        # one start at a time, and the rest on `parallelism` cores, can't take longer than the whole
        most = alone / (part + launched + (1 - part - launched) / parallelism)
        work = most * _logistic(given["work"])
        busy = _logistic(given["busy"]) if "busy" in given else 0.0
        return Parameters(alone, work, part * work, parallelism, busy, launched * work)


def _with(structure: Structure, option: str) -> list[Structure]:
    values = _TURNS if option == "turns" else (True,)
    changes: list[dict[str, Any]] = [{option: value} for value in values]
    return [dataclasses.replace(structure, **changed) for changed in changes]


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, x))))


def fit_starts(
    levels: Sequence[Level],
    cores: float,
    *,
    launch_core_s: float = 0.0,
    ready_s: float = 0.0,
    rounds: Sequence[int] = (1, 2, 4),
    starts: int = 400,
    seed: int = 1,
) -> StartFit:
    """Fit the starts of one rung. `levels` are of the same blocks, the one with concurrency 1 first.

    `launch_core_s` and `ready_s` are the harness's: see :mod:`vsim.calibration.fitting.start_model` and `moments`. With
    the concurrency 1 alone, work that can use several cores, sections and turns can't be told from other work, and are
    left out.
    """
    return _Search(levels, cores, launch_core_s, ready_s, tuple(rounds), starts, seed).run()


class _Search:
    def __init__(
        self,
        levels: Sequence[Level],
        cores: float,
        launch_core_s: float,
        ready_s: float,
        rounds: tuple[int, ...],
        starts: int,
        seed: int,
    ) -> None:
        self.levels, self.cores = levels, cores
        self.launch_core_s, self.ready_s = launch_core_s, ready_s
        self.starts, self.seed, self.rounds = starts, seed, rounds
        self.blocks = len(levels[0].startup_s.values)
        moments, tables = observed(levels)
        self.target, many = resampled(tables, seed)
        n = len(levels[0].startup_s)
        # what is simulated is a sample as well
        self.covariance = covariance(many, self.blocks) * (1 + n / starts)
        self.sd = np.sqrt(np.diag(self.covariance) + moments.coarse**2)
        alone = levels[0].startup_s.flat
        self.alone_s, self.factors = float(alone.mean()), alone / alone.mean()
        account = levels[-1].account_core_s
        self.work = 0.5 * self.alone_s if account is None else 0.9 * float(account.flat.mean())
        self.predictors: dict[tuple[str, int, bool, int], Predictor] = {}
        self.tried: dict[Structure, _Candidate] = {}

    def run(self) -> StartFit:
        several = len(self.levels) > 1
        best = min((self._try(Structure(carrier)) for carrier in _CARRIERS), key=lambda c: c.score)
        options = [name for name in _OPTIONS if self._makes_sense(name)]
        improved = several
        while improved:
            found = [self._try(one, best) for name in options for one in _with(best.structure, name)]
            better = min(found, key=lambda c: c.score, default=best)
            improved = better.score < best.score
            best = better if improved else best
            options = [name for name in options if not getattr(best.structure, name)]
        if several:
            for count in self.rounds:
                for carrier in _CARRIERS:
                    self._try(dataclasses.replace(best.structure, rounds=count, carrier=carrier), best)
        return self._chosen()

    def _makes_sense(self, option: str) -> bool:
        if option == "parallel":
            return self.cores > 1
        if option == "turns":
            return self.launch_core_s * self.levels[-1].concurrency > _NOTICED * self.alone_s
        if option == "busy":
            # Who waits busily gets less of the cores, the more others want them: so the account falls.
            first, last = self.levels[0].account_core_s, self.levels[-1].account_core_s
            return first is not None and last is not None and first.flat.mean() > _LESS * last.flat.mean()
        return True

    def _try(self, structure: Structure, from_: _Candidate | None = None) -> _Candidate:
        if structure in self.tried:
            return self.tried[structure]
        coding = _Coding(structure, self.cores)
        starts = [coding.start(self.alone_s, self.work)]
        if from_ is not None:
            known = dict(zip(from_.coding.names, from_.at.tolist(), strict=True))
            # What the account says of the work is a good place to begin; without it, the distance may have two dips.
            starts = starts if self.levels[0].account_core_s is None else []
            begin = coding.start(self.alone_s, self.work).tolist()
            pairs = zip(coding.names, begin, strict=True)
            starts.append(np.array([known.get(name, value) for name, value in pairs]))
        predictor = self._predictor(structure)

        def predict(points: Sequence[Floats]) -> Floats:
            return predicted(self.levels, predictor, [coding.decode(point) for point in points], self.ready_s)

        ends = (minimise(predict, self.target, self.sd, start, coding.prior_sd) for start in starts)
        found = min(ends, key=lambda end: end.distance)
        known_to = uncertainty(found, self.covariance, self.sd, coding.prior_sd)
        score = found.distance + _PARAMETER * len(found.at)
        candidate = _Candidate(structure, coding, found.at, known_to, score, predictor)
        self.tried[structure] = candidate
        return candidate

    def _predictor(self, structure: Structure) -> Predictor:
        key = (structure.carrier, structure.rounds, structure.section, structure.turns)
        if key not in self.predictors:
            self.predictors[key] = Predictor(
                self.cores,
                self.factors,
                carrier=structure.carrier,
                rounds=structure.rounds,
                section=structure.section,
                turns=structure.turns,
                launch_core_s=self.launch_core_s,
                starts=self.starts,
                seed=self.seed,
            )
        return self.predictors[key]

    def _chosen(self) -> StartFit:
        least = min(candidate.score for candidate in self.tried.values())
        weighed = [(c, math.exp((least - c.score) / 2)) for c in self.tried.values()]
        weighed = [(c, weight) for c, weight in weighed if weight >= _NEGLIGIBLE]
        total = sum(weight for _, weight in weighed)
        weighed = [(c, weight / total) for c, weight in weighed]
        best = self._central(weighed)
        freedom = max(1, len(self.target) - len(best.at))
        return StartFit(
            best.structure,
            best.parameters,
            tuple(self._draws(weighed)),
            tuple((c.structure, weight) for c, weight in sorted(weighed, key=lambda pair: -pair[1])),
            (best.score - _PARAMETER * len(best.at)) / freedom,
            sum(len(level.startup_s) for level in self.levels),
        )

    def _central(self, weighed: Sequence[tuple[_Candidate, float]]) -> _Candidate:
        """Return the model whose prediction beyond what was measured is nearest to that of all by their weights."""
        if len(weighed) == 1:
            return weighed[0][0]
        highest = max(level.concurrency for level in self.levels)
        rows = []
        for candidate, _ in weighed:
            row: list[float] = []
            for times in _BEYOND:
                taken, ends, _ = candidate.predictor.predict(highest * times, [candidate.parameters])
                row += [*np.log(np.quantile(taken, [0.5, 0.95])), float(-np.log(ends.mean()))]
            rows.append(row)
        predictions = np.array(rows)
        middle = np.average(predictions, axis=0, weights=[weight for _, weight in weighed])
        return weighed[int(np.argmin(((predictions - middle) ** 2).sum(axis=1)))][0]

    def _draws(self, weighed: Sequence[tuple[_Candidate, float]]) -> list[Parameters]:
        """Draw parameters of each model by its weight, from Student's t: the covariance is itself an estimate."""
        rng = np.random.default_rng([self.seed, 2])
        freedom = self.blocks - 1
        found: list[Parameters] = []
        for candidate, weight in weighed:
            count = max(1, round(weight * _DRAWS))
            # An eigenvalue below 0 is rounding.
            values, vectors = np.linalg.eigh(candidate.covariance)
            normal = rng.standard_normal((count, len(values))) * np.sqrt(np.maximum(values, 0.0))
            wider = np.sqrt(freedom / rng.chisquare(freedom, (count, 1)))
            points = candidate.at + (normal @ vectors.T) * wider
            found += [candidate.coding.decode(point) for point in points]
        return found
