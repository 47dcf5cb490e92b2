"""One instance through its life, each stage timed apart on one clock."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from vsim.bench.drivers.interface import Instance, InstanceSpec, Session
from vsim.bench.errors import StageError

__all__ = ["Launched", "Retired", "discard", "launch", "retire", "silence"]

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Launched:
    """An instance that is ready, and what it took, in seconds.

    `create_s` and `start_s` are how long the two calls took. `first_instruction_s` and `ready_s` count from the call
    of start. `startup_s` is the whole: from the call of create to the first instruction.
    """

    instance: Instance
    create_s: float
    start_s: float
    first_instruction_s: float
    ready_s: float

    @property
    def startup_s(self) -> float:
        """From asking for an instance to its first instruction."""
        return self.create_s + self.first_instruction_s


@dataclass(frozen=True, slots=True)
class Retired:
    """What the end of an instance took, in seconds."""

    stop_s: float
    remove_s: float


def launch(session: Session, spec: InstanceSpec, *, timeout_s: float, clock: Clock) -> Launched:
    """Create and start an instance and wait until it is ready. On failure it is removed and StageError raised."""
    begin = clock()
    instance = session.create(spec)
    created = clock()
    try:
        instance.start()
        started = clock()
        output = instance.output
        first = output.first(timeout_s)
        if first is None:
            raise StageError("first_instruction", silence(instance, timeout_s))
        left = max(0.0, timeout_s - (clock() - created))
        ready = output.wait_for("ready", left)
        if ready is None:
            raise StageError("ready", silence(instance, timeout_s))
    except BaseException:
        discard(session, instance)
        raise
    return Launched(instance, created - begin, started - created, first - created, ready - created)


def retire(session: Session, instance: Instance, *, clock: Clock) -> Retired:
    """Stop and remove an instance. Raises StageError after having removed what can be removed."""
    begin = clock()
    try:
        instance.stop()
        stopped = clock()
    except BaseException:
        discard(session, instance)
        raise
    # What could not be removed stays in the session's memory: it tries again when it closes.
    instance.remove()
    session.forget(instance)
    return Retired(stopped - begin, clock() - stopped)


def discard(session: Session, instance: Instance) -> None:
    """Remove an instance whose failure is already on its way to the record."""
    with contextlib.suppress(StageError):
        instance.remove()
        session.forget(instance)


def silence(instance: Instance, timeout_s: float) -> str:
    """Say what is known about an instance that didn't get as far as it should have."""
    # Only some instances know what their runtime said; a closer look than the output is a bonus.
    told = getattr(instance, "error_text", lambda: "")()
    said = " ".join(f"{instance.output.text} {told}".split())[-300:]
    how = "it ended" if instance.output.ended else f"nothing within {timeout_s:g} s"
    return f"{how}; it said: {said}" if said else f"{how} without a word"
