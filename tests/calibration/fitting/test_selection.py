"""Bad data is refused with the reason, or left out with it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.calibration.fitting.made import Rung, change, environment, joined, starts
from vsim.calibration.fitting import calibrate
from vsim.calibration.fitting.refusals import trend
from vsim.calibration.fitting.selection import Selected, select
from vsim.errors import InputError
from vsim.samples.records import Failure, Sample, Samples, to_line

RUNGS = {"process": Rung(0.001, 0.002), "docker": Rung(0.05, 0.1)}


@pytest.fixture(scope="module")
def good() -> Samples:
    return starts(RUNGS, levels=(1,), blocks=6)


def flagged(samples: Samples, flag: str, which: Callable[[Sample], bool]) -> Samples:
    found = (dataclasses.replace(s, flags=(*s.flags, flag)) if which(s) else s for s in samples.samples)
    return dataclasses.replace(samples, samples=tuple(found))


def refused(samples: Samples, match: str, hint: str, **options: object) -> InputError:
    with pytest.raises(InputError, match=match) as caught:
        select(samples, **options)  # type: ignore[arg-type]
    assert hint in (caught.value.hint or "")
    return caught.value


def test_what_is_good_is_taken(good: Samples) -> None:
    selected = select(good)
    assert selected.samples == good.samples
    assert (selected.host.name, selected.host.cores, selected.date, selected.run_ids) == (
        "box-1",
        2,
        "2026-03-02",
        "r1",
    )
    assert selected.drivers == ["process", "docker"]
    assert selected.left_out == []


def test_samples_of_the_warm_up_are_not(good: Samples) -> None:
    selected = select(flagged(good, "warmup", lambda s: s.block == 0))
    assert {sample.block for sample in selected.samples} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("fact", "value", "words"),
    [
        ("hostname", "other", "host name other, not Box 1"),
        ("cpu_model", "Another CPU", "CPU Another CPU, not A CPU"),
        ("cpu_count", 4, "number of CPUs 4, not 2"),
        ("memory_bytes", 4 * 2**30, "memory 4294967296, not 8589934592"),
        ("kernel", "6.2.0", "kernel 6.2.0, not 6.1.0"),
        ("architecture", "aarch64", "architecture aarch64, not x86_64"),
    ],
)
def test_two_hosts_are_refused(good: Samples, fact: str, value: object, words: str) -> None:
    other = starts(RUNGS, levels=(1,), blocks=3, run_id="r2", environment=environment(**{fact: value}))
    hint = "--host" if fact == "hostname" else "is two hosts"
    refused(joined(good, other), f"the run r2 is of another host than r1: {words}", hint)


def test_some_pages_more_or_less_are_the_same_host(good: Samples) -> None:
    again = starts(
        RUNGS, levels=(1,), blocks=3, run_id="r2", environment=environment(memory_bytes=8 * 2**30 - 2**20, kernel=None)
    )
    assert len(select(joined(good, again)).runs) == 2


def test_one_of_several_hosts_is_picked(good: Samples) -> None:
    other = starts(RUNGS, levels=(1,), blocks=3, run_id="r2", environment=environment(hostname="other"))
    both = joined(good, other)
    assert [run.run_id for run in select(both, host="other").runs] == ["r2"]
    assert [run.run_id for run in select(both, host="box-1").runs] == ["r1"]
    refused(both, "no samples of the host 'othr'", "did you mean 'other'", host="othr")


def test_a_throttled_board_is_refused(good: Samples) -> None:
    hot = change(good, environment=environment(pi_throttled=["throttled since boot", "under-voltage now"]))
    refused(hot, "lowered its clock in the run r1: throttled since boot, under-voltage now", "cool")
    few = flagged(good, "throttled", lambda s: s.block == 3 and s.driver == "docker")
    refused(few, "samples of docker in the run r1 were taken while the host was throttled", "cool")
    s = good.samples[0]
    noticed = Failure(
        *(s.run_id, s.block, s.order, s.stack, "docker", "startup"),
        *("work", "the board lowered its clock: throttled since boot", 1, None, 1.0, ("throttled",)),
    )
    late = dataclasses.replace(good, failures=(noticed,))
    refused(late, "while docker was measured in the run r1, the board lowered its clock: throttled since boot", "cool")


def test_worlds_are_not_mixed_and_a_simulated_one_has_to_be_asked_for(good: Samples) -> None:
    made = change(good, world="simulated")
    refused(made, "the run r1 is simulated", "--simulated")
    assert select(made, simulated=True).samples == made.samples
    other = change(starts(RUNGS, levels=(1,), blocks=3, run_id="r2"), world="simulated")
    refused(joined(good, other), "r2 is simulated, and r1 is real", "one of the two worlds")


def test_emulated_rungs_are_left_out_unless_they_are_named(good: Samples) -> None:
    emulated = flagged(good, "emulated", lambda s: s.driver == "docker")
    selected = select(emulated)
    assert selected.drivers == ["process"]
    assert "full emulation" in selected.left_out[0].why
    assert select(emulated, drivers=["docker"]).drivers == ["process", "docker"]
    some = flagged(good, "emulated", lambda s: s.driver == "docker" and s.block > 2)
    refused(some, "some samples of docker were taken under full emulation", "one kind")


def test_too_few_blocks() -> None:
    two = starts(RUNGS, levels=(1,), blocks=2)
    refused(two, "nothing to calibrate with: process, startup: 2 blocks: at least 3 are needed", "3 blocks")
    some = joined(
        starts({"process": RUNGS["process"]}, levels=(1,), blocks=4), starts({"docker": RUNGS["docker"]}, blocks=1)
    )
    selected = select(some)
    assert selected.drivers == ["process"]
    assert [(each.what, each.why) for each in selected.left_out] == [
        ("docker, startup", "1 block: at least 3 are needed")
    ]


def test_no_steady_state() -> None:
    slower = starts(RUNGS, levels=(1, 2), blocks=8, drift=0.06)
    error = refused(slower, r"no steady state: process changed by \+\d+%", "--driver")
    assert "r1" in error.message
    # as much, but in no order: that is noise
    rng = __import__("numpy").random.default_rng(3)
    order = rng.permutation(8)
    shuffled = tuple(dataclasses.replace(s, block=int(order[s.block])) for s in slower.samples)
    assert select(dataclasses.replace(slower, samples=shuffled)).drivers == ["process", "docker"]


def test_the_trend_by_hand() -> None:
    # slopes of 1, 2, 3: all 1; of 0, 0, 0: all 0
    assert trend([1, 2, 3])[0] == pytest.approx(2)
    assert trend([0, 0, 0]) == (0, 1)
    assert trend([5]) == (0, 1)
    # 8 values in a row: all 28 pairs rise; z = 27 / sqrt(8 * 7 * 21 / 18) = 3.34, two-sided 0.00084
    assert trend(list(range(8)))[1] == pytest.approx(0.00084, abs=0.00002)


def test_drivers_that_are_not_there(good: Samples) -> None:
    refused(good, "no samples of 'dockr'", "did you mean 'docker'", drivers=["dockr"])


def test_a_record_without_its_cores(good: Samples) -> None:
    bare = change(good, environment=environment(cpu_usable=None, cpu_count=None))
    refused(bare, "how many CPUs", "cpu_usable")


def test_errors_have_the_place_in_the_file(tmp_path: Path, good: Samples) -> None:
    path, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    hot = flagged(good, "throttled", lambda s: s.block == 3 and s.driver == "docker")
    path.write_text("\n".join(map(to_line, (*hot.runs, *hot.samples))) + "\n")
    with pytest.raises(InputError, match="throttled") as caught:
        calibrate([path])
    place = caught.value.place
    assert place is not None
    record = json.loads(path.read_text().splitlines()[(place.line or 0) - 1])
    assert (place.file, record["block"], record["driver"]) == (str(path), 3, "docker")
    path.write_text("\n".join(map(to_line, (*good.runs, *good.samples))) + "\n")
    other = starts(RUNGS, levels=(1,), blocks=3, run_id="r2", environment=environment(hostname="other"))
    second.write_text("\n\n" + "\n".join(map(to_line, (*other.runs, *other.samples))) + "\n")
    with pytest.raises(InputError, match="another host") as caught:
        calibrate([path, second])
    assert str(caught.value.place) == f"{second}:3"


def test_what_is_selected_knows_its_steps(good: Samples) -> None:
    selected: Selected = select(good)
    assert selected.step(good.samples[0])["concurrency"] == 1
    assert selected.step(dataclasses.replace(good.samples[0], step=-1)) == {}
