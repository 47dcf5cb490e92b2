"""A scenario as JSON's own types, for the result: what was run, without what is too long to print.

Long sequences (job lists, recorded demands) are replaced by their length and a digest of their content, so that two
results can still be told to come from the same input.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from typing import Any

__all__ = ["describe", "digest"]

# A longer sequence is shown by its length and digest only.
LONGEST = 32


def describe(described: object) -> Any:
    """Return `described` (frozen dataclasses, mappings, sequences, sets, plain values) as JSON's own types."""
    if dataclasses.is_dataclass(described) and not isinstance(described, type):
        return {field.name: describe(getattr(described, field.name)) for field in dataclasses.fields(described)}
    if isinstance(described, Mapping):
        return {str(key): describe(value) for key, value in described.items()}
    if isinstance(described, Set):
        return sorted(describe(item) for item in described)
    if described is None or isinstance(described, str | bool | int | float):
        return described
    if isinstance(described, Sequence) or hasattr(described, "__len__"):
        items = [describe(item) for item in described]  # type: ignore[attr-defined]  # an array has no ABC
        return items if len(items) <= LONGEST else {"count": len(items), "sha256": digest(items)}
    # A number of numpy's.
    return described.item() if hasattr(described, "item") else str(described)


def digest(content: object) -> str:
    """Return the SHA-256 of `content` (JSON's own types) in a canonical form."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
