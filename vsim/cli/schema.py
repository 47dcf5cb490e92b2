"""``vsim schema``: print the JSON Schema of a file format, for editors and other programs."""

from __future__ import annotations

import importlib
import json
from typing import Any

import click

__all__ = ["command"]

# format -> the module and the name in it: a schema, or a function that returns one
_PROVIDERS = {
    "scenario": ("vsim.scenario.schema", "scenario_schema"),
    "profile": ("vsim.calibration", "profile_schema"),
    "samples": ("vsim.samples.records_schema", "samples_schema"),
    "result": ("vsim.samples.result_schema", "RESULT_SCHEMA"),
}


def schema_of(form: str) -> dict[str, Any]:
    """Return the JSON Schema of the file format `form`."""
    module, name = _PROVIDERS[form]
    provider = getattr(importlib.import_module(module), name)
    schema = provider() if callable(provider) else provider
    assert isinstance(schema, dict)
    return schema


@click.command(name="schema")
@click.argument("form", metavar="FORMAT", type=click.Choice(list(_PROVIDERS)))
def command(form: str) -> None:
    """Print the JSON Schema of a file format: scenario, profile, samples or result."""
    click.echo(json.dumps(schema_of(form), indent=2, ensure_ascii=False))
