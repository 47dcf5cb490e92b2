"""Samples from other programs' files: the numbers are those in the files, in base units."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import vsim
from vsim.bench.imports import read_foreign
from vsim.errors import InputError
from vsim.samples.records import Run, Sample, read_samples


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def samples(path: Path) -> list[Sample]:
    run, *rest = read_foreign(path)
    assert isinstance(run, Run)
    assert all(isinstance(record, Sample) and record.run_id == run.run_id for record in rest)
    return [record for record in rest if isinstance(record, Sample)]


def test_hyperfine(tmp_path: Path) -> None:
    path = write(tmp_path / "h.json", {"results": [{"command": "sleep 0.1", "times": [0.101, 0.102], "mean": 0.1015}]})
    found = samples(path)
    assert [(s.driver, s.metric, s.value, s.unit, s.block) for s in found] == [
        ("sleep 0.1", "duration_s", 0.101, "s", 0),
        ("sleep 0.1", "duration_s", 0.102, "s", 1),
    ]
    assert all("imported" in s.flags for s in found)


def test_pytest_benchmark_for_real(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "def test_startup(benchmark):\n"
        "    benchmark.extra_info |= {'driver': 'runc', 'stack': 'container', 'flags': ['rootless']}\n"
        "    benchmark.pedantic(lambda: None, rounds=4)\n"
        "def test_sum(benchmark):\n"
        "    benchmark.pedantic(lambda: sum(range(10)), rounds=3)\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--benchmark-json",
        "b.json",
        "test_it.py",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    data = {b["name"]: b["stats"]["data"] for b in json.loads((tmp_path / "b.json").read_text())["benchmarks"]}
    found = samples(tmp_path / "b.json")
    own = [s for s in found if s.driver == "runc"]
    assert [s.value for s in own] == data["test_startup"]
    assert {(s.suite, s.metric, s.stack, s.flags) for s in own} == {
        ("startup", "startup_s", "container", ("rootless", "imported"))
    }
    other = [s for s in found if s.driver == "test_sum"]
    assert [s.value for s in other] == data["test_sum"]
    assert {(s.suite, s.metric) for s in other} == {("imported", "duration_s")}


def test_fio_for_real(tmp_path: Path) -> None:
    fio = shutil.which("fio")
    if fio is None:
        pytest.skip("this host lacks fio (Debian: fio)")
    command = [fio, "--name=look", "--rw=randread", "--size=1M", "--bs=4k", "--output-format=json", "--output=f.json"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    job = json.loads((tmp_path / "f.json").read_text())["jobs"][0]["read"]
    found = {s.metric: s for s in samples(tmp_path / "f.json")}
    assert found["disk_iops"].value == job["iops"]
    assert found["disk_bytes_per_s"].value == job["bw_bytes"]
    assert found["disk_latency_mean_s"].value == pytest.approx(job["lat_ns"]["mean"] / 1e9)
    assert found["disk_latency_p95_s"].value == pytest.approx(job["clat_ns"]["percentile"]["95.000000"] / 1e9)
    assert found["disk_iops"].driver == "look"
    assert "read" in found["disk_iops"].flags


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[1, 2]", "is not JSON of"),
        ("{}", "is not JSON of"),
        ('{"results": 3}', "not as hyperfine writes it"),
        ('{"results": [{"command": "x"}]}', "no single times"),
        ('{"fio version": "fio-3", "jobs": [{}]}', "not as fio writes it"),
        ('{"benchmarks": [{}], "machine_info": {}}', "not as pytest-benchmark writes it"),
        ("{" + '"a":[' * 5, "not JSON"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_foreign(path)


def test_the_command(tmp_path: Path) -> None:
    write(tmp_path / "h.json", {"results": [{"command": "a; rm -rf /", "times": [1.5]}]})
    done = vsim("bench", "--import", "h.json", "--out", "h.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    read = read_samples(tmp_path / "h.jsonl")
    assert [s.value for s in read.samples] == [1.5]
    assert read.samples[0].driver == "a; rm -rf /"
    assert vsim("bench", "--import", "h.json", "--out", "h.jsonl", cwd=tmp_path).returncode == 2
    assert vsim("bench", "--import", "no.json", cwd=tmp_path).returncode == 2
    assert vsim("bench", "--import", "h.json", "--quick", cwd=tmp_path).returncode == 2
