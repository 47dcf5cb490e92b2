"""The family of distributions by which single occurrences vary, chosen by evidence.

Families with one parameter or none are fitted by the moments of the factors (mean 1, the measured coefficient of
variation). The one that gives blocks that it hasn't seen the highest likelihood is taken, if what was measured is no
further from it than samples of its own are (Kolmogorov and Smirnov's distance, its distribution by parametric
bootstrap); otherwise the measured factors themselves are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsim.model.quantity import Distribution, Family

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["choose", "gamma_cdf"]

# Below this the occurrences are as good as equal.
_EQUAL = 1e-4
# With fewer values no family can be told from another; a lognormal says no more than their spread.
_LEAST = 10
_SIGNIFICANT = 0.05
_BOOTSTRAP = 200
# So many factors of equal weight stand for an empirical distribution.
_FACTORS = 64


def choose(blocks: Sequence[Sequence[float]], seed: int = 1) -> tuple[Distribution | None, str]:
    """Return the distribution of the values in `blocks` around their mean, and why this one; None when all are equal.

    Values are zero or more.
    """
    values = np.concatenate([np.asarray(block, dtype=float) for block in blocks])
    if values.mean() <= 0:
        return None, "all values are 0"
    cv = _cv(values / values.mean())
    if cv < _EQUAL:
        return None, "all values are equal"
    if len(values) < _LEAST:
        return Distribution("lognormal", round(cv, 4)), f"{len(values)} values don't tell a family: their spread only"
    if values.min() <= 0:
        return _empirical(values), "some values are 0, which no family has"
    likelihoods = {family: _held_out(blocks, family) for family in _FAMILIES}
    for family in sorted(likelihoods, key=lambda name: -likelihoods[name]):
        chance = _chance(values / values.mean(), family, np.random.default_rng(seed))
        if chance >= _SIGNIFICANT:
            given = 1.0 if family == "exponential" else round(cv, 4)
            return Distribution(family, given), f"likeliest for blocks left out; Kolmogorov-Smirnov p = {chance:.2f}"
    return _empirical(values), "no family fits (Kolmogorov-Smirnov, 5 %)"


def _cv(factors: Floats) -> float:
    return float(factors.std(ddof=1) / factors.mean()) if len(factors) > 1 else 0.0


def _empirical(values: Floats) -> Distribution:
    if len(values) > _FACTORS:
        values = np.quantile(values, (np.arange(_FACTORS) + 0.5) / _FACTORS)
    factors = np.round(np.sort(values) / values.mean(), 6)
    # Rounding must not move the mean: the largest takes the rest.
    factors[-1] += len(factors) - factors.sum()
    return Distribution("empirical", relative=tuple(float(x) for x in np.round(factors, 6)))


# -- the families, of factors with mean 1: logarithm of the density, distribution function, draws ----------------------


def _lognormal_density(x: Floats, cv: float) -> Floats:
    variance = math.log1p(cv * cv)
    found: Floats = -((np.log(x) + variance / 2) ** 2) / (2 * variance) - np.log(x * math.sqrt(2 * math.pi * variance))
    return found


def _lognormal_cdf(x: Floats, cv: Floats) -> Floats:
    sigma = np.sqrt(np.log1p(cv * cv))
    return _normal((np.log(x) + sigma * sigma / 2) / sigma)


def _normal(z: Floats) -> Floats:
    """Return the normal distribution function, to 7.5e-8 (Abramowitz & Stegun 26.2.17)."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * series
    return np.where(z > 0, 1 - tail, tail)


def _gamma_density(x: Floats, cv: float) -> Floats:
    shape = 1 / (cv * cv)
    found: Floats = shape * math.log(shape) - math.lgamma(shape) + (shape - 1) * np.log(x) - shape * x
    return found


def gamma_cdf(x: Floats, cv: Floats) -> Floats:
    """Return the distribution function of gamma factors with mean 1, by Wilson and Hilferty's cube root.

    Within 0.005 for a coefficient of variation up to 0.5, within 0.011 at 1 (PNAS 17, 1931). What it is wrong by
    doesn't bias the test: samples of the family itself are judged by the same function.
    """
    ninth = cv * cv / 9
    return _normal((np.cbrt(x) - (1 - ninth)) / np.sqrt(ninth))


def _exponential_density(x: Floats, cv: float) -> Floats:
    return -x


def _exponential_cdf(x: Floats, cv: Floats) -> Floats:
    found: Floats = -np.expm1(-x)
    return found


_Density = Callable[["Floats", float], "Floats"]
_Cdf = Callable[["Floats", "Floats"], "Floats"]
_Draw = Callable[[np.random.Generator, float, tuple[int, int]], "Floats"]


def _draw_lognormal(rng: np.random.Generator, cv: float, size: tuple[int, int]) -> Floats:
    variance = math.log1p(cv * cv)
    return rng.lognormal(-variance / 2, math.sqrt(variance), size)


def _draw_gamma(rng: np.random.Generator, cv: float, size: tuple[int, int]) -> Floats:
    return rng.gamma(1 / (cv * cv), cv * cv, size)


def _draw_exponential(rng: np.random.Generator, cv: float, size: tuple[int, int]) -> Floats:
    return rng.exponential(1.0, size)


_FAMILIES: Mapping[Family, tuple[_Density, _Cdf, _Draw]] = {
    "lognormal": (_lognormal_density, _lognormal_cdf, _draw_lognormal),
    "gamma": (_gamma_density, gamma_cdf, _draw_gamma),
    "exponential": (_exponential_density, _exponential_cdf, _draw_exponential),
}


def _held_out(blocks: Sequence[Sequence[float]], family: Family) -> float:
    """Return the log likelihood of each block with what the others say, added up."""
    density = _FAMILIES[family][0]
    arrays = [np.asarray(block, dtype=float) for block in blocks]
    if len(arrays) < 2:
        halves = np.array_split(arrays[0], 2)
        arrays = [half for half in halves if len(half)]
    total = 0.0
    for index, left in enumerate(arrays):
        rest = np.concatenate([array for other, array in enumerate(arrays) if other != index])
        middle = rest.mean()
        cv = max(_EQUAL, _cv(rest / middle))
        total += float((density(left / middle, cv) - math.log(middle)).sum())
    return total


def _chance(factors: Floats, family: Family, rng: np.random.Generator) -> float:
    """Return how often samples of the family itself are as far from their own fit as `factors` are from theirs."""
    _, cdf, draw = _FAMILIES[family]
    n = len(factors)
    drawn = draw(rng, _cv(factors), (_BOOTSTRAP, n))
    rows = np.concatenate([factors[None, :], drawn])
    rows = np.sort(rows / rows.mean(axis=1, keepdims=True), axis=1)
    cv = rows.std(axis=1, ddof=1, keepdims=True)
    below = cdf(np.maximum(rows, 1e-300), cv)
    steps = np.arange(n) / n
    distance = np.maximum(below - steps, steps + 1 / n - below).max(axis=1)
    return float((1 + (distance[1:] >= distance[0]).sum()) / (_BOOTSTRAP + 1))
