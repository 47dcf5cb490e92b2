"""A start that takes hardly longer than the harness does to ask for the next one: the harness's own part is found."""

from __future__ import annotations

import numpy as np
import pytest

from tests.calibration.fitting.made import Rung, starts
from vsim.calibration.fitting import Calibration, Search, fit
from vsim.engine.plans import perform
from vsim.model.plan import Plan, Start
from vsim.model.probe import LAUNCHER
from vsim.samples.records import Samples

LAUNCH = 0.0004
PROCESS = Rung(0.0001, 0.0001, cv=0.1, turns=4, turn_core_s=0.00006)
DOCKER = Rung(0.05, 0.1, cv=0.1)


@pytest.fixture(scope="module")
def found() -> Calibration:
    made = starts({"process": PROCESS, "docker": DOCKER, "null": Rung(0, 1e-9)}, launch_core_s=LAUNCH)
    return fit(made, search=Search(rounds=(1,), starts=200))


def test_what_the_harness_does_for_a_process_is_found(found: Calibration) -> None:
    own = [estimate for name, estimate in found.report.fitted.items() if name.startswith("process-harness.startup.")]
    assert len(own) == 4
    assert sum(each.value for each in own) == pytest.approx(4 * 0.00006, rel=0.25)
    assert [stage.section for stage in found.profile.layers["process-harness"].startup] == [LAUNCHER] * 4


def test_it_is_no_part_of_what_takes_long(found: Calibration) -> None:
    layers = {name: [layer.name for layer in stack.layers] for name, stack in found.profile.stacks.items()}
    assert layers["process"] == ["measured-host", "process-harness", "measured-process"]
    assert layers["docker"] == ["measured-host", "docker", "measured-process"]
    work = found.report.fitted["docker.startup.bring-up.cpu_core_s"]
    assert work.value == pytest.approx(0.1, rel=0.1)


def test_it_holds_the_starts_of_a_large_wave_up(found: Calibration) -> None:
    truth = starts({"process": PROCESS}, levels=(16,), count=16, blocks=20, seed=2, launch_core_s=LAUNCH)
    plan = Plan("sixteen", (Start(count=16, concurrency=16),), blocks=20, warmup_blocks=0)
    predicted = perform(plan, found.profile, ["process"], found.report.machine)
    assert np.median(times(predicted)) == pytest.approx(np.median(times(truth)), rel=0.1)
    # What a start alone takes, with as many others asked for before it is through as there are turns, is far more.
    alone = PROCESS.wait_s + PROCESS.cpu_core_s + 4 * PROCESS.turn_core_s
    assert np.median(times(truth)) > 3 * alone


def times(samples: Samples) -> list[float]:
    return [sample.value for sample in samples.samples if sample.metric == "startup_s"]
