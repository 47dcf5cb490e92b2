"""The JSON Schema of ``result.json``."""

from __future__ import annotations

from typing import Any

from vsim.samples.metrics import METRICS

__all__ = ["RESULT_SCHEMA"]

_NUMBER = {"type": "number"}
_BOUND = {"type": ["number", "null"]}
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_AT_LEAST_ONE = {"type": "integer", "minimum": 1}
_METRIC = {"enum": list(METRICS)}


def _record(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _list(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _estimate(unit: str) -> dict[str, Any]:
    allowed = {"const": unit} if unit else {"type": "string", "pattern": "^[A-Z]{3}/month$"}
    return _record(value=_NUMBER, low=_BOUND, high=_BOUND, unit=allowed)


_ARCHITECTURES = _list(
    _record(
        name={"type": "string", "pattern": "^[^@]+@[^@]+$"},
        metrics={
            "type": "object",
            "properties": {metric.name: _estimate(metric.unit) for metric in METRICS.values()},
            "additionalProperties": False,
        },
    ),
    minItems=1,
)

_PARAMETERS = _list(_record(name=_TEXT, value=_NUMBER, low=_NUMBER, high=_NUMBER, unit=_TEXT, source=_TEXT))

RESULT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A result of vsim",
    **_record(
        schema={"const": "vsim.result/1"},
        version=_TEXT,
        seed={"type": "integer"},
        replications=_AT_LEAST_ONE,
        scenario={"type": "object", "properties": {"name": _TEXT, "title": _TEXT}, "required": ["name", "title"]},
        profile={"type": "object", "properties": {"name": _TEXT, "sha256": _TEXT}, "required": ["name", "sha256"]},
        architectures=_ARCHITECTURES,
        differences=_list(
            _record(metric=_METRIC, of=_TEXT, versus=_TEXT, value=_NUMBER, low=_BOUND, high=_BOUND, unit=_TEXT)
        ),
        parameters=_record(measured=_PARAMETERS, published=_PARAMETERS, derived=_PARAMETERS, assumed=_PARAMETERS),
    ),
}
RESULT_SCHEMA["properties"] |= {
    "sensitivity": _record(
        method={"enum": ["screening", "full"]},
        metrics=_list(_METRIC),
        replications=_AT_LEAST_ONE,
        uncertain=_COUNT,
        tried=_COUNT,
        swings=_list(
            _record(
                parameter=_TEXT,
                kind={"enum": ["measured", "published", "derived", "assumed"]},
                metric=_METRIC,
                architecture=_TEXT,
                low=_NUMBER,
                high=_NUMBER,
                at_low=_NUMBER,
                at_high=_NUMBER,
                value=_NUMBER,
                swing=_BOUND,
            )
        ),
        impossible=_list(_record(parameter=_TEXT, architecture=_TEXT, at=_NUMBER, unit=_TEXT)),
        matter=_list(_TEXT),
    ),
    "precision": _record(relative=_NUMBER, metrics=_list(_METRIC), reached={"type": "boolean"}),
    "sweep": _record(
        parameters=_list(_TEXT, minItems=1),
        points=_list(_record(values={"type": "object"}, replications=_AT_LEAST_ONE, architectures=_ARCHITECTURES)),
    ),
}
