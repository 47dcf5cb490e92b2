"""The environment record of a run: the one place where the bench asks for it."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

__all__ = ["environment_record"]


def environment_record() -> dict[str, Any]:
    """Return what the figures of this host are worth, as plain data."""
    return {
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "cmdline": Path("/proc/cmdline").read_text(errors="replace").strip() if Path("/proc/cmdline").exists() else "",
    }
