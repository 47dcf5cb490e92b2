from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.suites import Scripted
from vsim.bench import fio
from vsim.bench.drivers import InstanceSpec, all_drivers
from vsim.bench.errors import StageError
from vsim.bench.suites.disk import SUITE
from vsim.bench.workspace import Workspace
from vsim.model.plan import DriveDisk

MIB = 2**20
# What fio 3.33 says, shortened to what is read.
SAID = {
    "fio version": "fio-3.33",
    "jobs": [
        {
            "jobname": "vsim",
            "error": 0,
            "read": {
                "bw_bytes": 86863000,
                "iops": 21206.75,
                "total_ios": 21207,
                "lat_ns": {
                    "mean": 46000.0,
                    "percentile": {"50.000000": 45312, "95.000000": 60000, "99.000000": 82432},
                },
            },
            "write": {"bw_bytes": 0, "iops": 0.0, "total_ios": 0, "lat_ns": {"mean": 0.0}},
        }
    ],
}
REFUSED = (
    "fio: looks like your file system does not support direct=1/buffered=0\n"
    "fio: pid=7, err=22/file:filesetup.c:764, func=open(/data/fio), error=Invalid argument\n"
)


def run_of(text: str, code: int = 0) -> str:
    return f"begin run\n{text}\nend run 1000000\nexit {code}\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("VSIM_STATE", str(tmp_path))
    with Workspace("20260101-000000-abcd") as workspace:
        yield workspace


def test_fio_s_figures_become_base_units(workspace: Workspace) -> None:
    bench = Scripted(run_of("note: a warning before it\n" + json.dumps(SAID, indent=2)), workspace=workspace)
    SUITE.run(DriveDisk(pattern="random_read"), bench.context)
    assert bench.values == {
        "disk_latency_mean_s": [46e-6],
        "disk_latency_p50_s": [45312e-9],
        "disk_latency_p95_s": [60e-6],
        "disk_latency_p99_s": [82432e-9],
        "disk_iops": [21206.75],
        "disk_throughput_bytes_per_s": [86863000.0],
    }
    assert bench.flags["disk_iops"] == {"path-root"}
    assert bench.specs[0].writable_root
    assert bench.alive == 0


@pytest.mark.parametrize("path", ["bind", "volume"])
def test_the_file_lies_where_the_step_says_and_goes_with_it(workspace: Workspace, path: str) -> None:
    bench = Scripted(run_of(json.dumps(SAID)), workspace=workspace)
    SUITE.run(DriveDisk(path=path), bench.context)  # type: ignore[arg-type]
    spec = bench.specs[0]
    assert not spec.writable_root
    assert "--filename=/data/fio" in spec.arguments
    assert (list(spec.binds.values()), spec.volume) == ((["/data"], None) if path == "bind" else ([], "/data"))
    assert not any(directory.exists() for directory in spec.binds)


def test_where_direct_io_is_refused_the_page_cache_is_used_and_flagged(workspace: Workspace) -> None:
    def says(spec: InstanceSpec) -> str:
        return run_of(REFUSED, 1) if "--direct=1" in spec.arguments else run_of(json.dumps(SAID))

    bench = Scripted(says, workspace=workspace)
    SUITE.run(DriveDisk(pattern="read"), bench.context)
    assert bench.flags["disk_iops"] == {"path-root", "buffered"}
    assert bench.alive == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (run_of("fio: No space left on device", 1), "No space left on device"),
        (run_of("no JSON at all"), "can't be read"),
        (run_of("{}"), "can't be read"),
        (run_of(json.dumps({"jobs": [{**SAID["jobs"][0], "error": 5}]})), "error 5"),  # type: ignore[dict-item]
    ],
)
def test_what_goes_wrong_is_a_failure_of_the_work(workspace: Workspace, said: str, words: str) -> None:
    bench = Scripted(said, workspace=workspace)
    with pytest.raises(StageError, match=words) as caught:
        SUITE.run(DriveDisk(pattern="read"), bench.context)
    assert caught.value.stage == "work"
    assert bench.values == {}
    assert bench.alive == 0


def test_a_run_that_moved_nothing_has_no_latency() -> None:
    with pytest.raises(StageError, match="moved nothing"):
        fio.metrics(run_of(json.dumps(SAID)), DriveDisk(pattern="write"))


def test_who_has_no_place_for_the_file_says_why() -> None:
    drivers = {driver.name: driver for driver in all_drivers()}
    assert SUITE.lack(DriveDisk(), drivers["process"]) is None
    assert "no volumes" in str(SUITE.lack(DriveDisk(path="volume"), drivers["runc"]))
    assert "nothing but the probe" in str(SUITE.lack(DriveDisk(), drivers["uml"]))
    assert SUITE.lack(DriveDisk(), drivers["null"]) is not None
    demand = SUITE.demand(DriveDisk(size_bytes=100 * MIB), drivers["process"])
    assert demand.disk_bytes >= 100 * MIB
    assert demand.seconds > 2
