"""Requests: how long the server is at one answer, and what the way to it costs on each rung.

At a load so low that hardly a request waits for another, half of them take no longer than

    lateness of the client + round trip of the network + service,

and the service is what is left of the median when the others, measured in the same block, are taken away: for a process
the answer itself, beyond it what each rung's network adds to it. What waiting there is all the same is taken into
account: the requests of a block came at known moments, so the queue is worked out again.

The host's CPU account says the same from the other side. Where it disagrees, nobody knows better: the interval spans
both.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vsim.calibration.fitting.network import round_trips
from vsim.calibration.fitting.resampling import mean_interval
from vsim.calibration.fitting.rungs import layer_of
from vsim.calibration.fitting.selection import Block, Selected, by_block
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.model.arrivals import arrival_times
from vsim.model.plan import OfferRequests
from vsim.model.probe import CLIENT_LATE, OPERATION, REQUEST
from vsim.model.quantity import Distribution

__all__ = ["fit_requests"]

# Above this part of the server's capacity, waiting is most of what is seen.
_LOW_LOAD = 0.3
# The normal distribution's 95th percentile, in standard deviations.
_P95 = 1.6448536
_CPU = "request_cpu_core_s"


@dataclass(frozen=True, slots=True)
class _Offered:
    """One step of requests to a rung: by block, the median and the 95th percentile, and what the client was late."""

    step: OfferRequests
    mode: str
    p50_s: Mapping[Block, float]
    p95_s: Mapping[Block, float]
    late_s: Mapping[Block, float]
    cpu_core_s: Mapping[Block, float]


def fit_requests(selected: Selected, sheet: Sheet) -> None:
    """Put the work of an answer, the client's lateness, and what a message costs on each rung."""
    answers: dict[Block, float] = {}
    for driver in sorted(selected.drivers, key=lambda name: name != "process"):
        offered = _offered(selected, driver)
        if not offered:
            continue
        reason = _put(selected, sheet, driver, offered, answers)
        if reason is not None:
            sheet.leave_out(f"{driver}, requests", reason)


def _put(
    selected: Selected, sheet: Sheet, driver: str, offered: Sequence[_Offered], answers: dict[Block, float]
) -> str | None:
    """Put what a rung's requests tell, or return why they don't tell it."""
    chosen = min(offered, key=lambda each: (each.step.operations, each.step.rate_per_s))
    trips = round_trips(selected, driver, chosen.mode)
    if not trips:
        return f"the round trip of its network {chosen.mode} wasn't measured beside them"
    operation = sheet.get(tuple(OPERATION["user"].split(".")))
    factor = sheet.get(("layers", layer_of(driver), "cpu", "user_factor"))
    arithmetic = 0.0
    if chosen.step.operations:
        if not isinstance(operation, Estimate):
            return "each costs arithmetic, and what a step of it takes wasn't measured"
        slower = factor.value if isinstance(factor, Estimate) else 1.0
        arithmetic = chosen.step.operations * operation.value * slower
    beyond: dict[Block, float] = {}
    for block, median in chosen.p50_s.items():
        if block in trips and block in chosen.late_s:
            fixed = chosen.late_s[block] + trips[block]
            seed = next(run.seed for run in selected.runs if run.run_id == block[0])
            beyond[block] = _service(chosen.step, seed, block[1], median - fixed) - arithmetic
    if len(beyond) < 2:
        return "no two blocks have them, their network and the client's lateness"
    load = chosen.step.rate_per_s * (arithmetic + statistics.mean(beyond.values()))
    if load > _LOW_LOAD:
        return f"at {load:.0%} of the server's capacity, waiting hides what an answer takes: offer fewer as well"
    where = f"{chosen.step.rate_per_s:g} requests a second over the network {chosen.mode}"
    if driver == "process":
        answers.update(beyond)
        _put_answer(sheet, chosen, beyond, arithmetic, where)
        return None
    common = [block for block in beyond if block in answers]
    if len(common) < 2:
        return "no two blocks have requests to a process beside them"
    middle, low, high = mean_interval([beyond[block] - answers[block] for block in common])
    place = ("layers", layer_of(driver), "network", chosen.mode, "cpu_core_s_per_message")
    if high <= 0:
        sheet.leave_out(f"{driver}, work per message over {chosen.mode}", "no more than to a process")
    else:
        # the request and its answer are two messages
        message = Estimate.within(middle / 2, low / 2, high / 2, "core-s", len(common), conditions=where)
        sheet.put(place, message)
    # Requests go over this one: it is the one to take where a workload doesn't say.
    sheet.put(("layers", layer_of(driver), "default_network"), chosen.mode)
    return None


def _put_answer(sheet: Sheet, chosen: _Offered, beyond: Mapping[Block, float], arithmetic: float, where: str) -> None:
    distribution = _spread(chosen, beyond, arithmetic)
    # The mean of a lognormal distribution is above its median.
    above = 1.0 if distribution is None else math.sqrt(1 + distribution.cv**2)
    middle, low, high = (above * end for end in mean_interval(list(beyond.values())))
    account = [value - arithmetic for value in chosen.cpu_core_s.values()]
    if account:
        seen = statistics.mean(account)
        if not low <= seen <= high:
            sheet.notes.append(
                f"an answer of a process: the server is at it for {middle:.2g} s, and the host computes {seen:.2g} s "
                "beside the client; the interval spans both"
            )
        low, high = min(low, seen), max(high, seen)
    answer = Estimate.within(
        middle,
        low,
        high,
        "core-s",
        len(beyond),
        distribution=distribution,
        conditions=where,
    )
    sheet.put(tuple(REQUEST.split(".")), answer)
    late = mean_interval(list(chosen.late_s.values()))
    lateness = Estimate.within(*late, "s", len(chosen.late_s), conditions="median of the harness's client, each block")
    sheet.put(tuple(CLIENT_LATE.split(".")), lateness)


def _spread(chosen: _Offered, beyond: Mapping[Block, float], arithmetic: float) -> Distribution | None:
    """Return how services vary, from how far the 95th percentile is above the median; None where waiting hides it."""
    ratios = []
    for block, service in beyond.items():
        rest = chosen.p50_s[block] - (service + arithmetic)
        above = chosen.p95_s.get(block, 0.0) - rest - arithmetic
        if service > 0 and above > service:
            ratios.append(math.log(above / service) / _P95)
    if len(ratios) < 2 or chosen.step.rate_per_s * arithmetic > _LOW_LOAD / 10:
        return None
    sigma = statistics.median(ratios)
    return Distribution("lognormal", round(math.sqrt(math.expm1(min(sigma * sigma, 2.0))), 4))


def _service(step: OfferRequests, seed: int, block: int, median_s: float) -> float:
    """Return the service with which half of the requests, at the block's own moments, take `median_s` or less.

    One server, first come, first served (Lindley's recursion); by bisection, as longer services never shorten a wait.
    """
    moments = arrival_times(step, seed, block)
    low, high = 0.0, max(median_s, 0.0)
    for _ in range(50):
        middle = (low + high) / 2
        free, taken = 0.0, []
        for moment in moments:
            free = max(moment, free) + middle
            taken.append(free - moment)
        if statistics.median(taken) < median_s:
            low = middle
        else:
            high = middle
    return high if median_s > 0 else median_s


def _offered(selected: Selected, driver: str) -> list[_Offered]:
    """Return the steps of requests to a rung that a client which wasn't the narrowest part has offered."""
    groups: dict[tuple[float, float, int, str, str], list[Any]] = {}
    for sample in selected.of(driver, "requests"):
        if "client-bound" in sample.flags:
            continue
        step = selected.step(sample)
        mode = next((flag.removeprefix("network-") for flag in sample.flags if flag.startswith("network-")), "")
        key = (
            float(step.get("rate_per_s", 0.0)),
            float(step.get("duration_s", 0.0)),
            int(step.get("operations", 0)),
            str(step.get("arrivals", "constant")),
            mode,
        )
        groups.setdefault(key, []).append(sample)
    found = []
    for (rate, duration, operations, arrivals, mode), samples in groups.items():
        by_metric = {
            metric: {
                block: statistics.mean(s.value for s in own)
                for block, own in by_block(s for s in samples if s.metric == metric).items()
            }
            for metric in ("latency_p50_s", "latency_p95_s", "client_late_p50_s", _CPU)
        }
        late = by_metric["client_late_p50_s"] or dict.fromkeys(by_metric["latency_p50_s"], 0.0)
        if by_metric["latency_p50_s"] and rate > 0 and duration > 0:
            spread: Literal["poisson", "constant"] = "poisson" if arrivals == "poisson" else "constant"
            offered = OfferRequests(rate, duration, operations, spread)
            found.append(
                _Offered(offered, mode, by_metric["latency_p50_s"], by_metric["latency_p95_s"], late, by_metric[_CPU])
            )
    return found
