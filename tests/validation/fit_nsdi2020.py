"""Fits the stages of ``nsdi2020.yaml`` to the raw data, through the engine.

Run ``python -m tests.validation.fit_nsdi2020``.

For each monitor: CPU work, waiting, and one coefficient of variation of the CPU work; for Firecracker, whose samples
say when the guest began, work and waiting before and after that. One speed of m5d.metal relative to rn.haswell is
common to all. Minimised is the sum of squared logarithms of simulated over measured median, 95th and 99th percentile
(weights 1, ½, ½), over both levels and machines; for Firecracker the guest's part counts the same. It prints the
values to put into the profile, for each speed that is tried, the best one last, and takes some minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy.optimize import minimize

from tests.validation.nsdi2020 import LEVELS, MACHINES, MONITORS, Starts, measured, profile, quantiles, simulated
from vsim.model.layer import Layer, Stage
from vsim.model.machine import Machine
from vsim.model.quantity import Distribution, Quantity
from vsim.model.stack import Architecture, Stack

WEIGHTS = (1.0, 0.5, 0.5)
STARTS = 1000
# Where the search begins: core-seconds and seconds of each stage in the profile's order, and the variation.
BEGIN: Mapping[str, tuple[float, ...]] = {
    "firecracker": (0.043, 0.002, 0.057, 0.055, 0.1),
    "cloud-hypervisor": (0.087, 0.003, 0.07),
    "qemu": (0.187, 0.014, 0.06),
}


def fitted(stack: Stack, machine: Machine, values: Sequence[float]) -> Architecture:
    """Return `stack` with the stages' costs and variation of `values`, on `machine`."""
    left = list(np.abs(values[:-1]))
    cv = abs(values[-1])
    layers: list[Layer] = []
    for layer in stack.layers:
        stages: list[Stage] = []
        for stage in layer.startup:
            if layer.name == "host-os":
                stages.append(stage)
                continue
            work, wait = left.pop(0), left.pop(0)
            stages.append(dataclasses.replace(stage, cpu_core_s=_at(stage.cpu_core_s, work, cv), wait_s=_wait(wait)))
        layers.append(dataclasses.replace(layer, startup=tuple(stages)))
    return Architecture(dataclasses.replace(stack, layers=tuple(layers)), machine)


def _at(quantity: Quantity | None, value: float, cv: float) -> Quantity:
    assert quantity is not None
    distribution = Distribution("lognormal", cv)
    return dataclasses.replace(quantity, value=value, low=value, high=value, distribution=distribution)


def _wait(value: float) -> Quantity:
    source = profile().quantities["reference.launcher_core_s"].source
    return Quantity("wait", value, "s", source, value, value)


def loss(simulation: Starts, data: Starts) -> float:
    """Return the weighted sum of squared logarithms of simulated over measured quantiles."""
    pairs = [(simulation.total_s, data.total_s)]
    if data.guest_s is not None and simulation.guest_s is not None:
        pairs.append((simulation.guest_s, data.guest_s))
    return sum(
        weight * float(np.log(ours / theirs)) ** 2
        for simulated_s, measured_s in pairs
        for weight, ours, theirs in zip(WEIGHTS, quantiles(simulated_s), quantiles(measured_s), strict=True)
    )


def fit_monitor(monitor: str, speed: float, launcher_core_s: float, folder: Path) -> tuple[float, list[float]]:
    """Return the least loss with m5d.metal at `speed` times a core of rn.haswell, and the values that give it."""
    known = profile()
    stack, haswell = known.stacks[monitor], known.machines["rn-haswell"]
    m5d = known.machines["m5d-metal"]
    slower = dataclasses.replace(m5d, core_speed=m5d.core_speed.with_value(speed * haswell.core_speed.value))
    machines = {"rn-haswell": haswell, "m5d-metal": slower}
    data = {(machine, level): measured(folder, machine, monitor, level) for machine in MACHINES for level in LEVELS}

    def total(values: Sequence[float]) -> float:
        return sum(
            loss(
                simulated(fitted(stack, machines[machine], values), level, STARTS, launcher_core_s=launcher_core_s),
                starts,
            )
            for (machine, level), starts in data.items()
        )

    options = {"xatol": 2e-5, "fatol": 1e-6, "maxiter": 400}
    best = minimize(total, BEGIN[monitor], method="Nelder-Mead", options=options)
    return float(best.fun), [abs(float(value)) for value in best.x]


def main() -> None:
    """Print the best values for a few speeds of m5d.metal, the best speed last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--launcher", type=float, help="core-seconds of the launcher outside of its clock")
    parser.add_argument("--speeds", type=float, nargs="+", default=[0.66, 0.68, 0.7, 0.72, 0.74])
    given = parser.parse_args()
    launcher = profile().quantities["reference.launcher_core_s"].value if given.launcher is None else given.launcher
    tasks = [(monitor, speed) for speed in given.speeds for monitor in MONITORS]
    results = Parallel(-1)(delayed(fit_monitor)(*task, launcher, given.data) for task in tasks)
    found = dict(zip(tasks, results, strict=True))
    losses = {speed: sum(found[monitor, speed][0] for monitor in MONITORS) for speed in given.speeds}
    for speed in sorted(losses, key=losses.__getitem__, reverse=True):
        print(f"m5d.metal at {speed:.3f} of rn.haswell, launcher {1e3 * launcher:.0f} ms: loss {losses[speed]:.4f}")  # noqa: T201
        for monitor in MONITORS:
            less, values = found[monitor, speed]
            shown = ", ".join(f"{1e3 * value:.1f} ms" for value in values[:-1])
            print(f"  {monitor}: {shown}; cv {values[-1]:.3f}; loss {less:.4f}")  # noqa: T201


if __name__ == "__main__":
    main()
