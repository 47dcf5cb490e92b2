"""Waves of starts whose times can be worked out by hand, on two cores that compute one core-second a second each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.plans.profiles import m, performed, profile, values
from vsim.model.plan import Start
from vsim.model.probe import LAUNCHER
from vsim.samples.records import Samples

LAUNCH = "launch_core_s"


def started(folder: Path, step: Start, stages: dict[str, Any], launch: float = 0.0, **more: Any) -> Samples:
    reference = {LAUNCH: m(launch, "s")} if launch else {}
    return performed(profile(folder, {"engine": {"startup": stages}}, reference=reference, **more), step)


def work(core_s: float, **more: Any) -> dict[str, Any]:
    return {"work": {"cpu_core_s": m(core_s, "s"), **more}}


def test_all_of_a_wave_share_the_cores_and_the_next_wave_waits_for_all(tmp_path: Path) -> None:
    found = started(tmp_path, Start(count=6, concurrency=4), work(1.0))
    # four starts of 1 core-s on two cores take 2 s each; of two, each has a core
    assert values(found, "startup_s") == pytest.approx([2, 2, 2, 2, 1, 1])
    assert {s.metric for s in found.samples} == {"startup_s", "starts_per_s", "startup_cpu_core_s"}
    assert values(found, "starts_per_s") == pytest.approx([4 / 2, 2 / 1])
    assert values(found, "startup_cpu_core_s") == pytest.approx([1, 1])
    first, second = found.samples[0], found.samples[-1]
    assert (first.concurrency, first.instance) == (4, 0)
    assert (second.concurrency, second.instance) == (4, None)
    assert [first.t, second.t] == pytest.approx([2, 3])
    assert [s.instance for s in found.samples if s.metric == "startup_s"] == [0, 1, 2, 3, 4, 5]


def test_one_start_at_a_time_is_in_a_section(tmp_path: Path) -> None:
    found = started(tmp_path, Start(count=3, concurrency=3), work(1.0, section="lock"))
    assert values(found, "startup_s") == pytest.approx([1, 2, 3])
    assert values(found, "starts_per_s") == pytest.approx([1])


def test_waiting_needs_no_core(tmp_path: Path) -> None:
    stages = work(1.0, wait_s=m(0.5, "s"))
    assert values(started(tmp_path, Start(4, 4), stages), "startup_s") == pytest.approx([2.5] * 4)
    assert values(started(tmp_path, Start(2, 1), stages), "startup_s") == pytest.approx([1.5] * 2)


def test_the_stages_of_all_layers_follow_one_another(tmp_path: Path) -> None:
    known = profile(
        tmp_path,
        {"engine": {"startup": work(1.0)}, "process-rung": {"startup": {"exec": {"wait_s": m(0.25, "s")}}}},
    )
    found = performed(known, Start(1, 1), drivers=("docker", "process"))
    assert values(found, "startup_s", driver="docker") == pytest.approx([1.25])
    assert values(found, "startup_s", driver="process") == pytest.approx([0.25])


def test_work_grows_with_those_that_run(tmp_path: Path) -> None:
    # One after another through the section: the second finds one that runs, the third two. 1 + 1.1 + 1.2 core-s.
    found = started(tmp_path, Start(3, 3), work(1.0, section="lock", growth=m(0.1)))
    assert values(found, "startup_s") == pytest.approx([1.0, 2.1, 3.3])
    assert values(found, "startup_cpu_core_s") == pytest.approx([1.1])
    # Waves of one find none: the one before has been removed.
    alone = started(tmp_path, Start(3, 1), work(1.0, growth=m(0.1)))
    assert values(alone, "startup_s") == pytest.approx([1, 1, 1])


def test_the_harness_asks_for_one_after_another(tmp_path: Path) -> None:
    found = started(tmp_path, Start(2, 2), work(1.0), launch=0.1)
    # Asked for at 0.1 s and 0.2 s, each on a core of its own from then on. The harness has computed 0.2 core-s.
    assert values(found, "startup_s") == pytest.approx([1.0, 1.0])
    assert values(found, "starts_per_s") == pytest.approx([2 / 1.2])
    assert values(found, "startup_cpu_core_s") == pytest.approx([1.1])
    alone = started(tmp_path, Start(1, 1), work(1.0), launch=0.1)
    assert values(alone, "startup_s") == pytest.approx([1.0])
    assert values(alone, "starts_per_s") == pytest.approx([1.0])


def test_the_harness_launches_and_looks_after_those_that_run_in_turns(tmp_path: Path) -> None:
    # Worked out where the model of a wave is tested, with the same figures: its section is the harness's.
    turn = {"section": LAUNCHER, "cpu_core_s": m(0.05, "s")}
    found = started(tmp_path, Start(3, 3), {"harness-1": turn, "harness-2": turn}, launch=0.1)
    assert values(found, "startup_s") == pytest.approx([0.3 - 0.1, 0.5 - 0.25, 0.6 - 0.45])
    assert values(found, "starts_per_s") == pytest.approx([3 / 0.6])
    assert values(found, "startup_cpu_core_s") == pytest.approx([0.2])
    alone = started(tmp_path, Start(1, 1), {"harness-1": turn, "harness-2": turn}, launch=0.1)
    assert values(alone, "startup_s") == pytest.approx([0.1])


def test_the_calls_of_the_harness_end_with_stages_of_their_names(tmp_path: Path) -> None:
    stages = {
        name: {"wait_s": m(s, "s")} for name, s in (("create", 0.1), ("start", 0.2), ("boot", 0.3), ("ready", 0.4))
    }
    found = started(tmp_path, Start(1, 1), stages)
    expected = {
        "startup_s": 0.6,
        "create_s": 0.1,
        "start_s": 0.2,
        "first_instruction_s": 0.5,
        "ready_s": 0.9,
        "starts_per_s": 1.0,
        "startup_cpu_core_s": 0.0,
    }
    assert {sample.metric: sample.value for sample in found.samples} == pytest.approx(expected)


def test_ready_is_after_the_first_instruction(tmp_path: Path) -> None:
    stages = {"bring-up": {"wait_s": m(0.5, "s")}, "ready": {"wait_s": m(0.3, "s")}}
    found = started(tmp_path, Start(2, 2), stages)
    assert values(found, "startup_s") == pytest.approx([0.5, 0.5])
    assert values(found, "starts_per_s") == pytest.approx([2 / 0.8])


def test_what_the_layers_do_in_the_background_is_in_the_account_and_in_the_way(tmp_path: Path) -> None:
    # Half a core is busy all the time: of 1.5 cores two starts of 0.75 core-s take 1 s, and the host computes 2 core-s.
    layer = {"startup": work(0.75), "cpu": {"environment_cores": m(0.5, "cores")}}
    found = performed(profile(tmp_path, {"engine": layer}), Start(2, 2))
    assert values(found, "startup_s") == pytest.approx([1.0, 1.0])
    assert values(found, "startup_cpu_core_s") == pytest.approx([1.0])


def test_a_slower_core_takes_longer(tmp_path: Path) -> None:
    found = started(tmp_path, Start(1, 1), work(1.0), machine={"core_speed": m(0.5)})
    assert values(found, "startup_s") == pytest.approx([2.0])


def test_a_guest_boots_with_each_instance(tmp_path: Path) -> None:
    layers = {
        "monitor": {"opens_guest": True, "boundary": "hypervisor", "startup": {"create": {"wait_s": m(0.5, "s")}}},
        "kernel": {"startup": {"boot": {"per": "environment", "cpu_core_s": m(1, "s")}}},
    }
    found = performed(profile(tmp_path, layers), Start(2, 2))
    assert values(found, "startup_s") == pytest.approx([1.5, 1.5])
    assert values(found, "create_s") == pytest.approx([0.5, 0.5])
    assert values(found, "ready_s") == pytest.approx([1.0, 1.0])


def test_more_than_the_layers_allow_is_a_failure_and_no_rate(tmp_path: Path) -> None:
    found = performed(profile(tmp_path, {"engine": {"startup": work(1.0), "max_units": m(2)}}), Start(3, 3))
    (failure,) = found.failures
    assert (failure.stage, failure.instance, failure.concurrency) == ("create", 2, 3)
    assert "no more than the 2 instances" in failure.message
    assert values(found, "startup_s") == pytest.approx([1, 1])
    assert values(found, "starts_per_s") == []


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    known = profile(tmp_path, {"engine": {"boundary": "namespace"}})
    found = performed(known, Start(1, 1), Start(1, 1, cold=True))
    assert found.samples == ()
    assert found.runs[0].left_out == (
        "step 1 (startup) with docker: no layer of the stack states a stage of its start-up",
        "step 2 (startup) with docker: there is no page cache in the model: cold starts can't be told from warm ones",
    )
