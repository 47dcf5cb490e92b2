"""Files that users write: read within limits, parsed with places, and every complaint under a caret.

document = read_document("scenario.yaml")
document.data                                 plain dict, list, str, int, float, bool, None
document.place(("services", "web", "memory")) where that value stands
model = validate(document, ScenarioFile)      a pydantic model, or one InputError
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsim.errors import InputError, Place
from vsim.scenario.composing import Node, Text, compose
from vsim.scenario.validation import validate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_BYTES", "Document", "Location", "Place", "decode", "read_bytes", "read_document", "validate"]

# A hand-written file has some kilobytes; the largest that ships, the built-in profile, a quarter of a megabyte.
MAX_BYTES = 1024 * 1024

Location = tuple[str | int, ...]


class Document:
    """A parsed file: its data, and where each part of it stands."""

    __slots__ = ("_root", "_source", "data", "file")

    def __init__(self, source: Text, root: Node) -> None:
        self.file = source.file
        self.data: Any = root.value
        self._source = source
        self._root = root

    def with_data(self, data: Any) -> Document:
        """Return a document with other data whose places are those of this one, as far as it has them."""
        document = Document(self._source, self._root)
        document.data = data
        return document

    def place(self, loc: Sequence[str | int] = ()) -> Place:
        """Return the place of the value at `loc`, or of the nearest parent that is there."""
        node = self._root
        for part in loc:
            child = (node.children or {}).get(part)
            if child is None:
                break
            node = child
        return self._source.place(node.index)

    def key_place(self, loc: Sequence[str | int]) -> Place:
        """Return the place of the key that `loc` ends with; of the value where that isn't a mapping's key."""
        node = self._root
        for part in loc[:-1]:
            child = (node.children or {}).get(part)
            if child is None:
                return self._source.place(node.index)
            node = child
        index = node.keys.get(str(loc[-1])) if loc and node.keys is not None else None
        return self.place(loc) if index is None else self._source.place(index)

    def error(
        self, loc: Sequence[str | int], message: str, *, hint: str | None = None, key: bool = False
    ) -> InputError:
        """Return the error to raise about the value (`key`: the key) at `loc`."""
        return InputError(message, place=self.key_place(loc) if key else self.place(loc), hint=hint)


def read_document(path: Path | str, text: str | None = None) -> Document:
    """Read and parse the YAML 1.2 file at `path`, or `text`, which then counts as its content.

    Raises InputError, with the place and a hint, for a file that can't be read, is larger than `MAX_BYTES`, isn't
    UTF-8, is empty, or isn't YAML as :mod:`vsim.scenario.composing` takes it.
    """
    file = str(path)
    if text is None:
        text = decode(file, read_bytes(path, MAX_BYTES))
    elif len(text) > MAX_BYTES:
        raise _too_large(file, MAX_BYTES)
    if not text.strip():
        raise InputError("the file is empty", place=Place(file, 1, 1, ""), hint="it has to hold keys and values")
    source = Text(file, text.removeprefix("\ufeff"))
    return Document(source, compose(source))


def read_bytes(path: Path | str, limit: int) -> bytes:
    """Return the content of a file of at most `limit` bytes; a pipe or a device is read up to the limit only.

    Raises InputError when it can't be read or is larger.
    """
    file = str(path)
    place = Place(file)
    try:
        # Not Path.read_bytes: the size must be known to be small before anything is read.
        with open(path, "rb", opener=_without_waiting) as stream:
            status = os.fstat(stream.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > limit:
                raise _too_large(file, limit)
            first = _from_pipe(stream.fileno()) if stat.S_ISFIFO(status.st_mode) else b""
            data = first + stream.read(limit + 1 - len(first))
    except FileNotFoundError:
        raise InputError("there is no such file", place=place, hint=_neighbour(Path(path))) from None
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", place=place, hint="name a file in it") from None
    except PermissionError:
        raise InputError("this file may not be read", place=place, hint="check its permissions (ls -l)") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"this file can't be read: {reason}", place=place) from None
    if len(data) > limit:
        raise _too_large(file, limit)
    return data


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe at once, whether or not anybody writes to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _from_pipe(pipe: int) -> bytes:
    """Return the first bytes from a pipe: none if nobody has begun to write to it within a second."""
    for _ in range(50):
        try:
            data = os.read(pipe, 65_536)
        except BlockingIOError:  # somebody has it open and is about to write
            data = b""
        else:
            if not data:
                time.sleep(0.02)
                continue
        os.set_blocking(pipe, True)
        return data
    return b""


def decode(file: str, data: bytes) -> str:
    """Return `data` as text. Raises InputError with the place of the first byte that isn't UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        place = Text(file, before).place(len(before))
        if before.endswith("\n"):
            place = Place(file, (place.line or 1) + 1, 1, "")
        raise InputError(
            f"the byte 0x{data[error.start]:02x} is not UTF-8", place=place, hint="save the file as UTF-8 text"
        ) from None


def _too_large(file: str, limit: int) -> InputError:
    size = f"{limit / 1024**2:.3g} MiB" if limit >= 1024**2 else f"{limit / 1024:.3g} KiB"
    return InputError(
        f"the file is larger than {size}, the most that is read", place=Place(file), hint="is it the right file?"
    )


def _neighbour(path: Path) -> str | None:
    """Return a hint with the file in the same folder whose name is most like `path`'s."""
    import difflib
    from itertools import islice

    names: list[str] = []
    with contextlib.suppress(OSError, ValueError):
        names = [entry.name for entry in islice(path.parent.iterdir(), 1000)]
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {str(path.parent / close[0])!r}?" if close else None
