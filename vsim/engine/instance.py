"""Instances of services, and the guests that hold them: state only."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

import simpy

from vsim.engine.script import Script

if TYPE_CHECKING:
    from vsim.engine.host import Host
    from vsim.engine.service import ServiceState

__all__ = ["Guest", "Instance"]


class Guest:
    """A kernel of its own on a host, with up to `guest_size` instances. Without such a layer: one per instance."""

    __slots__ = ("host", "images", "instances", "state", "waiting")

    def __init__(self, host: Host) -> None:
        self.host = host
        self.state: Literal["off", "booting", "up"] = "off"
        self.instances: list[Instance] = []
        self.images: dict[str, list[simpy.Event] | None] = {}
        self.waiting: list[simpy.Event] = []


class Instance:
    """One replica of a service, placed on a host.

    `memory_bytes` is what it keeps resident, `promised_bytes` and `used_bytes` what it costs its host, its layers
    included. `start_s` is how long its last start took.
    """

    __slots__ = (
        "asked_at",
        "busy_workers",
        "guest",
        "host",
        "memory_bytes",
        "number",
        "promised_bytes",
        "promised_cores",
        "queue",
        "requests",
        "service",
        "start",
        "start_s",
        "state",
        "used_bytes",
    )

    def __init__(self, service: ServiceState, number: int, memory_bytes: float) -> None:
        self.service = service
        self.number = number
        self.memory_bytes = memory_bytes
        self.state: Literal["waiting", "starting", "up", "down", "refused", "killed"] = "waiting"
        self.host: Host | None = None
        self.guest: Guest | None = None
        self.promised_bytes = 0.0
        self.promised_cores = 0.0
        self.used_bytes = 0.0
        self.asked_at = 0.0
        self.start_s: float | None = None
        self.start: Script | None = None
        # Requests in progress, and those waiting for a worker; None until the first one comes.
        self.requests: dict[Script, None] | None = None
        self.busy_workers = 0
        self.queue: deque[simpy.Event] | None = None
