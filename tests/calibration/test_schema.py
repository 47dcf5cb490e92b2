"""The JSON Schema of profile files: the built-in files satisfy it, and what the loader refuses it refuses too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.calibration.conftest import content
from vsim.calibration import profile_schema
from vsim.calibration.profile_file import BUILTIN
from vsim.calibration.profile_model import ProfileFile
from vsim.scenario.document import read_document, validate

FILES = sorted(BUILTIN.glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = profile_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_builtin_files_satisfy_the_schema_and_the_loader(path: Path, validator: Any) -> None:
    document = read_document(path)
    assert [error.message for error in validator.iter_errors(document.data)] == []
    validate(document, ProfileFile)


@pytest.mark.parametrize(
    "text",
    [
        "machnes: {}",
        "machines: {laptop: {coers: {value: 3, unit: cores, MEASURED}}}",
        "machines: {laptop: {cores: 3}}",
        "machines: {laptop: {cores: {value: 3, unit: MB, MEASURED}}}",
        "machines: {laptop: {cores: {value: -3, unit: cores, MEASURED}}}",
        "machines: {laptop: {cores: {value: 3, unit: cores}}}",
        "machines: {laptop: {cores: {value: 3, unit: cores, source: {kind: measured}}}}",
        "machines: {laptop: {cores: {value: 3, unit: cores, source: {kind: guessed, why: x}}}}",
        "machines: {laptop: {power_w: {points: [1, 2, 3], unit: W, MEASURED}}}",
        "layers: {mine: {title: Mine, boundary: wall}}",
        "stacks: {mine: {title: Mine, layers: []}}",
        "extends: nothing",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(text: str, validator: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content(text))
    assert not validator.is_valid(read_document(path).data)


@pytest.mark.parametrize(
    "text",
    [
        "machines: {mine: {like: laptop, title: Mine}}",
        "layers: {process: {startup: {fetch: null}}}",
        "machines: {laptop: {cores: {value: 3, unit: cores, override: true, low: 1, high: 'value * 2', ASSUMED}}}",
        "layers: {process: {memory: {sharing: {value: 1, unit: 1, MEASURED}}}}",
    ],
)
def test_the_schema_takes_what_the_loader_takes(text: str, validator: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content(text))
    assert [error.message for error in validator.iter_errors(read_document(path).data)] == []


def test_every_key_of_a_machine_is_in_the_schema_with_its_units() -> None:
    definitions = profile_schema()["$defs"]
    assert {"cores", "memory_bytes", "power_w", "like"} <= set(definitions["MachinePart"]["properties"])
    assert "GiB" in str(definitions["Quantity_bytes"]["properties"]["unit"])
