"""The reference of the commands names every flag that there is, and none that there isn't."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from vsim.cli import COMMANDS, cli

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "reference" / "cli.md"
VARIABLE = re.compile(r"""(?:environ\.get\(|_directory\()"([A-Z_]+)\"""")


def section(name: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^## vsim {name}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"there is no section on vsim {name}"
    return found[1]


def flags(command: click.Command) -> set[str]:
    options = (p for p in command.params if isinstance(p, click.Option) and not p.hidden)
    return {flag for option in options for flag in (*option.opts, *option.secondary_opts)}


@pytest.mark.parametrize("name", COMMANDS)
def test_flags(name: str):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    named = set(re.findall(r"`(--[a-z-]+)", section(name)))
    assert flags(command) - named == set(), "flags that the page doesn't name"
    assert named - flags(command) == set(), "flags that don't exist"


def test_environment_variables():
    page = PAGE.read_text(encoding="utf-8")
    read = {name for file in (PROJECT / "vsim").rglob("*.py") for name in VARIABLE.findall(file.read_text("utf-8"))}
    assert read - set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)) == set(), "variables without a row"
