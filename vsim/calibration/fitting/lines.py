"""Slopes of several series of points, and means and ratios of blocks that are paired."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsim.calibration.fitting.resampling import mean_interval
from vsim.model.student import student_t

if TYPE_CHECKING:
    from vsim.calibration.fitting.selection import Block

__all__ = ["difference", "paired_differences", "paired_ratio", "pooled_slope", "slope_and_error"]

Points = Sequence[tuple[float, float]]


def slope_and_error(points: Points) -> tuple[float, float]:
    """Return the slope of the least-squares line through the points, and its standard error."""
    x, y = np.array(points, dtype=float).T
    x = x - x.mean()
    y = y - y.mean()
    below = float(x @ x)
    slope = float(x @ y) / below
    left = y - slope * x
    freedom = len(x) - 2
    return slope, math.sqrt(float(left @ left) / freedom / below) if freedom > 0 else math.inf


def pooled_slope(series: Sequence[Points]) -> tuple[float, float, float]:
    """Return the mean of the slopes of several series and its 95 % interval.

    The uncertainty is that between the series or that within them, whichever is larger: few series may agree by chance,
    and points of one series share what disturbs it.
    """
    found = [slope_and_error(points) for points in series]
    slopes = np.array([slope for slope, _ in found])
    errors = np.array([error for _, error in found])
    middle, count = float(slopes.mean()), len(slopes)
    between = float(slopes.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    within = math.sqrt(float((errors**2).sum())) / count
    if between > within:
        half = between * student_t(count - 1)
    else:
        half = within * student_t(max(1, sum(len(points) - 2 for points in series)))
    return middle, middle - half, middle + half


def difference(ours: tuple[float, float, float], theirs: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the difference of two estimates with their intervals, whose errors are independent."""
    low = math.hypot(ours[0] - ours[1], theirs[2] - theirs[0])
    high = math.hypot(ours[2] - ours[0], theirs[0] - theirs[1])
    middle = ours[0] - theirs[0]
    return middle, middle - low, middle + high


def paired_ratio(
    ours: Mapping[Block, float], theirs: Mapping[Block, float]
) -> tuple[tuple[float, float, float], int] | None:
    """Return the geometric mean of the ratios within blocks, its interval, and of how many blocks; None without two."""
    common = [block for block in ours if block in theirs]
    if len(common) < 2:
        return None
    middle, low, high = mean_interval([math.log(ours[block] / theirs[block]) for block in common])
    return (math.exp(middle), math.exp(low), math.exp(high)), len(common)


def paired_differences(
    ours: Mapping[Block, float], theirs: Mapping[Block, float]
) -> tuple[tuple[float, float, float], int] | None:
    """Return the mean of the differences within blocks, its interval, and of how many blocks; None without two."""
    common = [block for block in ours if block in theirs]
    if len(common) < 2:
        return None
    return mean_interval([ours[block] - theirs[block] for block in common]), len(common)
