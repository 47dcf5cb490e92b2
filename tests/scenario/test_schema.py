"""The JSON Schema for editors says what the reader says, as far as a schema can."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from vsim.errors import InputError
from vsim.scenario import load_scenario, presets
from vsim.scenario.document import read_document
from vsim.scenario.loading import PRESETS
from vsim.scenario.schema import scenario_schema
from vsim.scenario.units import UNITS

from .test_bad_input import ADDITIONS, ASKED, BASE, CHANGES
from .test_scenario import EVERYTHING

VALIDATOR = Draft202012Validator(scenario_schema())


def test_it_is_a_schema_of_draft_2020_12() -> None:
    schema = scenario_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["schema"]["const"] == "vsim.scenario/1"


@pytest.mark.parametrize("name", presets())
def test_presets_are_valid(name: str) -> None:
    assert list(VALIDATOR.iter_errors(read_document(PRESETS / f"{name}.yaml").data)) == []


def test_a_file_with_every_key_is_valid_and_has_every_key() -> None:
    data = read_document("scenario.yaml", EVERYTHING).data
    assert list(VALIDATOR.iter_errors(data)) == []
    definitions = scenario_schema()["$defs"]
    for name, part in (
        ("ServiceFile", data["services"]["web"]),
        ("RequestFile", data["services"]["web"]["request"]),
        ("FleetFile", data["fleet"]),
        ("StartFile", data["start"]),
        ("RunFile", data["run"]),
        ("PrecisionFile", data["run"]["precision"]),
        ("IncidentFile", data["incidents"][0]),
    ):
        assert set(definitions[name]["properties"]) == set(part)


def test_every_key_is_described() -> None:
    schema = scenario_schema()
    for name, part in [("", schema), *schema["$defs"].items()]:
        assert part["description"]
        for key, value in part["properties"].items():
            assert value.get("description") or "$ref" in value, f"{name}.{key}"  # a part describes itself


# messages about what several keys say together, or about files: a schema can't know
TOGETHER = (
    "needed, but", "twice", "7e+07 requests", "goes with", "need `", "less than 1", "demands nothing", "there is no",
    "is a group", "after the end", "can't be in one run", "more than the maximum", "`trace`, or", "leads nowhere",
    "has no", "takes a number", "at least 1, not -2", "there are 2 and 1", "combinations", "can't be swept",
    "bursts", "intervals", "is not an architecture", "is not known", "no service", "finite", "at most",
    "'s' measures", "some memory",
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [ASKED.replace(old, new, 1) for old, new, _, message, _ in CHANGES if not any(w in message for w in TOGETHER)]
    + [f"{BASE}{added}\n" for added, _, message, _ in ADDITIONS if not any(w in message for w in TOGETHER)],
)
def test_what_one_key_says_wrongly_is_refused_by_the_schema_too(text: str) -> None:
    try:
        data = read_document("scenario.yaml", text).data
    except InputError:
        return  # not YAML
    assert list(VALIDATOR.iter_errors(data))


@pytest.mark.parametrize(
    "written", ["1", "0.5", "1e3", ".5 MB", "+1 GiB", " 2 kB ", "3KiB", "1 / s", "5 parsecs", "-1 B", ""]
)
def test_schema_and_reader_agree_on_sizes(written: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "scenario.yaml"
    path.write_text(BASE.replace("50 MB", f'"{written}"'), encoding="utf-8")
    try:
        load_scenario(path)
    except InputError:
        valid = False
    else:
        valid = True
    assert VALIDATOR.is_valid(read_document(path).data) == valid


def test_every_unit_of_a_size_is_in_the_schema() -> None:
    for unit in UNITS["bytes"]:
        assert VALIDATOR.is_valid(read_document("x", BASE.replace("50 MB", f"1 {unit}")).data)
