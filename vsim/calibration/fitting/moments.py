"""The statistics by which starts are fitted, of what was measured and of what a model predicts.

For each concurrency: median and 95th percentile of what a start takes, how many a wave starts per second, what the
CPU account shows for each, and how far apart the starts of a wave are done, in parts of their mean. The first tell how
work, waiting and contention add up; the last tells work in turns from work at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vsim.calibration.fitting.resampling import Statistic, Table, mean, quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vsim.calibration.fitting.start_model import Parameters, Predictor

    Floats = NDArray[np.float64]

__all__ = ["Level", "Moments", "observed", "predicted"]

_QUANTILES = (0.5, 0.95)
# What a model of this kind is off by at best, as a part of each statistic: none is trusted further than that.
_COARSE = {"median": 0.02, "p95": 0.05, "rate": 0.02, "account": 0.04, "spread": 0.05}
# An account below this part of what a start takes is read as this: its logarithm would be all noise.
_LEAST_ACCOUNT = 1e-3


@dataclass(frozen=True, slots=True)
class Level:
    """What was measured at one concurrency: tables by block, in seconds, 1/s, and core-seconds for each start.

    `spread` is that of each wave; None at a concurrency of 1. `account` is None where the host has no exact one.
    """

    concurrency: int
    startup_s: Table
    starts_per_s: Table
    account_core_s: Table | None
    spread: Table | None


@dataclass(frozen=True, slots=True)
class Moments:
    """The names of the statistics, in order, and how much of each a model is allowed to be off."""

    names: tuple[str, ...]
    coarse: Floats


def _log(statistic: Statistic, least: float = 0.0) -> Statistic:
    def logarithm(rows: Floats, ragged: bool) -> Floats:
        found: Floats = np.log(np.maximum(statistic(rows, ragged), least))
        return found

    return logarithm


def observed(levels: Sequence[Level]) -> tuple[Moments, list[tuple[Table, Statistic]]]:
    """Return which statistics there are, and the table and function that give each."""
    names: list[str] = []
    found: list[tuple[Table, Statistic]] = []
    for level in levels:
        names += ["median", "p95"]
        found.append((level.startup_s, _log(quantiles(*_QUANTILES))))
        names.append("rate")
        found.append((level.starts_per_s, _log(mean)))
        if level.account_core_s is not None:
            names.append("account")
            least = _LEAST_ACCOUNT * float(np.median(level.startup_s.flat))
            found.append((level.account_core_s, _log(mean, least)))
        if level.spread is not None:
            names.append("spread")
            found.append((level.spread, mean))
    return Moments(tuple(names), np.array([_COARSE[name] for name in names])), found


def predicted(
    levels: Sequence[Level], predictor: Predictor, sets: Sequence[Parameters], ready_s: float = 0.0
) -> Floats:
    """Return the same statistics as a model predicts them, a row for each of `sets`.

    `ready_s` is what passes from a start's first instruction to the harness knowing that it is ready.
    """
    columns: list[Floats] = []
    for level in levels:
        taken, ends, account = predictor.predict(level.concurrency, sets)
        columns.append(np.log(np.quantile(taken.reshape(len(sets), -1), _QUANTILES, axis=1)).T)
        columns.append(np.log((level.concurrency / (ends + ready_s)).mean(axis=1, keepdims=True)))
        if level.account_core_s is not None:
            least = _LEAST_ACCOUNT * float(np.median(level.startup_s.flat))
            columns.append(np.log(np.maximum(account.mean(axis=1, keepdims=True), least)))
        if level.spread is not None:
            apart = (taken.max(axis=2) - taken.min(axis=2)) / taken.mean(axis=2)
            columns.append(apart.mean(axis=1, keepdims=True))
    return np.concatenate(columns, axis=1)
