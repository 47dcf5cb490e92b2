"""Set one value deep inside a frozen description by its path: ``services.web.replicas``, ``run.duration_s``.

A path starts at a field of the scenario, or at a field of its workload (``services``, ``jobs``, ``demands``). Items
of a tuple are addressed by their `name` where they have one, otherwise by their number from 0.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar, Union

from vsim.errors import InputError

__all__ = ["did_you_mean", "has_path", "replace_path"]

_T = TypeVar("_T")


def did_you_mean(given: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the closest of `known`, or lists them when there are few; None without either."""
    known = list(known)
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are: {', '.join(known)}" if 0 < len(known) <= 20 else None


def has_path(described: object, path: str) -> bool:
    """Return whether the first part of `path` is a field of the description (or of its `workload`)."""
    return path.split(".", 1)[0] in _names(described)


def replace_path(described: _T, path: str, value: object) -> _T:
    """Return a copy of the frozen dataclass `described` in which the field at `path` has `value`.

    The value is converted to the field's declared type: 3 to 3.0, a list of names to a tuple. Raises InputError,
    with a suggestion where there is one, when the path leads nowhere or the value doesn't fit the field.
    """
    return typing.cast(_T, _replace(described, path, path, value))


def _replace(described: object, rest: str, path: str, value: object) -> object:
    if isinstance(described, tuple):
        return _replace_item(described, rest, path, value)
    name, _, further = rest.partition(".")
    assert dataclasses.is_dataclass(described)
    assert not isinstance(described, type)
    own = {field.name for field in dataclasses.fields(described)}
    if name not in own:
        if name in _names(described):
            return _replace(described, f"workload.{rest}", path, value)
        raise InputError(f"{path!r} leads nowhere: there is no {name!r}", hint=did_you_mean(name, _names(described)))
    current = getattr(described, name)
    if further and (dataclasses.is_dataclass(current) or isinstance(current, tuple)):
        return dataclasses.replace(described, **{name: _replace(current, further, path, value)})
    if further:
        what = "is not set" if current is None else f"is {current!r}"
        raise InputError(f"{path!r} leads nowhere: {name!r} {what} and has no fields")
    hint = typing.get_type_hints(type(described))[name]
    return dataclasses.replace(described, **{name: _fit(value, hint, path)})


def _replace_item(items: tuple[object, ...], rest: str, path: str, value: object) -> object:
    # A name may hold dots: take the longest that fits.
    keys = [str(getattr(item, "name", number)) for number, item in enumerate(items)]
    fits = [key for key in keys if rest.startswith(key + ".")]
    if not fits:
        missing = rest.partition(".")[0]
        if missing in keys:
            raise InputError(f"{path!r} names no field of {missing!r}", hint=did_you_mean("", _names(items[0])))
        raise InputError(f"{path!r} leads nowhere: there is no {missing!r}", hint=did_you_mean(missing, keys))
    key = max(fits, key=len)
    at = keys.index(key)
    return (*items[:at], _replace(items[at], rest[len(key) + 1 :], path, value), *items[at + 1 :])


def _names(described: object) -> list[str]:
    assert dataclasses.is_dataclass(described)
    names = [field.name for field in dataclasses.fields(described)]
    workload = getattr(described, "workload", None)
    return names if workload is None else names + [field.name for field in dataclasses.fields(workload)]


def _fit(value: object, hint: Any, path: str) -> object:
    """Return `value` as the type `hint`, or raise InputError."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _fit(value, next(a for a in arguments if a is not type(None)), path)
    if origin is Literal:
        if value not in arguments:
            raise InputError(
                f"{path!r} can't be {value!r}", hint=did_you_mean(str(value), [str(choice) for choice in arguments])
            )
        return value
    if origin in (tuple, frozenset):
        items = [value] if isinstance(value, str) else value
        if isinstance(items, Sequence | set | frozenset) and not dataclasses.is_dataclass(arguments[0]):
            return origin(_fit(item, arguments[0], path) for item in items)
    elif hint in (int, float):
        return _number(value, hint, path)
    elif hint in (str, bool) and isinstance(value, hint):
        return value
    if dataclasses.is_dataclass(hint):
        fields = ", ".join(field.name for field in dataclasses.fields(hint))
        raise InputError(f"{path!r} is a group, not a value", hint=f"go on with one of: {fields}")
    raise InputError(f"{path!r} can't be {value!r}")


def _number(value: object, kind: type[int] | type[float], path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(
            f"{path!r} is a number, not {value!r}", hint="in seconds, bytes, cores or whatever its name ends in"
        )
    if not math.isfinite(value) or value < 0:
        raise InputError(f"{path!r} can't be {value!r}: numbers are finite, and zero or more")
    if kind is int and value != int(value):
        raise InputError(f"{path!r} is a whole number, not {value!r}")
    return kind(value)
