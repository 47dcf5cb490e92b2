"""Start-up samples as figures take them: of each rung the values by block, and its kind of stack."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from vsim.samples.records import Sample
from vsim.samples.summary import Interval, median_interval, quantile

__all__ = ["KINDS", "Rung", "rungs"]

# Values that aren't comparable with the others, and what isn't a rung: the harness itself, the host's pulse.
_LEFT_OUT = frozenset({"warmup", "throttled"})
_NO_RUNG = frozenset({"null", "canary"})
# What a rung's stack is called in a sentence, from the hardware up.
KINDS = {
    "bare-metal": "a process",
    "container": "a container",
    "sandboxed-container": "a sandbox",
    "microvm": "a microVM",
    "vm": "a VM",
    "container-in-vm": "a container in a VM",
}
# Flags that a reader must know of, in words.
_SAID = {"emulated": "emulated", "foreign-cpu": "other CPU", "paravirtual": "no hardware help"}


@dataclass(slots=True)
class Rung:
    """A rung in steps of one kind: its values by (run, block), in seconds."""

    driver: str
    stack: str
    flags: frozenset[str]
    blocks: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    _median: Interval | None = None

    @property
    def values(self) -> list[float]:
        """All values, sorted."""
        return sorted(value for block in self.blocks.values() for value in block)

    @property
    def median(self) -> Interval:
        """The median, and its 95 % interval from drawing whole blocks."""
        if self._median is None:
            self._median = median_interval(list(self.blocks.values()))
        return self._median

    def quantile(self, q: float) -> float:
        """Return a quantile of all values."""
        return quantile(self.values, q)

    @property
    def label(self) -> str:
        """Its name, with what must be known of it."""
        said = [words for flag, words in _SAID.items() if flag in self.flags]
        return f"{self.driver} ({', '.join(said)})" if said else self.driver

    @property
    def comparable(self) -> bool:
        """Whether it ran on the processor itself: emulation isn't compared with that."""
        return self.flags.isdisjoint({"emulated", "foreign-cpu"})


def rungs(samples: Iterable[Sample], metric: str, wanted: Callable[[Sample], bool]) -> list[Rung]:
    """Return the rungs with samples of `metric` that are `wanted`, by their medians."""
    found: dict[str, Rung] = {}
    for sample in samples:
        if sample.metric != metric or sample.driver in _NO_RUNG or not _LEFT_OUT.isdisjoint(sample.flags):
            continue
        if not wanted(sample):
            continue
        rung = found.setdefault(sample.driver, Rung(sample.driver, sample.stack, frozenset(sample.flags)))
        rung.blocks.setdefault((sample.run_id, sample.block), []).append(sample.value)
    return sorted(found.values(), key=lambda rung: (rung.quantile(0.5), rung.driver))
