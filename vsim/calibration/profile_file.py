"""Profile files: the profile that comes with the package, and a user's files on top of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from vsim.calibration.layering import Layering
from vsim.calibration.profile import Profile
from vsim.scenario.document import Document, read_document

__all__ = ["BUILTIN", "builtin", "load_profile", "profile_of_text", "profile_schema"]

BUILTIN = Path(__file__).parent / "profiles" / "builtin"


@cache
def builtin() -> Profile:
    """Return the profile that comes with the package."""
    layering = Layering("builtin")
    for path in sorted(BUILTIN.glob("*.yaml")):
        layering.add(read_document(path))
    return layering.profile()


def load_profile(*paths: str | Path, base: Profile | None = None) -> Profile:
    """Return `base` (default: the built-in profile) with the profile files `paths` on top, one after another.

    A file states layers, stacks, machines, chassis, the site, or single quantities of them. A quantity replaces the one
    that is there if its source is of the same or a better kind (measured, published, derived, assumed), or if it says
    ``override: true``; `warnings` of the profile says which ones didn't. Raises InputError, with file, line and column,
    for anything in a file that can't be used.
    """
    layering = Layering.on(builtin() if base is None else base)
    for path in paths:
        document = read_document(path)
        _check(document)
        layering.add(document, Path(path).stem)
    return layering.profile()


def profile_of_text(text: str, name: str, base: Profile | None = None) -> Profile:
    """Return `base` (default: the built-in profile) with the content `text` of a profile file on top, called `name`.

    Raises InputError as :func:`load_profile` does, with `name` for the file's.
    """
    layering = Layering.on(builtin() if base is None else base)
    document = read_document(name, text)
    _check(document)
    layering.add(document, name)
    return layering.profile()


def profile_schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile file."""
    from vsim.calibration.profile_model import json_schema

    return json_schema()


def _check(document: Document) -> None:
    # pydantic is loaded for files of the user's only; tests check those of the package
    from vsim.calibration.profile_model import ProfileFile
    from vsim.scenario.validation import validate

    validate(document, ProfileFile)
