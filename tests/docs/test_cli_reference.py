"""The reference of the commands names every flag that there is, and none that there isn't."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from vsim.cli import COMMANDS, cli

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


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
