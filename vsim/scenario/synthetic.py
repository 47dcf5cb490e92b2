"""Demands that are made up: deterministic, from the few numbers that a scenario states under `demands.generated`."""

from __future__ import annotations

import math
from array import array

import numpy as np

from vsim.model.workload import DemandSeries
from vsim.scenario.workload_file import GeneratedFile
from vsim.scenario.written import Written

__all__ = ["generate"]

DAY_S = 86400.0


def generate(file: GeneratedFile, name: Written) -> tuple[DemandSeries, ...]:
    """Return the demands; `name` says where they were asked for. The same numbers give the same demands.

    The utilisation of an instance is mean × daily wave × noise, at most 1. The mean is lognormal over instances; the
    wave is a cosine whose peak lies at 14:00, give or take two hours; the noise is lognormal and its logarithm
    an autoregressive process, so that a busy interval is likely to follow a busy one.
    """
    rng = np.random.Generator(np.random.PCG64(file.seed))
    steps = int(file.length / file.interval)
    times = np.arange(steps) * file.interval
    sigma = math.sqrt(math.log1p(file.spread**2))
    noise_sigma = math.sqrt(math.log1p(file.noise**2))
    keep = math.exp(-file.interval / file.memory_of_noise)
    digits = len(str(file.instances))
    demands = []
    for number in range(file.instances):
        cores = file.cores[number % len(file.cores)]
        mean = file.mean * math.exp(sigma * rng.standard_normal() - sigma**2 / 2)
        peak_s = 14 * 3600 + 2 * 3600 * rng.standard_normal()
        wave = 1 + file.daily * np.cos((times - peak_s) * (2 * math.pi / DAY_S))
        noise = np.exp(noise_sigma * _autoregressive(rng, steps, keep) - noise_sigma**2 / 2)
        used = np.minimum(1.0, mean * wave * noise)
        provisioned = file.memory_per_core * cores
        # memory follows the load a little, and otherwise stays what it is
        resident = provisioned * min(1.0, file.memory_used * math.exp(0.3 * rng.standard_normal() - 0.045))
        demands.append(
            DemandSeries(
                name=Written(f"vm-{number + 1:0{digits}}", name.place),
                interval_s=file.interval,
                cpu_cores=array("d", used * cores),
                memory_bytes=array("d", np.minimum(provisioned, resident * (0.9 + 0.2 * used))),
                provisioned_cores=float(cores),
                provisioned_bytes=provisioned,
            )
        )
    return tuple(demands)


def _autoregressive(rng: np.random.Generator, steps: int, keep: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a stationary Gaussian sequence with variance 1 whose correlation falls by `keep` from step to step."""
    shocks = rng.standard_normal(steps)
    values = np.empty(steps)
    fresh = math.sqrt(1 - keep**2)
    value = shocks[0]
    values[0] = value
    for step in range(1, steps):
        value = keep * value + fresh * shocks[step]
        values[step] = value
    return values
