"""Which of gVisor's processes hold the instance's memory, and which only help."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

__all__ = ["split_sandbox"]


def split_sandbox(pids: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sandbox with the processes that it runs the application in, and the gofers, which serve its files.

    Processes of any other runtime are all the instance's own.
    """
    own: list[int] = []
    gofers: list[int] = []
    for pid in pids:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            (gofers if words[0] == b"runsc-gofer" or b"gofer" in words else own).append(pid)
    return tuple(own), tuple(gofers)
