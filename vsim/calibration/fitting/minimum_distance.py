"""Minimum distance: the parameters with which a model's statistics come closest to those that were measured.

The distance is the sum of squared differences over their standard deviations. Levenberg's and Marquardt's steps find
the least one (Marquardt, SIAM Journal on Applied Mathematics 11, 1963). The weights needn't be optimal for the
uncertainty to be right: it follows from the covariance of the measured statistics through the estimate's own linear
map (the "sandwich": Newey & McFadden, Handbook of Econometrics IV, 1994, theorem 3.4). Where the model fits worse than
noise explains, it is widened by how much (the Birge ratio: Physical Review 40, 1932).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Minimum", "minimise", "uncertainty"]

Predict = Callable[[Sequence["Floats"]], "Floats"]

_STEP = 0.03
_DAMPINGS = (0.1, 1.0, 10.0)
_MOST_ITERATIONS = 15
_LONGEST_STEP = 1.0
_CLOSE = 1e-2


@dataclass(frozen=True, slots=True)
class Minimum:
    """Where the distance is least, and the derivatives of the statistics by the parameters there (a column each)."""

    at: Floats
    distance: float
    jacobian: Floats


def minimise(predict: Predict, target: Floats, sd: Floats, start: Floats, prior_sd: Floats) -> Minimum:
    """Find the parameters, from `start` on, at which the statistics are closest to `target`.

    `predict` returns a row of statistics for each of the parameter vectors that it is given. `prior_sd` says how far
    from 0 each parameter is expected at most, roughly; infinite for those of which nothing is known beforehand.
    """
    weight = 1 / prior_sd

    def residuals(points: Sequence[Floats]) -> Floats:
        data = (predict(points) - target) / sd
        return np.concatenate([data, np.array([point * weight for point in points])], axis=1)

    at, damping = start, 1e-2
    count = len(start)
    found = residuals([at, *_neighbours(at)])
    here = found[0]
    for _ in range(_MOST_ITERATIONS):
        jacobian = (found[1:] - here).T / _STEP
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ here
        scale = np.diag(np.diag(normal) + 1e-9)
        tried = []
        for factor in _DAMPINGS:
            step = -np.linalg.solve(normal + damping * factor * scale, gradient)
            tried.append(at + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP))
        trial = residuals(tried)
        distances = (trial**2).sum(axis=1)
        best = int(np.argmin(distances))
        gain = float(here @ here - distances[best])
        if gain <= 0:
            damping *= 100
            if damping > 1e6:
                break
            continue
        at, damping = tried[best], max(1e-6, damping * _DAMPINGS[best] / 3)
        found = residuals([at, *_neighbours(at)])
        here = found[0]
        if gain < _CLOSE:
            break
    jacobian = (found[1:] - here).T / _STEP * np.concatenate([sd, np.ones(count)])[:, None]
    return Minimum(at, float(here @ here), jacobian[: len(target)])


def _neighbours(at: Floats) -> list[Floats]:
    return [at + _STEP * unit for unit in np.eye(len(at))]


def uncertainty(minimum: Minimum, covariance: Floats, sd: Floats, prior_sd: Floats) -> Floats:
    """Return the covariance of the parameters at `minimum`, for statistics with this covariance."""
    scaled = minimum.jacobian / sd[:, None]
    normal = scaled.T @ scaled + np.diag(prior_sd**-2.0)
    # The pseudo-inverse gives a parameter that nothing depends on no uncertainty; its prior's stands in below.
    inverse = np.linalg.pinv(normal, rcond=1e-9)
    gain = inverse @ (scaled / sd[:, None]).T
    freedom = max(1, len(sd) - len(minimum.at))
    widened = max(1.0, minimum.distance / freedom)
    found: Floats = widened * (gain @ covariance @ gain.T) + inverse @ np.diag(prior_sd**-2.0) @ inverse
    return found
