"""Network: what a round trip of a process takes, and what each mode of a rung adds to it."""

from __future__ import annotations

import math

from vsim.calibration.fitting.lines import paired_differences, paired_ratio
from vsim.calibration.fitting.resampling import mean_interval
from vsim.calibration.fitting.rungs import HOST, layer_of
from vsim.calibration.fitting.selection import Block, Selected, by_block
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.model.probe import NETWORK

__all__ = ["fit_network", "round_trips"]

# What a mode is compared with: within an instance, or from the host to it.
_BASE = {"loopback": "loopback"}
_OWN = ("loopback", "host")
_THROUGHPUT = "network_throughput_bytes_per_s"


def fit_network(selected: Selected, sheet: Sheet) -> None:
    """Put the modes of the host itself, and what the modes of each rung add: half a round trip, and a factor."""
    for mode in _OWN:
        _put_own(selected, sheet, mode)
    _put_throughput(selected, sheet)
    if sheet.get(("layers", HOST, "network", "host")):
        # What passes a rung's own network passes the host's as well.
        sheet.put(("layers", HOST, "default_network"), "host")
    for driver in selected.drivers:
        if driver == "process":
            continue
        modes = dict.fromkeys(str(selected.step(s).get("mode")) for s in selected.of(driver, "network"))
        for mode in modes:
            _put_mode(selected, sheet, driver, mode)


def round_trips(selected: Selected, driver: str, mode: str) -> dict[Block, float]:
    """Return the round trip of one byte over a mode of a rung, in seconds, by block."""
    return _means(selected, driver, mode, "network_round_trip_s")


def _means(selected: Selected, driver: str, mode: str, metric: str) -> dict[Block, float]:
    own = (
        s
        for s in selected.of(driver, "network")
        if s.metric == metric and selected.step(s).get("mode") == mode and s.value > 0
    )
    return {block: sum(s.value for s in samples) / len(samples) for block, samples in by_block(own).items()}


def _put_own(selected: Selected, sheet: Sheet, mode: str) -> None:
    trips = [math.log(value / 2) for value in round_trips(selected, "process", mode).values()]
    if len(trips) >= 2:
        middle, low, high = (math.exp(x) for x in mean_interval(trips))
        where = "half a round trip of one byte between two processes"
        latency = Estimate.within(middle, low, high, "s", len(trips), conditions=where)
        sheet.put(("layers", HOST, "network", mode, "latency_s"), latency)


def _put_throughput(selected: Selected, sheet: Sheet) -> None:
    """Put what two processes of the host reach over its own network, and by what factor the loopback differs."""
    rates = {mode: _means(selected, "process", mode, _THROUGHPUT) for mode in _OWN}
    known = [math.log(x) for x in rates["host"].values()]
    if len(known) < 2:
        return
    middle, low, high = (math.exp(x) for x in mean_interval(known))
    between = Estimate.within(middle, low, high, "bytes/s", len(known), conditions="between two processes of the host")
    sheet.put(tuple(NETWORK.split(".")), between)
    found = paired_ratio(rates["loopback"], rates["host"])
    if found is not None:
        (middle, low, high), n = found
        factor = Estimate.within(middle, low, high, "1", n, conditions="beside the mode host in the same block")
        sheet.put(("layers", HOST, "network", "loopback", "throughput_factor"), factor)


def _put_mode(selected: Selected, sheet: Sheet, driver: str, mode: str) -> None:
    base = _BASE.get(mode, "host")
    place = ("layers", layer_of(driver), "network", mode)
    where = f"beside the mode {base} of a process in the same block"
    added = paired_differences(
        {b: x / 2 for b, x in round_trips(selected, driver, mode).items()},
        {b: x / 2 for b, x in round_trips(selected, "process", base).items()},
    )
    if added is None:
        sheet.leave_out(f"{driver}, network {mode}", f"no two blocks have it and the mode {base} of a process")
        return
    (middle, low, high), n = added
    if high > 0:
        sheet.put((*place, "latency_s"), Estimate.within(middle, low, high, "s", n, conditions=where))
    else:
        sheet.leave_out(f"{driver}, latency of the network {mode}", "no more than that of a process")
    found = paired_ratio(
        _means(selected, driver, mode, _THROUGHPUT),
        _means(selected, "process", base, _THROUGHPUT),
    )
    if found is not None:
        (middle, low, high), n = found
        sheet.put((*place, "throughput_factor"), Estimate.within(middle, low, high, "1", n, conditions=where))
