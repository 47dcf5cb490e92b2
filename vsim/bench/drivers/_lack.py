"""The reasons why a driver can't run here, in words that say what to do."""

from __future__ import annotations

import os
import shutil

__all__ = ["missing", "need_root"]

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing(program: str, package: str) -> str | None:
    """Return the reason when `program` isn't installed; `package` is the Debian package that brings it."""
    if shutil.which(program, path=_PATH):
        return None
    return f"{program} is not installed (Debian: apt-get install {package})"


def need_root() -> str | None:
    """Return the reason when the harness doesn't run as root."""
    return None if os.geteuid() == 0 else "it needs root"
