"""Availability against the closed form of k-out-of-n systems with independent repair.

A piece that fails at the rate λ and is repaired at the rate μ, independently of all others, works with the probability
p = μ / (λ + μ); at least k of n work with the probability Σ_{i≥k} C(n, i) pⁱ (1 − p)ⁿ⁻ⁱ (Trivedi, *Probability and
Statistics with Reliability, Queuing, and Computer Science Applications*, 2nd ed. 2002, sections 3.6 and 8.1).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.engine.toys import SITE, architecture, layer, q, scenario, service, toy_chassis, toy_machine, toy_part
from tests.validation.quoted import quoted, row
from vsim.engine.run import run_replication
from vsim.model.machine import Machine
from vsim.model.quantity import Distribution
from vsim.scenario.scenario import Fleet, Reliability, Run

YEAR_S = 365 * 86400


def k_of_n(k: int, n: int, per_year: float, repair_s: float) -> float:
    p = 1 / (1 + per_year * repair_s / YEAR_S)
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def simulated(machine: Machine, replicas: int, needs: int, seeds: int = 40, years: float = 100) -> tuple[float, float]:
    """Return the mean availability over seeds, and the half width of its 99.9 % interval."""
    scen = scenario(
        service(replicas=replicas, needs=needs),
        fleet=Fleet(isolation="namespace"),
        reliability=Reliability(years=years),
        run=Run(duration_s=1, warmup_s=0, replications=1),
    )
    arch = architecture(layer(boundary="process"), machine=machine)
    values = np.array([run_replication(arch, scen, SITE, r).metrics["availability"] for r in range(seeds)])
    # Student's t with 39 degrees of freedom at 99.95 %
    return float(values.mean()), float(3.558 * values.std(ddof=1) / math.sqrt(seeds))


@pytest.mark.parametrize(("k", "n"), [(1, 1), (2, 3), (3, 4), (1, 2)])
def test_k_of_n_machines(k: int, n: int) -> None:
    repair = replace(q(0.05 * YEAR_S), distribution=Distribution("exponential"))
    mean, half = simulated(toy_machine(failures_per_year=q(4), repair_s=repair), replicas=n, needs=k)
    assert half < 0.01
    theory = k_of_n(k, n, 4, 0.05 * YEAR_S)
    assert mean == pytest.approx(theory, abs=half)
    quoted(row(f"{k} of {n} machines", theory, mean, half, 40))


def test_the_distribution_of_repair_times_does_not_matter() -> None:
    # Only the mean enters the formula, as long as a piece works again when repaired (renewal theory).
    machine = toy_machine(failures_per_year=q(4), repair_s=q(0.05 * YEAR_S))
    mean, half = simulated(machine, replicas=3, needs=2)
    theory = k_of_n(2, 3, 4, 0.05 * YEAR_S)
    assert mean == pytest.approx(theory, abs=half)
    quoted(row("2 of 3 machines, constant repair times", theory, mean, half, 40))


def test_power_supplies_of_a_chassis() -> None:
    # 4 of 6 supplies must work; nothing else fails, and a blade starts in no time
    chassis = toy_chassis(psu=toy_part(6, 4, 4, 0.05 * YEAR_S))
    mean, half = simulated(toy_machine(chassis=chassis), replicas=1, needs=1)
    assert half < 0.01
    theory = k_of_n(4, 6, 4, 0.05 * YEAR_S)
    assert mean == pytest.approx(theory, abs=half)
    quoted(row("4 of 6 supplies of a chassis", theory, mean, half, 40))
