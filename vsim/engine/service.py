"""A service in simulated time: its replicas, which of them are up, and for how long enough of them were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import simpy

from vsim.model.workload import Service

if TYPE_CHECKING:
    from vsim.engine.instance import Instance

__all__ = ["ServiceState"]


class ServiceState:
    """The replicas of one service. `up` lists those that serve; requests go to them in turn."""

    __slots__ = ("_available_s", "_env", "_next", "_since", "index", "instances", "service", "up")

    def __init__(self, env: simpy.Environment, index: int, service: Service) -> None:
        self.index = index
        self.service = service
        self.instances: list[Instance] = []
        self.up: list[Instance] = []
        self._env = env
        self._next = 0
        self._available_s = 0.0
        self._since = env.now

    def next_up(self) -> Instance | None:
        """Return the replica whose turn it is (round robin), or None when none is up."""
        up = self.up
        if not up:
            return None
        self._next = (self._next + 1) % len(up)
        return up[self._next]

    def went_up(self, instance: Instance) -> None:
        """Count a replica in."""
        self._settle()
        self.up.append(instance)

    def went_down(self, instance: Instance) -> None:
        """Count a replica out."""
        self._settle()
        self.up.remove(instance)

    def _settle(self) -> None:
        now = self._env.now
        if len(self.up) >= self.service.needs:
            self._available_s += now - self._since
        self._since = now

    def count_from_now(self) -> None:
        """Forget the seconds so far."""
        self._available_s = 0.0
        self._since = self._env.now

    def available_s(self) -> float:
        """Seconds so far in which at least `needs` replicas were up."""
        self._settle()
        return self._available_s
