"""Profile files on top of each other: which quantity counts, and what a new thing takes over from another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from vsim.calibration.profile import Profile
from vsim.calibration.specification import RANKS, Figure, Path, ProfileError, Specification, specifications
from vsim.errors import InputError, Place
from vsim.scenario.document import Document
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["SECTIONS", "Layering"]

# What names things of its own comes first: a stack may name a layer of the same file.
_SINGULAR = {
    "layers": "layer",
    "chassis": "chassis",
    "stacks": "stack",
    "machines": "machine",
    "images": "image",
    "registries": "registry",
    "pullers": "puller",
    "builders": "builder",
    "emulators": "emulator",
    "supervision": "supervision",
    "orchestrators": "orchestrator",
}
_NAMED = tuple(_SINGULAR)
SECTIONS = ("reference", "site", *_NAMED)


class Layering:
    """Collects profile files, the later ones on top, and makes the profile of them.

    The data of the files have been validated (:mod:`vsim.calibration.profile_model`): here only what spans files is
    checked.
    """

    def __init__(self, name: str, base: Profile | None = None) -> None:
        self.base = base
        self._names = [name]
        self._tree: dict[str, Any] = dict(base.tree) if base else {}
        self._specifications: dict[str, Specification] = dict(base.specifications) if base else {}
        self._figures: dict[str, Figure] = dict(base.figures) if base else {}
        self._citations: dict[str, str] = dict(base.citations) if base else {}
        self._warnings: list[str] = list(base.warnings) if base else []
        self._documents: list[Document] = []

    @classmethod
    def on(cls, base: Profile) -> Layering:
        """Return a layering whose lowest layer is `base`."""
        return cls(base.name, base)

    def add(self, document: Document, name: str | None = None) -> None:
        """Put the file `document` on top; `name` becomes part of the profile's name.

        Raises InputError when it takes something over from what isn't there.
        """
        self._documents.append(document)
        if name:
            self._names.append(name)
        data: Mapping[str, Any] = document.data
        self._citations |= data.get("citations") or {}
        self._figures |= {key: Figure.of(key, node) for key, node in (data.get("figures") or {}).items()}
        try:
            for path, node in _things(data):
                self._put(document, path, node)
        except ProfileError as error:
            raise self._placed(error) from None

    def profile(self) -> Profile:
        """Return the profile. Raises InputError, with its place, for what can't be computed or built."""
        try:
            return Profile(
                " + ".join(self._names),
                self._tree,
                self._specifications,
                self._figures,
                self._citations,
                warnings=tuple(self._warnings),
                pinned=self.base.pinned if self.base else None,
            )
        except ProfileError as error:
            raise self._placed(error) from None

    def _put(self, document: Document, path: tuple[str, ...], node: Mapping[str, Any]) -> None:
        found = {specification.name: specification for specification in specifications(node, path)}
        taken_out = list(_nothing(node, path))
        model = node.get("like")
        if model is not None:
            copies = self._copies(path, str(model))
            found = {**copies, **found}
            node = _merge(_at(self._tree, (path[0], str(model))), {k: v for k, v in node.items() if k != "like"})
        for name, specification in found.items():
            present = self._specifications.get(name)
            if present is None or specification.override or RANKS[specification.kind] >= RANKS[present.kind]:
                self._specifications[name] = specification
            else:
                self._warnings.append(
                    f"{_short(document.place(specification.path))}: {name} stays as it is: its source is "
                    f"{present.kind}, the one in the file only {specification.kind} (to use it all the same, add "
                    f"`override: true`)"
                )
        self._tree = _merge(self._tree, _nested(path, node))
        for gone in taken_out:
            self._specifications = {n: s for n, s in self._specifications.items() if s.path[: len(gone)] != gone}

    def _copies(self, path: tuple[str, ...], model: str) -> dict[str, Specification]:
        """Return the quantities of `model`, as those of the new thing at `path`."""
        section, name = path
        there: Mapping[str, Any] = self._tree.get(section, {})
        what = _SINGULAR[section]
        if model not in there:
            hint = did_you_mean(model, there) or f"there are {listed(there, 'and')}"
            raise ProfileError((*path, "like"), f"there is no {what} {model!r}", hint)
        if name in there:
            raise ProfileError(
                (*path, "like"),
                f"the {what} {name!r} is there already, so it can't be made like another one",
                "give the new one a name of its own, or leave `like` out",
            )
        copies = [
            dataclasses.replace(s, path=(*path, *s.path[2:]), name=".".join((name, *s.path[2:])))
            for s in self._specifications.values()
            if s.path[:2] == (section, model)
        ]
        return {copy.name: copy for copy in copies}

    def _placed(self, error: ProfileError) -> InputError:
        """Return the error to raise: at its place in the last file that has it, else naming the last file."""
        for document in reversed(self._documents):
            if _at(document.data, error.path) is not None:
                return document.error(error.path, error.message, hint=error.hint)
        for document in reversed(self._documents):
            if len(error.path) > 1 and _at(document.data, error.path[:2]) is not None:
                return document.error(error.path, error.message, hint=error.hint)
        # a number that is fine by itself, but not for what the profile below computes from it
        place = Place(self._documents[-1].file) if self._documents else None
        return InputError(error.message, place=place, hint=error.hint or "it follows from what this file states")


def _things(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield the path and the node of the site, of all references together, and of each thing with a name."""
    for section in SECTIONS:
        part = data.get(section) or {}
        if section in _NAMED:
            for name, node in part.items():
                yield (section, name), node
        elif part:
            yield (section,), part


def _nothing(node: Any, path: Path) -> Iterator[Path]:
    """Yield the path of everything that a file takes out with a null."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _nothing(value, (*path, key))
    elif node is None:
        yield path


def _at(tree: Any, path: Path) -> Any:
    """Return what is at `path`, or None."""
    for key in path:
        if not (key in tree if isinstance(tree, Mapping) else isinstance(tree, list)):
            return None
        tree = tree[key]
    return tree


def _nested(path: tuple[str, ...], node: Any) -> Any:
    for key in reversed(path):
        node = {key: node}
    return node


def _merge(earlier: Any, later: Any) -> Any:
    """Return the two trees merged: mappings key by key, the later one's for everything else; null takes a key out."""
    if not isinstance(later, Mapping):
        return later
    merged = dict(earlier) if isinstance(earlier, Mapping) else {}
    for key, value in later.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


def _short(place: Place) -> str:
    return str(dataclasses.replace(place, column=None))
