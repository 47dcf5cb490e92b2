"""The reference of results names every key of the file's schema, and every table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vsim.samples.result import result_schema
from vsim.samples.tables import TABLES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "result.md").read_text(encoding="utf-8")


def keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from keys(part)


def test_every_key_is_explained():
    missing = sorted({key for key in keys(result_schema()) if f"`{key}`" not in PAGE})
    assert missing == []


def test_every_table_is_there():
    assert [name for name in TABLES if f"{name}.csv" not in PAGE] == []
