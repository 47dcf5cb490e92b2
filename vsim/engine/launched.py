"""An instance of an application that is brought up: how far it has come, as those see it who wait for it."""

from __future__ import annotations

from typing import Literal

import simpy

from vsim.engine.instance import Instance
from vsim.engine.script import Script
from vsim.engine.timeline import Outcome, Phase, Row, Span
from vsim.model.orchestration import Launch

__all__ = ["Launched"]


class Launched:
    """An instance on its way. `changed` succeeds, and is replaced, whenever its state as others see it changes.

    `settled` succeeds once, when it has come to the first end of its way.
    """

    __slots__ = (
        "begin_s",
        "changed",
        "end_s",
        "exited",
        "health",
        "instance",
        "launch",
        "monitor",
        "outcome",
        "ready_s",
        "running",
        "settled",
        "spans",
        "started_s",
    )

    def __init__(self, env: simpy.Environment, instance: Instance, launch: Launch) -> None:
        self.instance = instance
        self.launch = launch
        self.spans: list[Span] = []
        self.begin_s = env.now
        self.changed = simpy.Event(env)
        self.settled = simpy.Event(env)
        self.health: Literal["starting", "healthy", "unhealthy"] = "starting"
        self.outcome: Outcome = "not started"
        self.running = self.exited = False
        self.started_s: float | None = None
        self.ready_s: float | None = None
        self.end_s: float | None = None
        self.monitor: Script | None = None

    def change(self) -> None:
        """Wake whoever looks at this instance."""
        event, self.changed = self.changed, simpy.Event(self.changed.env)
        event.succeed()

    def settle(self, outcome: Outcome) -> None:
        """Take note that it has come to an end of its way, the first one."""
        self.outcome = outcome
        if not self.settled.triggered:
            self.end_s = float(self.settled.env.now)
            self.settled.succeed()

    def span(self, phase: Phase) -> None:
        """Close the part of the way that began where the last one ended; nothing where it took no time."""
        now = float(self.settled.env.now)
        if now > self.begin_s:
            self.spans.append(Span(phase, float(self.begin_s), now))
        self.begin_s = now

    def row(self) -> Row:
        """Return what it was."""
        service = self.instance.service.service.name
        host = self.instance.host
        assert host is not None
        spans, number = tuple(self.spans), self.instance.number
        return Row(service, number, host.index, spans, self.outcome, self.started_s, self.ready_s, self.end_s)
