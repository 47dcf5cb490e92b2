"""What a profile file says about one quantity, before its rule is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsim.model.quantity import Distribution, SourceKind

__all__ = ["RANKS", "Figure", "ProfileError", "Specification", "specifications"]

# A later source of a better kind replaces an earlier one.
RANKS: Mapping[SourceKind, int] = MappingProxyType({"assumed": 0, "derived": 1, "published": 2, "measured": 3})

Path = tuple[str | int, ...]  # an int for the entry of a list


class ProfileError(ValueError):
    """Something about a profile is wrong; `path` says where, as the keys that lead to it in the file."""

    def __init__(self, path: Path, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure that a profile carries over, with its unit as published. Text when it is a formula."""

    name: str
    value: float | tuple[float, ...] | str
    unit: str
    citation: str
    place: str = ""
    quantity: str = ""
    platform: str = ""
    conditions: str = ""
    confidence: str = ""

    @classmethod
    def of(cls, name: str, node: Mapping[str, object]) -> Figure:
        """Return the figure that `node`, a validated mapping, describes."""
        value = node["value"]
        if isinstance(value, list | tuple):
            value = tuple(float(number) for number in value)
        elif not isinstance(value, str):
            value = float(value)  # type: ignore[arg-type]  # validated: a number
        texts = {key: str(text) for key, text in node.items() if key not in ("value", "unit", "citation")}
        return cls(name, value, str(node["unit"]), str(node["citation"]), **texts)


@dataclass(frozen=True, slots=True)
class Specification:
    """A quantity as written. `low` and `high` are numbers, rules (text), or None: as the value's source has it."""

    name: str
    path: tuple[str, ...]
    unit: str
    value: float | None
    low: float | str | None
    high: float | str | None
    points: tuple[float, ...]
    distribution: Distribution | None
    source: Mapping[str, object]
    override: bool

    @classmethod
    def of(cls, path: tuple[str, ...], node: Mapping[str, object]) -> Specification:
        """Return the specification that `node`, a validated mapping, describes."""
        try:
            distribution = _distribution(node.get("distribution"))
        except ValueError as error:
            raise ProfileError((*path, "distribution"), str(error)) from None
        source = node["source"]
        points = node.get("points") or ()
        assert isinstance(source, Mapping)
        assert isinstance(points, list | tuple)
        return cls(
            name=name_of(path),
            path=path,
            unit=str(node["unit"]),
            value=_number(node.get("value")),
            low=_bound(node.get("low")),
            high=_bound(node.get("high")),
            points=tuple(float(point) for point in points),
            distribution=distribution,
            source=dict(source),
            override=bool(node.get("override", False)),
        )

    @property
    def kind(self) -> SourceKind:
        """The kind of its source."""
        kind: SourceKind = self.source["kind"]  # type: ignore[assignment]  # validated
        return kind

    @property
    def rule(self) -> str | None:
        """The formula that gives the value when the file states none: a derived rule, or a figure."""
        rule = self.source.get("rule") if self.kind == "derived" else self.source.get("figure")
        return None if rule is None else str(rule)

    @property
    def inputs(self) -> Mapping[str, str]:
        """What the names in the rule stand for, where it isn't a figure's own name."""
        inputs = self.source.get("inputs") or {}
        assert isinstance(inputs, Mapping)
        return inputs


def name_of(path: Path) -> str:
    """Return the name of the quantity at `path`: the section is left out, except for the site and references."""
    return ".".join(map(str, path if path[0] in ("site", "reference") else path[1:]))


def specifications(node: object, path: tuple[str, ...] = ()) -> Iterator[Specification]:
    """Yield every quantity inside a validated part of a profile; what has a `source` is a quantity."""
    if not isinstance(node, Mapping):
        return
    if "source" in node:
        yield Specification.of(path, node)
        return
    for key, value in node.items():
        yield from specifications(value, (*path, str(key)))


def _number(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]  # validated: a number


def _bound(value: object) -> float | str | None:
    return value if isinstance(value, str) else _number(value)


def _distribution(node: object) -> Distribution | None:
    if node is None:
        return None
    assert isinstance(node, Mapping)
    relative = tuple(float(part) for part in node.get("relative") or ())
    cv = node.get("cv")
    return Distribution(node["family"], 1.0 if cv is None else float(cv), relative)
