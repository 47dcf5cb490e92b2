"""The build context: the files of a folder that a builder gets, without what ``.dockerignore`` names.

Files are listed and their sizes asked for; none is read but ``.dockerignore``. Symbolic links aren't followed, so that
nothing outside the folder is looked at, whatever a Dockerfile says.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsim.errors import InputError, Place
from vsim.scenario.dockerfile.patterns import BadPattern, Pattern
from vsim.scenario.document import decode, read_bytes

__all__ = ["MAX_FILES", "Context", "Ignored"]

# Beyond this, files are left out of the sums; a folder with more lacks a .dockerignore.
MAX_FILES = 200_000
_MAX_IGNORE_BYTES = 64 * 1024
_MAX_PATTERN = 1000


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: Pattern
    excluded: bool


class Ignored:
    """The rules of a ``.dockerignore``: the last that fits a path, or a folder above it, counts."""

    def __init__(self, rules: Sequence[_Rule] = ()) -> None:
        self._rules = tuple(rules)
        self._exceptions = any(not rule.excluded for rule in rules)

    @classmethod
    def read(cls, file: str, text: str) -> Ignored:
        """Return the rules in `text`. Raises InputError with the place of a pattern that can't be read."""
        rules: list[_Rule] = []
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
            if line.startswith("#"):
                continue
            pattern = line.strip()
            excluded = not pattern.startswith("!")
            if not excluded:
                pattern = pattern[1:].strip()
            place = Place(file, number, 1, line)
            if not pattern:
                if not excluded:
                    raise InputError("an exception needs a pattern", place=place, hint="write `!PATTERN`")
                continue
            if len(pattern) > _MAX_PATTERN:
                raise InputError("the pattern is longer than 1,000 characters", place=place, hint="shorten it")
            cleaned = posixpath.normpath(pattern).lstrip("/")
            if cleaned == ".":
                continue  # it would exclude everything; builders take no notice of it
            try:
                rules.append(_Rule(Pattern.of_ignore(cleaned), excluded))
            except BadPattern as bad:
                column = min(line.find(pattern) + bad.at, len(line)) + 1
                raise InputError(
                    f"this pattern can't be read: {bad}",
                    place=Place(file, number, column, line),
                    hint="escape the character with a backslash",
                ) from None
        return cls(rules)

    def fits(self, path: str, above: tuple[bool, ...] | None = None) -> tuple[bool, tuple[bool, ...]]:
        """Return whether `path` is left out, and which rules fit it; `above` are those that fit its folder."""
        fitting = tuple(bool(above and above[i]) or rule.pattern.matches(path) for i, rule in enumerate(self._rules))
        excluded = False
        for rule, fit in zip(self._rules, fitting, strict=True):
            if fit:
                excluded = rule.excluded
        return excluded, fitting

    def excludes(self, path: str) -> bool:
        """Return whether `path` (relative, with slashes) is left out."""
        above: tuple[bool, ...] | None = None
        excluded = False
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            excluded, above = self.fits("/".join(parts[:count]), above)
        return excluded

    @property
    def has_exceptions(self) -> bool:
        """Whether something in a folder that is left out may be taken in again."""
        return self._exceptions


class Context:
    """A folder as a build context: the size in bytes of each file in it that isn't ignored, by its relative path."""

    def __init__(self, folder: Path | str, *, dockerfile: Path | str | None = None) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise InputError(
                "the build context isn't a folder",
                place=Place(str(folder)),
                hint="name the folder that COPY copies from",
            )
        self.ignored = self._rules(dockerfile)
        self.complete = True
        self.files: dict[str, int] = dict(self._listed())

    def _rules(self, dockerfile: Path | str | None) -> Ignored:
        """Return the rules of ``NAME.dockerignore`` beside the Dockerfile, else those of the context."""
        own = None if dockerfile is None else Path(f"{dockerfile}.dockerignore")
        for path in (own, self.folder / ".dockerignore"):
            if path is None or not os.path.lexists(path):
                continue
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise InputError(
                    "this isn't a plain file",
                    place=Place(str(path)),
                    hint="links aren't followed: put the file itself here",
                )
            return Ignored.read(str(path), decode(str(path), read_bytes(path, _MAX_IGNORE_BYTES)))
        return Ignored()

    def _listed(self) -> Iterator[tuple[str, int]]:
        """Yield path and size of all files, folder by folder."""
        ahead: list[tuple[str, tuple[bool, ...] | None]] = [("", None)]
        count = 0
        while ahead:
            folder, above = ahead.pop()
            try:
                with os.scandir(self.folder / folder) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except OSError:
                continue  # a folder that may not be read: a builder would fail, a model needn't
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                excluded, fitting = self.ignored.fits(path, above)
                if entry.is_dir(follow_symlinks=False):
                    if not excluded or self.ignored.has_exceptions:
                        ahead.append((path, fitting))
                elif not excluded:
                    count += 1
                    if count > MAX_FILES:
                        self.complete = False
                        return
                    yield path, _size(entry)

    @property
    def bytes(self) -> int:
        """The size of all that a builder gets, in bytes."""
        return sum(self.files.values())

    def matching(self, source: str) -> list[str]:
        """Return the files that a COPY of `source` (a path or a pattern, relative) takes. Raises BadPattern."""
        if source in ("", "."):
            return list(self.files)
        pattern = Pattern.of_path(source)
        return [path for path in self.files if _covers(source, pattern, path)]

    def touches(self, source: str, change: str) -> bool:
        """Return whether a change of the file or folder `change` is one of what a COPY of `source` takes.

        The file may not be there (any more, or yet). Raises BadPattern.
        """
        inside = [path for path in self.files if not change or path.startswith(f"{change}/")]
        if change and not inside and self.ignored.excludes(change):
            return False
        if source in ("", ".") or not change:
            return bool(inside) or bool(change)
        pattern = Pattern.of_path(source)
        if _covers(source, pattern, change):
            return True
        # a folder above what is copied
        return any(_covers(source, pattern, path) for path in inside) or source.startswith(f"{change}/")

    def relative(self, change: str) -> str:
        """Return the path of a change as the context has it: given relative to the context, or to where one is.

        Raises InputError for a path outside the context.
        """
        inside = posixpath.normpath(change.replace(os.sep, "/"))
        absolute = Path(change).is_absolute()
        if not absolute and not _outside(inside) and os.path.lexists(self.folder / inside):
            return "" if inside == "." else inside
        # links stay as they are: a change is named by its path in the context
        here = os.path.relpath(change, self.folder).replace(os.sep, "/")
        if not _outside(here) and (absolute or os.path.lexists(change)):
            return "" if here == "." else here
        if absolute or _outside(inside):
            raise InputError(
                f"{change!r} lies outside the build context {str(self.folder)!r}",
                hint="what a build can't see doesn't change it; --context names another folder",
            )
        return inside


def _outside(path: str) -> bool:
    return path == ".." or path.startswith("../")


def _covers(source: str, pattern: Pattern, path: str) -> bool:
    """Return whether `path` is what `source` names, or lies in a folder that it names."""
    literal = pattern.literal
    if literal is not None:
        return path == literal or path.startswith(f"{literal}/")
    depth = source.count("/") + 1
    parts = path.split("/")
    return len(parts) >= depth and pattern.matches("/".join(parts[:depth]))


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
