"""The executor: order, blocks, warm-up, seeds, files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.bench.fakes import Clock, FakeDriver
from tests.engine.plans.profiles import MACHINE, m, performed, profile
from vsim.bench.runner import schedule
from vsim.calibration import Profile, builtin
from vsim.engine.plans import execute, perform
from vsim.engine.plans.world import World
from vsim.engine.timer import scheduled
from vsim.errors import InputError
from vsim.model.plan import SUITES, Plan, Start, in_order, preset
from vsim.samples.plans import plan_from_data
from vsim.samples.records import SampleWriter, read_samples


def varying(folder: Path) -> Profile:
    work = {"cpu_core_s": m(0.1, "s", distribution={"family": "lognormal", "cv": 0.3})}
    return profile(folder, {"process-rung": {"startup": {"exec": work}}, "engine": {}})


def test_blocks_come_in_order_with_the_warm_up_first_and_rungs_in_the_seed_s_order(tmp_path: Path) -> None:
    drivers = ("process", "docker")
    steps = (Start(2, 1), Start(4, 2))
    found = performed(varying(tmp_path), *steps, drivers=drivers, blocks=5, warmup_blocks=1, seed=7)
    (run,) = found.runs
    plan = plan_from_data(run.plan)
    assert plan == Plan("test", steps, blocks=5, warmup_blocks=1, seed=7)
    expected = [
        (block, 2 * number + place, number, driver)
        for block in range(6)
        for number in range(2)
        for place, driver in enumerate(in_order(plan, block, number, drivers), start=1)
    ]
    seen = dict.fromkeys((s.block, s.order, s.step, s.driver) for s in found.samples)
    assert list(seen) == expected
    assert {s.block for s in found.samples if s.flags == ("warmup",)} == {0}
    assert {s.block for s in found.samples if s.flags == ()} == {1, 2, 3, 4, 5}
    assert found.done == {(run.run_id, block, number, driver) for block, _, number, driver in expected}
    moments = [s.t for s in found.samples]
    assert moments == sorted(moments)
    assert moments[-1] > 0


def test_the_order_is_that_of_the_harness() -> None:
    plan = preset(("startup",))
    drivers = [FakeDriver(name, Clock(), []) for name in ("a", "b", "c", "d")]
    for block in range(3):
        theirs = [(unit.number, unit.driver.name) for unit in schedule(plan, drivers, block)]
        ours = [(n, name) for n in range(len(plan.steps)) for name in in_order(plan, block, n, ["a", "b", "c", "d"])]
        assert theirs == ours


def test_a_seed_makes_one_set_of_samples_and_another_seed_another(tmp_path: Path) -> None:
    known = varying(tmp_path)

    def samples(seed: int) -> list[float]:
        return [s.value for s in performed(known, Start(2, 1), Start(2, 1), blocks=2, seed=seed).samples]

    first = samples(1)
    assert samples(1) == first
    assert not set(first) & set(samples(2))
    # two steps of two blocks, two starts each: eight different draws, each in four metrics
    starts = [s.value for s in performed(known, Start(2, 1), Start(2, 1), blocks=2).samples if s.metric == "startup_s"]
    assert len(set(starts)) == 8


def test_a_rung_s_samples_do_not_depend_on_the_others(tmp_path: Path) -> None:
    known = varying(tmp_path)
    alone = performed(known, Start(2, 2), blocks=3)
    beside = performed(known, Start(2, 2), blocks=3, drivers=("process", "docker"))
    assert [s.value for s in alone.samples] == [s.value for s in beside.samples if s.driver == "docker"]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    known, plan = varying(tmp_path), Plan("p", (Start(2, 2),), blocks=2, warmup_blocks=0)
    told: list[tuple[int, int]] = []
    with SampleWriter(tmp_path / "s.jsonl") as writer:
        execute(
            plan,
            known,
            ("process", "docker"),
            MACHINE,
            writer.write,
            stacks={"docker": "container"},
            observer=lambda *done: told.append(done),
        )
    read = read_samples(tmp_path / "s.jsonl")
    expected = perform(plan, known, ("process", "docker"), MACHINE)
    assert {(s.driver, s.stack) for s in read.samples} == {("process", "process"), ("docker", "container")}
    assert [dataclasses.replace(s, stack=s.driver) for s in read.samples] == list(expected.samples)
    assert (read.runs, read.done) == (expected.runs, expected.done)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    environment = read.runs[0].environment
    assert (environment["hostname"], environment["cpu_cores"], environment["memory_bytes"]) == (MACHINE, 2, 2**33)
    assert read.runs[0].world == "simulated"


def test_runs_have_the_same_name_if_they_are_the_same(tmp_path: Path) -> None:
    known, plan = varying(tmp_path), Plan("p", (Start(1, 1),), blocks=1)

    def name(plan: Plan, known: Profile, *drivers: str) -> str:
        return perform(plan, known, drivers, MACHINE).runs[0].run_id

    first = name(plan, known, "docker")
    assert name(plan, varying(tmp_path), "docker") == first
    assert name(dataclasses.replace(plan, seed=2), known, "docker") != first
    assert name(plan, known, "docker", "process") != first
    assert name(plan, known.with_value("process-rung.startup.exec.cpu_core_s", 0.2), "docker") != first


@pytest.mark.parametrize("concurrency", [1, 10, 100])
def test_a_start_takes_an_event_for_each_thing_that_it_asks_for(tmp_path: Path, concurrency: int) -> None:
    """One for its wait and one for its work, and one more where all are done at the same moment; whatever runs."""
    stage = {"wait_s": m(0.1, "s"), "cpu_core_s": m(0.1, "s")}
    known, step = profile(tmp_path, {"engine": {"startup": {"create": stage}}}), Start(100, concurrency)
    worlds: list[World] = []

    class Watched(World):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            worlds.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsim.engine.plans.executor.World", Watched)
        performed(known, step)
    (world,) = worlds
    # and one for the end of each wave
    assert 200 <= scheduled(world.env) <= 300 + 2 * 100 / concurrency


@pytest.mark.parametrize("suite", SUITES)
def test_every_preset_runs_on_stacks_that_nobody_has_measured_or_says_what_is_lacking(suite: str) -> None:
    plan = dataclasses.replace(preset((suite,), quick=True), blocks=1, warmup_blocks=0)
    stacks = ("bare-metal", "vm", "microvm", "container", "sandboxed-container", "container-in-vm")
    found = perform(plan, builtin(), stacks, "rack-server")
    for number, step in enumerate(plan.steps, start=1):
        for stack in stacks:
            out = [
                text
                for text in found.runs[0].left_out
                if text.startswith(f"step {number} ({step.suite}) with {stack}:")
            ]
            own = [s for s in found.samples if (s.step, s.driver) == (number - 1, stack)]
            assert bool(out) is not bool(own)


def test_a_stack_or_machine_that_is_not_there_is_refused(tmp_path: Path) -> None:
    known, plan = varying(tmp_path), Plan("p", (Start(1, 1),))
    with pytest.raises(InputError) as caught:
        perform(plan, known, ("dokcer",), MACHINE)
    assert caught.value.hint == "did you mean 'docker'?"
    with pytest.raises(InputError, match="no machine 'bax'"):
        perform(plan, known, ("docker",), "bax")
