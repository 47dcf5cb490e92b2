"""Reading /proc and /sys below a root, so that the files of any machine can stand in for this one's.

Whatever can't be read (missing, no permission, not text) reads as absent: a host that hides a file is still described
by the others.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

__all__ = ["JSON", "Facts", "Root"]

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]

# What is known of a host: names of vsim.bench.environment.metadata, and values as JSON holds them.
Facts = dict[str, JSON]

# None of the files asked for is longer than the flags of some hundred CPUs.
_LONGEST = 4 * 2**20
_PIECE = 32 * 2**10


class Root:
    """A file system's root; every path is given without the leading slash."""

    def __init__(self, path: Path = Path("/")) -> None:
        self.path = path

    @property
    def is_this_host(self) -> bool:
        """Whether this is the file system that the process itself sees."""
        return self.path == Path("/")

    def data(self, name: str) -> bytes | None:
        """Return what a file holds; None when it can't be read."""
        try:
            with (self.path / name).open("rb", buffering=0) as file:
                # In small pieces: the files of /proc/sys refuse a read of megabytes.
                return b"".join(itertools.islice(iter(lambda: file.read(_PIECE), b""), _LONGEST // _PIECE))
        except OSError:
            return None

    def text(self, name: str) -> str | None:
        """Return a file's text without spaces and null characters at its ends; None when it can't be read."""
        data = self.data(name)
        return None if data is None else data.decode("utf-8", "replace").strip(" \t\r\n\0")

    def lines(self, name: str) -> list[str]:
        """Return a file's lines; none when it can't be read."""
        return (self.text(name) or "").splitlines()

    def number(self, name: str) -> int | None:
        """Return the whole number that a file holds; None when it holds anything else."""
        try:
            return int(self.text(name) or "")
        except ValueError:
            return None

    def link(self, name: str) -> str | None:
        """Return what a symbolic link says; None when it isn't one."""
        try:
            return os.readlink(self.path / name)  # noqa: PTH115 (the text itself, as in `pid:[4026531836]`)
        except OSError:
            return None

    def names(self, directory: str) -> list[str]:
        """Return the sorted names in a directory; none when it can't be read."""
        try:
            return sorted(os.listdir(self.path / directory))  # noqa: PTH208
        except OSError:
            return []

    def exists(self, name: str) -> bool:
        """Return whether there is such a file, also one that may not be read."""
        return os.path.lexists(self.path / name)
