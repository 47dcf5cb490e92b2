"""Network: a round trip of one byte, and bytes per second in one direction, over one mode.

Client and server are on the same host: the machine's link isn't used. A round trip is the layers' latency, twice; the
throughput that of the host's own network, times the layers' factors.
"""

from __future__ import annotations

from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.script import Steps
from vsim.model.plan import DriveNetwork, Step
from vsim.model.probe import NETWORK

__all__ = ["SUITE"]


class _Network(Suite):
    name = "network"

    def run(self, step: Step, context: Context) -> Steps:
        assert isinstance(step, DriveNetwork)
        world, record = context.world, context.record
        launched = yield from world.launch(0)
        cost = context.rung.architecture.network(step.mode)
        round_trip_s = 2 * cost.latency_s
        bytes_per_s = context.draws(NETWORK)() * cost.throughput_factor
        yield from world.pause(step.round_trips * round_trip_s + step.bytes / bytes_per_s)
        flags = (f"network-{step.mode}",)
        record.sample("network_round_trip_s", round_trip_s, "s", flags=flags)
        record.sample("network_throughput_bytes_per_s", bytes_per_s, "bytes/s", flags=flags)
        world.retire(launched.instance)

    def lack(self, step: Step, rung: Rung) -> str | None:
        assert isinstance(step, DriveNetwork)
        return rung.lacks(NETWORK) or rung.lacks_network(step.mode)


SUITE = _Network()
