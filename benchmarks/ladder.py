"""The tables of docs/bench/ladder.md, from the committed samples. ``python -m benchmarks.ladder`` writes them anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from benchmarks.page import PROJECT, RESULTS, Estimate, estimate, fill, markdown
from vsim.bench.drivers import all_drivers
from vsim.samples.records import Samples, read_samples

__all__ = ["PAGE", "Rung", "agreement", "ladder", "page"]

PAGE = PROJECT / "docs" / "bench" / "ladder.md"
RECORDS = RESULTS / "2026-11-24-second-virtual-machine"
# table → the concurrency of the step, and whether it was cold
TABLES = {"alone": (1, False), "four": (4, False), "cold": (1, True)}

# Two runs on one host should agree as well as that.
DISAGREEMENT = 0.10

# block → values of that block
Blocks = Mapping[int, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung in several runs: its start-up in each, and what it adds to the rung below in all of them; seconds."""

    driver: str
    below: str | None
    startup: tuple[Estimate, ...]
    adds: Estimate | None

    @property
    def spread(self) -> float:
        """The slowest run's median over that of the fastest, less 1."""
        medians = [each.value for each in self.startup]
        return max(medians) / min(medians) - 1

    @property
    def typical(self) -> float:
        """The median of the runs' medians."""
        return float(np.median([each.value for each in self.startup]))


@cache
def runs() -> tuple[Samples, ...]:
    """Return the committed runs of start-up in their order."""
    return tuple(read_samples(path) for path in sorted(RECORDS.glob("run-*.jsonl.gz")))


@cache
def ladder(table: str) -> tuple[Rung, ...]:
    """Return the rungs that all runs with the table's step measured, the fastest first."""
    blocks = [found for samples in runs() if (found := _blocks(samples, *TABLES[table]))]
    below = {driver.name: driver.below for driver in all_drivers()}
    common = set.intersection(*(set(each) for each in blocks)) - {"null"}
    rungs = []
    for driver in common:
        lower = _lower(driver, below, common)
        startup = tuple(estimate(list(each[driver].values())) for each in blocks)
        differences = [] if lower is None else [d for each in blocks for d in _differences(each[driver], each[lower])]
        rungs.append(Rung(driver, lower, startup, estimate(differences) if differences else None))
    return tuple(sorted(rungs, key=lambda rung: rung.typical))


def agreement(rungs: Sequence[Rung]) -> dict[tuple[int, int], list[str]]:
    """Return, for each pair of runs (from 1), the rungs whose medians differ by more than 10 %."""
    pairs = combinations(range(len(rungs[0].startup)), 2)
    return {
        (a + 1, b + 1): [
            rung.driver for rung in rungs if _ratio(rung.startup[a].value, rung.startup[b].value) > 1 + DISAGREEMENT
        ]
        for a, b in pairs
    }


def _ratio(a: float, b: float) -> float:
    return max(a, b) / min(a, b)


def _lower(driver: str, below: Mapping[str, str | None], measured: Iterable[str]) -> str | None:
    """Return the next rung below that was measured."""
    at = below[driver]
    while at is not None and at not in measured:
        at = below[at]
    return at


def _blocks(samples: Samples, concurrency: int, cold: bool) -> dict[str, dict[int, list[float]]]:
    found: dict[str, dict[int, list[float]]] = {}
    for sample in samples.samples:
        asked = sample.metric == "startup_s" and sample.concurrency == concurrency and ("cold" in sample.flags) == cold
        if asked and "warmup" not in sample.flags:
            found.setdefault(sample.driver, {}).setdefault(sample.block, []).append(sample.value)
    return found


def _differences(of: Blocks, to: Blocks) -> list[list[float]]:
    """Return, for each block that has both, the difference of the block's two medians."""
    return [[float(np.median(of[block]) - np.median(to[block]))] for block in sorted(set(of) & set(to))]


def _ms(found: Estimate | None) -> str:
    if found is None:
        return "–"
    low, value, high = (_number(1e3 * each) for each in (found.low, found.value, found.high))
    return f"{value} ({low} to {high})"


def _number(ms: float) -> str:
    digits = 2 if abs(ms) < 10 else 1 if abs(ms) < 100 else 0
    return f"{ms:.{digits}f}".replace("-", "−")


def table(name: str) -> str:
    """Return a table in Markdown: milliseconds, or where the runs agree."""
    if name == "agreement":
        return _agreement()
    rungs = ladder(name)
    rows = [
        [
            f"`{rung.driver}`",
            *map(_ms, rung.startup),
            f"{100 * rung.spread:.1f} %",
            "–" if rung.below is None else f"`{rung.below}`",
            _ms(rung.adds),
        ]
        for rung in rungs
    ]
    numbers = [f"run {number}" for number in range(1, len(rungs[0].startup) + 1)]
    return markdown(["rung", *numbers, "spread", "on top of", "adds"], rows)


def _agreement() -> str:
    rungs = ladder("alone")
    rows = [
        [f"{a} and {b}", str(len(rungs) - len(names)), ", ".join(f"`{name}`" for name in names) or "–"]
        for (a, b), names in agreement(rungs).items()
    ]
    return markdown(["runs", f"of {len(rungs)} rungs within {100 * DISAGREEMENT:.0f} %", "differ by more"], rows)


def page() -> str:
    """Return the page with its tables made anew."""
    return fill(PAGE, table)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
