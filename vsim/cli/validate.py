"""``vsim validate``: the same plan in both worlds, and the error of each metric."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vsim.experiment.rehearsal import Validation

__all__ = ["command"]


def _fraction(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Return 0.1 for `0.1` and for `10%`."""
    if value is None:
        return None
    bare = value.strip().removesuffix("%").strip()
    try:
        number = float(bare) / (100 if bare != value.strip() else 1)
    except ValueError:
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise click.BadParameter(f"{value!r} is no error: write 0.1, or 10%.", ctx, param)
    return number


@click.command(
    name="validate",
    epilog="PROFILE is what `vsim calibrate` has made; every run in SAMPLES is carried out in simulated time with it. "
    "With --leave-out or --leave-one-out there is no PROFILE: the samples are calibrated without what is left out, "
    "which is then predicted.",
)
@click.argument("files", nargs=-1, required=True, metavar="[PROFILE] SAMPLES...")
@click.option(
    "--leave-out",
    "selections",
    multiple=True,
    metavar="WHAT",
    help="Calibrate without concurrency=8,16, density>40, rate>=500, block=0..4 or run=ID, and predict that (repeat).",
)
@click.option(
    "--leave-one-out",
    "one_by_one",
    type=click.Choice(["concurrency", "rate", "block", "run"]),
    help="Leave out each value in turn.",
)
@click.option("--machine", metavar="NAME", help="The profile's machine that the samples were taken on.")
@click.option("--metric", "metrics", multiple=True, metavar="METRIC", help="Compare this only (repeat for more).")
@click.option("--max-error", metavar="F", callback=_fraction, help="Exit with 1 if a row is further off: 0.1, or 10%.")
@click.option("--blocks", type=click.IntRange(min=1), help="How many blocks are simulated at least (default: 30).")
@click.option("--plot", metavar="FILE", help="Draw predicted against measured: .png, .svg or .pdf.")
@click.option("--all", "everything", is_flag=True, help="Show all rows, not only those with the largest errors.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "md"]), default="table")
def command(
    files: tuple[str, ...],
    selections: tuple[str, ...],
    one_by_one: str | None,
    machine: str | None,
    metrics: tuple[str, ...],
    max_error: float | None,
    blocks: int | None,
    plot: str | None,
    everything: bool,
    form: str,
) -> None:
    """Predict runs that were measured, and print how far off that is."""
    from vsim.api import validate
    from vsim.errors import ThresholdError

    if plot is not None:
        from vsim.report.predicted import check_target

        check_target(plot)
    crossed = bool(selections) or one_by_one is not None
    if selections and one_by_one:
        raise click.UsageError("--leave-out and --leave-one-out don't go together.")
    if crossed and machine is not None:
        raise click.UsageError("--machine goes with a PROFILE: what is calibrated here knows its host.")
    if crossed and files[0].endswith((".yaml", ".yml")):
        raise click.UsageError(f"with --leave-out the profile is made here: leave {files[0]} out.")
    if not crossed and len(files) < 2:
        raise click.UsageError("name the PROFILE and then the SAMPLES, or leave something out with --leave-out.")
    found = validate(
        None if crossed else files[0],
        files if crossed else files[1:],
        leave_out=selections,
        leave_one_out=one_by_one,  # type: ignore[arg-type]  # click has checked it
        machine=machine,
        metrics=metrics,
        blocks=blocks,
    )
    _print(found, form, max_error, everything)
    if plot is not None:
        from vsim.report.predicted import draw

        draw(found, plot)
        click.echo(f"drawn to {plot}", err=True)
    if max_error is not None and (bad := found.exceeding(max_error)):
        worst = bad[0]
        raise ThresholdError(
            f"above {100 * max_error:g} %: {len(bad)} of {len(found.rows)} errors",
            hint=f"the largest: {worst.metric} of {worst.driver}, {worst.at}",
        )


def _print(found: Validation, form: str, limit: float | None, everything: bool) -> None:
    from vsim.cli import _validation_table as table

    if form == "json":
        import json

        click.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    elif form == "csv":
        click.echo(table.to_csv(found), nl=False)
    elif form == "md":
        click.echo(table.markdown(found))
    else:
        width = max(40, min(120, shutil.get_terminal_size().columns))
        shown = table.text(found, width=width, limit=limit, everything=everything)
        click.echo(shown, color=False if os.environ.get("NO_COLOR") else None)
