"""A sequence of steps in simulated time, written as a generator and driven by callbacks.

It is a process without the cost of one: no event to start it, none when it ends, no interrupts. A script yields
events and goes on when they succeed. :meth:`Script.cancel` ends it where it stands, running its ``finally`` blocks.
"""

from __future__ import annotations

from collections.abc import Generator

import simpy

from vsim.engine.capacity import SharedCapacity

__all__ = ["Script", "Step", "Steps"]

# What a script yields: an event, with the capacity that it was submitted to if it has to be withdrawn on cancellation.
Step = tuple[simpy.Event, SharedCapacity | None]
Steps = Generator[Step, None, None]


class Script:
    """One sequence of steps under way. It begins with :meth:`run`."""

    __slots__ = ("_capacity", "_event", "_steps")

    def __init__(self) -> None:
        self._steps: Steps | None = None
        self._event: simpy.Event | None = None
        self._capacity: SharedCapacity | None = None

    def run(self, steps: Steps) -> None:
        """Run `steps`, at once up to the first event that they wait for."""
        self._steps = steps
        self._resume(None)

    def _resume(self, _: simpy.Event | None) -> None:
        steps = self._steps
        if steps is None:  # cancelled while its event was on its way
            return
        try:
            event, self._capacity = next(steps)
        except StopIteration:
            self._steps = self._event = None
            return
        self._event = event
        if event.callbacks is None:
            raise AssertionError("a script waits for an event that is over")
        event.callbacks.append(self._resume)

    @property
    def done(self) -> bool:
        """Whether the script came to its end or was cancelled."""
        return self._steps is None

    def cancel(self) -> None:
        """End the script: withdraw the work it waits for, and let its generator clean up. Twice is once."""
        steps, self._steps = self._steps, None
        if steps is None:
            return
        if self._capacity is not None and self._event is not None:
            self._capacity.cancel(self._event)
        self._event = None
        steps.close()
