"""A compose file as a tree of parts, each of which knows where it stands, whatever it is merged into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vsim.errors import InputError, Place
from vsim.scenario.composing import Node, Text, compose
from vsim.scenario.document import MAX_BYTES, decode, read_bytes

__all__ = ["Part", "Source", "read_part"]

# What compose-go knows: take out what an earlier file says, or put this in its place instead of merging.
TAGS = ("!reset", "!override")
# Docker has no such limit; comparing the entries of a list with each other takes time in the square of their number.
MAX_ENTRIES = 2000


class Source:
    """A file: its text, and the folder that relative paths in it start from."""

    __slots__ = ("folder", "path", "text")

    def __init__(self, path: Path, text: Text, folder: Path) -> None:
        self.path = path
        self.text = text
        self.folder = folder


class Part:
    """A value of a compose file: a scalar, a dict of parts or a list of parts, and where it and its key stand."""

    __slots__ = ("index", "key_index", "source", "tag", "value")

    def __init__(
        self, source: Source, index: int, value: Any, *, key_index: int | None = None, tag: str | None = None
    ) -> None:
        self.source = source
        self.index = index
        self.key_index = key_index
        self.value = value
        self.tag = tag

    def like(self, value: Any) -> Part:
        """Return a part with another value that stands where this one does."""
        return Part(self.source, self.index, value, key_index=self.key_index, tag=self.tag)

    @property
    def mapping(self) -> dict[str, Part]:
        """The parts by key; nothing for a value that isn't a mapping."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def entries(self) -> list[Part]:
        """The parts of a list; nothing for a value that isn't one."""
        return self.value if isinstance(self.value, list) else []

    def get(self, key: str) -> Part | None:
        """Return the part under `key`, or None."""
        return self.mapping.get(key)

    def at(self, path: Sequence[str | int]) -> Part:
        """Return the part at `path`, or the nearest parent that is there."""
        part = self
        for step in path:
            value = part.value
            in_list = isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)
            if not in_list and not (isinstance(value, dict) and step in value):
                break
            part = value[step]
        return part

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {key: part.plain() for key, part in self.value.items()}
        if isinstance(self.value, list):
            return [part.plain() for part in self.value]
        return self.value

    def place(self, *, key: bool = False) -> Place:
        """Return where the value (`key`: its key, if it has one) stands."""
        return self.source.text.place(self.key_index if key and self.key_index is not None else self.index)

    def error(self, message: str, hint: str | None = None, *, key: bool = False) -> InputError:
        """Return the error to raise about this value (`key`: its key)."""
        return InputError(message, place=self.place(key=key), hint=hint)


def read_part(path: Path, folder: Path) -> Part:
    """Return the content of the YAML file at `path`, whose relative paths start from `folder`.

    Raises InputError with its place when it can't be read, isn't YAML, or isn't a mapping.
    """
    file = str(path)
    text = Text(file, decode(file, read_bytes(path, MAX_BYTES)).removeprefix("\ufeff"))
    if not text.text.strip():
        raise InputError("the file is empty", place=Place(file, 1, 1, ""), hint="a compose file has `services:`")
    source = Source(path, text, folder)
    root = _part(source, compose(text, TAGS), None)
    if not isinstance(root.value, dict):
        raise root.error("a compose file is a mapping of keys and values", "it begins with `services:`")
    return root


def _part(source: Source, node: Node, key_index: int | None) -> Part:
    """Return the part of a node; the composer bounds how deep and how large the tree is."""
    value = node.value
    if node.children is not None:
        if isinstance(value, list):
            if len(value) > MAX_ENTRIES:
                part = Part(source, node.index, value)
                raise part.error(f"a list of more than {MAX_ENTRIES:,} entries", "split it")
            value = [_part(source, node.children[i], None) for i in range(len(value))]
        else:
            keys = node.keys or {}
            value = {key: _part(source, child, keys.get(key)) for key, child in _children(node)}
    return Part(source, node.index, value, key_index=key_index, tag=node.tag)


def _children(node: Node) -> Iterator[tuple[str, Node]]:
    assert node.children is not None
    for key in node.value:
        yield key, node.children[key]
