"""Reaping what runtimes leave to init: a runtime's command ends, and what it started becomes an orphan.

Until an ended orphan is reaped, runtimes take it for running and wait; how long, is then a property of this host's
init and not of the rung. So the harness adopts the orphans of what it starts and reaps those that it ends itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterable

__all__ = ["adopt_orphans", "reap"]

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of orphans among this process's descendants. Harmless where the kernel refuses."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(pids: Iterable[int | None]) -> None:
    """Reap each of these processes as soon as it ends, if it was adopted; return at once."""
    for pid in pids:
        if pid is not None:
            threading.Thread(target=_wait, args=(pid,), daemon=True, name="vsim-reaper").start()


def _wait(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
