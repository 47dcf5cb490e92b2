"""runc, the reference OCI runtime, without an engine around it."""

from __future__ import annotations

from vsim.bench.drivers._lack import missing, need_root
from vsim.bench.drivers._oci import OciSession, sweep_states, with_bridge
from vsim.bench.drivers.interface import Driver, Session
from vsim.bench.payload import Payload
from vsim.bench.workspace import Workspace, dead_runs

__all__ = ["DRIVERS"]


class _RuncDriver(Driver):
    name = "runc"
    stack = "container"
    below = "crun"
    packages = ("runc",)
    overhead_bytes = 8 * 2**20
    typical_start_s = 0.15
    pids_per_instance = 8
    capabilities = frozenset({"cgroup", "pids", "pss", "programs", "binds", "root"})
    networks = with_bridge("host", "loopback")

    def lack(self) -> str | None:
        return missing("runc", "runc") or need_root()

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        return OciSession(workspace, payload, self.name, ["runc"])

    def sweep(self) -> list[str]:
        return [] if self.lack() else sweep_states(dead_runs(), self.name, ["runc"])


DRIVERS = (_RuncDriver(),)
