"""The metrics of the design: name, unit, title, and the range that a value can lie in.

Every result uses exactly these names. A unit is written as in the files: ``s``, ``bytes``, ``Wh``, ``1/s``, ``U``
(rack units), ``1`` for counts and fractions, and the site's currency for money.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["HEADLINE", "METRICS", "Metric", "unit_of"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: what its values are called, measured in and limited to, and which direction is good.

    `title` fits a table's first column. `unit` of a price is empty: the site's currency decides (:func:`unit_of`).
    `most` bounds fractions at 1. `better` is empty where neither direction is good by itself.
    """

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher", ""]
    most: float = math.inf

    def clip(self, value: float) -> float:
        """Return the nearest value that this metric can take: no metric is negative, no fraction is above 1."""
        return min(max(value, 0.0), self.most)


_ALL = (
    Metric("hosts", "hosts", "1", "lower"),
    Metric("rack_units", "rack units", "U", "lower"),
    Metric("instances_per_host", "instances/host", "1", "higher"),
    Metric("unplaced", "not placed", "1", "lower"),
    Metric("memory_overhead_bytes", "memory overhead", "bytes", "lower"),
    Metric("cpu_overhead_fraction", "CPU overhead", "1", "lower"),
    Metric("provision_s", "provisioning", "s", "lower"),
    Metric("startup_p50_s", "start-up p50", "s", "lower"),
    Metric("startup_p95_s", "start-up p95", "s", "lower"),
    Metric("startup_p99_s", "start-up p99", "s", "lower"),
    Metric("latency_p50_s", "latency p50", "s", "lower"),
    Metric("latency_p95_s", "latency p95", "s", "lower"),
    Metric("latency_p99_s", "latency p99", "s", "lower"),
    Metric("throughput_per_s", "throughput", "1/s", "higher"),
    Metric("slo_fraction", "within the SLO", "1", "higher", most=1.0),
    Metric("availability", "availability", "1", "higher", most=1.0),
    Metric("blast_radius_instances", "blast radius", "1", "lower"),
    Metric("energy_wh", "energy", "Wh", "lower"),
    Metric("cost_per_month", "cost per month", "", "lower"),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}

# What a comparison is decided on: the default of `--replications auto` and of the sensitivity analysis.
HEADLINE: tuple[str, ...] = (
    "hosts",
    "memory_overhead_bytes",
    "provision_s",
    "startup_p95_s",
    "latency_p95_s",
    "energy_wh",
    "cost_per_month",
)


def unit_of(name: str, currency: str) -> str:
    """Return the unit of the metric `name`; `currency` is the site's, e.g. ``USD`` for ``USD/month``."""
    return METRICS[name].unit or f"{currency}/month"
