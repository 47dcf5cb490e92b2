"""The tables of docs/bench/memory.md, from the committed samples. ``python -m benchmarks.weights`` writes them anew."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from benchmarks.page import PROJECT, RESULTS, Estimate, estimate, fill, markdown
from vsim.samples.records import read_samples

__all__ = ["PAGE", "Weight", "page", "weights"]

PAGE = PROJECT / "docs" / "bench" / "memory.md"
RECORDS = RESULTS / "2026-11-24-virtual-machine-2-cores"
FILES = ("memory-40-containers.jsonl.gz", "memory-8-guests.jsonl.gz")
METRICS = ("memory_host_bytes", "memory_pss_bytes", "memory_helpers_bytes", "memory_cgroup_bytes")
STEPS = {"idle": 0, "touched": 1}
KIB = 2**10


@dataclass(frozen=True, slots=True)
class Weight:
    """What one instance of a rung takes, by each way of weighing it, in bytes; a way that it hasn't is missing."""

    driver: str
    count: int
    by: dict[str, Estimate]


@cache
def weights(step: int) -> tuple[Weight, ...]:
    """Return the rungs of the step: containers first, then guests, each in the order of their cost to the host."""
    found: list[Weight] = []
    for name in FILES:
        values: dict[str, dict[str, dict[int, list[float]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(list))
        )
        count: dict[str, int] = {}
        for sample in read_samples(RECORDS / name).samples:
            if sample.step == step and sample.metric in METRICS and "warmup" not in sample.flags:
                values[sample.driver][sample.metric][sample.block].append(sample.value)
                count[sample.driver] = sample.concurrency
        found += sorted(
            (
                Weight(
                    driver, count[driver], {metric: estimate(list(blocks.values())) for metric, blocks in of.items()}
                )
                for driver, of in values.items()
                if driver not in ("null", *(weight.driver for weight in found))
            ),
            key=lambda weight: weight.by["memory_host_bytes"].value,
        )
    return tuple(found)


def _kib(found: Estimate | None, *, interval: bool = False) -> str:
    if found is None:
        return "–"
    text = f"{found.value / KIB:,.0f}"
    return f"{text} ({found.low / KIB:,.0f} to {found.high / KIB:,.0f})" if interval else text


def table(name: str) -> str:
    """Return the table of a step, in Markdown: KiB for each instance."""
    rows = [
        [
            f"`{weight.driver}`",
            str(weight.count),
            _kib(weight.by["memory_host_bytes"], interval=True),
            *(_kib(weight.by.get(metric)) for metric in METRICS[1:]),
        ]
        for weight in weights(STEPS[name])
    ]
    return markdown(["rung", "instances", "the host's slope", "PSS", "helpers' PSS", "control group"], rows)


def page() -> str:
    """Return the page with its tables made anew."""
    return fill(PAGE, table)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
