"""Many waves at once are what one wave after another is."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest

from vsim.model.contention import Phase, Wave, wave
from vsim.model.waves import waves

# parts of a start, each the section that it is in or -1
PROGRAMS = [(-1,), (0, -1), (-1, 0, -1), (0, 0, 1, -1, 1), (-1, -1, -1, -1), (0, 1, 1)]


def scalar(
    wait: np.ndarray,
    work: np.ndarray,
    cap: np.ndarray,
    sections: tuple[int, ...],
    cores: float,
    apart: Collection[int] = (),
    one_by_one: bool = False,
    busy: np.ndarray | None = None,
) -> list[Wave]:
    """Say the same to the scalar model: parts in a row in the same section are one phase, but for those `apart`."""
    found = []
    for n in range(wait.shape[0]):
        starts = []
        for i in range(wait.shape[1]):
            phases: list[Phase] = []
            j = 0
            while j < len(sections):
                end = j + 1
                while (
                    sections[j] >= 0 and end < len(sections) and sections[end] == sections[j] and end - 1 not in apart
                ):
                    end += 1
                parts = tuple(zip(wait[n, i, j:end].tolist(), work[n, i, j:end].tolist(), strict=True))
                name = None if sections[j] < 0 else str(sections[j])
                phases.append(Phase(parts, name, float(cap[n, j]), 0.0 if busy is None else float(busy[n])))
                j = end
            starts.append(phases)
        found.append(wave(starts, cores, one_by_one=one_by_one))
    return found


@pytest.mark.parametrize("sections", PROGRAMS)
@pytest.mark.parametrize(("count", "cores"), [(1, 2), (2, 1), (4, 2), (9, 3.5)])
def test_the_same_as_one_wave_after_another(sections: tuple[int, ...], count: int, cores: float) -> None:
    rng = np.random.default_rng([count, len(sections)])
    shape = (7, count, len(sections))
    wait, work = rng.exponential(1, shape), rng.exponential(1, shape)
    # some of nothing, too
    wait[rng.random(shape) < 0.2] = 0
    work[rng.random(shape) < 0.2] = 0
    caps = {section: rng.choice([0.5, 1, 1.7, 3], 7) for section in set(sections)}
    cap = np.stack([caps[section] for section in sections], axis=1)
    for busy in (np.zeros(7), np.array([0, 0, 0.3, 1, 1, 1.5, 2])):
        found = waves(wait, work, cap, sections, cores, busy=busy)
        expected = scalar(wait, work, cap, sections, cores, busy=busy)
        assert found.done_s == pytest.approx(np.array([each.done_s for each in expected]), rel=1e-9, abs=1e-12)
        assert found.busy_core_s == pytest.approx([each.busy_core_s for each in expected], rel=1e-9, abs=1e-9)
        assert found.busy_core_s.any() == busy.any()


@pytest.mark.parametrize("sections", [(0, -1), (0, 0, 0), (0, -1, 0, 0), (0, 1, -1, 0, 0), (-1, 0, 0)])
@pytest.mark.parametrize(("count", "cores"), [(1, 2), (2, 1), (9, 2)])
def test_asked_for_one_by_one(sections: tuple[int, ...], count: int, cores: float) -> None:
    rng = np.random.default_rng([count, len(sections)])
    shape = (7, count, len(sections))
    wait, work = np.zeros(shape), rng.exponential(1, shape)
    cap, apart = np.ones((7, len(sections))), range(len(sections))
    found = waves(wait, work, cap, sections, cores, mark=1, apart=apart, one_by_one=True)
    expected = scalar(wait, work, cap, sections, cores, apart, one_by_one=True)
    assert found.done_s == pytest.approx(np.array([each.done_s for each in expected]), rel=1e-9)
    assert found.first_s == pytest.approx(np.array([each.first_s for each in expected]), rel=1e-9)


def test_the_marked_part_by_hand() -> None:
    # launched one after another, 0.1 core-seconds each; the clock starts when a launch is over
    wait, work = np.zeros((1, 3, 2)), np.tile([0.1, 0.05], (1, 3, 1))
    found = waves(wait, work, np.ones((1, 2)), (0, -1), 2, mark=1)
    assert found.first_s[0] == pytest.approx([0.1, 0.2, 0.3])
    assert found.done_s[0] == pytest.approx([0.15, 0.25, 0.35])


def test_waves_of_different_sizes_end_apart() -> None:
    work = np.array([[[1.0], [1.0]], [[5.0], [0.0]]])
    found = waves(np.zeros_like(work), work, np.ones((2, 1)), (-1,), 1)
    assert found.done_s == pytest.approx(np.array([[2, 2], [5, 0]]))


def test_no_parts_and_no_cores() -> None:
    nothing = np.zeros((1, 2, 0))
    assert waves(nothing, nothing, np.zeros((1, 0)), (), 1).done_s.tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="0 cores"):
        waves(nothing, nothing, np.zeros((1, 0)), (), 0)
