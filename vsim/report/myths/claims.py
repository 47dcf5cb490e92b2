"""The quantities that a statement can be about: each finds its evidence in results and samples.

Patterns name architectures (``vm@*``, ``bare-metal@blade``). A quantity without evidence yields nothing, and says in
:meth:`lacks` what a result would have to hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vsim.report.myths.evidence import (
    Basis,
    Evidence,
    Sources,
    Span,
    bases,
    find,
    moved,
    parameter_of,
    title_of,
    widen,
)
from vsim.samples.metrics import METRICS
from vsim.samples.result import ArchitectureResult, Estimate, Result
from vsim.samples.summary import summarize

__all__ = ["Measured", "MemoryShare", "NetworkShare", "ParameterValue", "Quantity", "Value"]


class Quantity(Protocol):
    """Something that results or samples have values of."""

    @property
    def metric(self) -> str:
        """The metric that is looked at: of a result (:data:`vsim.samples.metrics.METRICS`) or of samples."""
        ...

    @property
    def unit(self) -> str:
        """The unit of its values and of a threshold: as of :class:`~vsim.report.myths.evidence.Evidence`."""
        ...

    @property
    def title(self) -> str:
        """What it is, in words that a threshold can follow."""
        ...

    def evidence(self, sources: Sources) -> Iterator[Evidence]:
        """Yield what `sources` say."""
        ...

    def lacks(self) -> str:
        """Return what would have to be there."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """A metric itself. `parameters` are patterns of the parameters to name where no sensitivity analysis names them."""

    metric: str
    of: str
    parameters: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of its values."""
        fraction = self.metric.endswith("_fraction") or self.metric == "availability"
        return "fraction" if fraction else METRICS[self.metric].unit

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"{METRICS[self.metric].title} of {self.of}"

    def evidence(self, sources: Sources) -> Iterator[Evidence]:
        """Yield the metric of every architecture that matches."""
        for result in sources.results:
            for one in find(result, self.of, self.metric):
                estimate = one.metrics[self.metric]
                span, swings = _span(result, self.metric, one)
                named = bases(result, swings, self.parameters)
                yield Evidence(one.name, title_of(result), self.metric, _unit(self.metric, estimate), span, named)

    def lacks(self) -> str:
        """Return what would have to be there."""
        return f"a result with {METRICS[self.metric].title} of {self.of}"


@dataclass(frozen=True, slots=True)
class MemoryShare:
    """The part of an instance's memory that is the layers' and not the application's: overhead / (overhead + own).

    An instance's own memory is the mean of what the services of the scenario keep resident, over their replicas.
    """

    of: str
    parameters: tuple[str, ...] = ()
    metric: str = "memory_overhead_bytes"

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return "fraction"

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"the layers' part of the memory of {self.of}"

    def evidence(self, sources: Sources) -> Iterator[Evidence]:
        """Yield the share of every architecture that matches, where services say what they need."""
        for result in sources.results:
            own = _own_memory(result)
            if own is None:
                continue
            for one in find(result, self.of, self.metric):
                span, swings = _span(result, self.metric, one)
                low, high, luck_low, luck_high = (
                    None if end is None else max(end, 0.0) / (max(end, 0.0) + own)
                    for end in (span.low, span.high, span.luck_low, span.luck_high)
                )
                value = span.value / (span.value + own)
                yield Evidence(
                    one.name,
                    title_of(result),
                    self.metric,
                    "fraction",
                    Span(value, low, high, luck_low, luck_high, span.widest),
                    bases(result, swings, self.parameters),
                )

    def lacks(self) -> str:
        """Return what would have to be there."""
        return f"a result of services on {self.of}"


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter that results used, with its own interval."""

    name: str
    metric: str = "parameter"

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return "1"

    @property
    def title(self) -> str:
        """What it is, in words."""
        return self.name

    def evidence(self, sources: Sources) -> Iterator[Evidence]:
        """Yield the parameter as results used it, once where several used the same."""
        seen = set()
        for result in sources.results:
            p = parameter_of(result, self.name)
            if p is not None and p not in seen:
                seen.add(p)
                basis = Basis(p.name, p.kind)
                # no luck in it: what is known of it is its interval
                span = Span(p.value, p.low, p.high, p.value, p.value, basis)
                yield Evidence(p.name, title_of(result), self.metric, p.unit, span, (basis,))

    def lacks(self) -> str:
        """Return what would have to be there."""
        return f"a result that uses the parameter {self.name}"


@dataclass(frozen=True, slots=True)
class NetworkShare:
    """How much of a request's latency a way through the network adds: there and back, over the median latency."""

    name: str
    of: str
    metric: str = "latency_p50_s"

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return "fraction"

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"twice {self.name} over {METRICS[self.metric].title} of {self.of}"

    def evidence(self, sources: Sources) -> Iterator[Evidence]:
        """Yield the share for every architecture that matches."""
        for result in sources.results:
            p = parameter_of(result, self.name)
            if p is None:
                continue
            for one in find(result, self.of, self.metric):
                estimate, basis = one.metrics[self.metric], Basis(p.name, p.kind)
                value = 2 * p.value / estimate.value
                if estimate.low is None or estimate.high is None or estimate.low <= 0:
                    span = Span(value, None, None, None, None)
                else:
                    luck = 2 * p.value / estimate.high, 2 * p.value / estimate.low
                    span = Span(value, 2 * p.low / estimate.high, 2 * p.high / estimate.low, *luck, widest=basis)
                yield Evidence(one.name, title_of(result), self.metric, "fraction", span, (basis,))

    def lacks(self) -> str:
        """Return what would have to be there."""
        return f"a result with requests on {self.of}, and the parameter {self.name}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric that was measured with one driver over that with another, paired within the blocks of a run."""

    metric: str
    driver: str
    base: str

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return "×"

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"{self.metric} with {self.driver} over {self.metric} with {self.base}"

    def evidence(self, sources: Sources) -> Iterator[Evidence]:
        """Yield the ratio of every run that has both, one start at a time; emulated rungs are not compared."""
        for samples in sources.samples:
            for run in samples.runs:
                if run.world != "real":
                    continue
                own = [
                    s
                    for s in samples.samples
                    if s.run_id == run.run_id
                    and s.metric == self.metric
                    and s.driver in (self.driver, self.base)
                    and s.concurrency == 1
                    and "emulated" not in s.flags
                ]
                host = str(run.environment.get("hostname", "a host"))
                for row in summarize(own, base=self.base):
                    if row.driver == self.driver and row.ratio is not None:
                        r = row.ratio
                        span = Span(r.value, r.low, r.high, r.low, r.high)
                        basis = (Basis(f"run {run.run_id}, n = {row.n}", "measured"),)
                        yield Evidence(f"{self.driver} / {self.base}", host, self.metric, "×", span, basis)

    def lacks(self) -> str:
        """Return what would have to be there."""
        return f"samples of {self.metric} with {self.driver} and {self.base}"


def _span(result: Result, metric: str, one: ArchitectureResult) -> tuple[Span, list[Basis]]:
    """Return a metric's interval with the parameters moved, and those from the one that moves it most."""
    estimate = one.metrics[metric]
    swings = sorted(moved(result, metric, one.name).values(), key=lambda s: -abs(s.ends[1] - s.ends[0]))
    ends = []
    for swing in swings:
        if swing.value:
            factors = (1.0, *(end / swing.value for end in swing.ends))
            down, up = (min(factors) - 1) * (estimate.low or 0.0), (max(factors) - 1) * (estimate.high or 0.0)
        else:  # from nothing to something: a factor can't say it
            down, up = min(0.0, *swing.ends), max(0.0, *swing.ends)
        ends.append((swing.basis, down, up))
    return widen(estimate.value, estimate.low, estimate.high, ends), [swing.basis for swing in swings]


def _own_memory(result: Result) -> float | None:
    """Return what an instance keeps resident itself, in bytes, on average; None without services that say so."""
    try:
        services = result.scenario["workload"]["services"]
        replicas = sum(service["replicas"] for service in services)
        total = sum(service["replicas"] * service["memory_bytes"] for service in services)
    except (KeyError, TypeError):  # no services, or too many of them to be listed in a result
        return None
    return total / replicas if replicas and total > 0 else None


def _unit(metric: str, estimate: Estimate) -> str:
    fraction = metric.endswith("_fraction") or metric == "availability"
    return "fraction" if fraction else estimate.unit
