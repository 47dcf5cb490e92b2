"""The null driver: the harness's own cost. Its instance is a line written into a pipe, and no process at all."""

from __future__ import annotations

import os

from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session
from vsim.bench.output import Output
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace

__all__ = ["DRIVERS"]


class _Null(Instance):
    def __init__(self, name: str, spec: InstanceSpec) -> None:
        self.name = name
        self.output = Output.pipe()
        self._begun: list[str] = []
        for argument in spec.arguments:
            key, _, value = argument.partition("=")
            if key == "cpu":
                work = value.partition(":")[0]
                self._begun += [f"begin {work}", f"end {work}"]

    def start(self) -> None:
        assert self.output.write_end is not None
        for line in ("vsim 1", *self._begun, "ready"):
            os.write(self.output.write_end, f"{line}\n".encode())

    def stop(self) -> None:
        self.output.started()

    def remove(self) -> None:
        self.output.close()


class _NullSession(Session):
    def _create(self, spec: InstanceSpec) -> Instance:
        return _Null(self.workspace.name("null"), spec)


class _NullDriver(Driver):
    name = "null"
    stack = "none"
    overhead_bytes = 0
    typical_start_s = 0.001
    pids_per_instance = 0

    def lack(self) -> str | None:
        return None

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return _NullSession(workspace, payload)


DRIVERS = (_NullDriver(),)
