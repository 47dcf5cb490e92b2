from __future__ import annotations

from tests.bench.fakes import Clock, FakeDriver
from vsim.bench.budget import estimate_s, fit_blocks, left_out
from vsim.bench.drivers import all_drivers
from vsim.bench.suites import suite_of
from vsim.model.plan import SUITES, Plan, Start, preset


def fitted(limit_s: float) -> tuple[int, int]:
    driver = FakeDriver("a", Clock(), [])
    driver.typical_start_s = 0.5
    # A start is taken for 1.5 × 0.5 s and a block for 0.05 s more: 0.8 s; opening for 2 × 0.5 s.
    plan = Plan("test", (Start(count=1),), blocks=5, warmup_blocks=1, time_limit_s=limit_s)
    made = fit_blocks(plan, [driver])
    return made.blocks, made.warmup_blocks


def test_as_many_blocks_as_there_is_time_for() -> None:
    assert fitted(100) == (5, 1)
    assert fitted(1.0 + 4.5 * 0.8) == (3, 1)
    assert fitted(1.0 + 3.5 * 0.8) == (2, 1)
    # no room for two and the warm-up: the warm-up goes
    assert fitted(1.0 + 2.5 * 0.8) == (2, 0)
    assert fitted(0.1) == (1, 0)


def test_every_suite_on_every_rung_fits_into_the_quick_time_where_steps_are_as_slow_as_guessed() -> None:
    drivers = [driver for driver in all_drivers() if not driver.detection_only]
    plan = fit_blocks(preset(SUITES, quick=True), drivers)
    assert (plan.blocks, plan.warmup_blocks) == (1, 0)
    # Guesses are rather too high, and the time limit ends the run where they were too low.
    assert estimate_s(plan, drivers) < 2 * plan.time_limit_s


def test_every_step_of_the_presets_is_left_out_or_has_a_demand() -> None:
    drivers = [driver for driver in all_drivers() if not driver.detection_only]
    for quick in (True, False):
        plan = preset(SUITES, quick=quick)
        reasons = list(left_out(plan, drivers))
        lacking = sum(suite_of(step).lack(step, driver) is not None for step in plan.steps for driver in drivers)
        assert len(reasons) == lacking
        assert all(reason.rpartition(": ")[2].strip() for reason in reasons)
        for step in plan.steps:
            for driver in drivers:
                if suite_of(step).lack(step, driver) is None:
                    demand = suite_of(step).demand(step, driver)
                    assert demand.seconds > 0
