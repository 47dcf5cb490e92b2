"""Tables in a page of the documentation, between marks: ``<!-- table: NAME -->`` and ``<!-- end -->``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["PROJECT", "RESULTS", "Estimate", "estimate", "fill", "markdown"]

PROJECT = Path(__file__).parents[1]
RESULTS = PROJECT / "benchmarks" / "results"
_MARKED = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_RESAMPLES = 1000
_SEED = 1


def fill(page: Path, table: Callable[[str], str]) -> str:
    """Return the text of the page with each table made anew by `table`, which gets its name."""
    return _MARKED.sub(lambda m: f"{m[1]}\n{table(m['name'])}\n\n{m[3]}", page.read_text(encoding="utf-8"))


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float

    def within(self, other: Estimate) -> bool:
        """Whether the two intervals overlap."""
        return self.low <= other.high and other.low <= self.high


def estimate(blocks: Sequence[Sequence[float]]) -> Estimate:
    """Return the median of all values; the interval comes from drawing whole blocks with replacement."""
    arrays = [np.asarray(block, dtype=float) for block in blocks]
    drawn = np.random.default_rng(_SEED).integers(len(arrays), size=(_RESAMPLES, len(arrays)))
    medians = [float(np.median(np.concatenate([arrays[i] for i in chosen]))) for chosen in drawn]
    low, high = np.quantile(medians, [0.025, 0.975])
    return Estimate(float(np.median(np.concatenate(arrays))), float(low), float(high))
