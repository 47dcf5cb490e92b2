"""Quantities as users write them: ``512 MiB``, ``200 ms``, ``50/s``, ``30 %``; a plain number is in base units."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from vsim.scenario.validation import Refused, did_you_mean, listed, shown

__all__ = ["UNITS", "convert", "json_schema", "parse"]

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_YEAR = 365 * _DAY
_MONTH = _YEAR / 12

_TIME = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,  # U+00B5, the micro sign
    "μs": 1e-6,  # U+03BC, the Greek letter
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": _MINUTE,
    "minute": _MINUTE,
    "minutes": _MINUTE,
    "h": _HOUR,
    "hour": _HOUR,
    "hours": _HOUR,
    "d": _DAY,
    "day": _DAY,
    "days": _DAY,
    "week": 7 * _DAY,
    "weeks": 7 * _DAY,
    "month": _MONTH,
    "months": _MONTH,
    "year": _YEAR,
    "years": _YEAR,
}
_BYTES = {
    "B": 1.0,
    "byte": 1.0,
    "bytes": 1.0,
    "kB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
    "KiB": 2.0**10,
    "MiB": 2.0**20,
    "GiB": 2.0**30,
    "TiB": 2.0**40,
}
_BITS = {"bit": 0.125, "kbit": 125.0, "Mbit": 125e3, "Gbit": 125e6}

# What a value is measured in (its base unit) -> every unit it may be written in -> how many base units that is.
UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "s": _TIME,
        # work of one core: a time, or said in full
        "core-s": {**_TIME, "core-s": 1.0, "core-ms": 1e-3, "core-us": 1e-6},
        "years": {unit: seconds / _YEAR for unit, seconds in _TIME.items()},
        "bytes": _BYTES,
        "bytes/s": {f"{unit}/s": size for unit, size in {**_BYTES, **_BITS}.items()},
        "core-s/byte": {"core-s/byte": 1.0, "core-ns/byte": 1e-9, "ns/byte": 1e-9, "s/GB": 1e-9, "core-s/GB": 1e-9},
        "1/s": {"/s": 1.0, "1/s": 1.0, "/min": 1 / _MINUTE, "/h": 1 / _HOUR, "/day": 1 / _DAY, "/d": 1 / _DAY},
        "1/year": {"/year": 1.0, "1/year": 1.0, "%/year": 0.01, "/month": 12.0, "/day": _YEAR / _DAY},
        "cores": {"core": 1.0, "cores": 1.0},
        "1": {"1": 1.0, "%": 0.01},
        "W": {"mW": 1e-3, "W": 1.0, "kW": 1e3},
        "Wh": {"Wh": 1.0, "kWh": 1e3, "J": 1 / _HOUR},
    }
)
_WHAT = {
    "s": "a time",
    "core-s": "CPU work",
    "years": "a span of time",
    "bytes": "a size",
    "bytes/s": "a throughput",
    "core-s/byte": "CPU work per byte",
    "1/s": "a rate",
    "1/year": "a rate",
    "cores": "a number of cores",
    "1": "a fraction",
    "W": "a power",
    "Wh": "an energy",
}
_EXAMPLE = {
    "s": "`200 ms`, `3 min` or `2 weeks`",
    "core-s": "`4 ms` or `0.5 s` of one core",
    "years": "`5 years` or `6 months`",
    "bytes": "`512 MiB` or `1.5 GB`",
    "bytes/s": "`120 MB/s` or `1 Gbit/s`",
    "1/s": "`50/s` or `10/min`",
    "cores": "`0.5` or `2 cores`",
    "1": "`0.3` or `30 %`",
}
_NUMBER = r"[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
_QUANTITY = re.compile(rf"\s*([-+]?)\s*({_NUMBER})\s*(.*?)\s*", re.DOTALL)


def convert(value: float, unit: str, base: str) -> float:
    """Return `value`, given in `unit`, in the unit `base` (one of `UNITS`).

    Raises Refused, a ValueError with a hint, when `unit` doesn't measure the same thing.
    """
    if unit == base:
        return float(value)
    if base not in UNITS:
        raise Refused(f"{unit!r} can't be converted to {base!r}")
    return value * _factor(unit, base)


def parse(value: object, base: str, *, maximum: float = math.inf, positive: bool = False) -> float:
    """Return what a user wrote for a value measured in `base`: a number, or a text of a number and a unit.

    Raises Refused, with a hint that says what is allowed, for anything that isn't a finite number of a fitting unit,
    zero or more (`positive`: more than zero), and at most `maximum`.
    """
    example = f"write {_EXAMPLE.get(base, f'a number of {base}')}"
    if isinstance(value, str):
        number = _from_text(value, base, example)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{_WHAT[base]} is needed, not {shown(value)}", hint=example)
    else:
        number = float(value)
    if not math.isfinite(number):
        raise Refused(f"{_WHAT[base]} can't be {shown(value)}: it is finite, and zero or more", hint=example)
    if number < 0 or (positive and number == 0):
        least = "more than zero" if positive else "zero or more"
        raise Refused(f"{_WHAT[base]} can't be {shown(value)}: it is {least}", hint=example)
    if number > maximum:
        hint = f"did you mean `{number:g} %`?" if base == "1" and number <= 100 else example
        raise Refused(f"{_WHAT[base]} can't be {shown(value)}: it is at most {maximum:g}", hint=hint)
    return number


def json_schema(base: str, *, maximum: float = math.inf, positive: bool = False) -> dict[str, object]:
    """Return the JSON Schema of what `parse` takes, as far as a schema can say it."""
    units = "|".join(re.escape(unit) for unit in sorted(UNITS[base], key=len, reverse=True))
    number: dict[str, object] = {"type": "number", ("exclusiveMinimum" if positive else "minimum"): 0}
    if maximum < math.inf:
        number["maximum"] = maximum
    text = {"type": "string", "pattern": rf"^\s*\+?\s*({_NUMBER})\s*({units})?\s*$"}
    return {"anyOf": [number, text]}


def _from_text(text: str, base: str, example: str) -> float:
    match = _QUANTITY.fullmatch(text) if len(text) <= 100 else None
    if match is None:
        if text.strip().lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
            raise Refused(f"{_WHAT[base]} can't be {shown(text)}: it is finite, and zero or more", hint=example)
        raise Refused(f"{shown(text)} is not {_WHAT[base]}", hint=example)
    sign, digits, unit = match.groups()
    if sign == "-":
        raise Refused(f"{_WHAT[base]} can't be {shown(text)}: it is zero or more", hint=example)
    number = float(digits)
    return number if unit == "" else number * _factor(unit, base)


def _factor(unit: str, base: str) -> float:
    known = UNITS[base]
    # spaces inside a unit are no reason to complain: `50 / s`
    found = known.get(unit.replace(" ", ""))
    if found is None:
        units = [name for name in known if name != "1"]
        elsewhere = next((_WHAT[other] for other, factors in UNITS.items() if unit in factors), None)
        reason = f"{unit!r} measures {elsewhere}" if elsewhere else f"{shown(unit)} is not a unit"
        hint = None if elsewhere else did_you_mean(unit, units)
        raise Refused(
            f"{reason}; {_WHAT[base]} is needed here", hint=hint or f"the units allowed are {listed(units, 'and')}"
        )
    return found
