"""The reference of the commands names every command, option, exit code and variable that there is, and nothing else."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest

from vsim.cli import COMMANDS, cli

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "reference" / "cli.md"
VARIABLE = re.compile(r"""(?:environ\.get\(|_directory\()"([A-Z_]+)\"""")


def sections() -> dict[str, str]:
    """Return the text under each heading of the page."""
    _, *parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def options(command: click.Command) -> set[str]:
    """Return its options; of a group, those of its commands as well."""
    found = (p for p in command.params if isinstance(p, click.Option) and not p.hidden)
    own = {flag for option in found for flag in (*option.opts, *option.secondary_opts)}
    return own.union(*map(options, command.commands.values())) if isinstance(command, click.Group) else own


def documented(text: str) -> set[str]:
    """Return the options that have a row in a table: those in its first column."""
    rows = re.findall(r"^\|([^|]*)\|", text, flags=re.MULTILINE)
    return {flag for row in rows for flag in re.findall(r"`(--?[a-z][a-z0-9-]*)", row)}


def test_every_command_has_a_section() -> None:
    assert {name.removeprefix("vsim ") for name in sections() if name.startswith("vsim ")} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_has_a_row(name: str) -> None:
    command = importlib.import_module(f"vsim.cli.{name.replace('-', '_')}").command
    assert documented(sections()[f"vsim {name}"]) == options(command)


def test_every_option_of_the_program_has_a_row() -> None:
    head = PAGE.read_text(encoding="utf-8").partition("## ")[0]
    assert documented(head) == options(cli) | {"-h", "--help"}


def test_every_exit_code_of_the_errors_has_a_row() -> None:
    from vsim.cli._boundary import EXIT_BUG, EXIT_INTERRUPTED
    from vsim.errors import HostError, InputError, ThresholdError

    rows = re.findall(r"^\| (\d+) \|", sections()["Exit codes"], flags=re.MULTILINE)
    codes = {0, EXIT_BUG, EXIT_INTERRUPTED, *(error.exit_code for error in (HostError, InputError, ThresholdError))}
    assert set(map(int, rows)) == codes


def test_every_environment_variable_has_a_row() -> None:
    page = PAGE.read_text(encoding="utf-8")
    read = {name for file in (PROJECT / "vsim").rglob("*.py") for name in VARIABLE.findall(file.read_text("utf-8"))}
    assert read - set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)) == set(), "variables without a row"
