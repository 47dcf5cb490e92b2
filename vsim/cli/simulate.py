"""``vsim simulate``: compare architectures on a workload, or carry out the plan of an experiment."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from vsim.cli._progress import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vsim.calibration import Profile
    from vsim.samples.result import Result
    from vsim.scenario import Scenario
    from vsim.scenario.document import Document

__all__ = ["command"]


def _replications(ctx: click.Context, param: click.Parameter, value: str | None) -> int | str | None:
    if value is None or value == "auto":
        return value
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is neither a number from 1 on nor auto.", ctx, param)
    return int(value)


@click.command(
    name="simulate",
    epilog="SCENARIO is the name of a preset (default: evolution) or a YAML file. A file with `schema: vsim.plan/1` is "
    "a PLAN, as `vsim bench` takes it: --driver, --on, --profile, --seed and --out SAMPLES go with it. Neither --jobs "
    "nor --backend changes a result.",
)
@click.argument("scenario", required=False, metavar="[SCENARIO|PLAN]")
@click.option(
    "--compose", multiple=True, metavar="FILE", help="A compose file instead of a scenario (repeat: laid on top)."
)
@click.option(
    "--compose-profile", multiple=True, metavar="NAME", help="With --compose: make the services of a profile active."
)
@click.option("--trace", metavar="FILE", help="Recorded demands: a file, or a folder of files.")
@click.option("--on", multiple=True, metavar="STACK@MACHINE", help="An architecture to compare (repeat for more).")
@click.option("--driver", "drivers", multiple=True, metavar="NAME", help="Of a PLAN: a rung, on the machine measured.")
@click.option("--profile", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one.")
@click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="A value of the scenario or the profile (repeat it)."
)
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
@click.option(
    "--out", metavar="DIR", help="Also write result.json and CSV tables here; of a PLAN, samples to this file."
)
@click.option("--parquet", is_flag=True, help="With --out: write the tables as Parquet, too.")
@click.option("--plot", is_flag=True, help="Draw what differs as bars, below the table.")
def command(
    scenario: str | None,
    compose: tuple[str, ...],
    compose_profile: tuple[str, ...],
    trace: str | None,
    on: tuple[str, ...],
    drivers: tuple[str, ...],
    profile: tuple[str, ...],
    settings: tuple[str, ...],
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
    plot: bool,
) -> None:
    """Compare architectures on a workload: density, start-up, latency, availability, energy, cost."""
    from vsim.api import DEFAULT_SCENARIO, load_profile, load_scenario, simulate
    from vsim.scenario.loading import PlanGivenError

    if parquet and out is None:
        raise click.UsageError("--parquet needs --out DIR.")
    if plot and form != "table":
        raise click.UsageError("--plot goes with --format table: it draws in the terminal.")
    if compose and (scenario is not None or trace is not None):
        raise click.UsageError("--compose takes the place of a scenario: neither SCENARIO nor --trace goes with it.")
    if compose_profile and not compose:
        raise click.UsageError("--compose-profile goes with --compose.")
    loaded = load_profile(*profile)
    if compose:
        from vsim.calibration.catalogue import load_compose

        read = load_compose(*compose, profile=loaded, environment=os.environ, compose_profiles=compose_profile)
    else:
        try:
            read = load_scenario(scenario or DEFAULT_SCENARIO, trace=trace)
        except PlanGivenError as given:
            _carry_out(given.document, loaded, drivers, on, seed, out)
            return
    if drivers:
        raise click.UsageError("--driver goes with a PLAN; a scenario's architectures are named by --on.")
    if out is not None:
        from vsim.samples.result_files import check_target

        check_target(out, parquet=parquet)
    _warn(loaded)
    if settings:
        from vsim.experiment.setting import apply, read_setting

        read, loaded = apply(read, loaded, dict(read_setting(text, read, loaded) for text in settings))
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
    _print(result, [*read.notes, *_unreached(read, on, loaded)], form, plot)
    if out is not None:
        click.echo(f"result written to {out}", err=True)


def _unreached(read: Scenario, on: Sequence[str], profile: Profile) -> list[str]:
    """Return a sentence for every service that can't reach one that it depends on, where placement has put them."""
    if not read.connections:
        return []
    from vsim.experiment.layout import layout, paths, unreached

    placed = [layout(read, profile.architecture(name)) for name in on or read.architectures]
    return [sentence for one in placed for sentence in unreached(one, paths(read, one))]


# What is asked about a scenario and says nothing about a plan.
_OF_SCENARIOS = (
    *("trace", "settings", "replications", "jobs", "backend", "scheduler", "sensitivity", "metric", "form"),
    *("parquet", "plot"),
)


def _carry_out(
    document: Document,
    profile: Profile,
    drivers: Sequence[str],
    on: Sequence[str],
    seed: int | None,
    out: str | None,
) -> None:
    """Carry out the plan that `document` states."""
    from vsim.cli._simulate_plan import run
    from vsim.scenario.plan_file import plan_of

    context = click.get_current_context()
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in _OF_SCENARIOS and source is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option.opts[0]} goes with a scenario, not with a plan.")
    _warn(profile)
    run(plan_of(document), profile, drivers, on, seed, out)


def _warn(profile: Profile) -> None:
    for warning in profile.warnings:
        click.echo(f"warning: {warning}", err=True)


def _print(result: Result, notes: Sequence[str], form: str, plot: bool) -> None:
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
            blocks = [text(result, width, notes)] + (_drawn(result, width) if plot else [])
            click.echo("\n\n".join(blocks), color=False if os.environ.get("NO_COLOR") else None)


def _drawn(result: Result, width: int) -> list[str]:
    """Return the headline metrics in which the architectures differ, as bars; in ASCII where the output has no more."""
    from vsim.samples.bars import bars_of, in_terminal, worth_drawing

    try:
        "█▒├┤─●".encode(sys.stdout.encoding or "ascii")
        plain = False
    except (UnicodeEncodeError, LookupError):
        plain = True
    blocks = []
    for metric in worth_drawing(result):
        title, *lines = in_terminal(bars_of(result, metric), width, plain=plain)
        blocks.append("\n".join([click.style(title, bold=True), *lines]))
    if not blocks:
        return ["Nothing to draw: the architectures don't differ in any headline metric."]
    key = (
        "# up to the 95 % interval, ~ within it; |-o-| interval and value on a log scale"
        if plain
        else "█ up to the 95 % interval, ▒ within it; ├●┤ interval and value on a log scale"
    )
    return [*blocks, key]
