"""The canary: a bare fork and exec, measured first in each block. When it is slow, the block was disturbed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["CANARY", "fork_exec_s"]

# The name under which the canary stands in samples, beside those of drivers.
CANARY = "canary"


def fork_exec_s(probe: Path, env: Mapping[str, str], *, times: int = 5) -> list[float]:
    """Return how long each of `times` fork, exec and exit of the probe took, in seconds."""
    taken = []
    for _ in range(times):
        begin = time.monotonic()
        subprocess.run([str(probe), "exit"], env=dict(env), stdout=subprocess.DEVNULL, check=True, timeout=10)
        taken.append(time.monotonic() - begin)
    return taken
