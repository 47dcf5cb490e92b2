from __future__ import annotations

from pathlib import Path

from vsim.bench.cgroups import Cgroup, Hierarchies, hierarchies

# Lines of /proc/self/mountinfo: a hybrid host, a Debian server with pure v2, a Raspberry Pi OS of 2019 with v1.
HYBRID = """\
30 23 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
31 23 0:27 / /sys/fs/cgroup/pids rw,relatime shared:10 - cgroup cgroup rw,pids
32 23 0:28 / /sys/fs/cgroup/unified rw,relatime shared:11 - cgroup2 cgroup2 rw
"""
UNIFIED = "29 24 0:25 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
LEGACY = """\
30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
31 23 0:27 / /sys/fs/cgroup/pids rw,relatime shared:10 - cgroup cgroup rw,pids
"""


def test_hybrid_counts_as_v1() -> None:
    found = hierarchies(HYBRID)
    assert found.unified is None
    assert found.root_of("memory") == Path("/sys/fs/cgroup/memory")
    assert Cgroup("/vsim-x/a", found).entries == (
        Path("/sys/fs/cgroup/memory/vsim-x/a/cgroup.procs"),
        Path("/sys/fs/cgroup/pids/vsim-x/a/cgroup.procs"),
    )


def test_pure_v2() -> None:
    assert hierarchies(UNIFIED).unified == Path("/sys/fs/cgroup")


def test_a_pi_with_its_memory_controller_switched_off_has_no_memory_group() -> None:
    found = hierarchies(LEGACY)
    assert found.root_of("memory") is None
    assert found.root_of("cpuacct") == Path("/sys/fs/cgroup/cpu,cpuacct")
    assert Cgroup("/vsim-x/a", found).memory_bytes() is None


def test_v2_files_limits_and_delegation(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    group = Cgroup("/vsim-x/a", Hierarchies(tmp_path, {}))
    own = tmp_path / "vsim-x" / "a"
    own.mkdir(parents=True)
    for name in ("memory.max", "pids.max"):
        (own / name).write_text("max")
    (own / "memory.current").write_text("4096\n")
    (own / "cgroup.procs").write_text("12\n11\n")
    group.create(memory_bytes=1000, pids=5)
    assert (own / "memory.max").read_text() == "1000"
    assert (own / "pids.max").read_text() == "5"
    # every group above passes the controllers on, the group itself doesn't: it holds processes
    assert (tmp_path / "vsim-x" / "cgroup.subtree_control").read_text() == "+pids"
    assert not (own / "cgroup.subtree_control").exists()
    assert group.memory_bytes() == 4096
    assert group.pids() == (11, 12)
