"""Requests: HTTP offered at a rate, each timed from the moment when it should have left (see `http_client`).

They go over the first network that the driver offers: a container's bridge, the host's own network, or a guest's
forwarded port. The flag says which. The client shares the host's processors with the server, on every rung alike.
"""

from __future__ import annotations

import socket

from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.http_client import offer, quantile
from vsim.bench.suites._cost import nothing_runs, slowdown
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.model.plan import OfferRequests, Step

__all__ = ["SUITE", "free_port"]

_TIMEOUT_S = 5.0
_WARM_UP_S = 0.1


class _Requests(Suite):
    name = "requests"
    headline = ("latency_p50_s", "latency_p95_s", "latency_p99_s", "requests_per_s", "requests_failed")

    def run(self, step: Step, context: Context) -> None:
        assert isinstance(step, OfferRequests)
        mode = _mode(context.driver)
        assert mode is not None
        port = free_port()
        launched = context.launch(
            InstanceSpec(arguments=(f"spin={step.operations}", f"http={port}"), network=mode, ports=(port,))
        )
        try:
            endpoint = launched.instance.endpoint(port)
            if endpoint is None:
                raise StageError("work", f"the host can't reach it over the network {mode}")
            # Connections, caches and the engine's path are warm before anything counts.
            offer(*endpoint, rate_per_s=step.rate_per_s, duration_s=_WARM_UP_S, timeout_s=_TIMEOUT_S)
            offered = offer(*endpoint, rate_per_s=step.rate_per_s, duration_s=step.duration_s, timeout_s=_TIMEOUT_S)
        finally:
            context.retire(launched)
        flags = (f"network-{mode}",)
        if not offered.latencies_s:
            raise StageError("work", f"none of {offered.planned} requests was answered")
        record = context.record
        for name, q in (("latency_p50_s", 0.5), ("latency_p95_s", 0.95), ("latency_p99_s", 0.99)):
            record.sample(name, quantile(offered.latencies_s, q), "s", flags=flags)
        record.sample("requests_per_s", offered.achieved_per_s, "1/s", flags=flags)
        record.sample("requests_failed", offered.errors / offered.planned, "1", flags=flags)
        record.sample("client_late_s", offered.late_s, "s", flags=flags)

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, OfferRequests)
        return Demand(
            memory_bytes=driver.overhead_bytes,
            pids=driver.pids_per_instance,
            seconds=2 * driver.typical_start_s
            + step.duration_s
            + _WARM_UP_S
            + 0.3 * slowdown(driver, "network") ** 0.5,
        )

    def lack(self, step: Step, driver: Driver) -> str | None:
        reason = nothing_runs(driver)
        if reason is None and _mode(driver) is None:
            reason = "it offers no network over which the host reaches it"
        return reason


def _mode(driver: Driver) -> str | None:
    """Return the driver's first network that reaches beyond the instance itself."""
    return next((mode for mode in driver.networks if mode not in ("loopback", "user_defined")), None)


def free_port() -> int:
    """Return a port that nobody on the host listens on: instances on the host's network share its ports."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


SUITE = _Requests()
