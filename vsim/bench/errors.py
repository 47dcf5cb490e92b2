"""What goes wrong with an instance: always in a stage, always recorded, never the end of the run."""

from __future__ import annotations

__all__ = ["STAGES", "StageError"]

# The life of an instance, in order. `open` and `close` are those of a driver's session.
STAGES = ("open", "create", "start", "first_instruction", "ready", "work", "stop", "remove", "close")


class StageError(Exception):
    """An instance failed in `stage`. The runner turns it into a failure record."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage
        self.message = message
