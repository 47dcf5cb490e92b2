"""Two architectures in one number: a metric of one over that of another, or minus it.

Where the result has their paired difference, the interval is made from it: both saw the same workload, and what that
adds to both cancels out. A parameter moves both, and what is left of it in the ratio or difference is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsim.report.myths.evidence import (
    Basis,
    Evidence,
    Moved,
    Sources,
    Span,
    bases,
    find,
    moved,
    paired,
    title_of,
    widen,
)
from vsim.samples.metrics import METRICS
from vsim.samples.result import ArchitectureResult, Estimate, Result

__all__ = ["Gap", "Ratio"]

# value, low, high
_Ends = tuple[float, float | None, float | None]


@dataclass(frozen=True, slots=True)
class _Pair:
    metric: str
    of: str
    versus: str
    # whether only architectures on the same machine are compared, and of availability what is missing to 1
    same_machine: bool = True
    missing: bool = False
    parameters: tuple[str, ...] = ()

    def _pairs(self, sources: Sources) -> Iterator[tuple[Result, ArchitectureResult, ArchitectureResult]]:
        for result in sources.results:
            for of in find(result, self.of, self.metric):
                for versus in find(result, self.versus, self.metric):
                    same = of.name.partition("@")[2] == versus.name.partition("@")[2]
                    if of.name != versus.name and (same or not self.same_machine):
                        yield result, of, versus

    def lacks(self) -> str:
        """Return what would have to be there."""
        where = " on the same machine" if self.same_machine else ""
        return f"a result with {METRICS[self.metric].title} of {self.of} and {self.versus}{where}"

    def _named(self, result: Result, ends: list[tuple[Basis, float, float]]) -> tuple[Basis, ...]:
        """Return what moves the two apart most, and then the parameters to name anyway."""
        most = sorted(ends, key=lambda end: end[1] - end[2])
        return bases(result, (basis for basis, least, largest in most if largest > least), self.parameters)


@dataclass(frozen=True, slots=True)
class Ratio(_Pair):
    """A metric of one architecture over that of another; with `missing`, of 1 minus it (downtime over downtime)."""

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return "×"

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"{_of(self.metric, self.missing)} of {self.of} over that of {self.versus}"

    def evidence(self, sources: Sources) -> Iterator[Evidence]:
        """Yield the ratio of every pair that matches; none where the denominator can be zero."""
        for result, of, versus in self._pairs(sources):
            found = self._span(result, of, versus)
            if found is not None:
                span, named = found
                yield Evidence(f"{of.name} / {versus.name}", title_of(result), self.metric, "×", span, named)

    def _span(
        self, result: Result, of: ArchitectureResult, versus: ArchitectureResult
    ) -> tuple[Span, tuple[Basis, ...]] | None:
        above, below = (self._turned(one.metrics[self.metric]) for one in (of, versus))
        if below[0] <= 0 or (below[1] is not None and below[1] <= 0):
            return None
        value = above[0] / below[0]
        low, high = self._ends(result, of.name, versus.name, above, below)
        upper, lower = moved(result, self.metric, of.name), moved(result, self.metric, versus.name)
        ends = []
        for name in {**upper, **lower}:
            factors = [1.0]
            for end in (0, 1):
                f, g = (self._factor(swings.get(name), end) for swings in (upper, lower))
                if f is not None and g:
                    factors.append(f / g)
            basis = upper[name].basis if name in upper else lower[name].basis
            ends.append((basis, (min(factors) - 1) * (low or 0.0), (max(factors) - 1) * (high or 0.0)))
        return widen(value, low, high, ends), self._named(result, ends)

    def _turned(self, estimate: Estimate) -> _Ends:
        if not self.missing:
            return estimate.value, estimate.low, estimate.high
        low, high = (None if end is None else 1 - end for end in (estimate.high, estimate.low))
        return 1 - estimate.value, low, high

    def _factor(self, swing: Moved | None, end: int) -> float | None:
        if swing is None:
            return 1.0
        before, after = swing.value, swing.ends[end]
        if self.missing:
            before, after = 1 - before, 1 - after
        return after / before if before else None

    def _ends(
        self, result: Result, of: str, versus: str, above: _Ends, below: _Ends
    ) -> tuple[float | None, float | None]:
        """Return the interval from luck: from the paired difference where there is one (1 + difference / versus)."""
        if above[1] is None or above[2] is None or below[1] is None or below[2] is None:
            return None, None
        difference = paired(result, self.metric, of, versus)
        if difference is None or difference.low is None or difference.high is None:
            return above[1] / below[2], above[2] / below[1]
        step = sorted((-difference.low, -difference.high)) if self.missing else (difference.low, difference.high)
        corners = [end / base for end in step for base in (below[1], below[2])]
        return max(0.0, 1 + min(corners)), 1 + max(corners)


@dataclass(frozen=True, slots=True)
class Gap(_Pair):
    """A metric of one architecture minus that of another, in the metric's unit."""

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return "fraction" if METRICS[self.metric].name.endswith("_fraction") else METRICS[self.metric].unit

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"{METRICS[self.metric].title} of {self.of} minus that of {self.versus}"

    def evidence(self, sources: Sources) -> Iterator[Evidence]:
        """Yield the difference of every pair that matches."""
        for result, of, versus in self._pairs(sources):
            one, other = of.metrics[self.metric], versus.metrics[self.metric]
            difference = paired(result, self.metric, of.name, versus.name)
            if difference is not None:
                low, high = difference.low, difference.high
            elif one.low is None or one.high is None or other.low is None or other.high is None:
                low = high = None
            else:
                low, high = one.low - other.high, one.high - other.low
            upper, lower = moved(result, self.metric, of.name), moved(result, self.metric, versus.name)
            ends = []
            for name in {**upper, **lower}:
                steps = [0.0]
                for end in (0, 1):
                    f, g = (s[name].ends[end] - s[name].value if name in s else 0.0 for s in (upper, lower))
                    steps.append(f - g)
                basis = upper[name].basis if name in upper else lower[name].basis
                ends.append((basis, min(steps), max(steps)))
            span = widen(one.value - other.value, low, high, ends)
            named = self._named(result, ends)
            yield Evidence(f"{of.name} − {versus.name}", title_of(result), self.metric, self.unit, span, named)


def _of(metric: str, missing: bool) -> str:
    return f"1 − {METRICS[metric].title}" if missing else METRICS[metric].title
