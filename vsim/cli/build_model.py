"""``vsim build-model``: which steps of a Dockerfile run again after a change, and how long that takes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vsim.experiment.builds import BuildModel, PlatformBuild, Span
    from vsim.model.building import Duration

__all__ = ["command"]

_MARKS = {"measured": "measured", "annotated": "x-vsim", "assumed": "assumed"}


@click.command(
    name="build-model",
    epilog="Nothing is built, and no file is read but the Dockerfile, .dockerignore and --timings. Durations come from "
    "--timings, from comments (`# x-vsim: 40 s` above an instruction), else from the profile; each says from where. "
    "With several platforms, those that the machine doesn't run itself are emulated.",
)
@click.argument("dockerfile", metavar="DOCKERFILE", type=click.Path(path_type=Path))
@click.option("--change", "changes", multiple=True, metavar="PATH", help="A file or folder that changes. Repeat it.")
@click.option(
    "--context", metavar="DIR", type=click.Path(path_type=Path), help="The build context; default: its folder"
)
@click.option("--target", metavar="STAGE", help="The stage to build. Default: the last one.")
@click.option("--build-arg", "arguments", multiple=True, metavar="NAME=VALUE", help="The value of an ARG.")
@click.option("--builder", type=click.Choice(["buildkit", "classic"]), default="buildkit", show_default=True)
@click.option(
    "--timings", metavar="FILE", type=click.Path(path_type=Path), help="The output of a build that was timed."
)
@click.option("--platform", "platforms", multiple=True, metavar="PLATFORM,...", help="Like linux/amd64,linux/arm64")
@click.option("--machine", default="rack-server", show_default=True, metavar="NAME", help="What builds.")
@click.option("--profile", "profiles", multiple=True, metavar="FILE", help="A profile on top of the built-in one.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "md"]), default="table")
def command(
    dockerfile: Path,
    changes: tuple[str, ...],
    context: Path | None,
    target: str | None,
    arguments: tuple[str, ...],
    builder: str,
    timings: Path | None,
    platforms: tuple[str, ...],
    machine: str,
    profiles: tuple[str, ...],
    form: str,
) -> None:
    """Say which steps of a DOCKERFILE run again after a change, and how long that takes."""
    from vsim.calibration.profile_file import load_profile
    from vsim.experiment.builds import BuildRequest, model_build

    request = BuildRequest(
        dockerfile=dockerfile,
        context=context,
        changes=changes,
        builder="classic" if builder == "classic" else "buildkit",
        build_args=dict(map(_pair, arguments)),
        target=target,
        platforms=[one.strip() for text in platforms for one in text.split(",") if one.strip()],
        machine=machine,
        timings=timings,
    )
    model = model_build(request, load_profile(*profiles))
    if form == "json":
        import json

        click.echo(json.dumps(_data(model), indent=1, ensure_ascii=False))
    elif form == "csv":
        import csv
        import io

        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(_rows(model))
        click.echo(text.getvalue(), nl=False)
    else:
        _print(model, form)
    for note in model.notes:
        click.echo(f"note: {note}", err=True)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name:
        raise click.BadParameter(f"{text!r} has no name", param_hint="--build-arg")
    # as docker does: without a value, that of the environment
    return name, value if equals else os.environ.get(name, "")


def _print(model: BuildModel, form: str) -> None:
    from vsim.cli._columns import columns, markdown

    width = max(60, shutil.get_terminal_size().columns)
    colour = False if os.environ.get("NO_COLOR") else None
    changed = bool(model.request.changes)
    for number, build in enumerate(model.builds):
        if len(model.builds) > 1:
            click.echo(f"{'' if number == 0 else chr(10)}{build.platform}: {_how(build)}")
        lines = _step_lines(build, changed=changed)
        if form == "md":
            click.echo("\n".join(markdown(lines)))
        else:
            colours = {i: "yellow" for i, line in enumerate(lines[1:], 1) if line[3] == "runs again"}
            if len(build.stages) == 1:
                lines = [[*line[:1], *line[2:]] for line in lines]  # it has one stage: no column for its name
            click.echo(columns(lines, "><<<><" if len(build.stages) > 1 else "><<><", width, colours), color=colour)
    click.echo("")
    click.echo(f"builder   {_known(model.beside)} for a build of which all is cached")
    click.echo(f"context   {_bytes(model.context_bytes)}, {_known(model.context)} to send it")
    several = len(model.builds) > 1
    order = ", one platform after another" if several else ""
    click.echo(f"cold      {_span(model.cold)}{order}")
    if changed:
        steps = {(step.number, build.platform) for build in model.builds for _, step in build.steps()}
        again = {(number, build.platform) for build in model.builds for number in build.after.reasons}
        click.echo(f"rebuild   {_span(model.warm)}: {len(again)} of {len(steps)} steps run again{order}")
    for build in model.builds if several else ():
        rebuilt = f", rebuild {_span(build.warm)}" if changed else ""
        click.echo(f"{build.platform!s:<13} cold {_span(build.cold)}{rebuilt}")


def _how(build: PlatformBuild) -> str:
    if build.emulator is None:
        return "native"
    factor = build.emulator.cpu_factor
    return (
        f"emulated, programs take {factor.value:.3g} times as long ({factor.low:.3g} to {factor.high:.3g}; "
        f"{factor.source.kind})"
    )


def _step_lines(build: PlatformBuild, *, changed: bool) -> list[list[str]]:
    named = len(build.stages) > 1
    lines = [["step", "stage", "instruction", "after the change" if changed else "", "takes", "known from"]]
    for stage, step in build.steps():
        reason = build.after.reasons.get(step.number)
        state = "" if not changed else "cached" if reason is None else "runs again"
        lines.append(
            [
                str(step.number),
                stage.title if named else "",
                "".join(c if c.isprintable() else " " for c in step.text),
                state,
                _seconds(step.duration.seconds),
                _MARKS.get(step.duration.source, ""),
            ]
        )
    return lines


def _seconds(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f} s"
    if value < 0.0005:
        return "0 ms"
    return f"{value:.3g} s" if value >= 0.9995 else f"{value * 1000:.3g} ms"


def _span(span: Span) -> str:
    if span.high - span.low < 1e-9:
        return _seconds(span.seconds)
    return f"{_seconds(span.seconds)} ({_seconds(span.low)} to {_seconds(span.high)})"


def _known(duration: Duration) -> str:
    return f"{_seconds(duration.seconds)} ({_MARKS.get(duration.source, duration.source)})"


def _bytes(size: int) -> str:
    amount, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.3g} {unit}"


def _rows(model: BuildModel) -> list[list[object]]:
    rows: list[list[object]] = [
        [
            "platform",
            "stage",
            "step",
            "line",
            "instruction",
            "runs_again",
            "reason",
            "seconds",
            "low_s",
            "high_s",
            "known_from",
        ]
    ]
    for build in model.builds:
        for stage, step in build.steps():
            reason = build.after.reasons.get(step.number, "")
            took = step.duration
            rows.append(
                [
                    str(build.platform),
                    stage.title,
                    step.number,
                    step.line,
                    step.text,
                    "yes" if reason else "no",
                    reason,
                    took.seconds,
                    took.low,
                    took.high,
                    took.source,
                ]
            )
    return rows


def _data(model: BuildModel) -> dict[str, object]:
    header, *rows = _rows(model)
    steps = [dict(zip(map(str, header), row, strict=True)) for row in rows]
    for step in steps:
        step["runs_again"] = step["runs_again"] == "yes"
    return {
        "dockerfile": str(model.request.dockerfile),
        "builder": model.request.builder,
        "machine": model.request.machine,
        "changes": list(model.request.changes),
        "context_bytes": model.context_bytes,
        "context_s": model.context.seconds,
        "build_s": model.beside.seconds,
        "cold_s": _values(model.cold),
        "rebuild_s": _values(model.warm),
        "platforms": [
            {
                "platform": str(build.platform),
                "emulated": build.emulator is not None,
                "cpu_factor": 1.0 if build.emulator is None else build.emulator.cpu_factor.value,
                "cold_s": _values(build.cold),
                "rebuild_s": _values(build.warm),
            }
            for build in model.builds
        ],
        "steps": steps,
        "parameters": {kind: list(names) for kind, names in model.parameters.items()},
        "notes": list(model.notes),
    }


def _values(span: Span) -> dict[str, float]:
    return {"value": span.seconds, "low": span.low, "high": span.high}
