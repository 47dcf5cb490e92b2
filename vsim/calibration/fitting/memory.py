"""Memory: what an instance takes of the host, beyond what a process takes, and what serves all of them together."""

from __future__ import annotations

from vsim.calibration.fitting.lines import difference, pooled_slope, slope_and_error
from vsim.calibration.fitting.resampling import mean_interval
from vsim.calibration.fitting.rungs import layer_of
from vsim.calibration.fitting.selection import Selected, by_block
from vsim.calibration.fitting.sheet import Estimate, Sheet

__all__ = ["fit_memory", "weighings"]

Series = list[tuple[float, float]]

_LEAST_POINTS = 3
_AVAILABLE = {"memory": "memory_available_bytes", "density": "density_available_bytes"}


def weighings(selected: Selected, driver: str) -> list[Series]:
    """Return each series of (instances on the host, bytes that they have taken), of instances that touch nothing."""
    series: dict[tuple[str, int, int], Series] = {}
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
    slopes: dict[str, tuple[tuple[float, float, float], int, str]] = {}
    for driver in selected.drivers:
        series = weighings(selected, driver)
        if series:
            used, bent = _straight(series)
            first, last = min(n for points in used for n, _ in points), max(n for points in used for n, _ in points)
            if bent is not None:
                sheet.notes.append(
                    f"{driver}, memory: one more instance takes {bent:.2f} times as much in the upper half of the "
                    f"counts as in the lower: the slope is that from {first:g} to {last:g}"
                )
            slopes[driver] = pooled_slope(used), sum(map(len, used)), f"{first:g} to {last:g} instances"
        _put_daemon(selected, sheet, driver)
    base = slopes.get("process")
    for driver, (slope, n, over) in slopes.items():
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
        where = f"slope of the host's available memory over {over}"
        sheet.put(path, Estimate.within(*beyond, "bytes", n, conditions=where))


def _straight(series: list[Series]) -> tuple[list[Series], float | None]:
    """Return what of the series a slope is taken from, and by what factor it is steeper there than before.

    The first instances may find what others have left (free pages in slabs, a daemon's heap), and the next ones not:
    where all series together are bent beyond chance, the upper half of the counts tells what one more takes.
    """
    halves = [(_part(points, upper=False), _part(points, upper=True)) for points in series]
    if len(series) < 2 or any(len({n for n, _ in half}) < _LEAST_POINTS for pair in halves for half in pair):
        return series, None
    slopes = [(slope_and_error(lower)[0], slope_and_error(upper)[0]) for lower, upper in halves]
    more, low, _ = mean_interval([upper - lower for lower, upper in slopes])
    before = sum(lower for lower, _ in slopes) / len(slopes)
    if low <= 0 or before <= 0:
        return series, None
    return [upper for _, upper in halves], 1 + more / before


def _part(points: Series, *, upper: bool) -> Series:
    middle = max(n for n, _ in points) / 2
    return [(n, taken) for n, taken in points if (n >= middle if upper else n <= middle)]


def _put_daemon(selected: Selected, sheet: Sheet, driver: str) -> None:
    own = [s for s in selected.of(driver, "memory") if s.metric == "memory_daemon_bytes"]
    blocks = by_block(own)
    if len(blocks) < 2 or driver == "process":
        return
    middle, low, high = mean_interval([sum(s.value for s in block) / len(block) for block in blocks.values()])
    where = "proportional set size of the daemons that serve all instances"
    path = ("layers", layer_of(driver), "memory", "environment_bytes")
    sheet.put(path, Estimate.within(middle, low, high, "bytes", len(own), conditions=where))
