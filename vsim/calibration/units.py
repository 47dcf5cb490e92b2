"""The base unit of every parameter, by the name of its field, and what else it may be written in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vsim.scenario.units import UNITS, convert
from vsim.scenario.validation import Refused, shown

__all__ = ["MONEY", "base_unit", "has_currency", "reason_against", "unit_factor", "units_of"]

# Stands for the site's currency.
MONEY = "{currency}"

_EXACT: Mapping[str, str] = MappingProxyType(
    {
        "cores": "cores",
        "core_speed": "1",
        "bytes_per_file": "bytes",
        "count": "1",
        "downloads": "1",
        "environment_cores": "cores",
        "failures_per_year": "1/year",
        "growth": "1",
        "guest_size": "1",
        "image_pull": "1",
        "image_read": "1",
        "image_write": "1",
        "iops": "1/s",
        "layer_round_trips": "1",
        "lifetime_years": "years",
        "manifest_round_trips": "1",
        "max_units": "1",
        "needed": "1",
        "per_year": "1/year",
        "psu_efficiency": "1",
        "pue": "1",
        "purchase": MONEY,
        "energy_price_per_kwh": f"{MONEY}/kWh",
        "rack_unit_price_per_month": f"{MONEY}/month",
        "rack_units": "U",
        "sharing": "1",
        "slots": "1",
        "unit_cores": "cores",
        "unit_fraction": "1",
        "unit_shared": "1",
        "write_back_fraction": "1",
        "write_iops": "1/s",
    }
)
# The first ending that fits counts: the longer ones come first.
_ENDINGS: tuple[tuple[str, str], ...] = (
    ("_core_s_per_byte", "core-s/byte"),
    ("_core_s_per_file", "core-s"),
    ("_core_s_per_message", "core-s"),
    ("_bytes_per_s", "bytes/s"),
    ("bytes_per_s", "bytes/s"),
    ("_core_s", "core-s"),
    ("_bytes", "bytes"),
    ("_factor", "1"),
    ("_s", "s"),
    ("_w", "W"),
)


_FRACTIONS = frozenset({"psu_efficiency", "sharing", "unit_shared", "write_back_fraction"})
# What the model divides by, or what a machine or a site can't be without.
_POSITIVE = frozenset(
    {
        "bytes_per_file",
        "bytes_per_s",
        "connection_bytes_per_s",
        "context_bytes_per_s",
        "copy_bytes_per_s",
        "core_speed",
        "cores",
        "iops",
        "lifetime_years",
        "max_units",
        "memory_bytes",
        "power_w",
        "psu_efficiency",
        "pue",
        "read_bytes_per_s",
        "write_bytes_per_s",
        "write_iops",
    }
)
# A chassis of 0.4 slots would be one of none.
_AT_LEAST_ONE = frozenset({"count", "downloads", "guest_size", "slots"})
# Beyond the bytes of all data centres and the age of the universe in seconds: a slip, and sums would overflow.
_MOST = 1e18


def reason_against(field: str, low: float, high: float) -> str | None:
    """Return why a value of the field `field` can't lie between `low` and `high`, or None."""
    if field in _FRACTIONS and high > 1:
        return f"it can't be {high:g}: it is a part of a whole, at most 1 (100 %)"
    if high > _MOST:
        return f"it can't be {high:g}: at most {_MOST:g}"
    if field in _AT_LEAST_ONE and low < 1:
        return "it can't be less than 1, nor can its interval begin below"
    if (field in _POSITIVE or field.endswith("_factor")) and low < 1 / _MOST:
        return "it can't be zero, nor can its interval begin there"
    return None


def base_unit(field: str, currency: str = "USD") -> str | None:
    """Return the unit in which the model holds the field `field`, or None when its name doesn't tell."""
    unit = _EXACT.get(field) or next((unit for ending, unit in _ENDINGS if field.endswith(ending)), None)
    return unit and unit.replace(MONEY, currency)


def has_currency(field: str) -> bool:
    """Return whether the field `field` is an amount of money, whose unit depends on the site."""
    return MONEY in (_EXACT.get(field) or "")


def units_of(base: str) -> list[str]:
    """Return every unit that a value measured in `base` may be written in."""
    return list(UNITS.get(base, {base: 1.0}))


def unit_factor(unit: str, base: str) -> float:
    """Return how many `base` one `unit` is.

    Raises Refused, a ValueError with a hint, when it measures something else.
    """
    if unit != base and base not in UNITS:
        raise Refused(f"{shown(unit)} is not the unit here", hint=f"write `{base}`")
    return convert(1.0, unit, base)
