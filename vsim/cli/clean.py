"""``vsim clean``: remove whatever an interrupted bench left behind."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command(name="clean")
@click.option("--cache", is_flag=True, help="Also remove the payload that the next bench would use again.")
def command(cache: bool) -> None:
    """Remove whatever interrupted benches left behind; one that is running is left alone."""
    from vsim.bench.clean import clean, owed
    from vsim.errors import HostError

    removed = clean(cache=cache)
    for line in removed:
        click.echo(f"removed {line}")
    left = owed()
    if left:
        raise HostError(
            "; ".join(left), hint="start it, and run `vsim clean` again; if it is gone for good, remove the directory"
        )
    if not removed:
        click.echo("nothing to remove", err=True)
