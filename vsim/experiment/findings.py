"""What a comparison found, in plain words: a few sentences from the paired differences.

A difference is told when its interval leaves no doubt about its sign *and* it is large enough to matter: with common
random numbers three cents a month can be certain, and still say nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from vsim.samples.human import format_range, format_value
from vsim.samples.metrics import METRICS
from vsim.samples.result import Difference, Result

__all__ = ["findings"]

# How a difference is said: the sentence with the size {d}, then the words for less and for more.
_SENTENCES = {
    "hosts": ("{of} needs {d} {word} hosts than {versus}", "fewer", "more"),
    "startup_p95_s": ("{of} starts {d} {word} than {versus} at p95", "faster", "slower"),
    "latency_p95_s": ("{of} answers {d} {word} than {versus} at p95", "faster", "slower"),
    "slo_fraction": ("{of} answers {d} {word} of its requests in time than {versus}", "less", "more"),
    "cost_per_month": ("{of} costs {d} {word} per month than {versus}", "less", "more"),
    "energy_wh": ("{of} uses {d} {word} energy than {versus}", "less", "more"),
    "memory_overhead_bytes": ("{of} spends {d} {word} memory on overhead than {versus}", "less", "more"),
    "provision_s": ("{of} is provisioned {d} {word} than {versus}", "sooner", "later"),
    "availability": ("{of} is available {d} {word} of the time than {versus}", "less", "more"),
}


# A smaller change than this, relative to the larger of the two values, isn't worth a sentence.
_WORTH_TELLING = 0.01


def findings(result: Result, limit: int = 5) -> list[str]:
    """Return at most `limit` sentences, one per metric, each about one step from an architecture to the next.

    For each metric the step is told that changes it most; a step that has been told counts for half, a third … so that
    the others get their turn. Without any difference that is certain and matters (or without intervals, after a single
    replication) the one sentence says that.
    """
    names = [architecture.name for architecture in result.architectures]
    steps = set(zip(names[1:], names, strict=False))
    if not steps:
        return []
    if result.replications == 1:
        return ["One replication has no intervals: whether the differences are more than luck can't be said."]
    sizes = {d: _relative(result, d) for d in result.differences if (d.of, d.versus) in steps and d.certain}
    told: list[Difference] = []
    for metric in _SENTENCES:
        worth = [d for d, size in sizes.items() if d.metric == metric and size >= _WORTH_TELLING]
        if worth and len(told) < limit:
            turns = Counter((d.of, d.versus) for d in told)
            told.append(max(worth, key=lambda d: sizes[d] / (1 + turns[d.of, d.versus])))
    if not told and sizes:
        return ["No difference is larger than a hundredth of the values."]
    if not told:
        return ["No difference is larger than its interval: more replications would tell more."]
    return [_sentence(difference, result.replications) for difference in told]


def _relative(result: Result, difference: Difference) -> float:
    """Return how large the difference is beside the larger of the two values; for a fraction that is nearly 1, beside
    what is missing: from 99.9 to 99.99 % is a lot."""
    metrics = {architecture.name: architecture.metrics for architecture in result.architectures}
    ends = [metrics[name][difference.metric].value for name in (difference.of, difference.versus)]
    if METRICS[difference.metric].most == 1.0 and min(ends) > 0.5:
        ends = [1 - end for end in ends]
    return abs(difference.value) / max(map(abs, ends))


def _digits(difference: Difference) -> int:
    """Return how many significant digits the interval allows, as many decimals as its ends are told with: 3.1 for 2.8
    to 3.4, and not 3.10."""
    assert difference.low is not None
    assert difference.high is not None
    length = difference.high - difference.low
    if not length:
        return 3
    return max(1, min(4, 1 + math.floor(math.log10(abs(difference.value))) + math.ceil(0.5 - math.log10(length))))


def _sentence(difference: Difference, replications: int) -> str:
    text, less, more = _SENTENCES[difference.metric]
    assert difference.low is not None
    assert difference.high is not None
    if difference.metric == "hosts" and abs(difference.value) == 1:
        text = text.replace("hosts", "host")
    low, high = sorted((abs(difference.low), abs(difference.high)))
    span = format_range(difference.metric, low, high, difference.unit)
    # an interval of which no digit would be seen is left out
    narrow = len(set(re.findall(r"[\d.,]+", span))) == 1
    digits = 3 if narrow else _digits(difference)
    size = format_value(difference.metric, abs(difference.value), difference.unit, digits=digits)
    if METRICS[difference.metric].most == 1.0:  # a difference of two percentages isn't one of them
        size = size.replace(" %", " percentage points")
        span = span.removesuffix(" %")
    said = text.format(
        of=difference.of,
        versus=difference.versus,
        d=size,
        word=less if difference.value < 0 else more,
    )
    if low == high:
        return f"{said}, in all {replications} replications."
    return f"{said}." if narrow else f"{said} (95 % interval {span})."
