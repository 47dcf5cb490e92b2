"""Rungs that vsim looks for and can't start yet: firecracker and kata."""

from __future__ import annotations

import os
from pathlib import Path

from vsim.bench.drivers._lack import missing
from vsim.bench.drivers.interface import Driver, Session
from vsim.bench.errors import StageError
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace

__all__ = ["DRIVERS"]


class _Detected(Driver):
    detection_only = True

    def __init__(self, name: str, stack: str, below: str, program: str) -> None:
        self.name = name
        self.stack = stack
        self.below = below
        self._program = program

    def lack(self) -> str | None:
        # Neither is in Debian: no package to name.
        if missing(self._program, "") is not None:
            return f"{self._program} is not installed (not in Debian: see its project)"
        if not os.access(Path("/dev/kvm"), os.R_OK | os.W_OK):
            return "it needs /dev/kvm"
        return None

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        raise StageError("open", f"vsim has no way to start {self.name} yet")


DRIVERS = (
    _Detected("firecracker", "microvm", "qemu-kvm", "firecracker"),
    _Detected("kata", "microvm", "qemu-kvm", "kata-runtime"),
)
