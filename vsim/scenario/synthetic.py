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

_Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


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
    cores = np.resize(np.array(file.cores, dtype=np.float64), file.instances)[:, None]
    # one column per random number of an instance, drawn instance by instance
    normal = rng.standard_normal((file.instances, 3))
    mean = file.mean * np.exp(sigma * normal[:, 0] - sigma**2 / 2)[:, None]
    peak_s = 14 * 3600 + 2 * 3600 * normal[:, 1][:, None]
    wave = 1 + file.daily * np.cos((times - peak_s) * (2 * math.pi / DAY_S))
    noise = np.exp(noise_sigma * _autoregressive(rng, (file.instances, steps), keep) - noise_sigma**2 / 2)
    used = np.minimum(1.0, mean * wave * noise)
    provisioned = file.memory_per_core * cores
    # memory follows the load a little, and otherwise stays what it is
    part = file.memory_used * np.exp(0.3 * normal[:, 2] - 0.045)[:, None]
    memory = provisioned * np.minimum(1.0, part * (0.9 + 0.2 * used))
    digits = len(str(file.instances))
    return tuple(
        DemandSeries(
            name=Written(f"vm-{number + 1:0{digits}}", name.place),
            interval_s=file.interval,
            cpu_cores=array("d", used[number] * cores[number]),
            memory_bytes=array("d", memory[number]),
            provisioned_cores=float(cores[number, 0]),
            provisioned_bytes=float(provisioned[number, 0]),
        )
        for number in range(file.instances)
    )


def _autoregressive(rng: np.random.Generator, shape: tuple[int, int], keep: float) -> _Matrix:
    """Return rows that are stationary Gaussian sequences of variance 1, whose correlation falls by `keep` a step."""
    values: _Matrix = rng.standard_normal(shape)
    fresh = math.sqrt(1 - keep**2)
    for step in range(1, shape[1]):
        values[:, step] = keep * values[:, step - 1] + fresh * values[:, step]
    return values
