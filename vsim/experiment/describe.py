"""A scenario as JSON's own types, for the result: what was run, without what is too long to print.

Long sequences (job lists, recorded demands) are replaced by their length and a digest of their content, so that two
results can still be told to come from the same input.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping, Sequence, Set
from typing import Any, TypeVar

from vsim.errors import InputError

__all__ = ["describe", "digest", "recall"]

_T = TypeVar("_T")

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


def recall(kind: type[_T], description: object) -> _T:
    """Return the `kind` (a frozen dataclass) that :func:`describe` made `description` of.

    Raises InputError where the description has only the digest of a long sequence, or isn't one of a `kind`.
    """
    try:
        return typing.cast(_T, _recalled(kind, description))
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise InputError(f"not the description of a {kind.__name__.lower()}: {error}") from None


def _recalled(hint: Any, value: object) -> object:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _recalled(next(one for one in arguments if one is not type(None)), value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise TypeError(f"{value!r} instead of a {hint.__name__}")
        hints = typing.get_type_hints(hint)
        # a field that an older version didn't have keeps its default
        known = {field.name for field in dataclasses.fields(hint)} & set(value)
        return hint(**{name: _recalled(hints[name], value[name]) for name in known})
    if isinstance(value, Mapping) and origin in (tuple, frozenset, Sequence):
        raise InputError(
            f"the description has only the digest of {value.get('count')} values, not the values themselves",
            hint="give the scenario in place of the result",
        )
    if origin in (tuple, Sequence):
        return tuple(_recalled(arguments[0], item) for item in typing.cast(Sequence[object], value))
    if origin is frozenset:
        return frozenset(typing.cast(Sequence[str], value))
    return value


def digest(content: object) -> str:
    """Return the SHA-256 of `content` (JSON's own types) in a canonical form."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
