"""Requests: one server with one thread, first come, first served, as the probe is.

    service = operations × user operation × slowdown + answer + 2 messages × CPU work of the network for one
    latency = lateness of the client + waiting, or waking up if the server was idle + service + 2 × network's latency

An arithmetic operation, an answer and a message cost CPU work; on a machine whose core is slower, or that has less than
one core left, it takes longer. What the client computes is not in the model, and not in `request_cpu_core_s` either:
that is what the host spends beside it for an answer, what the layers do in the background included.
"""

from __future__ import annotations

import statistics

from vsim.engine.plans.interface import Context, Suite
from vsim.engine.plans.rung import Rung
from vsim.engine.plans.world import StageError, World
from vsim.engine.script import Steps
from vsim.model.arrivals import arrival_times
from vsim.model.plan import ANSWER_TIMEOUT_S, ENOUGH_QUEUED, OfferRequests, Step
from vsim.model.probe import CLIENT_LATE, OPERATION, REQUEST, SPREAD, WAKE
from vsim.model.quantity import value_of
from vsim.model.queueing import alone_and_queued, stays
from vsim.samples.summary import quantile

__all__ = ["SUITE"]


class _Requests(Suite):
    name = "requests"

    def run(self, step: Step, context: Context) -> Steps:
        assert isinstance(step, OfferRequests)
        world, record = context.world, context.record
        mode = context.rung.network()
        assert mode is not None
        launched = yield from world.launch(0)
        late_s = value_of(context.rung.quantities.get(CLIENT_LATE))
        moments = arrival_times(step, context.plan.seed, context.block)
        services = _services(step, context, mode, len(moments))
        cost = context.rung.architecture.network(mode)
        latency_s = late_s + 2 * cost.latency_s
        wake_s = value_of(context.rung.quantities.get(WAKE)) + cost.wake_s
        taken = [stay + latency_s for stay in stays(moments, services, wake_s)]
        # The client gives up a while after the last request; answers come in the order of the requests.
        end = moments[-1] + ANSWER_TIMEOUT_S
        answered = [each for moment, each in zip(moments, taken, strict=True) if moment + each <= end]
        ended = end if len(answered) < len(taken) else moments[-1] + taken[-1]
        before = world.busy_core_s()
        yield from world.pause(ended)
        busy = sum(services[: len(answered)]) * _rate(world) + world.busy_core_s() - before
        world.retire(launched.instance)
        if not answered:
            raise StageError("work", f"none of {len(moments)} requests was answered")
        flags = (f"network-{mode}",)
        alone, queued = alone_and_queued(moments[: len(answered)], answered)
        if len(queued) >= ENOUGH_QUEUED:
            record.sample("service_mean_s", statistics.fmean(queued), "s", flags=flags)
            record.sample("service_sd_s", statistics.stdev(queued), "s", flags=flags)
        if len(alone) >= ENOUGH_QUEUED:
            record.sample("latency_alone_s", statistics.fmean(alone), "s", flags=flags)
        for name, q in (("latency_p50_s", 0.5), ("latency_p95_s", 0.95), ("latency_p99_s", 0.99)):
            record.sample(name, quantile(answered, q), "s", flags=flags)
        record.sample("requests_per_s", len(answered) / (ended - moments[0]), "1/s", flags=flags)
        record.sample("request_cpu_core_s", busy / len(answered), "core-s", flags=flags)
        record.sample("requests_failed", 1 - len(answered) / len(moments), "1", flags=flags)
        if late_s:
            record.sample("client_late_p50_s", late_s, "s", flags=flags)

    def lack(self, step: Step, rung: Rung) -> str | None:
        assert isinstance(step, OfferRequests)
        arithmetic = (rung.lacks(OPERATION["user"]) or rung.lacks_factor("user")) if step.operations else None
        if arithmetic or rung.network() is not None:
            return arithmetic or rung.lacks(REQUEST)
        return "no layer of the stack states a network over which the host reaches an instance"


def _services(step: OfferRequests, context: Context, mode: str, count: int) -> list[float]:
    """Return how long the server is at each request, in seconds."""
    rung, host = context.rung, context.world.host
    work = 2 * rung.architecture.network(mode).cpu_core_s_per_message / host.hardware.speed
    if step.operations:
        work += step.operations * context.draws(OPERATION["user"])() * rung.factor("user")
    answer = context.draws(REQUEST)
    spread = context.draws(SPREAD) if SPREAD in rung.quantities else None
    return [
        (work + answer() / host.hardware.speed) * (spread() if spread else 1.0) / _rate(context.world)
        for _ in range(count)
    ]


def _rate(world: World) -> float:
    """Return how much of a core one thread gets: the layers may have left less than one."""
    return min(1.0, world.host.hardware.cores - world.host.background_cores)


SUITE = _Requests()
