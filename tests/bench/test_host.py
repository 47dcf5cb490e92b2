from __future__ import annotations

import subprocess
import time
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


def test_cpu_time_comes_from_the_root_control_group_or_else_from_the_ticks(tmp_path: Path) -> None:
    made = host(tmp_path)
    assert made.busy_core_s() is None
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mountinfo").write_text("")
    # user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice: 150 + 50 + 75 + 5 + 20 ticks of 10 ms
    (tmp_path / "stat").write_text("cpu  150 50 75 9000 700 5 20 30 0 0\ncpu0 150 50 75 9000 700 5 20 30 0 0\n")
    assert made.busy_core_s() == 3.0
    (tmp_path / "self" / "mountinfo").write_text(
        f"30 25 0:26 / {tmp_path}/cpu rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n"
    )
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpuacct.usage").write_text("12500000000\n")
    made = host(tmp_path)
    assert made.busy_core_s() == 12.5


def test_a_busy_core_is_accounted() -> None:
    """A second of arithmetic on one core is a second, whatever else goes on adds to it."""
    real = Host()
    before, begin = real.busy_core_s(), time.process_time()
    while time.process_time() < begin + 0.3:
        pass
    after = real.busy_core_s()
    assert before is not None
    assert after is not None
    assert after - before > 0.28


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
