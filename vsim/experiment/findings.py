"""What a comparison found, in plain words: a few sentences from the paired differences."""

from __future__ import annotations

import math

from vsim.samples.human import format_range, format_value
from vsim.samples.metrics import METRICS
from vsim.samples.result import Difference, Result

__all__ = ["findings"]

# How a difference is said: the sentence with the size {d}, then the words for less and for more.
_SENTENCES = {
    "hosts": ("{of} needs {d} {word} hosts than {versus}", "fewer", "more"),
    "startup_p95_s": ("{of} starts {d} {word} than {versus} (p95)", "faster", "slower"),
    "latency_p95_s": ("{of} answers {d} {word} than {versus} (p95)", "faster", "slower"),
    "slo_fraction": ("{of} answers {d} {word} of its requests in time than {versus}", "less", "more"),
    "cost_per_month": ("{of} costs {d} {word} per month than {versus}", "less", "more"),
    "energy_wh": ("{of} uses {d} {word} energy than {versus}", "less", "more"),
    "memory_overhead_bytes": ("{of} spends {d} {word} memory on overhead than {versus}", "less", "more"),
    "provision_s": ("{of} is provisioned {d} {word} than {versus}", "sooner", "later"),
    "availability": ("{of} is available {d} {word} of the time than {versus}", "less", "more"),
}


def findings(result: Result, limit: int = 5) -> list[str]:
    """Return at most `limit` sentences, one per metric, about the largest step from one architecture to the next.

    A difference is told only when its interval leaves no doubt about its sign. Without any (or without intervals, after
    a single replication) the one sentence says that.
    """
    names = [architecture.name for architecture in result.architectures]
    steps = set(zip(names[1:], names, strict=False))
    if not steps:
        return []
    if result.replications == 1:
        return ["One replication has no intervals: whether the differences are more than luck can't be said."]
    told = []
    for metric in _SENTENCES:
        certain = [d for d in result.differences if d.metric == metric and (d.of, d.versus) in steps and d.certain]
        if certain:
            told.append(_sentence(max(certain, key=lambda d: _relative(result, d)), result.replications))
    return told[:limit] or ["No difference is larger than its interval: more replications would tell more."]


def _relative(result: Result, difference: Difference) -> float:
    metrics = {architecture.name: architecture.metrics for architecture in result.architectures}
    ends = [metrics[name][difference.metric].value for name in (difference.of, difference.versus)]
    return abs(difference.value) / max(map(abs, ends))


def _digits(difference: Difference) -> int:
    """Return how many significant digits the interval leaves certain: 3.1 for 2.8 to 3.4, and not 3.10."""
    assert difference.low is not None
    assert difference.high is not None
    length = difference.high - difference.low
    if not length:
        return 3
    return max(1, min(4, 1 + math.floor(math.log10(4 * abs(difference.value) / length))))


def _sentence(difference: Difference, replications: int) -> str:
    text, less, more = _SENTENCES[difference.metric]
    assert difference.low is not None
    assert difference.high is not None
    if METRICS[difference.metric].name == "hosts" and abs(difference.value) == 1:
        text = text.replace("hosts", "host")
    size = format_value(difference.metric, abs(difference.value), difference.unit, digits=_digits(difference))
    if METRICS[difference.metric].most == 1.0:  # a difference of two percentages isn't one of them
        size = size.replace(" %", " percentage points")
    said = text.format(
        of=difference.of,
        versus=difference.versus,
        d=size,
        word=less if difference.value < 0 else more,
    )
    if difference.low == difference.high:
        return f"{said}, in all {replications} replications."
    low, high = sorted((abs(difference.low), abs(difference.high)))
    return f"{said} (95 % interval {format_range(difference.metric, low, high, difference.unit)})."
