"""``vsim samples``: what can be done with files of samples; so far, to join those of many hosts."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vsim.samples.merge import Merged

__all__ = ["command"]

_FIELDS = ("name", "cpu", "cores", "memory_bytes", "runs", "samples", "failures")


@click.group(name="samples")
def command() -> None:
    """Join the samples of many hosts."""


@command.command(
    name="merge",
    epilog="All hosts must have run the same plan, with the same version of vsim; how many blocks, and with which "
    "seed, is no matter. `vsim calibrate`, `vsim validate` and `vsim report` take the new file.",
)
@click.argument("files", nargs=-1, required=True, metavar="SAMPLES...")
@click.option("--out", required=True, metavar="FILE", help="Where the joined samples go; compressed if named .gz.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "md"]), default="table")
def merge(files: tuple[str, ...], out: str, form: str) -> None:
    """Join the runs of many hosts to one file, and list the hosts."""
    from vsim.samples.merge import Source, write_merged
    from vsim.samples.merge import merge as join

    merged = join([Source.read(file) for file in files])
    write_merged(merged, out)
    _print(merged, form)
    for note in merged.notes:
        click.echo(f"note: {note}", err=True)
    for warning in merged.warnings:
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {warning}", err=True)
    hosts, runs = len(merged.hosts), len(merged.samples.runs)
    click.echo(f"{_many(runs, 'run')} of {_many(hosts, 'host')} in {out}", err=True)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _print(merged: Merged, form: str) -> None:
    if form == "json":
        import dataclasses
        import json

        click.echo(json.dumps([dataclasses.asdict(host) for host in merged.hosts], indent=1, ensure_ascii=False))
    elif form == "csv":
        import csv
        import io

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["host", *_FIELDS[1:]])
        writer.writerows([getattr(host, field) for field in _FIELDS] for host in merged.hosts)
        click.echo(text.getvalue(), nl=False)
    else:
        from vsim.cli._columns import columns, markdown

        lines = _lines(merged)
        if form == "md":
            click.echo("\n".join(markdown(lines)))
        else:
            width = max(60, shutil.get_terminal_size().columns)
            click.echo(columns(lines, "<<>>>>>", width), color=False if os.environ.get("NO_COLOR") else None)


def _lines(merged: Merged) -> list[list[str]]:
    from vsim.samples.human import format_value

    lines = [["host", "CPU", "cores", "memory", "runs", "samples", "failures"]]
    for host in merged.hosts:
        memory = host.memory_bytes
        size = "–" if memory is None else format_value("memory_overhead_bytes", memory, "bytes")
        cores = "–" if host.cores is None else str(host.cores)
        lines.append([host.name, host.cpu, cores, size, str(host.runs), str(host.samples), str(host.failures)])
    return lines
