"""Which rungs a plan is simulated on, and what becomes of the samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.plans.profiles import MACHINE, m, profile, written
from vsim import InputError, load_profile, simulate_plan
from vsim.calibration import Profile, builtin
from vsim.experiment.plans import chosen
from vsim.model.plan import Plan, Start
from vsim.samples.records import read_samples

PLAN = Plan("p", (Start(2, 2),), blocks=2, warmup_blocks=0)


def calibrated(folder: Path) -> Profile:
    exec_ = {"cpu_core_s": m(0.1, "s", distribution={"family": "lognormal", "cv": 0.3})}
    return profile(folder, {"engine": {}, "process-rung": {"startup": {"exec": exec_}}})


def test_without_names_it_is_all_that_was_measured_where_it_was_measured(tmp_path: Path) -> None:
    assert chosen(calibrated(tmp_path)) == {MACHINE: ["process", "docker"]}


def test_names_are_taken_once_and_by_machine(tmp_path: Path) -> None:
    known = calibrated(tmp_path)
    assert chosen(known, ["docker", "docker"]) == {MACHINE: ["docker"]}
    assert chosen(known, on=["container@laptop", "docker@laptop"]) == {"laptop": ["container", "docker"]}
    assert chosen(known, ["docker"], [f"docker@{MACHINE}", f"vm@{MACHINE}", "docker@laptop"]) == {
        MACHINE: ["docker", "vm"],
        "laptop": ["docker"],
    }


def test_what_can_not_be_chosen_is_refused_with_a_hint(tmp_path: Path) -> None:
    def refused(known: Profile, *drivers: str, on: tuple[str, ...] = ()) -> InputError:
        with pytest.raises(InputError) as caught:
            chosen(known, drivers, on)
        return caught.value

    known = calibrated(tmp_path)
    assert refused(known, "dokcer").hint == "did you mean 'docker'?"
    assert refused(known, on=("docker@bax",)).hint == f"did you mean '{MACHINE}'?"
    assert "is not an architecture" in refused(known, on=("docker",)).message
    assert "it has built-in machines only" in refused(builtin()).message
    assert "--on container@rack-server" in (refused(builtin(), "container").hint or "")
    second = tmp_path / "second.yaml"
    second.write_text(written().replace(f'"{MACHINE}": {{', '"bax": {'))
    both = load_profile(tmp_path / "profile.yaml", second)
    error = refused(both, "docker")
    assert "'bax'" in error.message or "bax" in error.message
    assert f"--on container@{MACHINE}" in (error.hint or "")
    third = tmp_path / "third.yaml"
    third.write_text('{"schema": "vsim.profile/1", "machines": {"toaster": {"like": "laptop", "title": "Toaster"}}}')
    assert "no stack beside the built-in ones" in refused(load_profile(third)).message


def test_each_machine_is_a_run_of_its_own_and_all_are_in_one_file(tmp_path: Path) -> None:
    known, told = calibrated(tmp_path), list[tuple[int, int]]()
    found = simulate_plan(
        PLAN,
        profile=known,
        on=[f"docker@{MACHINE}", "docker@laptop"],
        out=tmp_path / "s.jsonl",
        progress=lambda done, of: told.append((done, of)),
    )
    assert [run.environment["hostname"] for run in found.runs] == [MACHINE, "laptop"]
    assert len({run.run_id for run in found.runs}) == 2
    assert {s.stack for s in found.samples} == {"container"}  # what the harness calls it
    assert read_samples(tmp_path / "s.jsonl") == found
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_files_are_read_and_the_seed_replaced(tmp_path: Path) -> None:
    calibrated(tmp_path)
    (tmp_path / "plan.yaml").write_text("{schema: vsim.plan/1, steps: [{suite: startup, count: 2}], blocks: 2}")

    def values(**more: object) -> list[float]:
        plan, known = str(tmp_path / "plan.yaml"), str(tmp_path / "profile.yaml")
        return [s.value for s in simulate_plan(plan, profile=known, **more).samples]  # type: ignore[arg-type]

    assert values() == values(seed=1)
    assert values() != values(seed=2)


def test_a_file_that_is_there_is_not_touched_and_a_failed_one_is_not_left(tmp_path: Path) -> None:
    known, out = calibrated(tmp_path), tmp_path / "s.jsonl"
    out.write_text("mine")
    with pytest.raises(InputError, match="there already") as caught:
        simulate_plan(PLAN, profile=known, out=out)
    assert "resume" not in (caught.value.hint or "")
    assert out.read_text() == "mine"

    def interrupted(done: int, known: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_plan(PLAN, profile=known, out=tmp_path / "t.jsonl", progress=interrupted)
    assert not (tmp_path / "t.jsonl").exists()
