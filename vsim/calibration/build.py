"""From a profile's tree and its quantities to layers, machines, chassis, stacks and the site.

The dataclasses of :mod:`vsim.model` are the plan: a field that is added to one of them can be stated in a profile
file from then on.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from vsim.calibration.specification import Path, ProfileError, name_of
from vsim.model.building import Builder, Emulator
from vsim.model.catalogue import CataloguedImage
from vsim.model.image import Puller, Registry
from vsim.model.layer import Layer
from vsim.model.machine import Chassis, Machine, Site
from vsim.model.orchestration import Orchestrator, Supervision
from vsim.model.quantity import Quantity
from vsim.model.stack import Stack
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["Parts", "build", "field_types"]

Tree = Mapping[str, Any]
_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """What a profile describes, by name."""

    layers: dict[str, Layer]
    stacks: dict[str, Stack]
    chassis: dict[str, Chassis]
    machines: dict[str, Machine]
    site: Site
    images: dict[str, CataloguedImage]
    registries: dict[str, Registry]
    pullers: dict[str, Puller]
    builders: dict[str, Builder]
    emulators: dict[str, Emulator]
    supervision: dict[str, Supervision]
    orchestrators: dict[str, Orchestrator]


def build(tree: Tree, quantities: Mapping[str, Quantity]) -> Parts:
    """Return the descriptions in `tree`, whose quantities are those of `quantities`.

    Raises ProfileError when something that has no default isn't stated, or a stack or machine names what isn't there.
    """
    builder = _Builder(quantities)
    layers = builder.section(Layer, tree, "layers")
    chassis = builder.section(Chassis, tree, "chassis")
    builder.known = {"layers": layers, "chassis": chassis}
    return Parts(
        layers=layers,
        stacks=builder.section(Stack, tree, "stacks"),
        chassis=chassis,
        machines=builder.section(Machine, tree, "machines"),
        site=builder.describe(Site, tree.get("site") or {}, ("site",)),
        images=builder.section(CataloguedImage, tree, "images"),
        registries=builder.section(Registry, tree, "registries"),
        pullers=builder.section(Puller, tree, "pullers"),
        builders=builder.section(Builder, tree, "builders"),
        emulators=builder.section(Emulator, tree, "emulators"),
        supervision=builder.section(Supervision, tree, "supervision"),
        orchestrators=builder.section(Orchestrator, tree, "orchestrators"),
    )


@cache
def field_types(cls: type) -> dict[str, tuple[Any, bool]]:
    """Return the type of each field of a dataclass, `None` taken out of it, and whether it must be given."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: (
            _without_none(hints[field.name]),
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(cls)
    }


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (kind,) = (part for part in typing.get_args(hint) if part is not type(None))
        return kind
    return hint


class _Builder:
    def __init__(self, quantities: Mapping[str, Quantity]) -> None:
        self._quantities = quantities
        self.known: dict[str, Mapping[str, Any]] = {}

    def section(self, cls: type[_T], tree: Tree, section: str) -> dict[str, _T]:
        nodes = tree.get(section) or {}
        return {name: self.describe(cls, node, (section, name)) for name, node in nodes.items()}

    def describe(self, cls: type[_T], node: Tree, path: Path) -> _T:
        given: dict[str, Any] = {}
        # mypy takes `type[_T]` for unhashable where it meets functools.cache (python/mypy#11469)
        for name, (kind, required) in field_types(typing.cast("type", cls)).items():
            if name == "name":
                given[name] = path[-1]
            elif (part := node.get(name)) is not None:
                given[name] = self._part(kind, part, (*path, name))
            elif required:
                raise ProfileError(
                    path,
                    f"{name_of(path) or path[0]} doesn't state `{name}`",
                    "add it, or take it over from a similar one with `like:`" if len(path) == 2 else None,
                )
        try:
            return cls(**given)
        except ValueError as error:
            raise ProfileError(path, str(error)) from None

    def _part(self, kind: Any, part: Any, path: Path) -> Any:
        if kind is Quantity:
            return self._quantities[name_of(path)]
        if kind is Chassis:
            return self._refer("chassis", part, path)
        if dataclasses.is_dataclass(kind):
            return self.describe(typing.cast("type[Any]", kind), part, path)
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is tuple and arguments[0] is Layer:
            return tuple(self._refer("layers", name, (*path, i)) for i, name in enumerate(part))
        if origin is tuple:
            return tuple(self._part(arguments[0], item, (*path, key)) for key, item in part.items())
        if origin is frozenset:
            return frozenset(part)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {key: self._part(arguments[1], item, (*path, key)) for key, item in part.items()}
        return part

    def _refer(self, section: str, name: str, path: Path) -> Any:
        known = self.known[section]
        if name not in known:
            what = "layer" if section == "layers" else section
            hint = did_you_mean(name, known) or f"there are {listed(known, 'and')}"
            raise ProfileError(path, f"{path[1]} names the unknown {what} {name!r}", hint)
        return known[name]
