"""A number with its unit, its uncertainty and its source.

Two spreads are kept apart. The *interval* (`low` to `high`, 95 % where the source states a level) says how well the
value is known; sensitivity analysis moves the value over it. The *distribution* says how single occurrences vary
around the value; the engine draws from it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["Distribution", "Family", "Quantity", "Source", "SourceKind", "quantities", "value_of"]

SourceKind = Literal["measured", "published", "derived", "assumed"]
Family = Literal["lognormal", "gamma", "exponential", "empirical"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from. Which fields are filled depends on `kind`.

    measured   `run`, `host`, `date`, `n`
    published  `citation`, `place` (table, figure, section), `conditions`
    derived    `rule`, `inputs` (names of quantities or identifiers of published figures)
    assumed    `why`
    """

    kind: SourceKind
    citation: str = ""
    place: str = ""
    conditions: str = ""
    rule: str = ""
    inputs: tuple[str, ...] = ()
    why: str = ""
    run: str = ""
    host: str = ""
    date: str = ""
    n: int | None = None

    def __post_init__(self) -> None:
        needed: dict[str, tuple[str, ...]] = {
            "measured": ("run", "host", "date"),
            "published": ("citation",),
            "derived": ("rule",),
            "assumed": ("why",),
        }
        if self.kind not in get_args(SourceKind):
            raise ValueError(f"unknown kind of source {self.kind!r}")
        missing = [field for field in needed[self.kind] if not getattr(self, field)]
        if missing:
            raise ValueError(f"a {self.kind} source must state {' and '.join(missing)}")
        if self.kind == "measured" and self.n is None:
            raise ValueError("a measured source must state n")

    def __str__(self) -> str:
        if self.kind == "measured":
            return f"measured: run {self.run} on {self.host}, {self.date}, n = {self.n}"
        if self.kind == "published":
            return "published: " + ", ".join(p for p in (self.citation, self.place, self.conditions) if p)
        if self.kind == "derived":
            return f"derived: {self.rule}" + (f" (from {', '.join(self.inputs)})" if self.inputs else "")
        return f"assumed: {self.why}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """How single occurrences vary around a quantity's value, as a factor whose mean is 1.

    `cv` is the coefficient of variation (standard deviation over mean); for `exponential` it is 1. `relative` holds
    the equally likely factors of an `empirical` distribution.
    """

    family: Family
    cv: float = 1.0
    relative: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            raise ValueError(f"unknown family of distributions {self.family!r}")
        if not (math.isfinite(self.cv) and self.cv >= 0):
            raise ValueError(f"a coefficient of variation can't be {self.cv}")
        if self.family == "exponential" and self.cv != 1.0:
            raise ValueError("an exponential distribution has the coefficient of variation 1")
        if (self.family == "empirical") != bool(self.relative):
            raise ValueError("an empirical distribution needs `relative`, and no other takes it")
        if self.relative and not math.isclose(math.fsum(self.relative) / len(self.relative), 1, rel_tol=1e-6):
            raise ValueError("the factors of an empirical distribution must have the mean 1")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A parameter of the world: value, unit, interval, spread and source.

    `name` is its path in the profile, e.g. ``container-engine.startup.create.cpu_core_s``. `shape` makes the quantity
    a curve: `value` times each of its entries (a power curve's eleven points, relative to full load).
    """

    name: str
    value: float
    unit: str
    source: Source
    low: float
    high: float
    distribution: Distribution | None = None
    shape: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for number in (self.value, self.low, self.high):
            if not math.isfinite(number):
                raise ValueError(f"{number} is not a finite number")
        if self.value < 0 or self.low < 0:
            raise ValueError("negative: every parameter is zero or more")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"the value {self.value:g} lies outside its interval {self.low:g} to {self.high:g}")

    @property
    def points(self) -> tuple[float, ...]:
        """The curve's values, in `unit`; empty for a plain number."""
        return tuple(self.value * part for part in self.shape)

    def with_value(self, value: float) -> Quantity:
        """Return the same quantity at another value; the interval is widened if need be."""
        return dataclasses.replace(self, value=value, low=min(self.low, value), high=max(self.high, value))


def value_of(quantity: Quantity | None) -> float:
    """Return the value, or 0 for a cost that a layer doesn't state: what isn't stated isn't charged."""
    return 0.0 if quantity is None else quantity.value


def quantities(described: object) -> Iterator[Quantity]:
    """Yield every quantity inside a description (dataclasses, mappings and sequences, nested), in field order."""
    if isinstance(described, Quantity):
        yield described
    elif dataclasses.is_dataclass(described) and not isinstance(described, type):
        for field in dataclasses.fields(described):
            yield from quantities(getattr(described, field.name))
    elif isinstance(described, dict):
        for value in described.values():
            yield from quantities(value)
    elif isinstance(described, Sequence) and not isinstance(described, str | bytes):
        for value in described:
            yield from quantities(value)
