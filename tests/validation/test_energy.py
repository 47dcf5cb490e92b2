"""Energy against cases computed by hand: a power curve integrated over a known load, and over a random one.

The curve is made up and far from linear, so that a mean load put into it gives another energy than the integral. Points
at 0, 10, …, 100 % load, in watts: 100, 110, 118, 125, 131, 138, 146, 156, 168, 182, 200.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.engine.toys import SITE, architecture, layer, q, scenario, service, toy_chassis, toy_machine, toy_part
from tests.validation.quoted import quoted, row
from vsim.engine.run import run_replication
from vsim.model.layer import CpuCost, Stage
from vsim.model.machine import Machine, Site
from vsim.model.power import PowerCurve
from vsim.model.stack import Architecture
from vsim.model.workload import Arrivals, Job, Request, Workload
from vsim.scenario.scenario import Fleet, Incident, Run, Scenario

WATTS = (100, 110, 118, 125, 131, 138, 146, 156, 168, 182, 200)
CURVE = q(200, shape=tuple(watts / 200 for watts in WATTS))


def machine(**changes: object) -> Machine:
    return toy_machine(power_w=CURVE, **changes)


def joules(arch: Architecture, scen: Scenario, site: Site = SITE, replication: int = 0) -> float:
    return 3600 * run_replication(arch, scen, site, replication).metrics["energy_wh"]


# What runs on the four cores of one host in a window of 100 s, and what that draws: seconds × watts.
JOBS = (
    *[Job(0, 0.0, 10.0)] * 4,  # 100 % for 10 s
    Job(0, 20.0, 6.0),  # 25 % for 6 s: halfway between 118 and 125 W
    *[Job(0, 30.0, 4.0)] * 8,  # eight jobs on four cores: 100 % for 8 s
    *[Job(0, 50.0, 5.0)] * 3,  # 75 % for 5 s: halfway between 156 and 168 W
    Job(0, 60.0, 10.0),  # 25 % from 60 s and from 70 s to 75 s, 50 % in between
    Job(0, 65.0, 10.0),
)
BUSY_J = 10 * 200 + 6 * 121.5 + 8 * 200 + 5 * 162 + 5 * 121.5 + 5 * 138 + 5 * 121.5
IDLE_S = 100 - 10 - 6 - 8 - 5 - 15


def test_a_known_load_on_one_host() -> None:
    scen = scenario(workload=Workload(jobs=JOBS))
    assert joules(architecture(layer(), machine=machine()), scen) == pytest.approx(BUSY_J + IDLE_S * 100, rel=1e-12)


def test_the_window_starts_after_the_warm_up_and_ends_on_time() -> None:
    # From 5 s to 25 s: 5 s at full load, 10 s idle, 5 s of a quarter.
    scen = scenario(workload=Workload(jobs=JOBS), run=Run(duration_s=20, warmup_s=5, replications=1))
    expected = 5 * 200 + 10 * 100 + 5 * 121.5
    assert joules(architecture(layer(), machine=machine()), scen) == pytest.approx(expected, rel=1e-12)


def test_pue_multiplies_and_an_idle_host_draws_its_idle_power() -> None:
    # A second host that a job of no demand names is on, and idle; a third and fourth that nothing needs are off.
    jobs = (*JOBS, Job(1, 0.0, 0.0))
    scen = scenario(workload=Workload(jobs=jobs), fleet=Fleet(hosts=4))
    site = replace(SITE, pue=q(1.4))
    expected = 1.4 * (BUSY_J + IDLE_S * 100 + 100 * 100)
    assert joules(architecture(layer(), machine=machine()), scen, site) == pytest.approx(expected, rel=1e-12)


def test_a_chassis_adds_its_own_draw_and_the_losses_of_its_supplies() -> None:
    # Blades 0 and 1 in one chassis, blade 2 in another: supplies of 90 % efficiency, 50 W for each chassis, PUE 1.2.
    blade = machine(chassis=replace(toy_chassis(slots=2), psu_efficiency=q(0.9)))
    jobs = (*JOBS, Job(1, 0.0, 0.0), Job(2, 0.0, 100.0))  # 25 % for the whole window on blade 2
    scen = scenario(workload=Workload(jobs=jobs))
    blades = BUSY_J + IDLE_S * 100 + 100 * 100 + 100 * 121.5
    expected = 1.2 * (blades / 0.9 + 2 * 50 * 100)
    site = replace(SITE, pue=q(1.2))
    assert joules(architecture(layer(), machine=blade), scen, site) == pytest.approx(expected, rel=1e-12)


def test_what_layers_do_in_the_background_counts() -> None:
    # 0.2 cores for the host, 0.1 for each of two instances: 0.4 of 4 cores, 110 W.
    arch = architecture(layer(cpu=CpuCost(environment_cores=q(0.2), unit_cores=q(0.1))), machine=machine())
    assert joules(arch, scenario(service(replicas=2))) == pytest.approx(100 * 110, rel=1e-9)


def test_a_host_that_is_down_draws_nothing_and_one_that_boots_its_load() -> None:
    # Down from 20 s to 50 s; then 10 s of boot, 4 of them on one core; up from 60 s.
    boot = Stage("boot", per="environment", wait_s=q(6), cpu_core_s=q(4))
    arch = architecture(layer(startup=(boot,)), machine=machine())
    scen = scenario(service(), incidents=(Incident("machine", at_s=20, repair_s=30),))
    expected = 20 * 100 + 6 * 100 + 4 * 121.5 + 40 * 100
    assert joules(arch, scen) == pytest.approx(expected, rel=1e-12)


def test_blades_whose_chassis_lost_its_supplies_draw_nothing() -> None:
    # Two blades idle for 100 s, less 30 s without supplies; the enclosure's own 50 W go on.
    blade = machine(chassis=toy_chassis(slots=2, psu=toy_part(1, 1, 0, 10)))
    arch = architecture(layer(boundary="process"), machine=blade)
    incident = Incident("psu", at_s=20, repair_s=30)
    scen = scenario(service(replicas=2), fleet=Fleet(isolation="namespace"), incidents=(incident,))
    assert joules(arch, scen) == pytest.approx(2 * 100 * 70 + 50 * 100, rel=1e-12)


@pytest.mark.parametrize("cv", [0.5, 1.5])
def test_a_random_load_draws_what_its_distribution_says(cv: float) -> None:
    # Poisson arrivals at half of four cores that are shared fairly. The number of requests is that of M/M/4 whatever
    # the demands' distribution (a symmetric queue is insensitive), so the mean power is Σ πₙ P(min(n, 4) / 4).
    offered, cores = 2.0, 4
    weights = [offered**n / math.factorial(n) for n in range(cores)]
    full = offered**cores / math.factorial(cores) * cores / (cores - offered)  # all n ≥ 4: a geometric series
    curve = PowerCurve(WATTS)
    power = sum(w * curve(n / cores) for n, w in enumerate(weights)) + full * curve(1.0)
    expected = power / (sum(weights) + full) * 2000

    web = service(request=Request(user_core_s=0.5, cv=cv), arrivals=Arrivals("poisson", 4.0))
    scen = scenario(web, run=Run(duration_s=2000, warmup_s=200, replications=1))
    arch = architecture(layer(), machine=machine())
    found = np.array([joules(arch, scen, replication=r) for r in range(30)])
    half = stats.t.ppf(0.9995, len(found) - 1) * stats.sem(found)
    assert half < 0.005 * expected
    assert found.mean() == pytest.approx(expected, abs=half)
    quoted(row(f"joules in 2,000 s, demands with cv {cv}", expected, found.mean(), half, len(found)))
    # the power at the mean load would be another: the test can tell them apart
    assert abs(curve(offered / cores) * 2000 - expected) > 2 * half
