"""A server against a Raspberry Pi: the same workload on both, where they differ most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsim.report.figures._bars import Bars, values_of
from vsim.report.words import rounded, times

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated

__all__ = ["FIGURE", "Raspberry"]

_METRICS = ("startup_p95_s", "latency_p95_s", "power", "cost_per_month")
_PI = "raspberry-pi"


def _is_pi(name: str) -> bool:
    return name.partition("@")[2].startswith(_PI)


class Raspberry(Bars):
    """The same stack on a server and on a Pi."""

    name = "raspberry"
    metrics = _METRICS

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that there aren't both, if so."""
        names = [one.name for one in simulated.result.architectures]
        if not any(map(_is_pi, names)) or all(map(_is_pi, names)):
            return "it needs a Raspberry Pi and another machine in one result"
        return None if len(values_of(simulated.result, _METRICS)) > 1 else "the result has too few metrics for it"

    def title(self, inputs: Inputs) -> str:
        """Return how the Pi compares with the server in the same stack, if there is one in both."""
        values = self.values(inputs)
        names = [one.name for one in inputs.result.result.architectures]
        pairs = [
            (pi, other)
            for pi in names
            for other in names
            if _is_pi(pi) and not _is_pi(other) and pi.partition("@")[0] == other.partition("@")[0]
        ]
        pi, other = pairs[0] if pairs else (next(filter(_is_pi, names)), next(n for n in names if not _is_pi(n)))
        said = []
        for metric, words in (("latency_p95_s", "the p95 latency"), ("power", "the power")):
            by_name = values.get(metric, {})
            if pi in by_name and other in by_name and by_name[other].value > 0:
                ratio = by_name[pi].value / by_name[other].value
                said.append(f"{times(ratio) if ratio >= 1 else f'{rounded(100 * ratio, 2)} % of'} {words}")
        machines = pi.partition("@")[2], other.partition("@")[2]
        return f"A {machines[0]} has {' and '.join(said) or 'the same work'} of a {machines[1]}"

    def caption(self, inputs: Inputs) -> str:
        """Return what bars and whiskers are."""
        return f"The same workload on each, {self.intervals(inputs)}. Many figures of a Pi are derived, not measured."


FIGURE = Raspberry()
