"""``vsim size``: how many of which machines an application needs to meet stated goals."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from vsim.cli._progress import ProgressBar

if TYPE_CHECKING:
    from vsim.experiment.sizing import Sizing

__all__ = ["command"]


def _measured(base: str, *, maximum: float = float("inf")) -> Callable[..., float | None]:
    """Return a callback that reads a value as scenario files write it, measured in `base`."""

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
        return None if value is None else _parsed(ctx, param, value, base, maximum)

    return read


def _parsed(ctx: click.Context, param: click.Parameter, value: str, base: str, maximum: float = float("inf")) -> float:
    from vsim.scenario.units import parse
    from vsim.scenario.validation import Refused

    try:
        return parse(value, base, maximum=maximum, positive=True)
    except Refused as refused:
        hint = f" ({refused.hint})" if refused.hint else ""
        raise click.BadParameter(f"{refused}{hint}", ctx, param) from None


def _rates(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> Any:
    """Return the one rate of all requests, or a rate for each service that is named."""
    named: dict[str, float] = {}
    whole: float | None = None
    for text in value:
        name, equals, rate = text.rpartition("=")
        number = _parsed(ctx, param, rate, "1/s", maximum=1e7)
        if not equals and whole is not None:
            raise click.BadParameter(
                "there is one rate of all requests; several go to services: web=100/s.", ctx, param
            )
        if equals:
            named[name] = number
        else:
            whole = number
    if named and whole is not None:
        raise click.BadParameter("a rate of all requests and rates of services don't go together.", ctx, param)
    return named or whole


@click.command(
    name="size",
    epilog="APP is a compose file, a scenario's file, or the name of a preset. The exit code is 1 if no architecture "
    "meets the goals.",
)
@click.argument("app")
@click.option(
    "--rate", "rates", multiple=True, metavar="[SERVICE=]RATE", callback=_rates, help="Requests from outside: 200/s."
)
@click.option(
    "--p95", "p95_s", metavar="TIME", callback=_measured("s"), help="A goal: the p95 latency is at most this."
)
@click.option(
    "--availability",
    metavar="PART",
    callback=_measured("1", maximum=1),
    help="A goal: services are up so much of the time, like 99.9%.",
)
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), metavar="MONEY", help="A goal: cost per month.")
@click.option(
    "--probability",
    metavar="PART",
    default="95%",
    callback=_measured("1", maximum=1),
    help="How probable it is to be that all goals hold (default: 95%).",
)
@click.option("--on", multiple=True, metavar="STACK@MACHINE", help="An architecture to size (repeat for more).")
@click.option("--scale", multiple=True, metavar="SERVICE", help="It keeps data, and may be replicated all the same.")
@click.option(
    "--compose-profile", multiple=True, metavar="NAME", help="Of a compose file: make the services of a profile active."
)
@click.option("--profile", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one.")
@click.option("--seed", type=click.IntRange(min=0), help="The seed of all random draws.")
@click.option("--replications", type=click.IntRange(min=1, max=10_000), help="How many say how probable it is.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "md"]), default="table")
def command(
    app: str,
    rates: Any,
    p95_s: float | None,
    availability: float | None,
    budget: float | None,
    probability: float,
    on: tuple[str, ...],
    scale: tuple[str, ...],
    compose_profile: tuple[str, ...],
    profile: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    jobs: int | None,
    form: str,
) -> None:
    """Find the fewest machines on which an application meets its goals, and how sure that is."""
    from vsim.api import load_profile, size
    from vsim.errors import ThresholdError

    loaded = load_profile(*profile)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    with ProgressBar() as progress:
        found = size(
            app,
            rate_per_s=rates,
            p95_s=p95_s,
            availability=availability,
            budget=budget,
            probability=probability,
            on=on,
            profile=loaded,
            scale=scale,
            seed=seed,
            replications=replications,
            jobs=jobs,
            environment=os.environ,
            compose_profiles=compose_profile,
            progress=progress,
        )
    _print(found, form)
    if not any(one.meets for one in found.architectures):
        raise ThresholdError(
            "no architecture meets the goals",
            hint="a longer --p95, a lower --availability, or other architectures: --on",
        )


def _print(found: Sizing, form: str) -> None:
    from vsim.cli import _size_table as table

    if form == "json":
        import json

        click.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    elif form == "csv":
        click.echo(table.to_csv(found), nl=False)
    elif form == "md":
        click.echo(table.markdown(found))
    else:
        width = max(30, shutil.get_terminal_size().columns)
        click.echo(table.text(found, width), color=False if os.environ.get("NO_COLOR") else None)
