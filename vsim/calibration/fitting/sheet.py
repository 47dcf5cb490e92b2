"""What a calibration has found: estimates by their place in a profile, and a report of what was left to others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vsim.calibration.fitting.selection import LeftOut
from vsim.model.quantity import Distribution

__all__ = ["Estimate", "Sheet"]

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A fitted quantity in base units, its 95 % interval, of how many values, and what it holds for.

    `assumed` says why, for a number that is set and not measured.
    """

    value: float
    low: float
    high: float
    unit: str
    n: int
    distribution: Distribution | None = None
    conditions: str = ""
    assumed: str = ""

    @classmethod
    def within(
        cls,
        value: float,
        low: float,
        high: float,
        unit: str,
        n: int,
        *,
        least: float = 0.0,
        distribution: Distribution | None = None,
        conditions: str = "",
    ) -> Estimate:
        """Return an estimate none of whose numbers is below `least`, with its value within its interval."""
        value = max(value, least)
        return cls(value, min(value, max(low, least)), max(value, high), unit, n, distribution, conditions)


@dataclass(slots=True)
class Sheet:
    """A profile in the making: a tree whose leaves are estimates, texts, lists, flags, or None for what is taken out.

    `left_out` says what wasn't fitted and why; `notes` what should be known of what was.
    """

    tree: dict[str, Any] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def put(self, path: Path, leaf: object) -> None:
        """Put a leaf, and make what is above it."""
        node = self.tree
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = leaf

    def get(self, path: Path) -> Any:
        """Return what is at `path`, or None."""
        node: Any = self.tree
        for key in path:
            if not isinstance(node, dict) or key not in node:
                return None
            node = node[key]
        return node

    def leave_out(self, what: str, why: str) -> None:
        """Say that something wasn't fitted."""
        self.left_out.append(LeftOut(what, why))

    def estimates(self) -> Iterator[tuple[Path, Estimate]]:
        """Yield every estimate with its place, in order."""
        yield from _below(self.tree, ())


def _below(node: dict[str, Any], path: Path) -> Iterator[tuple[Path, Estimate]]:
    for key, value in node.items():
        if isinstance(value, Estimate):
            yield (*path, key), value
        elif isinstance(value, dict):
            yield from _below(value, (*path, key))
