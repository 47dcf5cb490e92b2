"""What can go wrong, as one tree of exceptions.

    VsimError                   every error that vsim raises on purpose
    ├── InputError              what the user gave is wrong: exit code 2, with file, line and column
    ├── HostError               this host lacks something: exit code 3, with how to get it
    └── ThresholdError          it ran, and a stated threshold was missed: exit code 1

Library code raises these and never prints or exits; :mod:`vsim.cli` alone maps them to messages and exit
codes.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HostError", "InputError", "Place", "ThresholdError", "VsimError"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands. `line` and `column` count from 1; `text` is the line itself."""

    file: str
    line: int | None = None
    column: int | None = None
    text: str | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class VsimError(Exception):
    """The root of every error that vsim raises on purpose. `hint` says what to do about it."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(VsimError):
    """What the user gave can't be used. `place` names the file, line and column when there is one."""

    exit_code = 2

    def __init__(self, message: str, *, place: Place | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class HostError(VsimError):
    """This host lacks something that the command needs; the hint says how to get it."""

    exit_code = 3


class ThresholdError(VsimError):
    """The command ran to its end, and a threshold that was stated beforehand was missed."""

    exit_code = 1
