"""A call at a later time, as one event with one callback: what the hot paths use instead of a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy

__all__ = ["call_later", "scheduled"]


def call_later(env: simpy.Environment, delay: float, callback: Callable[[simpy.Event], Any]) -> None:
    """Call `callback(event)` once, `delay` seconds of simulated time from now."""
    timeout = simpy.Timeout(env, delay)
    assert timeout.callbacks is not None
    timeout.callbacks.append(callback)


def scheduled(env: simpy.Environment) -> int:
    """Return how many events were scheduled in `env` so far. SimPy numbers them; asking takes a number, so ask once."""
    return next(env._eid)
