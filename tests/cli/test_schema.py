"""``vsim schema``."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from vsim.cli.schema import command


@pytest.mark.parametrize("form", ["scenario", "profile", "samples", "result"])
def test_prints_a_json_schema(form: str) -> None:
    result = CliRunner().invoke(command, [form])
    assert result.exit_code == 0, result.output
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert f"vsim.{form}/1" in result.stdout


def test_unknown_format() -> None:
    result = CliRunner().invoke(command, ["scenaro"])
    assert result.exit_code == 2
    assert "'scenario'" in result.output


def test_the_schema_of_results_needs_no_pydantic() -> None:
    code = (
        "import sys\nfrom vsim.cli import main\n"
        "try: main(['schema', 'result'])\n"
        "finally: print([m for m in ('pydantic', 'numpy', 'simpy', 'ruamel') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
