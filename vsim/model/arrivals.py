"""When the requests of a plan's step are due: the same moments in both worlds, and on every rung of a block.

What differs between two rungs, or between a host and its simulation, is then never the luck of the arrivals. Only the
standard library: a host that measures needs no NumPy for it, and `random.Random` keeps its sequences from one Python
version to the next for seeds that are strings (https://docs.python.org/3/library/random.html#notes-on-reproducibility).
"""

from __future__ import annotations

import math
import random

from vsim.model.plan import OfferRequests

__all__ = ["arrival_times"]


def arrival_times(step: OfferRequests, seed: int, block: int) -> list[float]:
    """Return the moments, in seconds from the step's begin and in ascending order, at which its requests are due.

    `constant`: one every 1/rate seconds from 0 on, as many as the rate makes in the step's duration. `poisson`: the
    gaps are independent and exponential with mean 1/rate, the first one before the first request, until the duration is
    over. There is at least one request either way. `seed` is the plan's and `block` the block's number, from 0, the
    warm-up included: another block draws other gaps, and so does another rate or duration.
    """
    if step.arrivals == "constant":
        return [number / step.rate_per_s for number in range(max(1, round(step.rate_per_s * step.duration_s)))]
    draw = random.Random(f"{seed}/{block}/{step.rate_per_s!r}/{step.duration_s!r}").random
    times: list[float] = []
    time = 0.0
    while True:
        # 1 - u is in (0, 1]: its logarithm exists
        time -= math.log(1.0 - draw()) / step.rate_per_s
        if time >= step.duration_s and times:
            return times
        times.append(time)
