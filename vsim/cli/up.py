"""``vsim up``: an application brought up, service by service, and taken down again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vsim.engine.timeline import Row
    from vsim.experiment.bringing_up import BroughtUp
    from vsim.experiment.statistics import Interval
    from vsim.model.quantity import Quantity
    from vsim.scenario import Scenario

__all__ = ["command"]


@click.command(
    name="up",
    epilog="FILE is a compose file, or the folder that it is in (default: this one); several are laid on top of each "
    "other. Nothing is started for real. The chart is that of one run, whose time is in the middle of all.",
)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--compose-profile", multiple=True, metavar="NAME", help="Make the services of a profile active.")
@click.option("--on", multiple=True, metavar="STACK@MACHINE", help="An architecture (repeat for more).")
@click.option("--profile", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one.")
@click.option("--warm", is_flag=True, help="The images are there already.")
@click.option(
    "--images", "described", multiple=True, metavar="FILE", help="What `vsim image inspect --format json` wrote."
)
@click.option("--registry", default="docker-hub", show_default=True, metavar="NAME", help="With --images: where from.")
@click.option("--build", is_flag=True, help="Build the images that have `build:`, with nothing in the cache.")
@click.option(
    "--change", "changes", multiple=True, metavar="PATH", help="With --build: all is cached but what this changes."
)
@click.option("--down", is_flag=True, help="Show how it is taken down, too.")
@click.option("--seed", type=click.IntRange(min=0), help="The seed of all random draws.")
@click.option("--replications", type=click.IntRange(1, 10_000), help="How often it is brought up (default: 10 times).")
@click.option("--plot", metavar="FILE", help="Draw the chart: .png, .svg or .pdf.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "md"]), default="table")
def command(
    files: tuple[str, ...],
    compose_profile: tuple[str, ...],
    on: tuple[str, ...],
    profile: tuple[str, ...],
    warm: bool,
    described: tuple[str, ...],
    registry: str,
    build: bool,
    changes: tuple[str, ...],
    down: bool,
    seed: int | None,
    replications: int | None,
    plot: str | None,
    form: str,
) -> None:
    """Say how an application comes up: what is pulled, created, started and healthy when, and what waits for what."""
    import dataclasses

    from vsim.api import load_profile
    from vsim.calibration.catalogue import load_application
    from vsim.experiment.bringing_up import bring_up, parameters_of, pulling_of

    if changes and not build:
        raise click.UsageError("--change goes with --build.")
    if plot is not None:
        from vsim.report.predicted import check_target

        check_target(plot)
    loaded = load_profile(*profile)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    application = load_application(
        *(files or (".",)), profile=loaded, environment=os.environ, compose_profiles=compose_profile, builds=build
    )
    read = application.scenario
    read = dataclasses.replace(
        read,
        architectures=tuple(dict.fromkeys(on)) or read.architectures,
        start=dataclasses.replace(read.start, images="warm") if warm else read.start,
        run=read.run if seed is None else dataclasses.replace(read.run, seed=seed),
    )
    application = dataclasses.replace(application, scenario=read)
    pulling = None
    if described:
        from vsim.scenario.images import read_description

        pulling = pulling_of([image for path in described for image in read_description(path)], loaded, registry)
    found = bring_up(application, loaded, replications=replications, changes=changes, pulling=pulling)
    used = parameters_of(read, loaded, pulling)
    if plot is not None:
        from vsim.report.gantt import draw_bringing_up

        draw_bringing_up(found, plot, title=read.title, down=down)
    if form == "json":
        import json

        click.echo(json.dumps(_json(read, found, loaded.name, used), indent=1, ensure_ascii=False))
    elif form == "csv":
        click.echo(_csv(found, down=down), nl=False)
    elif form == "md":
        click.echo("\n".join(_markdown(read, found, _footer(read, found, loaded.name, used), down=down)))
    else:
        width = max(50, shutil.get_terminal_size().columns)
        lines = _lines(read, found, _footer(read, found, loaded.name, used), width, down=down)
        click.echo("\n".join(lines), color=False if os.environ.get("NO_COLOR") else None)
    if plot is not None:
        click.echo(f"drawn to {plot}", err=True)


def _lines(
    read: Scenario, found: Sequence[BroughtUp], footer: Iterable[str], width: int, *, down: bool
) -> Iterator[str]:
    import textwrap

    from vsim.cli._gantt import chart, legend

    yield click.style(read.title, bold=True)
    shown: list[Row] = []
    for one in found:
        yield ""
        yield from textwrap.wrap(f"{one.architecture}: {_told(one)}", width)
        yield from chart(one.shown.up, width, ends=True)
        shown += one.shown.up
        if down:
            yield f"and down again after {_spread(one.down)}"
            yield from chart(one.shown.down, width, ends=False)
            shown += one.shown.down
    yield ""
    yield from legend(shown, width)
    if read.notes:
        yield ""
        yield "How the file was read:"
        for note in read.notes:
            yield from textwrap.wrap(note, width, initial_indent="• ", subsequent_indent="  ", break_long_words=False)
    yield ""
    for line in footer:
        yield from textwrap.wrap(line, width)


def _told(one: BroughtUp) -> str:
    """Return in words when it was started and up, or why it wasn't."""
    if one.up is None or one.started is None:
        return f"not up: {one.failure}"
    told = f"started after {_spread(one.started)}, up after {_spread(one.up)}"
    if one.failed:
        told += f"; not up in {one.failed} of {one.runs} runs: {one.failure}"
    return told


def _spread(interval: Interval) -> str:
    """Return a mean and its interval, in brackets, where there is one to tell."""
    from vsim.cli._gantt import seconds
    from vsim.samples.human import format_range

    mean = seconds(interval.mean)
    if interval.low is None or interval.high is None or interval.high <= interval.low:
        return mean
    low, high = max(0.0, interval.low), interval.high
    return f"{mean} ({format_range('startup_p50_s', low, high, 's')})"


def _footer(read: Scenario, found: Sequence[BroughtUp], profile: str, used: Sequence[Quantity]) -> Iterator[str]:
    from vsim.samples.result import KINDS

    runs = found[0].runs
    many = "1 run" if runs == 1 else f"{runs} runs: means with 95 % intervals, and the one in the middle"
    yield f"seed {read.run.seed} · {many} · profile {profile}"
    counts = ", ".join(f"{sum(q.source.kind == kind for q in used)} {kind}" for kind in KINDS)
    yield f"{len(used)} parameters: {counts} (vsim explain)"


# -- as data -----------------------------------------------------------------------------------------------------------


def _json(read: Scenario, found: Sequence[BroughtUp], profile: str, used: Sequence[Quantity]) -> dict[str, Any]:
    return {
        "schema": "vsim.timeline/1",
        "title": read.title,
        "seed": read.run.seed,
        "replications": found[0].runs,
        "profile": profile,
        "architectures": [
            {
                "name": one.architecture,
                "started": _estimate(one.started),
                "up": _estimate(one.up),
                "down": _estimate(one.down),
                "failed": one.failed,
                "failure": one.failure,
                "shown": {
                    "started_s": one.shown.started_s,
                    "up_s": one.shown.up_s,
                    "up": [_row(row) for row in one.shown.up],
                    "down_s": one.shown.down_s,
                    "down": [_row(row) for row in one.shown.down],
                },
            }
            for one in found
        ],
        "parameters": [
            {"name": q.name, "value": q.value, "low": q.low, "high": q.high, "unit": q.unit, "source": str(q.source)}
            for q in used
        ],
        "notes": list(read.notes),
    }


def _estimate(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    return {"value": interval.mean, "low": interval.low, "high": interval.high, "unit": "s"}


def _row(row: Row) -> dict[str, Any]:
    return {
        "service": row.service,
        "instance": row.number,
        "host": row.host,
        "outcome": row.outcome,
        "started_s": row.started_s,
        "ready_s": row.ready_s,
        "end_s": row.end_s,
        "phases": [{"phase": span.phase, "begin_s": span.begin_s, "end_s": span.end_s} for span in row.spans],
    }


def _csv(found: Sequence[BroughtUp], *, down: bool) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["architecture", "direction", "service", "instance", "host", "phase", "begin_s", "end_s"])
    for one in found:
        for direction, rows in (("up", one.shown.up), ("down", one.shown.down if down else ())):
            for row in rows:
                for span in row.spans:
                    place = [row.service, row.number, row.host]
                    writer.writerow([one.architecture, direction, *place, span.phase, span.begin_s, span.end_s])
    return text.getvalue()


def _markdown(read: Scenario, found: Sequence[BroughtUp], footer: Iterable[str], *, down: bool) -> Iterator[str]:
    from vsim.cli._columns import markdown
    from vsim.cli._gantt import WORDS, seconds
    from vsim.engine.timeline import slowest

    yield f"## {read.title}"
    for one in found:
        directions = [("up", one.shown.up), *([("down", one.shown.down)] if down else [])]
        for direction, rows in directions:
            told = _told(one) if direction == "up" else f"down after {_spread(one.down)}"
            yield from ("", f"### {one.architecture}", "", f"{told[0].upper()}{told[1:]}.", "")
            used = {span.phase for row in rows for span in row.spans}
            phases = [phase for phase in WORDS if phase in used]
            table = [["", *(WORDS[phase] for phase in phases), direction]]
            for name, row in slowest(rows):
                spent = [sum(one.end_s - one.begin_s for one in row.spans if one.phase == phase) for phase in phases]
                end = row.outcome if row.end_s is None else f"{seconds(row.end_s)}, {row.outcome}"
                if direction == "down" and row.end_s is not None:
                    end = seconds(row.end_s)
                table.append([name, *(seconds(time) if time else "" for time in spent), end])
            yield from markdown(table)
    if read.notes:
        yield from ("", "How the file was read:", "", *(f"- {note}" for note in read.notes))
    yield from ("", " ".join(f"{line}." for line in footer))
