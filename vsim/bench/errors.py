"""What goes wrong with an instance: always in a stage, always recorded, never the end of the run."""

from __future__ import annotations

__all__ = ["STAGES", "StageError", "says"]

# The life of an instance, in order. `open` and `close` are those of a driver's session.
STAGES = ("open", "create", "start", "first_instruction", "ready", "work", "stop", "remove", "close")


class StageError(Exception):
    """An instance failed in `stage`. The runner turns it into a failure record."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage
        self.message = message


def says(error: OSError) -> str:
    """Return what the system says, in one line, with the file that it is about."""
    # shutil collects what went wrong in a tree of files as a list of triples.
    first = error.args[0] if error.args and isinstance(error.args[0], list) and error.args[0] else None
    text = str(first[0][2]) if first else error.strerror or str(error)
    return f"{error.filename}: {text}" if error.filename else text
