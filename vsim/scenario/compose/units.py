"""Sizes, times and numbers as compose files write them: ``512m``, ``1m30s``, ``"0.5"``, ``"true"``."""

from __future__ import annotations

import math
import re

from vsim.scenario.compose.parts import Part
from vsim.scenario.validation import shown

__all__ = ["boolean", "duration_s", "number", "size_bytes", "text_of", "whole"]

# docker/go-units, RAMInBytes: powers of 1024, whatever the letter case, with or without `i` and `b`
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)(?:i?b)?", re.I)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h|d|w))+")
_PIECE = re.compile(r"([0-9]+(?:\.[0-9]*)?)(ns|us|µs|ms|s|m|h|d|w)")
_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
_MOST_BYTES = 2.0**60
_MOST_SECONDS = 10 * 365 * 86400.0
_TRUE = frozenset({"true", "y", "yes", "on", "1"})
_FALSE = frozenset({"false", "n", "no", "off", "0"})


def size_bytes(part: Part) -> float:
    """Return a size in bytes. Raises InputError, with its place, for anything else."""
    value = part.value
    hint = "write `512m` or `1.5g` (powers of 1024), or a number of bytes"
    if isinstance(value, int | float) and not isinstance(value, bool):
        size = float(value)
    else:
        match = _SIZE.fullmatch(str(value).strip()) if len(str(value)) < 100 else None
        if match is None:
            raise part.error(f"{shown(value)} is not a size", hint)
        size = float(match.group(1)) * 1024.0 ** _POWERS[match.group(2).lower()]
    if not (math.isfinite(size) and 0 <= size <= _MOST_BYTES):
        raise part.error(f"a size can't be {shown(value)}", hint)
    return size


def duration_s(part: Part) -> float:
    """Return a span of time in seconds. Raises InputError, with its place, for anything else."""
    value = str(part.value).strip()
    hint = "write `30s`, `500ms` or `1m30s`"
    if value == "0":
        return 0.0
    if len(value) > 100 or not _DURATION.fullmatch(value):
        raise part.error(f"{shown(part.value)} is not a time", hint)
    total = math.fsum(float(digits) * _SECONDS[unit] for digits, unit in _PIECE.findall(value))
    if total > _MOST_SECONDS:
        raise part.error(f"{shown(part.value)} is too long a time", hint)
    return total


def number(part: Part, most: float = 1e6) -> float:
    """Return a number, zero or more. Raises InputError, with its place, for anything else."""
    value = part.value
    try:
        if isinstance(value, bool) or value is None or len(str(value)) > 100:
            raise ValueError
        found = float(value)
    except (ValueError, TypeError):
        raise part.error(f"{shown(value)} is not a number", "write `0.5` or `2`") from None
    if not (math.isfinite(found) and 0 <= found <= most):
        raise part.error(f"{shown(value)} can't be used here", f"a number from 0 to {most:g}")
    return found


def whole(part: Part, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`. Raises InputError, with its place, for anything else."""
    value = part.value
    text = str(value).strip()
    fits = not isinstance(value, bool) and re.fullmatch(r"[-+]?[0-9]{1,20}", text) is not None
    if not fits:
        raise part.error(f"{shown(value)} is not a whole number", f"a number from {least:,} to {most:,}")
    if not least <= int(text) <= most:
        raise part.error(f"{text} can't be used here", f"a number from {least:,} to {most:,}")
    return int(text)


def boolean(part: Part | None, default: bool = False) -> bool:
    """Return true or false, also of the words for them that YAML 1.1 knew. Raises InputError for anything else."""
    if part is None or part.value is None:
        return default
    if isinstance(part.value, bool):
        return part.value
    word = str(part.value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise part.error(f"{shown(part.value)} is neither true nor false", "write `true` or `false`")


def text_of(part: Part | None) -> str | None:
    """Return a scalar as text, or None where there is none."""
    return None if part is None or part.value is None or isinstance(part.value, dict | list) else str(part.value)
