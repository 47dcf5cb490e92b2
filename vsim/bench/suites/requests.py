"""Requests: HTTP offered at a rate, each timed from the moment when it should have left (see `http_client`).

They go over the first network that the driver offers: a container's bridge, the host's own network, or a guest's
forwarded port. The flag says which. The client shares the host's processors with the server, on every rung alike; where
it computes for most of the time itself, the samples are flagged `client-bound`: they say more of it than of the server.
"""

from __future__ import annotations

import contextlib
import random
import socket
import statistics

from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.http_client import Client, Offered
from vsim.bench.suites._cost import nothing_runs, slowdown
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.model.arrivals import arrival_times
from vsim.model.plan import ANSWER_TIMEOUT_S, ENOUGH_QUEUED, OfferRequests, Step
from vsim.model.queueing import alone_and_queued
from vsim.samples.summary import quantile

__all__ = ["SUITE", "free_port", "free_ports"]

# One request on each connection of the client.
_WARM_UPS = 32
# Arithmetic on bare metal, rather too slow, in seconds a step.
_OPERATION_S = 4e-9
# Neither well known nor for outgoing connections.
_PORTS = range(20_000, 32_768)
# A queue in front of the client is then as long as one in front of a server with this load.
_BOUND = 0.5


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
            with Client(*endpoint, timeout_s=ANSWER_TIMEOUT_S) as client:
                client.warm_up()
                before = context.host.busy_core_s()
                offered = client.offer(arrival_times(step, context.seed, context.block))
                after = context.host.busy_core_s()
        finally:
            context.retire(launched)
        if not offered.latencies_s:
            raise StageError("work", f"none of {offered.planned} requests was answered")
        busy_s = None if before is None or after is None else after - before
        _record(context, offered, busy_s, mode)

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, OfferRequests)
        return Demand(
            memory_bytes=driver.overhead_bytes,
            pids=driver.pids_per_instance,
            seconds=2 * driver.typical_start_s
            + step.duration_s
            + _WARM_UPS * step.operations * _OPERATION_S * slowdown(driver, "user")
            + 0.3 * slowdown(driver, "network") ** 0.5,
        )

    def lack(self, step: Step, driver: Driver) -> str | None:
        reason = nothing_runs(driver)
        if reason is None and _mode(driver) is None:
            reason = "it offers no network over which the host reaches it"
        return reason


def _record(context: Context, offered: Offered, busy_s: float | None, mode: str) -> None:
    """Write down what was seen. `busy_s` is the processor time that the whole host has spent meanwhile, if known."""
    flags = [f"network-{mode}"]
    if offered.busy_fraction > _BOUND:
        flags.append("client-bound")
    record = context.record
    for name, q in (("latency_p50_s", 0.5), ("latency_p95_s", 0.95), ("latency_p99_s", 0.99)):
        record.sample(name, quantile(offered.latencies_s, q), "s", flags=flags)
    alone, queued = alone_and_queued(offered.due_s, offered.latencies_s)
    if len(queued) >= ENOUGH_QUEUED:
        record.sample("service_mean_s", statistics.fmean(queued), "s", flags=flags)
        record.sample("service_sd_s", statistics.stdev(queued), "s", flags=flags)
    if len(alone) >= ENOUGH_QUEUED:
        record.sample("latency_alone_s", statistics.fmean(alone), "s", flags=flags)
    record.sample("requests_per_s", offered.achieved_per_s, "1/s", flags=flags)
    record.sample("requests_failed", offered.errors / offered.planned, "1", flags=flags)
    if busy_s is not None:
        # What the host does besides counts as well, divided by the requests: little, where nothing else runs.
        record.sample("request_cpu_core_s", (busy_s - offered.cpu_s) / len(offered.latencies_s), "core-s", flags=flags)
    record.sample("client_late_s", offered.late_s, "s", flags=flags)
    if offered.lateness_s:
        record.sample("client_late_p50_s", quantile(offered.lateness_s, 0.5), "s", flags=flags)
    record.sample("client_busy_fraction", offered.busy_fraction, "1", flags=flags)


def _mode(driver: Driver) -> str | None:
    """Return the driver's first network that reaches beyond the instance itself."""
    return next((mode for mode in driver.networks if mode not in ("loopback", "user_defined")), None)


def free_port() -> int:
    """Return a port that nobody on the host listens on: instances on the host's network share its ports."""
    return free_ports(1)[0]


def free_ports(count: int) -> tuple[int, ...]:
    """Return so many different ports that nobody on the host listens on.

    They are below those that Linux gives to outgoing connections unless told otherwise (ip-sysctl,
    ip_local_port_range): one of them would be taken again before an instance has come up.
    """
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            probe = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("", random.choice(_PORTS)))
                found.append(int(probe.getsockname()[1]))
    return tuple(found)


SUITE = _Requests()
