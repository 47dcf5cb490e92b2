"""``vsim calibrate``: samples become a profile, with what was fitted, and what wasn't and why."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from vsim.calibration.fitting import Report

__all__ = ["command"]


@click.command(
    name="calibrate",
    epilog="The profile has a machine named like the host, and a stack for each rung: `vsim simulate --on "
    "docker@HOST --profile PROFILE` compares them, `vsim validate PROFILE SAMPLES` says how far off they are.",
)
@click.argument("files", nargs=-1, required=True, metavar="SAMPLES...")
@click.option("--out", required=True, metavar="PROFILE", help="Where the profile goes.")
@click.option("--name", metavar="NAME", help="What the profile calls the machine (default: its host name).")
@click.option("--host", metavar="NAME", help="Of samples of several hosts, those of this one.")
@click.option("--driver", "drivers", multiple=True, metavar="NAME", help="A rung to fit (repeat; default: all).")
@click.option("--simulated", is_flag=True, help="Take samples of a simulation: what does calibration recover?")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def command(
    files: tuple[str, ...],
    out: str,
    name: str | None,
    host: str | None,
    drivers: tuple[str, ...],
    simulated: bool,
    form: str,
) -> None:
    """Turn what was measured on a host into a profile of it."""
    from vsim.api import calibrate
    from vsim.errors import HostError

    found = calibrate(files, name=name, host=host, drivers=drivers, simulated=simulated, progress=_progress())
    # Loaded before it is written: a profile that can't be used is a bug here, not a file of the user's.
    warnings = found.profile.warnings
    try:
        Path(out).write_text(found.text, encoding="utf-8")
    except OSError as error:
        raise HostError(f"{out} can't be written: {error.strerror or error}", hint="name another file") from None
    if form == "json":
        import json

        click.echo(json.dumps(_data(found.report), indent=1, ensure_ascii=False))
    else:
        click.echo(_text(found.report), color=False if os.environ.get("NO_COLOR") else None)
    for warning in warnings:
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {warning}", err=True)
    click.echo(f"profile written to {out}", err=True)


def _progress() -> Callable[[str, int, int], None] | None:
    """Return what says which start is being fitted: it takes seconds for each. In a pipe there is nobody to tell."""
    if not sys.stderr.isatty():
        return None

    def tell(driver: str, number: int, count: int) -> None:
        click.echo(f"\r\x1b[Kfitting {driver}, {number + 1} of {count}\r", err=True, nl=number + 1 == count)

    return tell


def _data(report: Report) -> dict[str, Any]:
    return {
        "machine": report.machine,
        "host": report.hostname,
        "runs": list(report.runs),
        "architectures": report.architectures,
        "fitted": {
            name: {"value": e.value, "low": e.low, "high": e.high, "unit": e.unit, "n": e.n}
            for name, e in report.fitted.items()
        },
        "left_out": [{"what": each.what, "why": each.why} for each in report.left_out],
        "notes": list(report.notes),
        "ladder": [
            {
                "driver": rung.driver,
                "alone_s": rung.alone_s,
                "beyond_process_s": rung.beyond_process_s,
                "below": rung.below,
                "beyond_below_s": rung.beyond_below_s,
            }
            for rung in report.ladder
        ],
    }


def _text(report: Report) -> str:
    from vsim.cli._columns import columns

    width = max(60, shutil.get_terminal_size().columns)
    parts = []
    if report.ladder:
        rows = [["rung", "start alone", "beyond process", "beyond below", "which is"]]
        for rung in report.ladder:
            beyond, below = rung.beyond_process_s, rung.beyond_below_s
            rows.append(
                [
                    rung.driver,
                    _interval(*rung.alone_s, "s"),
                    "" if beyond is None else _interval(*beyond, "s"),
                    "" if below is None else _interval(*below, "s"),
                    "" if below is None else rung.below or "",
                ]
            )
        parts.append(columns(rows, "<>>><", width))
    lines = [["fitted", "value and 95 %", "n"]]
    group = ""
    for name, each in report.fitted.items():
        owner, _, rest = name.partition(".")
        if owner != group:
            lines.append([owner, "", ""])
            group = owner
        lines.append([f"  {rest}", _interval(each.value, each.low, each.high, each.unit), str(each.n)])
    parts.append(columns(lines, "<>>", width))
    if report.left_out:
        parts.append("left to the lower source:\n" + "\n".join(f"  {e.what}: {e.why}" for e in report.left_out))
    if report.notes:
        parts.append("notes:\n" + "\n".join(f"  {note}" for note in report.notes))
    parts.append(f"architectures: {', '.join(report.architectures)}")
    return "\n\n".join(parts)


# The units that a value is shown in, the largest first.
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
_SCALES = {
    "s": _SECONDS,
    "core-s": tuple((factor, f"core-{unit}") for factor, unit in _SECONDS),
    "bytes": _BYTES,
    "bytes/s": tuple((factor, f"{unit}/s") for factor, unit in _BYTES),
}


def _interval(value: float, low: float, high: float, unit: str) -> str:
    """Return a value and the ends of its interval, in the unit that suits the value: `12.3 ms [11.0, 14.1]`."""
    scales = _SCALES.get(unit, ((1.0, "" if unit == "1" else unit),))
    factor, shown = next((scale for scale in scales if abs(value) >= scale[0]), scales[-1])
    middle, *ends = (f"{number / factor:#.3g}".rstrip(".") for number in (value, low, high))
    return f"{middle} {shown}".strip() + f" [{', '.join(ends)}]"
