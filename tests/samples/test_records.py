from __future__ import annotations

import dataclasses
import gzip
import json
import os
from pathlib import Path

import pytest

from vsim.errors import HostError, InputError
from vsim.samples.records import SCHEMA, Done, Failure, Record, Resume, Run, Sample, SampleWriter, read_samples

RUN = Run("r", "real", "2026-01-01T00:00:00+00:00", {"steps": []}, {"kernel": "6.1"}, seed=3, drivers=("process",))
SAMPLE = Sample("r", 0, 1, "container", "runc", "startup", "startup_s", 0.25, "s", 4, 2, 1.5, ("warmup",), 0)
FAILURE = Failure("r", 0, 1, "container", "runc", "startup", "start", "no \n „start“", 4, None, 1.5)


def write(path: Path, *records: Record) -> Path:
    with SampleWriter(path) as writer:
        for record in records:
            writer.write(record)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    read = read_samples(write(tmp_path / "s", RUN, SAMPLE, FAILURE, Done("r", 0, 0, "runc", 2.0)))
    assert read.runs == (RUN,)
    assert read.samples == (SAMPLE,)
    assert read.failures == (FAILURE,)
    assert read.done == {("r", 0, 0, "runc")}
    assert not read.torn
    assert read.run("r") is read.runs[0]


def test_a_compressed_file_is_read_and_a_damaged_one_refused(tmp_path: Path) -> None:
    with SampleWriter(tmp_path / "s.jsonl") as writer:
        for record in (RUN, SAMPLE):
            writer.write(record)
    whole = gzip.compress((tmp_path / "s.jsonl").read_bytes())
    packed = tmp_path / "s.jsonl.gz"
    packed.write_bytes(whole)
    assert read_samples(packed) == read_samples(tmp_path / "s.jsonl")
    for damaged in (whole[:-9], whole[:12], b"{}", whole[:20] + b"\xff\xff" + whole[22:]):
        packed.write_bytes(damaged)
        with pytest.raises(InputError, match="isn't what gzip makes") as caught:
            read_samples(packed)
        assert str(packed) in str(caught.value)


def test_a_line_has_the_fields_of_the_design(tmp_path: Path) -> None:
    first, second = write(tmp_path / "s", RUN, SAMPLE).read_text().splitlines()
    assert json.loads(first)["record"] == "run"
    assert json.loads(first)["schema"] == SCHEMA == "vsim.samples/1"
    wanted = {"run_id", "block", "order", "stack", "driver", "suite", "metric", "value", "unit"}
    wanted |= {"concurrency", "instance", "t", "flags"}
    assert wanted <= set(json.loads(second))


def test_every_record_is_in_the_file_when_write_returns(tmp_path: Path) -> None:
    writer = SampleWriter(tmp_path / "s")
    for count, record in enumerate((RUN, SAMPLE, FAILURE), start=1):
        writer.write(record)
        assert (tmp_path / "s").read_text().count("\n") == count
    writer.close()


def test_a_resume_makes_void_what_belongs_to_no_complete_step(tmp_path: Path) -> None:
    half = dataclasses.replace(SAMPLE, step=1, value=1.0)
    again = dataclasses.replace(SAMPLE, step=1, value=2.0)
    done = [Done("r", 0, step, "runc", 2.0) for step in (0, 1)]
    read = read_samples(write(tmp_path / "s", RUN, SAMPLE, done[0], half, Resume("r", 3.0), again, done[1]))
    assert [sample.value for sample in read.samples] == [0.25, 2.0]


def test_without_a_resume_the_samples_so_far_are_kept(tmp_path: Path) -> None:
    assert len(read_samples(write(tmp_path / "s", RUN, SAMPLE)).samples) == 1


@pytest.mark.parametrize("cut", [1, 20, 80])
def test_a_torn_last_line_is_left_out_and_mended_by_a_resume(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "s", RUN, SAMPLE, SAMPLE)
    os.truncate(path, path.stat().st_size - cut - 1)
    read = read_samples(path)
    assert read.torn
    assert len(read.samples) == 1
    with SampleWriter(path, resume=True) as writer:
        writer.write(FAILURE)
    read = read_samples(path)
    assert (len(read.samples), len(read.failures), read.torn) == (1, 1, False)


def test_a_last_line_that_lost_its_newline_only_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "s", RUN, SAMPLE)
    os.truncate(path, path.stat().st_size - 1)
    assert len(read_samples(path).samples) == 1
    with SampleWriter(path, resume=True) as writer:
        writer.write(SAMPLE)
    assert len(read_samples(path).samples) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "this isn't JSON"),
        ("[1]", "a record is an object"),
        ('{"record": "sampel"}', "'sampel' is no kind of record"),
        ('{"record": ["run"]}', "is no kind of record"),
        ('{"record": "done", "run_id": "r", "block": 0, "step": 0, "driver": "x"}', "a done record needs `t`"),
        ('{"record": "resume", "run_id": "r", "t": "soon"}', '`t` can\'t be "soon"'),
        ('{"record": "resume", "run_id": "r", "t": NaN}', "`t` can't be NaN"),
        ('{"record": "resume", "run_id": "q", "t": 1}', "belongs to the run 'q'"),
        ('{"record": "done", "run_id": "r", "block": true, "step": 0, "driver": "x", "t": 1}', "`block` can't be true"),
        ('{"record": "run", "schema": "vsim.samples/9"}', "the schema 'vsim.samples/9' is not known"),
    ],
)
def test_what_is_no_record_is_refused_with_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "s", RUN)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError) as caught:
        read_samples(path)
    assert message in caught.value.message
    assert str(caught.value).startswith(f"{path}:2:")


def test_keys_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "s", RUN, SAMPLE)
    text = path.read_text().replace('"metric"', '"colour":"red","metric"')
    path.write_text(text)
    assert read_samples(path).samples == (SAMPLE,)


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    write(tmp_path / "s", RUN)
    with pytest.raises(InputError, match="is there already"):
        SampleWriter(tmp_path / "s")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with SampleWriter("/dev/full", resume=True) as writer, pytest.raises(HostError, match="No space left"):
        writer.write(RUN)


def test_a_value_that_is_no_number_is_never_written(tmp_path: Path) -> None:
    with SampleWriter(tmp_path / "s") as writer, pytest.raises(ValueError, match="JSON"):
        writer.write(dataclasses.replace(SAMPLE, value=float("nan")))
