"""Disk: what the host's disk does for a process, and what a rung adds to each path."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vsim.calibration.fitting.lines import paired_differences, paired_ratio
from vsim.calibration.fitting.resampling import mean_interval
from vsim.calibration.fitting.rungs import layer_of
from vsim.calibration.fitting.selection import Block, Selected, by_block
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.samples.records import Sample

__all__ = ["fit_disk"]

PATHS = ("root", "bind", "volume")
_THROUGHPUT = "disk_throughput_bytes_per_s"


def fit_disk(selected: Selected, sheet: Sheet) -> None:
    """Put the machine's disk and each rung's paths; operations are random reads, as applications wait for those."""
    _put_machine(selected, sheet)
    for driver in selected.drivers:
        if driver == "process":
            continue
        for path in PATHS:
            _put_path(selected, sheet, driver, path)


def _chosen(selected: Selected, driver: str, path: str, pattern: str, metric: str, *, deep: bool) -> list[Sample]:
    """Return the samples of a metric: at queue depth 1, or at the largest depth that was measured."""
    own = [
        (int(step.get("depth", 1)), s)
        for s in selected.of(driver, "disk")
        if s.metric == metric and (step := selected.step(s)).get("path") == path and step.get("pattern") == pattern
    ]
    depth = max((depth for depth, _ in own), default=1) if deep else 1
    return [s for each, s in own if each == depth]


def _means(samples: Iterable[Sample]) -> dict[Block, float]:
    return {block: sum(s.value for s in own) / len(own) for block, own in by_block(samples).items()}


def _put_machine(selected: Selected, sheet: Sheet) -> None:
    """Put what a process gets of the disk: all paths are the host's file system there."""
    place = ("machines", selected.host.name, "disk")
    for name, pattern, metric, deep, unit in (
        ("read_bytes_per_s", "read", _THROUGHPUT, True, "bytes/s"),
        ("write_bytes_per_s", "write", _THROUGHPUT, True, "bytes/s"),
        ("iops", "random_read", "disk_iops", True, "1/s"),
        ("latency_s", "random_read", "disk_latency_p50_s", False, "s"),
    ):
        samples = [s for p in PATHS for s in _chosen(selected, "process", p, pattern, metric, deep=deep)]
        values = [math.log(value) for value in _means(samples).values() if value > 0]
        if len(values) < 2:
            continue
        middle, low, high = mean_interval(values)
        buffered = " (through the page cache)" if any("buffered" in s.flags for s in samples) else ""
        estimate = Estimate.within(
            math.exp(middle),
            math.exp(low),
            math.exp(high),
            unit,
            len(samples),
            conditions=f"{pattern.replace('_', ' ')} by a process, fio{buffered}",
        )
        sheet.put((*place, name), estimate)


def _put_path(selected: Selected, sheet: Sheet, driver: str, path: str) -> None:
    place = ("layers", layer_of(driver), "disk", path)
    where = f"to a process in the same block, on {selected.host.hostname}'s file system"
    for name, pattern, metric, deep in (
        ("iops_factor", "random_read", "disk_iops", True),
        ("throughput_factor", "read", _THROUGHPUT, True),
    ):
        own = _chosen(selected, driver, path, pattern, metric, deep=deep)
        found = paired_ratio(_means(own), _means(_chosen(selected, "process", path, pattern, metric, deep=deep)))
        if found is not None:
            (middle, low, high), n = found
            sheet.put((*place, name), Estimate.within(middle, low, high, "1", n, conditions=where))
        elif own:
            sheet.leave_out(f"{driver}, {name} of {path}", "no two blocks have it and a process beside it")
    metric = "disk_latency_p50_s"
    added = paired_differences(
        _means(_chosen(selected, driver, path, "random_read", metric, deep=False)),
        _means(_chosen(selected, "process", path, "random_read", metric, deep=False)),
    )
    if added is None:
        return
    (middle, low, high), n = added
    if high <= 0:
        sheet.leave_out(f"{driver}, latency of {path}", "no more than that of a process")
        return
    sheet.put((*place, "latency_s"), Estimate.within(middle, low, high, "s", n, conditions=where))
