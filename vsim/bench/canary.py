"""The canary: a bare fork and exec, measured first in each block. When it is slow, the block was disturbed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from vsim.bench.errors import StageError
from vsim.bench.spawn import end_process, ended, spawn

__all__ = ["CANARY", "fork_exec_s"]

# The name under which the canary stands in samples, beside those of drivers.
CANARY = "canary"
_TIMEOUT_S = 10.0


def fork_exec_s(probe: Path, env: Mapping[str, str], *, times: int = 5) -> list[float]:
    """Return how long each of `times` fork, exec and exit of the probe took, in seconds.

    Raises StageError when it doesn't end well, or not within `_TIMEOUT_S`.
    """
    taken = []
    for _ in range(times):
        begin = time.monotonic()
        process = spawn([str(probe), "exit"], stage="canary", env=env)
        in_time = ended(process, _TIMEOUT_S)
        taken.append(time.monotonic() - begin)
        if not in_time:
            end_process(process)
            raise StageError("canary", f"the probe did not end within {_TIMEOUT_S:g} s")
        if process.returncode != 0:
            raise StageError("canary", f"the probe ended with code {process.returncode}")
    return taken
