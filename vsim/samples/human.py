"""Metrics in units that people use: 1.2 ms, 3 weeks, 2.1 GiB, 99.98 %, $1,234.

A value is shown with as many digits as its interval allows, at most four significant ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vsim.samples.metrics import METRICS
from vsim.samples.result import Estimate

__all__ = ["format_estimate", "format_range", "format_span", "format_value", "scale_of", "scales"]

# (from this many base units on, divisor, suffix), the largest first
_TIMES = (
    (14 * 86400.0, 7 * 86400.0, "weeks"),
    (2 * 86400.0, 86400.0, "days"),
    (2 * 3600.0, 3600.0, "h"),
    (600.0, 60.0, "min"),
    (1.0, 1.0, "s"),
    (1e-3, 1e-3, "ms"),
    (1e-6, 1e-6, "µs"),
    (0.0, 1e-9, "ns"),
)
_BYTES = ((2.0**40, 2.0**40, "TiB"), (2.0**30, 2.0**30, "GiB"), (2.0**20, 2.0**20, "MiB"), (2.0**10, 2.0**10, "KiB"))
_ENERGY = ((1e6, 1e6, "MWh"), (1e3, 1e3, "kWh"), (0.1, 1.0, "Wh"), (1e-4, 1e-3, "mWh"), (1e-9, 1e-6, "µWh"))
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
_SIGNIFICANT = 4
# From this amount on, nobody asks for cents.
_WHOLE_MONEY = 100
# From this percentage on (of an availability, say) the nines are shown and no more: 99.9999 %.
_NEARLY_ALL, _NINES = 99.9999, 4


def format_value(metric: str, value: float, unit: str, *, digits: int = 3) -> str:
    """Return `value` (in `unit`, the metric's base unit) for reading, with `digits` significant digits."""
    divisor, prefix, suffix = _scale(metric, value, unit)
    return _joined(prefix, _alone(value / divisor, digits, metric), suffix)


def format_estimate(metric: str, estimate: Estimate) -> str:
    """Return the estimate for reading: ``36.5±0.2 ms``; without the ± where it is less than the last digit."""
    half = 0.0
    if estimate.low is not None and estimate.high is not None:
        half = max(estimate.high - estimate.value, estimate.value - estimate.low)
    divisor, prefix, suffix = _scale(metric, max(abs(estimate.value), half), estimate.unit)
    value, half = estimate.value / divisor, half / divisor
    if METRICS[metric].most == 1.0 and _NEARLY_ALL < value < 100:
        # Cut, not rounded: 100 % is said of nothing less.
        return _joined(prefix, f"{math.floor(value * 10**_NINES) / 10**_NINES:.{_NINES}f}", suffix)
    finest = _places(value, _SIGNIFICANT, metric)
    # One digit of the half width is enough to judge the value; two where the first is a 1.
    places = math.ceil(-math.log10(half / 2)) if half > 0 else finest
    if half <= 0 or places > finest:
        return _joined(prefix, _alone(value, 3, metric), suffix)
    places = max(0, places)
    return _joined(prefix, f"{_number(value, places)}±{_number(half, places)}", suffix)


def format_range(metric: str, low: float, high: float, unit: str) -> str:
    """Return ``low to high`` for reading, an interval: both in the unit that suits the larger one, told apart."""
    divisor, prefix, suffix = _scale(metric, max(abs(low), abs(high)), unit)
    ends = low / divisor, high / divisor
    # As many digits as tell the ends apart, within what is worth reading.
    apart = math.ceil(0.5 - math.log10(ends[1] - ends[0])) if ends[1] > ends[0] else 0
    places = max(0, min(apart, _places(max(map(abs, ends)), _SIGNIFICANT, metric)))
    if places == 1 and _is_money(metric):
        places = 2 if abs(ends[1]) < _WHOLE_MONEY else 0
    return f"{prefix}{_number(ends[0], places)} to {_joined(prefix, _number(ends[1], places), suffix)}"


def format_span(metric: str, low: float, high: float, unit: str) -> str:
    """Return ``low to high`` for reading, two values each worth its digits: in one unit unless they are far apart."""
    divisor, prefix, suffix = _scale(metric, low, unit)
    if low <= 0 or high / divisor >= 1000:
        return f"{format_value(metric, low, unit)} to {format_value(metric, high, unit)}"
    return f"{prefix}{_alone(low / divisor, 3, metric)} to {_joined(prefix, _alone(high / divisor, 3, metric), suffix)}"


def scales(unit: str) -> Sequence[tuple[float, float, str]]:
    """Return the units in which values in the base unit `unit` are shown, the largest first.

    Each is the size from which on it is used, the divisor, and what is written behind the number.
    """
    return {"s": _TIMES, "bytes": (*_BYTES, (0.0, 1.0, "B")), "Wh": _ENERGY}.get(unit, ((0.0, 1.0, ""),))


def scale_of(metric: str, value: float, unit: str) -> tuple[float, str]:
    """Return what a value of about this size is best divided by, and the unit that it is in then: (1e-3, "ms")."""
    divisor, prefix, suffix = _scale(metric, value, unit)
    return divisor, (prefix + suffix).strip()


def _scale(metric: str, value: float, unit: str) -> tuple[float, str, str]:
    """Return divisor, prefix and suffix for a value of about this size."""
    if unit == "s":
        return _pick(_TIMES, value, (1.0, "s")) if value else (1.0, "", "s")
    if unit == "bytes":
        return _pick(_BYTES, value, (1.0, "B"))
    if unit == "Wh":
        return _pick(_ENERGY, value, (1.0, "Wh"))
    if unit == "1/s":
        return 1.0, "", "/s"
    if "/" in unit:
        currency = unit.partition("/")[0]
        return (1.0, _SIGNS[currency], "") if currency in _SIGNS else (1.0, "", currency)
    return (0.01, "", "%") if _is_fraction(metric) else (1.0, "", "")


def _pick(scales: Sequence[tuple[float, float, str]], value: float, rest: tuple[float, str]) -> tuple[float, str, str]:
    for least, divisor, suffix in scales:
        if abs(value) >= least:
            return divisor, "", suffix
    return rest[0], "", rest[1]


def _is_fraction(metric: str) -> bool:
    return METRICS[metric].most == 1.0 or metric.endswith("_fraction")


def _places(value: float, digits: int, metric: str) -> int:
    """Return the number of decimals that show `digits` significant digits; of what is missing to 100 % near it."""
    size = abs(value)
    if METRICS[metric].most == 1.0 and 90 < size < 100:
        size = 100 - size
        digits = max(1, digits - 1)
    return 0 if size == 0 else max(0, digits - 1 - math.floor(math.log10(size)))


def _number(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def _alone(value: float, digits: int, metric: str) -> str:
    """Return a number that stands alone: a whole one without decimals, money with two or none."""
    places = 0 if value == round(value) else _places(value, digits, metric)
    if places and _is_money(metric):
        places = 2 if abs(value) < _WHOLE_MONEY else 0
    return _number(value, places)


def _is_money(metric: str) -> bool:
    return not METRICS[metric].unit


def _joined(prefix: str, number: str, suffix: str) -> str:
    tight = suffix in ("", "/s")
    return f"{prefix}{number}{suffix}" if tight else f"{prefix}{number} {suffix}"
