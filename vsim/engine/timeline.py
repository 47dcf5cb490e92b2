"""What came of bringing an application up and taking it down: instances, and the parts of their way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["FAILED", "Outcome", "Phase", "Row", "Span", "Timeline", "slowest"]

Phase = Literal[
    "boot",
    "build",
    "pull",
    "guest",
    "create",
    "wait",
    "start",
    "application",
    "check",
    "stop",
    "remove",
    "shut down",
]
Outcome = Literal["healthy", "ready", "done", "unhealthy", "refused", "not started"]
# How an instance ends that has not come up.
FAILED: frozenset[Outcome] = frozenset({"unhealthy", "refused", "not started"})


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the way: from when to when, in seconds."""

    phase: Phase
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Row:
    """One instance on its way: the parts of it in order, how it ended, and when (None: it hasn't come to an end).

    `started_s` is when its start was over, `ready_s` when the application had done its start-up work.
    """

    service: str
    number: int
    host: int
    spans: tuple[Span, ...]
    outcome: Outcome
    started_s: float | None = None
    ready_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """An application brought up and taken down again on one architecture. Times in seconds.

    `started_s` is when everything was started (what `docker compose up --detach` waits for), `up_s` when everything was
    healthy, or ready where nobody checks, and tasks were done; both are None when that wasn't reached, and `failure`
    says why. `down_s` and the times in `down` count from when it is taken down.
    """

    architecture: str
    up: tuple[Row, ...]
    started_s: float | None
    up_s: float | None
    failure: str | None
    down: tuple[Row, ...]
    down_s: float


def slowest(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Return for each service its name, with the number of its instances, and the one that comes to its end last."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.service, []).append(row)
    return [
        (
            name if len(those) == 1 else f"{name} ×{len(those)}",
            max(those, key=lambda row: math.inf if row.end_s is None else row.end_s),
        )
        for name, those in found.items()
    ]
