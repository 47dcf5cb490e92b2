"""``vsim simulate``: compare architectures on a workload."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from vsim.cli._progress import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vsim.samples.result import Result

__all__ = ["command"]


def _replications(ctx: click.Context, param: click.Parameter, value: str | None) -> int | str | None:
    if value is None or value == "auto":
        return value
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is neither a number from 1 on nor auto.", ctx, param)
    return int(value)


@click.command(
    name="simulate",
    epilog="SCENARIO is the name of a preset (default: evolution) or a YAML file. Neither --jobs nor --backend changes "
    "a result.",
)
@click.argument("scenario", required=False)
@click.option(
    "--compose", multiple=True, metavar="FILE", help="A compose file instead of a scenario (repeat: laid on top)."
)
@click.option(
    "--compose-profile", multiple=True, metavar="NAME", help="With --compose: make the services of a profile active."
)
@click.option("--trace", metavar="FILE", help="Recorded demands: a file, or a folder of files.")
@click.option("--on", multiple=True, metavar="STACK@MACHINE", help="An architecture to compare (repeat for more).")
@click.option("--profile", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one.")
@click.option("--seed", type=click.IntRange(min=0), help="The seed of all random draws.")
@click.option(
    "--replications", metavar="N|auto", callback=_replications, help="How often; auto: as often as the precision takes."
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Worker processes (default: more than one when a run takes long)."
)
@click.option("--backend", type=click.Choice(["local", "dask"]), default="local", help="Where to run.")
@click.option("--scheduler", metavar="ADDRESS", help="The Dask scheduler, e.g. tcp://host:8786.")
@click.option(
    "--sensitivity", is_flag=True, help="Move every parameter over its interval, on the whole scenario (takes long)."
)
@click.option("--metric", multiple=True, metavar="METRIC", help="What --sensitivity and --replications auto look at.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "md"]), default="table")
@click.option("--out", metavar="DIR", help="Also write result.json and CSV tables to this directory.")
@click.option("--parquet", is_flag=True, help="With --out: write the tables as Parquet, too.")
def command(
    scenario: str | None,
    compose: tuple[str, ...],
    compose_profile: tuple[str, ...],
    trace: str | None,
    on: tuple[str, ...],
    profile: tuple[str, ...],
    seed: int | None,
    replications: Any,
    jobs: int | None,
    backend: Any,
    scheduler: str | None,
    sensitivity: bool,
    metric: tuple[str, ...],
    form: str,
    out: str | None,
    parquet: bool,
) -> None:
    """Compare architectures on a workload: density, start-up, latency, availability, energy, cost."""
    from vsim.api import DEFAULT_SCENARIO, load_profile, load_scenario, simulate

    if parquet and out is None:
        raise click.UsageError("--parquet needs --out DIR.")
    if compose and (scenario is not None or trace is not None):
        raise click.UsageError("--compose takes the place of a scenario: neither SCENARIO nor --trace goes with it.")
    if compose_profile and not compose:
        raise click.UsageError("--compose-profile goes with --compose.")
    if out is not None:
        from vsim.samples.result_files import check_target

        check_target(out, parquet=parquet)
    loaded = load_profile(*profile)
    if compose:
        from vsim.calibration.catalogue import load_compose

        read = load_compose(*compose, profile=loaded, environment=os.environ, compose_profiles=compose_profile)
    else:
        read = load_scenario(scenario or DEFAULT_SCENARIO, trace=trace)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    with ProgressBar() as progress:
        result = simulate(
            read,
            on=on,
            profile=loaded,
            seed=seed,
            replications=replications,
            jobs=jobs,
            backend=backend,
            scheduler=scheduler,
            sensitivity=sensitivity,
            metrics=metric,
            progress=progress,
        )
    if out is not None:
        from vsim.samples.result_files import write_result

        write_result(result, out, parquet=parquet)
    _print(result, read.notes, form)
    if out is not None:
        click.echo(f"result written to {out}", err=True)


def _print(result: Result, notes: Sequence[str], form: str) -> None:
    if form == "json":
        # The bytes of result.json, whatever the locale.
        sys.stdout.flush()
        sys.stdout.buffer.write(result.to_json().encode())
    elif form == "csv":
        from vsim.samples.tables import metrics_table, sweep_table, to_csv

        click.echo(to_csv(sweep_table(result) if result.sweep else metrics_table(result)), nl=False)
    else:
        from vsim.cli._table import markdown, text

        if form == "md":
            click.echo(markdown(result, notes))
        else:
            width = max(30, shutil.get_terminal_size().columns)
            click.echo(text(result, width, notes), color=False if os.environ.get("NO_COLOR") else None)
