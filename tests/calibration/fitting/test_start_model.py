"""What a wave is predicted to show, by hand, and as the engine carries it out."""

from __future__ import annotations

import numpy as np
import pytest

from vsim.calibration.fitting.start_model import Parameters, Predictor

ONE = np.array([1.0])


def test_alone_and_several_by_hand() -> None:
    # 1 s of waiting, 1 core-second: alone 2 s; four on two cores 3 s
    model = Predictor(2, ONE, starts=16)
    same = Parameters(alone_s=2, cpu_core_s=1)
    for concurrency, expected in ((1, 2), (2, 2), (4, 3)):
        taken, ends, account = model.predict(concurrency, [same])
        assert taken == pytest.approx(np.full_like(taken, expected))
        assert ends == pytest.approx(np.full_like(ends, expected))
        assert account == pytest.approx(np.full_like(account, 1))


def test_a_section_and_several_cores_by_hand() -> None:
    # 0.5 in the section, 1 on two cores, the rest of 2 s waited: 1 s. Two: the second begins 0.5 s later, and computes
    # its 1 core-second alone while the first one is done
    model = Predictor(2, ONE, section=True, starts=16)
    locked = Parameters(alone_s=2, cpu_core_s=1.5, section_core_s=0.5, parallelism=2)
    assert locked.wait_s == pytest.approx(1)
    taken, _, account = model.predict(2, [locked])
    assert taken == pytest.approx(np.tile([2, 2.5], (len(taken[0]), 1))[None])
    assert account == pytest.approx(np.full_like(account, 1.5))


def test_the_clock_begins_after_the_launch() -> None:
    # on two cores, launches of 0.1 one after another; a start of 1 s that only waits
    model = Predictor(2, ONE, launch_core_s=0.1, starts=16)
    taken, ends, account = model.predict(3, [Parameters(alone_s=1, cpu_core_s=0)])
    assert taken == pytest.approx(np.ones_like(taken))
    assert ends == pytest.approx(np.full_like(ends, 1.3))
    assert account == pytest.approx(np.zeros_like(account))


def test_the_harness_launches_in_turns_with_its_own_work_for_the_starts() -> None:
    # as in the tests of the model of a wave: launches of 0.1, two turns of 0.05
    model = Predictor(2, ONE, turns=2, launch_core_s=0.1, starts=16)
    own = Parameters(alone_s=0.1, cpu_core_s=0.1, launched_core_s=0.1)
    taken, ends, account = model.predict(3, [own])
    assert taken == pytest.approx(np.tile([0.2, 0.25, 0.15], (len(taken[0]), 1))[None])
    assert ends == pytest.approx(np.full_like(ends, 0.6))
    assert account == pytest.approx(np.full_like(account, 0.1))
    # alone, there is nobody else
    assert model.predict(1, [own])[0] == pytest.approx(np.full((1, 16, 1), 0.1))


def test_a_busy_wait() -> None:
    # A start alone waits for 1 s, with half a core, and computes for 1 s.
    model = Predictor(2, ONE, starts=16)
    busy = Parameters(alone_s=2, cpu_core_s=1, busy=0.5)
    taken, _, account = model.predict(1, [busy])
    assert taken == pytest.approx(np.full_like(taken, 2))
    assert account == pytest.approx(np.full_like(account, 1.5))
    # Eight on two cores: each has a quarter of a core for 1 s, then for the 4 s that the work takes.
    taken, _, account = model.predict(8, [busy])
    assert taken == pytest.approx(np.full_like(taken, 5))
    assert account == pytest.approx(np.full_like(account, 1.25))


@pytest.mark.parametrize("carrier", ["wait", "work"])
def test_what_varies(carrier: str) -> None:
    factors = np.array([0.8, 1.0, 1.2])
    model = Predictor(2, factors, carrier=carrier, starts=3000)  # type: ignore[arg-type]
    taken, _, account = model.predict(1, [Parameters(alone_s=2, cpu_core_s=1)])
    assert taken.mean() == pytest.approx(2, rel=0.01)
    assert taken.std() == pytest.approx(2 * factors.std(), rel=0.1)
    # 2 s and 20 % of it up and down, all of it in the work of 1 core-second: or none of it
    assert account.std() == pytest.approx(2 * factors.std() if carrier == "work" else 0, rel=0.1, abs=1e-9)


def test_sets_are_predicted_apart() -> None:
    model = Predictor(2, ONE, starts=16)
    sets = [Parameters(2, 1), Parameters(3, 0.5)]
    together = model.predict(4, sets)
    for index, one in enumerate(sets):
        for both, alone in zip(together, model.predict(4, [one]), strict=True):
            assert both[index] == pytest.approx(alone[0])
