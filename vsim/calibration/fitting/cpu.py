"""CPU: what one operation of each kind takes in a process, and how much slower it is on each rung."""

from __future__ import annotations

import math

from vsim.calibration.fitting.lines import paired_ratio
from vsim.calibration.fitting.resampling import mean_interval
from vsim.calibration.fitting.rungs import layer_of
from vsim.calibration.fitting.selection import Block, Selected, by_block
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.model.probe import OPERATION

__all__ = ["fit_cpu"]


def fit_cpu(selected: Selected, sheet: Sheet) -> None:
    """Put the work of an operation of the probe, and each rung's factor, paired within blocks."""
    for kind, name in OPERATION.items():
        base = _means(selected, "process", kind)
        if len(base) >= 2:
            middle, low, high = mean_interval([math.log(value) for value in base.values()])
            where = "one operation of the probe in a process"
            operation = Estimate.within(
                math.exp(middle), math.exp(low), math.exp(high), "core-s", len(base), conditions=where
            )
            sheet.put(tuple(name.split(".")), operation)
        for driver in selected.drivers:
            own = _means(selected, driver, kind)
            if driver == "process" or not own:
                continue
            found = paired_ratio(own, base)
            if found is None:
                sheet.leave_out(f"{driver}, {kind} factor", "no two blocks have it and a process beside it")
                continue
            (middle, low, high), n = found
            factor = Estimate.within(middle, low, high, "1", n, conditions="of a process in the same block")
            sheet.put(("layers", layer_of(driver), "cpu", f"{kind}_factor"), factor)


def _means(selected: Selected, driver: str, kind: str) -> dict[Block, float]:
    own = (s for s in selected.of(driver, "cpu") if s.metric == f"cpu_{kind}_s" and s.value > 0)
    return {block: sum(s.value for s in samples) / len(samples) for block, samples in by_block(own).items()}
