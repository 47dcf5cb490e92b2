"""``vsim simulate PLAN`` as a user calls it, in processes of their own."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import SMALL, vsim
from tests.engine.plans.profiles import MACHINE, m, written
from vsim.samples.records import read_samples

PLAN = """\
schema: vsim.plan/1
name: small
blocks: 4
steps:
  - {suite: startup, count: 4, concurrency: 2}
  - {suite: density, limit: 5}
  - {suite: cpu, work: user, operations: 1000000}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    exec_ = {"cpu_core_s": m(1, "ms", distribution={"family": "lognormal", "cv": 0.3})}
    layers: dict[str, Any] = {
        "process-rung": {"startup": {"exec": exec_}, "memory": {"unit_bytes": m(1, "MiB")}},
        "engine": {"boundary": "namespace", "startup": {"create": {"wait_s": m(100, "ms")}}},
    }
    reference = {"probe_user_operation_core_s": m(1, "ns")}
    (tmp_path / "mine.yaml").write_text(written(layers, reference=reference))
    return tmp_path


def test_the_table_is_that_of_the_bench_and_the_samples_are_written(folder: Path) -> None:
    done = vsim("simulate", "plan.yaml", "--profile", "mine.yaml", "--out", "s.jsonl", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "startup · count 4, concurrency 2"
    assert lines[1].split()[:5] == ["startup", "95", "%", "×", "process"]
    assert lines[2].startswith("process  ")
    assert lines[3].startswith("docker   ")
    assert "density · limit 5" in done.stdout.decode()
    assert "cpu · work user" in done.stdout.decode()
    assert f"simulated on {MACHINE} with the profile" in done.stdout.decode()
    # the process's and the engine's three numbers, and the machine's own three; the rest of it is the laptop's
    assert "6 measured" in lines[-1]
    told = done.stderr.decode().splitlines()
    assert told == [
        "left out: step 3 (cpu) with docker: no layer of the stack states its cpu.user_factor",
        f"{len(read_samples(folder / 's.jsonl').samples)} samples in s.jsonl",
    ]
    found = read_samples(folder / "s.jsonl")
    assert {s.driver for s in found.samples} == {"process", "docker"}
    assert found.runs[0].world == "simulated"


def test_the_same_bytes_whatever_the_hash_seed(folder: Path) -> None:
    for number in ("0", "1"):
        out = f"{number}.jsonl"
        done = vsim("simulate", "plan.yaml", "--profile", "mine.yaml", "--out", out, cwd=folder, PYTHONHASHSEED=number)
        assert done.returncode == 0, done.stderr
    assert (folder / "0.jsonl").read_bytes() == (folder / "1.jsonl").read_bytes()
    vsim("simulate", "plan.yaml", "--profile", "mine.yaml", "--seed", 2, "--out", "2.jsonl", cwd=folder)
    assert (folder / "2.jsonl").read_bytes() != (folder / "0.jsonl").read_bytes()


def test_one_rung(folder: Path) -> None:
    done = vsim("simulate", "plan.yaml", "--profile", "mine.yaml", "--driver", "docker", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "process " not in done.stdout.decode().replace("× process", "")


def test_built_in_stacks_on_two_machines(folder: Path) -> None:
    names = ("container@rack-server", "bare-metal@rack-server", "container@raspberry-pi-4")
    done = vsim("simulate", "plan.yaml", *(word for name in names for word in ("--on", name)), cwd=folder)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    first, second = text.index("rack-server\n"), text.index("raspberry-pi-4\n")
    assert text.count("startup · count 4, concurrency 2") == 2
    assert "× bare-metal" in text[first:second]
    assert "bare-metal " not in text[second:].replace("× bare-metal", "")
    assert "left out: step 3 (cpu) with container, bare-metal: the profile doesn't state" in done.stderr.decode()


def test_a_plan_may_come_through_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=(folder / "pipe").write_text, args=(PLAN,))
    writer.start()
    done = vsim("simulate", "pipe", "--profile", "mine.yaml", cwd=folder)
    writer.join()
    assert done.returncode == 0, done.stderr
    assert "startup · count 4" in done.stdout.decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            PLAN.replace("suite: density", "suite: denstiy"),
            "plan.yaml:6:5: error: entry 2 of `steps` needs a valid 'suite'",
        ),
        (PLAN.replace("blocks: 4", "blokcs: 4"), "plan.yaml:3:1: error: unknown key 'blokcs'"),
        (PLAN.replace("vsim.plan/1", "vsim.plan/2"), "plan.yaml:1:9: error"),
    ],
)
def test_a_slip_in_the_plan_is_pointed_at(folder: Path, text: str, message: str) -> None:
    (folder / "plan.yaml").write_text(text)
    done = vsim("simulate", "plan.yaml", "--profile", "mine.yaml", cwd=folder)
    assert done.returncode == 2
    assert message in done.stderr.decode()


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (("--driver", "dokcer"), "there is no stack 'dokcer'", "did you mean 'docker'?"),
        (("--on", "docker@rasberry-pi-4"), "there is no machine 'rasberry-pi-4'", "did you mean 'raspberry-pi-4'?"),
        (("--out", "mine.yaml"), "mine.yaml is there already", "name another file"),
    ],
)
def test_names_that_can_not_be_used(folder: Path, options: tuple[str, ...], message: str, hint: str) -> None:
    done = vsim("simulate", "plan.yaml", "--profile", "mine.yaml", *options, cwd=folder)
    assert done.returncode == 2
    assert f"error: {message}" in done.stderr.decode()
    assert hint in done.stderr.decode()


def test_the_built_in_profile_was_measured_on_no_machine(folder: Path) -> None:
    done = vsim("simulate", "plan.yaml", "--driver", "container", cwd=folder)
    assert done.returncode == 2
    assert "--on container@rack-server" in done.stderr.decode()


@pytest.mark.parametrize(
    "options", [("--replications", "3"), ("--format", "json"), ("--jobs", "2"), ("--sensitivity",)]
)
def test_what_goes_with_a_scenario_does_not_go_with_a_plan(folder: Path, options: tuple[str, ...]) -> None:
    done = vsim("simulate", "plan.yaml", "--profile", "mine.yaml", *options, cwd=folder)
    assert done.returncode == 2
    assert f"{options[0]} goes with a scenario" in done.stderr.decode()


def test_a_driver_does_not_go_with_a_scenario(folder: Path) -> None:
    (folder / "small.yaml").write_text(SMALL)
    done = vsim("simulate", "small.yaml", "--driver", "docker", cwd=folder)
    assert done.returncode == 2
    assert "--driver goes with a PLAN" in done.stderr.decode()


def test_failures_are_on_record_and_told(folder: Path) -> None:
    tree = json.loads((folder / "mine.yaml").read_text())
    tree["layers"]["engine"]["max_units"] = m(3)
    (folder / "mine.yaml").write_text(json.dumps(tree))
    done = vsim("simulate", "plan.yaml", "--profile", "mine.yaml", "--out", "s.jsonl", cwd=folder)
    assert done.returncode == 0
    # four blocks and the one that warms up
    assert "5 failures were recorded" in done.stderr.decode()
    assert len(read_samples(folder / "s.jsonl").failures) == 5
