"""Runs the command as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["SMALL", "environment", "vsim"]

# A comparison that takes a fraction of a second, with requests, random sizes and failures in it.
SMALL = """\
schema: vsim.scenario/1
title: A small comparison
architectures: [vm@rack-server, container@rack-server]
services:
  web:
    replicas: 4
    image: 50 MB
    memory: 300 MiB
    memory_cv: 0.2
    shareable: 20 %
    request: {user: 5 ms, system_calls: 1 ms, send: 10 kB}
    arrivals: {kind: poisson, rate: 40/s}
    slo: 50 ms
run: {duration: 2 s, warmup: 0.5 s, replications: 3}
reliability: {years: 1}
"""


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a terminal 80 columns wide."""
    return {**os.environ, "COLUMNS": "80", **changes}


def vsim(
    *arguments: object, cwd: Path | None = None, timeout: float = 120, **changes: str
) -> subprocess.CompletedProcess[bytes]:
    """Run ``vsim`` with `arguments` and the environment variables `changes`."""
    return subprocess.run(
        [sys.executable, "-m", "vsim", *map(str, arguments)],
        capture_output=True,
        cwd=cwd,
        env=environment(**changes),
        timeout=timeout,
        check=False,
    )
