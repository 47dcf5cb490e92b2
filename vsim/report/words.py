"""Numbers as people say them: 0.47 ms, 3 weeks, 158 MiB, 4,500 times."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vsim.samples.human import format_value

__all__ = ["joined", "power", "rounded", "seconds", "short_names", "size", "span", "times"]

_TIMES = (
    (365.25 * 86400.0, "years"),
    (7 * 86400.0, "weeks"),
    (86400.0, "days"),
    (3600.0, "h"),
    (60.0, "min"),
    (1.0, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
)
# Below this many of a unit the next smaller one is said: 90 s, not 1.5 min; but 0.47 ms, not 470 µs.
_LEAST = {"years": 2.0, "weeks": 2.0, "days": 2.0, "h": 2.0, "min": 2.0, "s": 1.0, "ms": 0.1, "µs": 0.0}
_ONE = {"years": "year", "weeks": "week", "days": "day"}


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return what architectures are called beside each other: without the machine where all have the same one."""
    found = list(names)
    machines = {name.partition("@")[2] for name in found}
    alike = len(machines) == 1 and len(found) > 1
    return {name: name.partition("@")[0] if alike else name for name in found}


def rounded(value: float, digits: int = 2) -> str:
    """Return a number with so many significant digits, thousands set apart, and no exponent: 0.47, 4,500."""
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    value = round(value, places)
    # rounding up may have gained a digit: 0.999 is 1.0
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, places)}f}".replace("-", "−")


def _unit(value: float) -> tuple[float, str]:
    return next((divisor, unit) for divisor, unit in _TIMES if abs(value) / divisor >= _LEAST[unit])


def seconds(value: float, digits: int = 2) -> str:
    """Return a time in the unit that suits it: 0.47 ms, 1.3 s, 3 weeks."""
    if value == 0:
        return "0 s"
    divisor, unit = _unit(value)
    number = rounded(value / divisor, digits)
    if "." in number:
        number = number.rstrip("0").rstrip(".") if divisor >= 60 else number
    return f"{number} {_ONE.get(unit, unit) if number == '1' else unit}"


def span(low: float, high: float, digits: int = 2) -> str:
    """Return a range of times, the unit said once where both have the same: 3.0–205 ms."""
    ends = seconds(low, digits), seconds(high, digits)
    if ends[0] == ends[1]:
        return ends[0]
    (first, first_unit), (second, second_unit) = (end.split(" ") for end in ends)
    return f"{first}–{second} {second_unit}" if first_unit == second_unit else f"{ends[0]} to {ends[1]}"


def size(value: float, digits: int = 3) -> str:
    """Return a number of bytes: 158 MiB."""
    return format_value("memory_overhead_bytes", value, "bytes", digits=digits)


def power(value: float) -> str:
    """Return a power: 870 W, 1.2 kW."""
    return f"{rounded(value / 1000, 3)} kW" if abs(value) >= 1000 else f"{rounded(value, 3)} W"


def times(ratio: float) -> str:
    """Return a ratio as a multiple: 4,500 times; below ten with a decimal."""
    return f"{rounded(ratio, 2)} times"


def joined(parts: list[str]) -> str:
    """Return a list as a phrase: a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
