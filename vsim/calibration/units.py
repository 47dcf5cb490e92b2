"""The base unit of every parameter, by the name of its field."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["MONEY", "base_unit"]

# Stands for the site's currency.
MONEY = "{currency}"

_EXACT: Mapping[str, str] = MappingProxyType(
    {
        "cores": "cores",
        "core_speed": "1",
        "count": "1",
        "environment_cores": "cores",
        "failures_per_year": "1/year",
        "guest_size": "1",
        "image_pull": "1",
        "image_read": "1",
        "image_write": "1",
        "iops": "1/s",
        "lifetime_years": "years",
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
    }
)
# The first ending that fits counts: the longer ones come first.
_ENDINGS: tuple[tuple[str, str], ...] = (
    ("_core_s_per_byte", "core-s/byte"),
    ("_bytes_per_s", "bytes/s"),
    ("bytes_per_s", "bytes/s"),
    ("_core_s", "core-s"),
    ("_bytes", "bytes"),
    ("_factor", "1"),
    ("_s", "s"),
    ("_w", "W"),
)


def base_unit(field: str, currency: str = "USD") -> str | None:
    """Return the unit in which the model holds the field `field`, or None when its name doesn't tell."""
    unit = _EXACT.get(field) or next((unit for ending, unit in _ENDINGS if field.endswith(ending)), None)
    return unit and unit.replace(MONEY, currency)


# Factor to the base unit, for each base unit.
_FACTORS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "s": {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "min": 60, "h": 3600, "d": 86400, "weeks": 604800},
        "core-s": {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "core-ms": 1e-3},
        "bytes": {
            "B": 1,
            "kB": 1e3,
            "MB": 1e6,
            "GB": 1e9,
            "TB": 1e12,
            "KiB": 2**10,
            "MiB": 2**20,
            "GiB": 2**30,
            "TiB": 2**40,
        },
        "bytes/s": {
            "kB/s": 1e3,
            "MB/s": 1e6,
            "GB/s": 1e9,
            "KiB/s": 2**10,
            "MiB/s": 2**20,
            "GiB/s": 2**30,
            "Mbit/s": 125e3,
            "Gbit/s": 125e6,
        },
        "1": {"%": 0.01},
        "1/year": {"%/year": 0.01},
        "1/s": {"IOPS": 1},
        "W": {"mW": 1e-3, "kW": 1e3},
        "years": {"months": 1 / 12, "d": 1 / 365.25},
    }
)


def factor(unit: str, base: str) -> float | None:
    """Return how many `base` one `unit` is, or None when they don't measure the same thing."""
    return 1.0 if unit == base else _FACTORS.get(base, {}).get(unit)
