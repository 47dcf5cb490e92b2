"""Where the harness keeps its files: VSIM_STATE (default /var/lib/vsim) and VSIM_CACHE (default /var/cache/vsim).

Who isn't root gets directories of their own; neither holds anything that `vsim clean` couldn't remove.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_dir", "runs_dir", "state_dir"]


def state_dir() -> Path:
    """Return the directory of what lives as long as a run."""
    return _directory("VSIM_STATE", Path("/var/lib/vsim"), ".local/state/vsim")


def cache_dir() -> Path:
    """Return the directory of what the next run uses again: the payload."""
    return _directory("VSIM_CACHE", Path("/var/cache/vsim"), ".cache/vsim")


def runs_dir() -> Path:
    """Return the directory with one directory for each run that lives or was interrupted."""
    return state_dir() / "run"


def _directory(variable: str, for_root: Path, at_home: str) -> Path:
    given = os.environ.get(variable)
    if given:
        return Path(given).absolute()
    return for_root if os.geteuid() == 0 else Path.home() / at_home
