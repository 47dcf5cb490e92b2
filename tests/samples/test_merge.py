"""The files of a class, joined: what is kept, counted, told and refused."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from vsim.errors import HostError, InputError
from vsim.samples.merge import Source, merge, read_all, write_merged
from vsim.samples.records import Done, Failure, Record, Resume, Run, Sample, SampleWriter, read_samples

STEP = {"suite": "startup", "count": 1, "concurrency": 1, "cold": False}
OTHER = {**STEP, "concurrency": 4}


def run(run_id: str, host: str, *steps: dict[str, Any], blocks: int = 3, **environment: Any) -> Run:
    plan = {"name": "p", "steps": list(steps or (STEP,)), "blocks": blocks, "seed": 1}
    known = {"vsim_version": "0.1.0", "hostname": host, "cpu_model": "A CPU", "cpu_cores": 4, "memory_bytes": 2**33}
    return Run(run_id, "real", "2026-01-01T00:00:00+00:00", plan, {**known, **environment}, seed=1)


def sample(run_id: str, number: float = 1.0, **fields: Any) -> Sample:
    made = Sample(run_id, 0, 1, "container", "runc", "startup", "startup_s", number, "s", 1, 0, 1.0)
    return dataclasses.replace(made, **fields)


def failure(run_id: str) -> Failure:
    return Failure(run_id, 0, 1, "container", "runc", "startup", "start", "no", 1, 0, 1.0)


def file(path: Path, *records: Record) -> Path:
    with SampleWriter(path) as writer:
        for record in records:
            writer.write(record)
    return path


def joined(*paths: Path):
    return merge([Source.read(path) for path in paths])


@pytest.fixture
def class_(tmp_path: Path) -> list[Path]:
    return [
        file(tmp_path / "a.jsonl", run("1", "anna"), sample("1"), sample("1", 2.0), failure("1")),
        file(tmp_path / "b.jsonl", run("2", "ben", blocks=7, pi_model="Raspberry Pi 4"), sample("2")),
        file(tmp_path / "c.jsonl", run("3", "anna"), sample("3"), run("4", "cleo", cpu_cores=None), sample("4")),
    ]


def test_hosts_are_counted(class_: list[Path]) -> None:
    merged = joined(*class_)
    rows = [(h.name, h.cpu, h.cores, h.memory_bytes, h.runs, h.samples, h.failures) for h in merged.hosts]
    assert rows == [
        ("anna", "A CPU", 4, 2**33, 2, 3, 1),
        ("ben", "Raspberry Pi 4", 4, 2**33, 1, 1, 0),
        ("cleo", "A CPU", None, 2**33, 1, 1, 0),
    ]


def test_the_file_holds_every_line_of_every_run_as_it_was(class_: list[Path], tmp_path: Path) -> None:
    write_merged(joined(*class_), tmp_path / "all.jsonl")
    lines = [line for path in class_ for line in path.read_bytes().splitlines()]
    assert (tmp_path / "all.jsonl").read_bytes().splitlines() == lines
    read = read_samples(tmp_path / "all.jsonl")
    assert [r.run_id for r in read.runs] == ["1", "2", "3", "4"]
    assert read == joined(*class_).samples == read_all(class_)


def test_what_is_merged_can_be_merged_again(class_: list[Path], tmp_path: Path) -> None:
    write_merged(joined(*class_[:2]), tmp_path / "ab.jsonl")
    again = joined(tmp_path / "ab.jsonl", class_[2])
    assert again.lines == joined(*class_).lines
    assert again.hosts == joined(*class_).hosts


def test_resumed_runs_and_keys_of_later_versions_come_along(tmp_path: Path) -> None:
    path = file(tmp_path / "a", run("1", "anna"), sample("1", step=1), Resume("1", 5.0), sample("1", 9.0))
    with path.open("ab") as out:
        out.write(b'{"record":"done","run_id":"1","block":0,"step":0,"driver":"runc","t":6.0,"new":7}\n')
    merged = joined(path)
    write_merged(merged, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == path.read_bytes()
    assert merged.hosts[0].samples == 1
    assert read_samples(tmp_path / "out") == read_samples(path)


def test_compressed_files_are_read_and_written(class_: list[Path], tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(class_[0].read_bytes()))
    write_merged(joined(packed, class_[1]), tmp_path / "out.jsonl.gz")
    write_merged(joined(class_[0], class_[1]), tmp_path / "again.jsonl.gz")
    assert (tmp_path / "out.jsonl.gz").read_bytes() == (tmp_path / "again.jsonl.gz").read_bytes()
    assert read_samples(tmp_path / "out.jsonl.gz") == joined(*class_[:2]).samples


def test_an_identical_run_counts_once(class_: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(class_[0].read_bytes() + file(tmp_path / "d", run("5", "dora"), sample("5")).read_bytes())
    merged = joined(*class_, copy)
    assert [host.name for host in merged.hosts] == ["anna", "ben", "cleo", "dora"]
    assert sum(host.samples for host in merged.hosts) == 6
    assert any("copy.jsonl" in note and "the run 1 " in note and "a.jsonl" in note for note in merged.notes)
    assert len(merged.samples.samples) == 6


def test_another_run_of_the_same_id_is_refused(class_: list[Path], tmp_path: Path) -> None:
    older = tmp_path / "older.jsonl"
    older.write_bytes(b"".join(class_[0].read_bytes().splitlines(keepends=True)[:2]))
    with pytest.raises(InputError, match="the run 1 is another one") as caught:
        joined(*class_, older)
    assert str(older) in str(caught.value)
    with pytest.raises(InputError, match="another one"):
        read_all([*class_, older])


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (dataclasses.replace(run("9", "zoe"), world="simulated"), "another world.*simulated, not real"),
        (run("9", "zoe", vsim_version="0.2.0"), "another version of vsim.*0.2.0, not 0.1.0"),
        (run("9", "zoe", OTHER), 'another plan.*lacks the step .*concurrency": 1'),
        (run("9", "zoe", STEP, OTHER), 'another plan.*has the step .*concurrency": 4'),
    ],
)
def test_what_is_not_comparable_is_refused(class_: list[Path], tmp_path: Path, other: Run, what: str) -> None:
    path = file(tmp_path / "z.jsonl", other, sample("9"))
    with pytest.raises(InputError, match=what) as caught:
        joined(*class_, path)
    assert caught.value.place is not None
    assert caught.value.place.file == str(path)
    assert caught.value.hint


def test_a_host_may_have_done_the_plan_in_parts(tmp_path: Path) -> None:
    merged = joined(
        file(tmp_path / "a", run("1", "anna", STEP, OTHER), sample("1")),
        file(tmp_path / "b", run("2", "ben", OTHER), sample("2")),
        file(tmp_path / "c", run("3", "ben", STEP), sample("3")),
    )
    assert [(host.name, host.runs) for host in merged.hosts] == [("anna", 1), ("ben", 2)]


def test_equal_names_of_different_machines_are_told_apart(tmp_path: Path) -> None:
    merged = joined(
        file(tmp_path / "a", run("1", "raspberrypi", pi_model="Raspberry Pi 4"), sample("1")),
        file(tmp_path / "b", run("2", "raspberrypi", pi_model="Raspberry Pi 5"), sample("2")),
    )
    assert [(host.name, host.cpu) for host in merged.hosts] == [
        ("raspberrypi", "Raspberry Pi 4"),
        ("raspberrypi (2)", "Raspberry Pi 5"),
    ]
    assert merged.warnings == ()


def test_equal_machines_of_one_name_are_warned_about(tmp_path: Path) -> None:
    merged = joined(
        file(tmp_path / "a", run("1", "raspberrypi"), sample("1")),
        file(tmp_path / "b", run("2", "raspberrypi"), sample("2")),
    )
    assert len(merged.hosts) == 1
    (warning,) = merged.warnings
    assert "taken for the same host raspberrypi" in warning


def test_payloads_throttling_and_emulation_are_warned_about(tmp_path: Path) -> None:
    def fio(version: str, probe: str, architecture: str = "x86_64") -> dict[str, Any]:
        return {"versions": {"fio": version}, "probe_digest": probe, "architecture": architecture}

    merged = joined(
        file(
            tmp_path / "a", run("1", "anna", **fio("3.33", "aa")), sample("1", flags=("emulated",), driver="qemu-tcg")
        ),
        file(tmp_path / "b", run("2", "ben", **fio("3.36", "bb")), sample("2")),
        file(
            tmp_path / "c",
            run("3", "pi", pi_throttled=["throttled now"], **fio("3.33", "cc", "aarch64")),
            sample("3", flags=("throttled",)),
        ),
    )
    told = "\n".join(merged.warnings)
    assert "builds of the probe for x86_64: aa in" in told
    assert "aarch64" not in told, "the probe of another architecture is another file anyway"
    assert "builds of fio: 3.33 in" in told
    assert "qemu-tcg ran under full emulation" in told
    assert "pi was slowed down: throttled now" in told
    assert "samples of pi were taken while it was throttled" in told
    assert len(merged.warnings) == 5


def test_a_torn_last_line_is_left_out_and_told(tmp_path: Path) -> None:
    path = file(tmp_path / "a", run("1", "anna"), sample("1"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"record":"sample","run_')
    merged = joined(path)
    assert b"".join(line + b"\n" for line in merged.lines) == whole
    assert any("cut off" in note for note in merged.notes)


def test_a_file_that_is_there_is_not_replaced_and_none_is_left_half_written(class_: list[Path], tmp_path: Path) -> None:
    before = class_[0].read_bytes()
    with pytest.raises(InputError, match="is there already"):
        write_merged(joined(*class_), class_[0])
    assert class_[0].read_bytes() == before
    with pytest.raises(HostError, match="can't be written"):
        write_merged(joined(*class_), tmp_path / "no" / "such" / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl", "c.jsonl"]


def test_what_is_no_file_of_samples_is_refused_with_its_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps({"record": "nothing"}) + "\n")
    with pytest.raises(InputError) as caught:
        Source.read(bad)
    assert str(caught.value).startswith(f"{bad}:1:1")
    file(tmp_path / "done", run("1", "anna"), Done("1", 0, 0, "runc", 1.0))
    assert joined(tmp_path / "done").hosts[0].samples == 0
