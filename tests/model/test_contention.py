from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsim.model.contention import Phase, wave


def phase(wait_s: float, cpu_core_s: float, parts: int = 1, section: str | None = None, cap: float = 1) -> Phase:
    return Phase(((wait_s / parts, cpu_core_s / parts),) * parts, section, cap)


@pytest.mark.parametrize(
    ("phases", "count", "cores", "done"),
    [
        # alone: 1 s of waiting and 2 s of computing, however it is cut up
        ([phase(1, 2)], 1, 2, [3]),
        ([phase(1, 2, parts=4)], 1, 2, [3]),
        # four of 1 core-second on two cores
        ([phase(0, 1)], 4, 2, [2, 2, 2, 2]),
        # three on two cores: each has two thirds of one
        ([phase(0, 1)], 3, 2, [1.5, 1.5, 1.5]),
        # the waits pass side by side
        ([phase(1, 1)], 4, 2, [3, 3, 3, 3]),
        # one after another through a section, in which nobody competes
        ([phase(0, 1, section="a")], 3, 2, [1, 2, 3]),
        # a section of 1 s, then 1 core-second: who is through computes beside who is in it
        ([phase(1, 0, section="a"), phase(0, 1)], 3, 2, [2, 3, 4]),
        # two sections are two queues
        ([phase(0.5, 0, section="a"), phase(0.5, 0, section="b")], 2, 1, [1, 1.5]),
        # work for up to two cores: alone on two of three, then two of them share the three
        ([phase(0, 2, cap=2)], 1, 3, [1]),
        ([phase(0, 3, cap=2)], 2, 3, [2, 2]),
        # nothing to do takes no time
        ([phase(0, 0)], 2, 1, [0, 0]),
        ([Phase(())], 1, 1, [0]),
        ([], 1, 1, [0]),
    ],
)
def test_waves_by_hand(phases: list[Phase], count: int, cores: float, done: list[float]) -> None:
    assert wave([phases] * count, cores).done_s == pytest.approx(done)


def test_different_starts_share_by_hand() -> None:
    # 1, 2 and 3 core-seconds on one core: each third until 3 s, each half until 5 s, then alone until 6 s
    assert wave([[phase(0, work)] for work in (1, 2, 3)], 1).done_s == pytest.approx([3, 5, 6])


def test_one_with_a_low_cap_leaves_the_rest_to_the_others() -> None:
    # On three cores: one takes its half core, the other two 1.25 each; 2.5 core-seconds take 2 s, then 1 of 2 at 0.5
    starts = [[phase(0, 2, cap=0.5)], [phase(0, 2.5, cap=2)], [phase(0, 2.5, cap=2)]]
    assert wave(starts, 3).done_s == pytest.approx([4, 2, 2])


def test_who_comes_back_to_a_section_queues_again() -> None:
    # alone: in, out and in again at once; two: the second is let in between
    assert wave([[phase(1, 0, section="a"), phase(2, 0, section="a")]], 1).done_s == pytest.approx([3])
    assert wave([[phase(1, 0, section="a"), phase(2, 0, section="a")]] * 2, 1).done_s == pytest.approx([4, 6])


def test_the_end_of_the_first_phase_is_told() -> None:
    # launched one after another, 0.1 core-seconds each, while the others already compute on the second core
    found = wave([[phase(0, 0.1, section="launcher"), phase(0, 0.05)]] * 3, 2)
    assert found.first_s == pytest.approx([0.1, 0.2, 0.3])
    assert found.done_s == pytest.approx([0.15, 0.25, 0.35])


def test_whoever_asks_for_the_starts_waits_for_his_turn_as_well() -> None:
    # Each launch takes 0.1, and each start twice 0.05 of the same section. Start 0 is asked for at 0.1 and has its
    # first turn, then launch 1 until 0.25, the second turn until 0.3; start 1's first until 0.35, launch 2 until 0.45.
    launch, turn = phase(0, 0.1, section="a"), phase(0, 0.05, section="a")
    found = wave([[launch, turn, turn]] * 3, 2, one_by_one=True)
    assert found.first_s == pytest.approx([0.1, 0.25, 0.45])
    assert found.done_s == pytest.approx([0.3, 0.5, 0.6])
    # All asked for at the moment 0, the launches come first.
    assert wave([[launch, turn, turn]] * 3, 2).first_s == pytest.approx([0.1, 0.2, 0.3])
    # Without a section of their own, the same either way.
    assert wave([[launch, phase(0, 1)]] * 3, 2, one_by_one=True) == wave([[launch, phase(0, 1)]] * 3, 2)
    assert wave([], 1, one_by_one=True).done_s == []


def test_waiting_and_computing_overlap_part_by_part() -> None:
    # On one core, one computes while the other waits, and they swap: 1 s each, twice.
    first, second = Phase(((0, 1), (1, 1))), Phase(((1, 1), (1, 0)))
    assert wave([[first], [second]], 1).done_s == pytest.approx([3, 3])


def test_busy_waiting_takes_cores_and_no_longer() -> None:
    busy = Phase(((2, 0),), busy=1)
    # Two share a core until the work of 0.5 is done at 1; then the wait has it alone until 2.
    found = wave([[phase(0, 0.5)], [busy]], 1)
    assert (found.done_s, found.busy_core_s) == (pytest.approx([1, 2]), pytest.approx(1.5))
    # With a core for each, nobody is held up.
    found = wave([[phase(0, 0.5)], [busy]], 2)
    assert (found.done_s, found.busy_core_s) == (pytest.approx([0.5, 2]), pytest.approx(2))
    # It takes no more than it wants: a quarter of the core, the other has the rest.
    found = wave([[phase(0, 0.75)], [Phase(((2, 0),), busy=0.25)]], 1)
    assert (found.done_s, found.busy_core_s) == (pytest.approx([1, 2]), pytest.approx(0.5))
    # All four wait for 1 on two cores, and then compute for 1: half a core each, all the time.
    found = wave([[Phase(((1, 1),), busy=1)]] * 4, 2)
    assert (found.done_s, found.busy_core_s) == (pytest.approx([3] * 4), pytest.approx(2))


@given(
    works=st.lists(st.floats(0.01, 5), min_size=1, max_size=12),
    waits=st.lists(st.floats(0, 5), min_size=12, max_size=12),
    cores=st.integers(1, 4),
    parts=st.integers(1, 5),
)
def test_laws_of_a_wave(works: list[float], waits: list[float], cores: int, parts: int) -> None:
    """No start is done before it could be alone, and the last not before the cores have done all the work."""
    starts = [[phase(wait, work, parts)] for wait, work in zip(waits, works, strict=False)]
    done = wave(starts, cores).done_s
    for at, work, wait in zip(done, works, waits, strict=False):
        assert at >= (work + wait) * (1 - 1e-9)
    assert max(done) >= sum(works) / cores * (1 - 1e-9)
    assert max(done) <= (max(waits) + sum(works)) * (1 + 1e-9)


def test_no_cores() -> None:
    with pytest.raises(ValueError, match="0 cores"):
        wave([[phase(0, 1)]], 0)
