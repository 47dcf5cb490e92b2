"""What two architectures differ in, as a title: both values, and no word that the data don't bear."""

from __future__ import annotations

from collections.abc import Mapping

from vsim.report.lecture.problems import NotThereError
from vsim.samples.human import format_estimate, format_value
from vsim.samples.metrics import METRICS
from vsim.samples.result import ArchitectureResult, Difference, Estimate, Result

__all__ = ["architecture", "difference", "estimate", "finding"]

# {Of} and {versus} are what is compared, {a} and {b} its values.
_SENTENCES: Mapping[str, str] = {
    "hosts": "{Of} need {a}, {versus} {b}",
    "rack_units": "{Of} take up {a}, {versus} {b}",
    "instances_per_host": "A machine carries {a} with {of}, {b} with {versus}",
    "unplaced": "{Of} leave {a} without a place, {versus} {b}",
    "memory_overhead_bytes": "{Of} cost {a} of memory each, {versus} {b}",
    "cpu_overhead_fraction": "{Of} cost {a} of CPU time, {versus} {b}",
    "provision_s": "One more instance takes {a} with {of}, {b} with {versus}",
    "startup_p50_s": "Half of the {of} start within {a}, of the {versus} within {b}",
    "startup_p95_s": "{Of} start within {a}, {versus} within {b}",
    "startup_p99_s": "Nearly all {of} start within {a}, {versus} within {b}",
    "latency_p50_s": "Half of the answers take {a} with {of}, {b} with {versus}",
    "latency_p95_s": "{Of} answer within {a}, {versus} within {b}",
    "latency_p99_s": "{Of} answer nearly always within {a}, {versus} within {b}",
    "throughput_per_s": "{Of} finish {a} requests, {versus} {b}",
    "slo_fraction": "{Of} answer {a} of the requests in time, {versus} {b}",
    "availability": "Services are there {a} of the time with {of}, {b} with {versus}",
    "blast_radius_instances": "One failure takes down {a} with {of}, {b} with {versus}",
    "energy_wh": "{Of} use {a}, {versus} {b}",
    "cost_per_month": "{Of} cost {a} a month, {versus} {b}",
}
_NOUNS = {
    "hosts": ("machine", "machines"),
    "rack_units": ("rack unit", "rack units"),
    "instances_per_host": ("instance", "instances"),
    "unplaced": ("instance", "instances"),
    "blast_radius_instances": ("instance", "instances"),
}


def architecture(result: Result, name: str) -> ArchitectureResult:
    """Return the architecture `name`. Raises NotThereError."""
    for one in result.architectures:
        if one.name == name:
            return one
    raise NotThereError(f"the result has no {name}")


def estimate(result: Result, metric: str, name: str) -> Estimate:
    """Return a metric of the architecture `name`. Raises NotThereError."""
    found = architecture(result, name).metrics.get(metric)
    if found is None:
        raise NotThereError(f"the result has no {metric} of {name}")
    return found


def difference(result: Result, metric: str, of: str, versus: str) -> Difference | None:
    """Return the paired difference of two architectures, either way round; None where the result has none."""
    pair = {of, versus}
    return next((d for d in result.differences if d.metric == metric and {d.of, d.versus} == pair), None)


def finding(result: Result, metric: str, of: str, versus: str, names: Mapping[str, str]) -> str:
    """Return the sentence. Where the two can't be told apart for certain, it says so in brackets."""
    one, other = (estimate(result, metric, name) for name in (of, versus))
    called = [names.get(name, name) for name in (of, versus)]
    a, b = (_said(metric, e) for e in (one, other))
    if a == b and one.value == other.value:
        what = "" if metric in _NOUNS else f" in {METRICS[metric].title}"
        return f"{_capital(called[0])} and {called[1]} are alike{what}: {a}"
    said = _SENTENCES[metric].format(Of=_capital(called[0]), of=called[0], versus=called[1], a=a, b=b)
    return said if _certain(result, metric, of, versus) else f"{said} (which may be luck)"


def _certain(result: Result, metric: str, of: str, versus: str) -> bool:
    paired = difference(result, metric, of, versus)
    if paired is not None:
        return paired.certain or (paired.low is not None and paired.low == paired.high != 0)
    one, other = (estimate(result, metric, name) for name in (of, versus))
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low


def _said(metric: str, found: Estimate) -> str:
    text = format_value(metric, found.value, found.unit)
    if METRICS[metric].most == 1.0:
        text = format_estimate(metric, Estimate(found.value, None, None, found.unit))  # with as many nines as are told
    if metric in _NOUNS:
        return f"{text} {_NOUNS[metric][text != '1']}"
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if "@" not in text else text
