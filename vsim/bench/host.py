"""What the harness reads from the host while it measures: memory, processes, room. Bytes and counts."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import shutil
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from vsim.bench import cgroups
from vsim.model.plan import WEIGHING_PAUSE_S, WEIGHINGS

__all__ = ["Host", "pss_bytes"]

# The number of the system call kcmp(2), and its request to compare address spaces.
_KCMP = {"x86_64": 312, "aarch64": 272}
_KCMP_VM = 1


def pss_bytes(pids: Iterable[int]) -> int | None:
    """Return the proportional set size of the processes together; None when none of them can be read."""
    total: int | None = None
    for pid in _own_memories(list(pids)):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total = (total or 0) + int(line.split()[1]) * 1024
                    break
    return total


def _own_memories(pids: list[int]) -> list[int]:
    """Leave out processes that share their whole memory with one before them (user-mode Linux's helpers do).

    Each of those would report the same pages in full. Where the kernel can't compare, all stay.
    """
    number = _KCMP.get(platform.machine())
    if len(pids) < 2 or number is None:
        return pids
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    found: list[int] = []
    for pid in pids:
        # 0: the same; 1 and 2: different; -1: not allowed, or gone
        if not any(syscall(number, pid, other, _KCMP_VM, 0, 0) == 0 for other in found):
            found.append(pid)
    return found


class Host:
    """This host; tests put a made-up one in its place."""

    def __init__(self, *, proc: Path = Path("/proc"), sleep: Callable[[float], None] = time.sleep) -> None:
        self._proc = proc
        self._cpu_account: Path | None = None
        self.sleep = sleep

    def available_bytes(self) -> int:
        """Return the memory that programs could still get without swapping (MemAvailable)."""
        for line in (self._proc / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        raise OSError("no MemAvailable in /proc/meminfo")

    def settled_available_bytes(self, readings: int = WEIGHINGS, pause_s: float = WEIGHING_PAUSE_S) -> int:
        """Return the median of some readings of the available memory, exact to the page, after a pause each.

        The kernel keeps tens of MiB of free pages on per-CPU lists that MemAvailable leaves out, and takes pages for
        new processes from them first: without adding them back, the first instances would seem to cost nothing.
        """
        values = []
        for _ in range(readings):
            self.sleep(pause_s)
            # Reading it folds the counters that each CPU keeps for itself into the totals; only root may.
            with contextlib.suppress(OSError):
                (self._proc / "sys/vm/stat_refresh").read_bytes()
            values.append(self.available_bytes() + self._listed_bytes())
        return int(statistics.median(values))

    def _listed_bytes(self) -> int:
        """Return the free pages on per-CPU lists; 0 where /proc/zoneinfo can't be read."""
        pages = 0
        with contextlib.suppress(OSError, ValueError):
            for line in (self._proc / "zoneinfo").read_text().splitlines():
                # "              count:    123", within the pagesets of a zone
                word, _, value = line.strip().partition(":")
                if word == "count":
                    pages += int(value)
        return pages * os.sysconf("SC_PAGE_SIZE")

    def free_pids(self) -> int:
        """Return how many more processes the kernel and this process's control group allow."""
        used = sum(1 for entry in os.scandir(self._proc) if entry.name.isdigit())
        limits = [int((self._proc / "sys/kernel/pid_max").read_text())]
        with contextlib.suppress(OSError, ValueError):
            limits.append(int((self._proc / "sys/kernel/threads-max").read_text()))
        return min(limits) - used

    def free_disk_bytes(self, path: Path) -> int:
        """Return the room on the file system that holds `path`, or its nearest parent that exists."""
        while not path.exists():
            path = path.parent
        return shutil.disk_usage(path).free

    def busy_core_s(self) -> float | None:
        """Return the CPU time that this host has spent since it booted, in core-seconds; None where nothing tells.

        The account of cgroup v1's root (`cpuacct.usage`) is exact to the nanosecond. Where there is none, the kernel's
        clock ticks have to do (/proc/stat: user, nice, system, irq, softirq): 10 ms each, right on average over many
        starts. The root of cgroup v2 has no more than these ticks either.
        """
        with contextlib.suppress(OSError, ValueError):
            return int((self._cpuacct() / "cpuacct.usage").read_text()) / 1e9
        with contextlib.suppress(OSError, ValueError, StopIteration, IndexError):
            lines = (self._proc / "stat").read_text().splitlines()
            user, nice, system, _, _, irq, softirq = map(
                int, next(x for x in lines if x.startswith("cpu ")).split()[1:8]
            )
            return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
        return None

    def _cpuacct(self) -> Path:
        if self._cpu_account is None:
            found = cgroups.hierarchies((self._proc / "self/mountinfo").read_text())
            self._cpu_account = found.by_controller.get("cpuacct", self._proc)
        return self._cpu_account

    def drop_caches(self) -> bool:
        """Write dirty pages out and forget the page cache; return False where this is not allowed."""
        os.sync()
        try:
            (self._proc / "sys/vm/drop_caches").write_text("3\n")
        except OSError:
            return False
        return True

    def pss_bytes(self, pids: Iterable[int]) -> int | None:
        """Return the proportional set size of the processes together."""
        return pss_bytes(pids)
