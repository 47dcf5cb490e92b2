"""How a start grows with the number of instances that already run: from the ramps of the density suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vsim.calibration.fitting.lines import pooled_slope
from vsim.calibration.fitting.rungs import layer_of
from vsim.calibration.fitting.selection import Selected
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.calibration.fitting.starts import STAGE

if TYPE_CHECKING:
    from vsim.calibration.fitting.start_fit import StartFit

__all__ = ["fit_growth"]

# Ramps shorter than this tell nothing about growth.
_LEAST_INSTANCES = 10


def fit_growth(selected: Selected, sheet: Sheet, fits: dict[str, StartFit]) -> None:
    """Put the growth of each rung's CPU work that has a ramp, where it can be told from none."""
    for driver in selected.drivers:
        ramps: dict[tuple[str, int, int], list[tuple[float, float]]] = {}
        for s in selected.of(driver, "density"):
            if s.metric == "density_startup_s" and s.instance is not None:
                ramps.setdefault((s.run_id, s.block, s.step), []).append((s.instance, s.value))
        series = [points for points in ramps.values() if len(points) >= _LEAST_INSTANCES]
        if not series:
            continue
        if driver not in fits:
            sheet.leave_out(f"{driver}, growth of a start", "its work isn't known: it has no fitted start-up")
            continue
        parameters = fits[driver].parameters
        slope, low, high = pooled_slope(series)
        x, y = np.concatenate([np.array(points) for points in series]).T
        first = float(y.mean() - slope * x.mean())
        if first <= 0:
            sheet.leave_out(f"{driver}, growth of a start", "the ramps are no straight lines")
            continue
        # The start gets longer by its work only, on as many cores as it uses: that of a process after it as well.
        scale = parameters.parallelism / parameters.cpu_core_s * (parameters.alone_s / first)
        if low <= 0:
            sheet.leave_out(
                f"{driver}, growth of a start", f"none beyond noise: {slope * scale:+.2g} per instance on the host"
            )
            continue
        n = sum(len(points) for points in series)
        longest = max(int(points[-1][0]) for points in series)
        where = f"ramps of up to {longest + 1} instances"
        estimate = Estimate.within(slope * scale, low * scale, high * scale, "1", n, conditions=where)
        stage = "exec" if driver == "process" else STAGE
        sheet.put(("layers", layer_of(driver), "startup", stage, "growth"), estimate)
