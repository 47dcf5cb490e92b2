"""A build with a cache: which steps run again, worked out by hand for every way in which steps depend on each other."""

from __future__ import annotations

import pytest

from vsim.model.building import BuildStage, BuildStep, Duration, elapsed_s, rebuild


def step(
    number: int, *changed: str, seconds: float = 1.0, reads: tuple[int, ...] = (), independent: bool = False
) -> BuildStep:
    return BuildStep(
        number, number, f"step {number}", Duration.exactly(seconds, "measured"), changed, reads, independent
    )


def stage(number: int, *steps: BuildStep, parent: int | None = None) -> BuildStage:
    return BuildStage(number, f"stage {number}", steps, parent, None if parent is not None else "image")


def again(*stages: BuildStage) -> list[int]:
    return sorted(rebuild(stages).reasons)


def test_without_a_change_nothing_runs() -> None:
    assert again(stage(0, step(1), step(2), step(3))) == []


def test_all_steps_after_the_first_that_changed_run() -> None:
    assert again(stage(0, step(1), step(2, "src/a.py"), step(3), step(4))) == [2, 3, 4]


def test_the_reasons_say_which_file_and_which_step() -> None:
    reasons = rebuild([stage(0, step(1, "a", "b", "c"), step(2))]).reasons
    assert reasons == {1: "a and 2 more changed", 2: "the step in line 1 runs again"}


def test_a_stage_on_a_stage_that_runs_again_does_so_too() -> None:
    first, second = stage(0, step(1), step(2, "a")), stage(1, step(3), step(4), parent=0)
    assert again(first, second) == [2, 3, 4]
    assert rebuild([first, second]).reasons[3] == "the stage stage 0 before it is built again"


def test_a_copy_from_a_stage_that_runs_again_does_so_too_and_what_follows() -> None:
    assert again(stage(0, step(1, "a")), stage(1, step(2), step(3, reads=(0,)), step(4))) == [1, 3, 4]


def test_a_stage_that_nobody_changed_stays_cached() -> None:
    assert again(stage(0, step(1, "a")), stage(1, step(2)), stage(2, step(3, reads=(1,)))) == [1]


def test_a_linked_copy_does_not_run_because_of_what_is_below_it() -> None:
    # COPY --link: its own layer, but what comes after it is on top of both
    assert again(stage(0, step(1, "a"), step(2, independent=True), step(3))) == [1, 3]
    assert again(stage(0, step(1), step(2, "b", independent=True), step(3))) == [2, 3]


def test_a_change_passes_through_stages_without_steps() -> None:
    assert again(stage(0, step(1, "a")), stage(1, parent=0), stage(2, step(2), parent=1)) == [1, 2]


def test_one_after_another_times_add_up() -> None:
    stages = [stage(0, step(1), step(2)), stage(1, step(3, reads=(0,)))]
    assert elapsed_s(stages, {1: 1.0, 2: 2.0, 3: 4.0}, parallel=False) == pytest.approx(7)
    assert elapsed_s(stages, {2: 2.0}, parallel=False) == pytest.approx(2)


def test_stages_that_do_not_need_each_other_run_at_the_same_time() -> None:
    # two stages of 5 and 3 s, then 1 s, a copy from the first (at 5 s) that takes 2 s, and one from the second, 1 s
    stages = [
        stage(0, step(1)),
        stage(1, step(2)),
        stage(2, step(3), step(4, reads=(0,)), step(5, reads=(1,))),
    ]
    seconds = {1: 5.0, 2: 3.0, 3: 1.0, 4: 2.0, 5: 1.0}
    assert elapsed_s(stages, seconds, parallel=True) == pytest.approx(8)
    assert elapsed_s(stages, seconds, parallel=False) == pytest.approx(12)


def test_a_factor_moves_a_duration_and_its_interval() -> None:
    moved = Duration(2, 1, 4, "assumed").times(7, 3, 14)
    assert (moved.seconds, moved.low, moved.high) == (14, 3, 56)
