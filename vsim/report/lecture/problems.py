"""What can be missing while a lecture is built."""

from __future__ import annotations

__all__ = ["NotThereError"]


class NotThereError(Exception):
    """The results don't hold what a slide speaks of: the slide is left out, and the message says why.

    Not an error of the user's: a lecture is shown with other results than it was written for.
    """
