"""``vsim calibrate``: samples become a profile, with what was fitted, and what wasn't and why."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vsim.calibration.fitting import Report
    from vsim.calibration.fitting.ladder import Interval

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

    found = calibrate(files, name=name, host=host, drivers=drivers, simulated=simulated)
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
        rows = [["start alone", "", "beyond process", "beyond the rung below"]]
        for rung in report.ladder:
            below = "" if rung.beyond_below_s is None else f"{_interval(rung.beyond_below_s)} ({rung.below})"
            beyond = "" if rung.beyond_process_s is None else _interval(rung.beyond_process_s)
            rows.append([rung.driver, _interval(rung.alone_s), beyond, below])
        parts.append(columns(rows, "<>>>", width))
    lines = [["fitted", "value", "95 %", "n"]]
    for name, each in report.fitted.items():
        ends = f"[{_shown(each.low, each.unit)}, {_shown(each.high, each.unit)}]"
        lines.append([name, _shown(each.value, each.unit), ends, str(each.n)])
    parts.append(columns(lines, "<>>>", width))
    if report.left_out:
        parts.append("left to the lower source:\n" + "\n".join(f"  {e.what}: {e.why}" for e in report.left_out))
    parts.append(f"architectures: {', '.join(report.architectures)}")
    return "\n\n".join(parts)


def _interval(interval: Interval) -> str:
    middle, low, high = (_shown(end, "s") for end in interval)
    return f"{middle} [{low}, {high}]"


def _shown(value: float, unit: str) -> str:
    """Return a value with three significant digits in the unit that suits it."""
    from vsim.cli._bench_table import short

    if unit == "core-s":
        return short(value, "s").replace(" ", " core-")
    if unit in ("s", "bytes", "bytes/s"):
        return short(value, unit)
    return f"{value:.3g}" if unit == "1" else f"{value:.3g} {unit}"
