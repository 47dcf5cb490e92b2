"""The simulator with run queues of their own: cases worked out by hand, and the engine's answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.engine.toys import architecture, layer, q, toy_machine
from tests.validation.launchers import Busy, Compute, Floats, Part, Sleep, launch
from tests.validation.nsdi2020 import simulated
from vsim.model.layer import Stage


def waves(*starts: Sequence[Part], cores: int, balance_s: float = np.inf, seed: int = 1) -> Floats:
    """All of `starts` at once, each asked for at the moment 0, sorted by how long they take."""
    given = iter(starts)

    def draw() -> Sequence[Part]:
        return [Compute(0.0), *next(given)]

    return np.sort(launch(draw, len(starts), cores, len(starts), balance_s=balance_s, seed=seed))


@pytest.mark.parametrize("seed", range(5))
def test_two_share_a_core_until_the_third_is_done(seed: int):
    # one has a core and takes 1 s; the others have half of one, then its core pulls one of them: ½ s left for both
    assert waves(*[[Compute(1.0)]] * 3, cores=2, seed=seed) == pytest.approx([1.0, 1.5, 1.5])


def test_busy_waiting_takes_a_share_and_ends_on_time():
    # half a core each for 1 s, then the one that computes has ½ s left
    assert waves([Busy(1.0)], [Compute(1.0)], cores=1) == pytest.approx([1.0, 1.5])
    assert waves([Sleep(1.0)], [Compute(1.0)], cores=1) == pytest.approx([1.0, 1.0])


def test_a_section_lets_one_in_at_a_time():
    starts = [[Compute(1.0, "lock"), Compute(1.0)]] * 3
    assert waves(*starts, cores=4) == pytest.approx([2.0, 3.0, 4.0])


def test_balancing_gives_equal_shares():
    # 8 launchers work for ¼ s and then start something of 1 core-second each, on 4 cores: half a core each, 2 s.
    # Without balancing nobody leaves a queue of three for one that has one.
    parts: list[Part] = [Compute(0.25), Compute(1.0)]
    balanced = launch(lambda: parts, 8, 4, 8, balance_s=1e-3)
    assert balanced == pytest.approx([2.0] * 8, rel=0.01)
    many = [launch(lambda: parts, 400, 4, 16, balance_s=balance_s) for balance_s in (1e-3, np.inf)]
    assert np.std(many[0]) < np.std(many[1]) / 2
    assert np.mean(many[0]) == pytest.approx(np.mean(many[1]), rel=0.05)  # the cores get as much done


@pytest.mark.parametrize(("cores", "concurrency"), [(4, 1), (4, 10), (48, 50), (4, 50)])
def test_one_queue_for_all_cores_is_the_engine(cores: int, concurrency: int):
    # 0.02 core-seconds of the launcher outside of its clock, a section, a wait, work: the engine's stages in order
    stages = (
        Stage("lock", cpu_core_s=q(0.004), section="lock"),
        Stage("boot", wait_s=q(0.05), cpu_core_s=q(0.1)),
    )
    machine = toy_machine(cores=q(cores))
    theirs = simulated(
        architecture(layer(opens_guest=True, startup=stages), machine=machine), concurrency, 300, launcher_core_s=0.02
    )
    parts: list[Part] = [Compute(0.02), Compute(0.004, "lock"), Sleep(0.05), Compute(0.1)]
    ours = launch(lambda: parts, 300, cores, concurrency, queues="shared")
    assert ours == pytest.approx(theirs.total_s, rel=1e-9)
