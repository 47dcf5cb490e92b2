"""The JSON Schema of scenario files, for editors: completion, descriptions, and most mistakes underlined."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from vsim.scenario.file import ScenarioFile

__all__ = ["scenario_schema"]


class _Generator(GenerateJsonSchema):
    """Titles only repeat the keys: they are left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def scenario_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). What it accepts may still be refused for what several keys say together."""
    schema = ScenarioFile.model_json_schema(by_alias=True, schema_generator=_Generator)
    schema["title"] = "A scenario of vsim"
    for definition in schema["$defs"].values():
        definition.pop("title", None)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}
