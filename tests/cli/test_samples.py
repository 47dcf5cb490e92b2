"""``vsim samples merge`` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import vsim
from tests.samples.test_merge import failure, file, run, sample


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cpu = "Intel(R) Core(TM) i7-10510U CPU @ 1.80GHz with a name that is longer than a line"
    file(tmp_path / "a.jsonl", run("1", "anna", cpu_model=cpu), sample("1"), failure("1"))
    file(tmp_path / "b.jsonl", run("2", "a-host-with-quite-a-long-name.example.org"), sample("2"), sample("2"))
    return tmp_path


def test_one_row_per_host_within_eighty_columns(folder: Path) -> None:
    done = vsim("samples", "merge", "a.jsonl", "b.jsonl", "--out", "all.jsonl", cwd=folder)
    assert done.returncode == 0, done.stderr
    head, first, second = done.stdout.decode().splitlines()
    assert head.split() == ["host", "CPU", "cores", "memory", "runs", "samples", "failures"]
    assert first.split()[0] == "anna"
    assert first.split()[-5:] == ["8", "GiB", "1", "1", "1"]
    assert second.split()[-3:] == ["1", "2", "0"]
    assert max(map(len, (head, first, second))) <= 80
    assert b"\x1b" not in done.stdout
    assert b"2 runs of 2 hosts in all.jsonl" in done.stderr
    assert (folder / "all.jsonl").read_bytes() == (folder / "a.jsonl").read_bytes() + (folder / "b.jsonl").read_bytes()


def test_other_formats(folder: Path) -> None:
    def printed(form: str) -> str:
        out = folder / f"all-{form}"
        return vsim(
            "samples", "merge", "a.jsonl", "b.jsonl", "--out", out, "--format", form, cwd=folder
        ).stdout.decode()

    assert [host["samples"] for host in json.loads(printed("json"))] == [1, 2]
    assert printed("csv").splitlines()[0] == "host,cpu,cores,memory_bytes,runs,samples,failures"
    assert printed("md").splitlines()[1] == "| --- | --- | --- | --- | --- | --- | --- |"


def test_what_is_wrong_ends_with_2_and_leaves_no_file(folder: Path) -> None:
    file(folder / "c.jsonl", run("3", "cleo", vsim_version="9"), sample("3"))
    done = vsim("samples", "merge", "a.jsonl", "c.jsonl", "--out", "all.jsonl", cwd=folder)
    assert done.returncode == 2
    assert b"c.jsonl: error: another version of vsim than in a.jsonl" in done.stderr
    assert b"hint:" in done.stderr
    assert not (folder / "all.jsonl").exists()
    assert vsim("samples", "merge", "nosuch.jsonl", "--out", "all.jsonl", cwd=folder).returncode == 2
    assert vsim("samples", "merge", "a.jsonl", cwd=folder).returncode == 2
    assert vsim("samples", "merge", "a.jsonl", "--out", "b.jsonl", cwd=folder).returncode == 2
    assert vsim("samples", "merge", "a.jsonl", "--out", "no/such", cwd=folder).returncode == 3


def test_a_warning_goes_to_standard_error(folder: Path) -> None:
    file(folder / "d.jsonl", run("4", "anna", cpu_model="x"), sample("4"))
    file(folder / "e.jsonl", run("5", "anna", cpu_model="x"), sample("5"))
    done = vsim("samples", "merge", "d.jsonl", "e.jsonl", "--out", "all.jsonl", cwd=folder)
    assert done.returncode == 0
    assert b"warning: d.jsonl, e.jsonl: taken for the same host anna" in done.stderr
