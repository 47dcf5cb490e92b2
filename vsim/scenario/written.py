"""Names that remember where they were written.

Whether a stack, a layer or a parameter of the profile exists is known only after the scenario was read. The names that
a scenario uses for them are therefore :class:`Written`: text like any other, with its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vsim.errors import InputError, Place

__all__ = ["Written", "located", "place_of"]


class Written(str):
    """A text and the place where the user wrote it. Equal to the plain text; survives pickling."""

    place: Place | None

    def __new__(cls, text: str, place: Place | None = None) -> Written:
        """Return `text`, written at `place`."""
        written = super().__new__(cls, text)
        written.place = place
        return written


def place_of(name: object) -> Place | None:
    """Return where `name` was written, or None if nobody knows (it came from a flag or from Python)."""
    return name.place if isinstance(name, Written) else None


@contextmanager
def located(name: object) -> Iterator[None]:
    """Give every InputError from the block that has no place the one where `name` was written."""
    try:
        yield
    except InputError as error:
        if error.place is None:
            error.place = place_of(name)
        raise
