"""The tables of docs/reference/scenario.md, made from the models that read the file.

``python -m tests.scenario.reference`` writes them into the page; a test checks that they are there as they should be.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from vsim.scenario import file, workload_file
from vsim.scenario.fields import Name, _Measured

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "scenario.md"
KINDS: Mapping[str, str] = {
    "s": "time",
    "core-s": "CPU work",
    "years": "time span",
    "bytes": "size",
    "1/s": "rate",
    "cores": "cores",
    "1": "number",
}
_MARKED = re.compile(r"(<!-- keys of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page() -> str:
    """Return the page with all its tables made anew."""
    return _MARKED.sub(lambda m: f"{m[1]}\n{table(m[2])}\n{m[3]}", PAGE.read_text(encoding="utf-8"))


def tables_on_page() -> list[str]:
    """Return the names of the models that have a table on the page."""
    return [match[2] for match in _MARKED.finditer(PAGE.read_text(encoding="utf-8"))]


def models() -> dict[str, type[BaseModel]]:
    """Return all models of the file by name."""
    found = {**vars(workload_file), **vars(file)}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, type) and issubclass(value, BaseModel) and name.endswith("File")
    }


def table(name: str) -> str:
    """Return the table of the keys of the model `name`, in Markdown."""
    lines = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for key, field in models()[name].model_fields.items():
        default = "needed" if field.is_required() else _default(field.get_default(call_default_factory=True))
        meaning = (field.description or "").replace("|", "\\|")
        kind = _kind(typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation)
        lines.append(f"| `{field.alias or key}` | {kind} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def _kind(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation == Name or annotation is str:
        return "text"
    if origin is typing.Annotated:
        measured = next((m for m in arguments[1:] if isinstance(m, _Measured)), None)
        if measured is None:
            return _kind(arguments[0])
        return "part" if measured.base == "1" and measured.maximum == 1 else KINDS[measured.base]
    if origin is typing.Literal:
        return ", ".join(f"`{word}`" for word in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(argument) for argument in arguments if argument is not type(None))
    if origin is list:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"names, each with {_kind(arguments[1])}"
    if annotation is int:
        return "whole number"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{_heading(annotation.__name__)}](#{_heading(annotation.__name__)})"
    return "value"


def _heading(name: str) -> str:
    return {"IncidentFile": "incidents", "ServiceFile": "services"}.get(name, name.removesuffix("File").lower())


def _default(value: object) -> str:
    if value is None or value == "" or isinstance(value, BaseModel | list | dict):
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
