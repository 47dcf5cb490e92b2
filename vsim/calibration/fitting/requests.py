"""Requests: how long the server is at one answer, and what the way to it costs on each rung.

Requests that waited for the one before them say what the server's work is: the time since that was answered. A tenth of
the server's capacity is enough to have some. Those that found the server idle take longer by

    lateness of the client + round trip of the network + waking up,

of which the former two were measured in the same block, so that the third is left. For a process that is the answer
itself; beyond it, what each rung adds. The arithmetic that an answer may have to do is taken away before: what a step
of it takes is another suite's to say.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vsim.calibration.fitting.network import round_trips
from vsim.calibration.fitting.resampling import mean_interval
from vsim.calibration.fitting.rungs import layer_of
from vsim.calibration.fitting.selection import Block, Selected, by_block
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.model.plan import OfferRequests
from vsim.model.probe import CLIENT_LATE, OPERATION, REQUEST, SPREAD, WAKE
from vsim.model.quantity import Distribution

__all__ = ["fit_requests"]


@dataclass(frozen=True, slots=True)
class _Offered:
    """One step of requests to a rung, in seconds by block: the server's work, latency when idle, the client's lateness.

    `varies` is how much the work varies from request to request, as a coefficient of variation.
    """

    step: OfferRequests
    mode: str
    service_s: Mapping[Block, float]
    alone_s: Mapping[Block, float]
    late_s: Mapping[Block, float]
    varies: float

    @property
    def load(self) -> float:
        return self.step.rate_per_s * statistics.mean(self.service_s.values())


@dataclass(frozen=True, slots=True)
class _Found:
    """What a rung's requests say, in seconds by block: work beyond the arithmetic, and waking up."""

    work_s: Mapping[Block, float]
    wake_s: Mapping[Block, float]


def fit_requests(selected: Selected, sheet: Sheet) -> None:
    """Put the work of an answer, the client's lateness, and what a message and waking up cost on each rung."""
    process: _Found | None = None
    for driver in sorted(selected.drivers, key=lambda name: name != "process"):
        offered = _offered(selected, driver)
        if not offered:
            continue
        enough = [each for each in offered if len(each.service_s) >= 2]
        if not enough:
            why = "too few of them waited for another to tell the server's work: offer more, a tenth of what it can do"
            sheet.leave_out(f"{driver}, requests", why)
            continue
        chosen = min(enough, key=lambda each: each.load)
        found = _found(selected, sheet, driver, chosen)
        if isinstance(found, str):
            sheet.leave_out(f"{driver}, requests", found)
        elif driver == "process":
            process = found
            _put_process(sheet, chosen, found)
        else:
            _put_rung(sheet, driver, chosen, found, process)


def _found(selected: Selected, sheet: Sheet, driver: str, chosen: _Offered) -> _Found | str:
    """Return what a rung's requests say, or why they don't."""
    arithmetic = 0.0
    if chosen.step.operations:
        operation = sheet.get(tuple(OPERATION["user"].split(".")))
        if not isinstance(operation, Estimate):
            return "each costs arithmetic, and what a step of it takes wasn't measured"
        factor = sheet.get(("layers", layer_of(driver), "cpu", "user_factor"))
        slower = factor.value if isinstance(factor, Estimate) else 1.0
        arithmetic = chosen.step.operations * operation.value * slower
    trips = round_trips(selected, driver, chosen.mode)
    wake = {
        block: chosen.alone_s[block] - service - chosen.late_s[block] - trips[block]
        for block, service in chosen.service_s.items()
        if block in trips and block in chosen.alone_s and block in chosen.late_s
    }
    if len(wake) < 2:
        sheet.leave_out(f"{driver}, waking up for a request", f"its network {chosen.mode} wasn't measured beside them")
        wake = {}
    return _Found({block: service - arithmetic for block, service in chosen.service_s.items()}, wake)


def _put_process(sheet: Sheet, chosen: _Offered, found: _Found) -> None:
    where = _where(chosen)
    work = mean_interval(list(found.work_s.values()))
    sheet.put(tuple(REQUEST.split(".")), Estimate.within(*work, "core-s", len(found.work_s), conditions=where))
    spread = Distribution("lognormal", round(chosen.varies, 4)) if chosen.varies > 0 else None
    share = Estimate(1.0, 1.0, 1.0, "1", len(found.work_s), spread, f"{where}; a block's coefficient of variation")
    sheet.put(tuple(SPREAD.split(".")), share)
    if len(chosen.late_s) >= 2:
        where = "median of the harness's client, each block"
        late = mean_interval(list(chosen.late_s.values()))
        sheet.put(tuple(CLIENT_LATE.split(".")), Estimate.within(*late, "s", len(chosen.late_s), conditions=where))
    if found.wake_s:
        _put_positive(sheet, tuple(WAKE.split(".")), found.wake_s.values(), "s", _where(chosen), "process, waking up")


def _put_rung(sheet: Sheet, driver: str, chosen: _Offered, found: _Found, process: _Found | None) -> None:
    """Put what a rung's requests cost beyond those to a process in the same blocks."""
    work = [each - process.work_s[b] for b, each in found.work_s.items() if b in process.work_s] if process else []
    if process is None or len(work) < 2:
        sheet.leave_out(f"{driver}, requests", "no two blocks have requests to a process beside them")
        return
    network = ("layers", layer_of(driver), "network", chosen.mode)
    what = f"{driver}, work per message over {chosen.mode}"
    # The request and its answer are two messages.
    _put_positive(sheet, (*network, "cpu_core_s_per_message"), [x / 2 for x in work], "core-s", _where(chosen), what)
    wake = [each - process.wake_s[b] for b, each in found.wake_s.items() if b in process.wake_s]
    if len(wake) >= 2:
        _put_positive(sheet, (*network, "wake_s"), wake, "s", _where(chosen), f"{driver}, waking up over {chosen.mode}")
    # Requests go over this one: it is the one to take where a workload doesn't say.
    sheet.put(("layers", layer_of(driver), "default_network"), chosen.mode)


def _put_positive(
    sheet: Sheet, path: tuple[str, ...], values: Iterable[float], unit: str, where: str, what: str
) -> None:
    """Put the mean of values by block, unless it is surely not above zero."""
    listed = list(values)
    middle, low, high = mean_interval(listed)
    if high <= 0:
        sheet.leave_out(what, "no more than to a process" if path[0] == "layers" else "none beyond the round trip")
    else:
        sheet.put(path, Estimate.within(middle, low, high, unit, len(listed), conditions=where))


def _where(chosen: _Offered) -> str:
    step = chosen.step
    arithmetic = f" of {step.operations:,} operations" if step.operations else ""
    return f"{step.rate_per_s:g} requests a second{arithmetic} over the network {chosen.mode}"


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
            for metric in ("service_mean_s", "service_sd_s", "latency_alone_s", "client_late_p50_s")
        }
        service, alone = by_metric["service_mean_s"], by_metric["latency_alone_s"]
        late = by_metric["client_late_p50_s"] or dict.fromkeys(alone, 0.0)
        if rate > 0 and duration > 0:
            spread: Literal["poisson", "constant"] = "poisson" if arrivals == "poisson" else "constant"
            ratios = [sd / service[block] for block, sd in by_metric["service_sd_s"].items()]
            varies = statistics.median(ratios) if ratios else 0.0
            offered = OfferRequests(rate, duration, operations, spread)
            found.append(_Offered(offered, mode, service, alone, late, varies))
    return found
