"""The environment record of a run: the one place where the bench asks for it."""

from __future__ import annotations

from typing import Any

from vsim.bench.environment import record_environment

__all__ = ["environment_record"]


def environment_record() -> dict[str, Any]:
    """Return what the figures of this host are worth, as plain data. Takes some seconds: KVM is tried."""
    return record_environment()
