from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from vsim.bench.host import Host, pss_bytes
from vsim.bench.payload import host_architecture, probe_path

MIB = 2**20
ZONEINFO = """\
Node 0, zone   Normal
  pages free     123
  pagesets
    cpu: 0
              count:    10
              high:     20
    cpu: 1
              count:    5
"""


def host(root: Path) -> Host:
    (root / "meminfo").write_text("MemTotal:       2000 kB\nMemFree:         900 kB\nMemAvailable:   1000 kB\n")
    return Host(proc=root, sleep=lambda seconds: None)


def test_pages_on_per_cpu_lists_are_available_too(tmp_path: Path) -> None:
    made = host(tmp_path)
    assert made.settled_available_bytes() == 1000 * 1024
    (tmp_path / "zoneinfo").write_text(ZONEINFO)
    assert made.settled_available_bytes() == 1000 * 1024 + 15 * 4096


def test_caches_that_may_not_be_dropped_are_said(tmp_path: Path) -> None:
    assert not host(tmp_path).drop_caches()


def test_what_was_touched_is_weighed_once_for_each_process() -> None:
    probe = str(probe_path(host_architecture()))
    processes = [subprocess.Popen([probe, f"touch={8 * MIB}"], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for process in processes:
            assert process.stdout is not None
            while process.stdout.readline() != b"ready\n":
                pass
        own = [pss_bytes([process.pid]) for process in processes]
        both = pss_bytes([process.pid for process in processes])
        again = pss_bytes([processes[0].pid] * 2)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert own[0] == pytest.approx(8 * MIB, abs=MIB / 4)
    assert both == pytest.approx(16 * MIB, abs=MIB / 2)
    # one memory, however many processes share it
    assert again == own[0]
    assert pss_bytes([processes[0].pid]) is None
