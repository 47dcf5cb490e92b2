"""The JSON Schema of one line of a samples file, from the records' own fields."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

from vsim.samples.records import SCHEMA, Done, Failure, Record, Resume, Run, Sample

__all__ = ["samples_schema"]


def samples_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). Samples are JSON Lines: it is valid for every line by itself.

    Further keys are allowed, as a later version may add some.
    """
    kinds: tuple[type[Record], ...] = (Run, Sample, Failure, Done, Resume)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"One line of a samples file of vsim ({SCHEMA})",
        "oneOf": [{"$ref": f"#/$defs/{kind.record}"} for kind in kinds],
        "$defs": {kind.record: _record(kind) for kind in kinds},
    }


def _record(kind: type[Record]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    properties = {"record": {"const": kind.record}, **{field.name: _type(hints[field.name]) for field in fields}}
    required = [field.name for field in fields if field.default is dataclasses.MISSING]
    if kind is Run:
        properties["schema"] = {"const": SCHEMA}
        required.append("schema")
    description = " ".join((kind.__doc__ or "").split()).replace("`", "")
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": ["record", *required],
    }


def _type(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_type(argument) for argument in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0])}
    if origin is Mapping:
        return {"type": "object"}
    names = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    return {"type": names[hint]}
