"""``vsim doctor``: what this host can measure, and what would spoil it."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vsim.bench.doctor import Diagnosis
    from vsim.bench.rungs import Rung

__all__ = ["command"]

_WIDTH = 80


@click.command(
    name="doctor",
    epilog="Nothing is changed and nothing keeps running. KVM is tried with a guest, and the probe is started on the "
    "rungs that start in a blink, so this may take some seconds; with --try, up to 20. --format json prints the "
    "environment record that every run keeps, too.",
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option("--try", "trying", is_flag=True, help="Start the probe once on each rung: does it really work?")
def command(style: str, trying: bool) -> None:
    """Say what this host can measure, and what would spoil it."""
    from vsim.bench.doctor import examine, try_rungs

    diagnosis = examine(trial=try_rungs, every=trying)
    if style == "json":
        import json

        click.echo(json.dumps(diagnosis.to_data(), indent=2, ensure_ascii=False))
        return
    click.echo(text(diagnosis), color=False if os.environ.get("NO_COLOR") else None)


def text(diagnosis: Diagnosis) -> str:
    """Return the diagnosis as text of at most 80 columns."""
    from vsim.bench.doctor import describe_host

    sections = [_section("This host", [_wrapped(line, "  ", "    ") for line in describe_host(diagnosis.environment)])]
    able = [rung for rung in diagnosis.rungs if rung.reason is None]
    unable = [rung for rung in diagnosis.rungs if rung.reason is not None]
    width = max((len(rung.name) for rung in diagnosis.rungs), default=0) + 2
    title = f"Can be measured ({len(able)}){': each was started once' if diagnosis.tried else ''}"
    sections.append(_section(title, [_able(rung, width, diagnosis.tried) for rung in able] or ["  nothing"]))
    if unable:
        sections.append(_section(f"Can't be measured ({len(unable)})", [_unable(rung, width) for rung in unable]))
    spoiling = []
    for spoiler in diagnosis.spoilers:
        spoiling.append(_wrapped(spoiler.cause, "  - ", "    "))
        if spoiler.next_step:
            spoiling.append(_wrapped(spoiler.next_step, "    → ", "      "))
    sections.append(_section("Would spoil measurements", spoiling or ["  nothing that was found"]))
    return "\n\n".join(sections)


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([click.style(title, bold=True), *lines])


def _able(rung: Rung, width: int, trying: bool) -> str:
    flags = f" ({', '.join(rung.flags)})" if rung.flags else ""
    untried = ": but there was no time to start it" if trying and not rung.tried else ""
    return _wrapped(f"{rung.stack}{flags}{untried}", f"  {rung.name:<{width}}", " " * (width + 2), colour="green")


def _unable(rung: Rung, width: int) -> str:
    assert rung.reason is not None
    # Most reasons name the package already.
    told = not rung.packages or "apt-get" in rung.reason
    brought = "" if told else f" (Debian: apt-get install {' '.join(rung.packages)})"
    return _wrapped(f"{rung.reason}{brought}", f"  {rung.name:<{width}}", " " * (width + 2), colour="yellow")


def _wrapped(words: str, first: str, following: str, *, colour: str | None = None) -> str:
    """Return the words in lines of at most 80 columns; `first` in colour, which takes no columns."""
    # What a runtime or a file said may hold control characters; on a terminal they would move the cursor.
    clean = "".join(c if c.isprintable() else " " for c in words)
    body = textwrap.wrap(
        clean, _WIDTH, initial_indent=" " * len(first), subsequent_indent=following, break_on_hyphens=False
    )
    start = click.style(first, fg=colour) if colour else first
    return "\n".join([start + body[0][len(first) :], *body[1:]]) if body else start.rstrip()
