"""Memory: what an instance takes of the host, beyond what a process takes, and what serves all of them together."""

from __future__ import annotations

from vsim.calibration.fitting.lines import difference, pooled_slope
from vsim.calibration.fitting.resampling import mean_interval
from vsim.calibration.fitting.rungs import layer_of
from vsim.calibration.fitting.selection import Selected, by_block
from vsim.calibration.fitting.sheet import Estimate, Sheet

__all__ = ["fit_memory", "weighings"]

_LEAST_POINTS = 3
_AVAILABLE = {"memory": "memory_available_bytes", "density": "density_available_bytes"}


def weighings(selected: Selected, driver: str) -> list[list[tuple[float, float]]]:
    """Return each series of (instances on the host, bytes that they have taken), of instances that touch nothing."""
    series: dict[tuple[str, int, int], list[tuple[float, float]]] = {}
    for suite, metric in _AVAILABLE.items():
        for s in selected.of(driver, suite):
            if s.metric != metric or "touched" in s.flags or selected.step(s).get("touch_bytes"):
                continue
            # The density suite numbers by instance: with none running, its concurrency is 1.
            count = s.instance if suite == "density" else s.concurrency
            if count is not None:
                series.setdefault((s.run_id, s.block, s.step), []).append((count, -s.value))
    return [points for points in series.values() if len({n for n, _ in points}) >= _LEAST_POINTS]


def fit_memory(selected: Selected, sheet: Sheet) -> None:
    """Put the slope of each rung, and the fixed part of those with a daemon."""
    slopes = {}
    for driver in selected.drivers:
        series = weighings(selected, driver)
        if series:
            slopes[driver] = pooled_slope(series), sum(map(len, series)), max(n for points in series for n, _ in points)
        _put_daemon(selected, sheet, driver)
    base = slopes.get("process")
    for driver, (slope, n, most) in slopes.items():
        path = ("layers", layer_of(driver), "memory", "unit_bytes")
        beyond = slope
        if driver != "process":
            if base is None:
                sheet.leave_out(f"{driver}, memory of an instance", "that of a process wasn't measured beside it")
                continue
            beyond = difference(slope, base[0])
        if beyond[2] <= 0:
            sheet.leave_out(f"{driver}, memory of an instance", "no more than a process takes")
            continue
        where = f"slope of the host's available memory over up to {most:g} instances"
        sheet.put(path, Estimate.within(*beyond, "bytes", n, conditions=where))


def _put_daemon(selected: Selected, sheet: Sheet, driver: str) -> None:
    own = [s for s in selected.of(driver, "memory") if s.metric == "memory_daemon_bytes"]
    blocks = by_block(own)
    if len(blocks) < 2 or driver == "process":
        return
    middle, low, high = mean_interval([sum(s.value for s in block) / len(block) for block in blocks.values()])
    where = "proportional set size of the daemons that serve all instances"
    path = ("layers", layer_of(driver), "memory", "environment_bytes")
    sheet.put(path, Estimate.within(middle, low, high, "bytes", len(own), conditions=where))
