"""``python -m benchmarks.validate``: the loop on this host, with the thresholds. Exits with 1 if one is missed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.page import PROJECT
from benchmarks.validate import page
from benchmarks.validate.criteria import Verdict, judge
from benchmarks.validate.measuring import calibrated, kept_and_left, measure
from benchmarks.validate.sizes import FULL, QUICK, Sizes
from vsim.errors import HostError, InputError, VsimError
from vsim.experiment.holding_out import each_in_turn, split
from vsim.experiment.rehearsal import Validation, validate
from vsim.experiment.validation import Comparison, compare
from vsim.report.predicted import draw
from vsim.samples.records import Samples

__all__ = ["analyse", "main"]


def analyse(folder: Path, sizes: Sizes) -> tuple[Validation, list[Verdict]]:
    """Calibrate on one part of the samples in `folder`, predict the other, and judge; the profile stays there."""
    kept, left = kept_and_left(folder, sizes)
    found = validate(calibrated(kept, folder), left)
    return found, judge(found.rows, halves(left), sizes.limit)


def halves(samples: Samples) -> list[Comparison]:
    """Compare every second block with the others: how far apart two measurements of the same thing are."""
    blocks = each_in_turn(samples, "block")
    one, other = split(samples, blocks[1::2])
    return compare(one, other, paired=False)


def report(verdicts: Sequence[Verdict]) -> str:
    """Return a line for each criterion."""
    lines = [f"{'':<28} {'error':>8} {'limit':>7} {'noise':>8}"]
    for verdict in verdicts:
        criterion = verdict.criterion
        told = "met" if verdict.met else "MISSED" if verdict.value is not None else "NOT MEASURED"
        lines.append(
            f"{criterion.title:<28} {_size(verdict.value):>8} {criterion.limit:>7.0%} {_size(verdict.noise):>8}  {told}"
            + (f" ({criterion.judged} of several)" if criterion.judged == "median" else "")
        )
    lines.append("noise: the same between two halves of the measurement; no prediction can be better")
    return "\n".join(lines)


def _size(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure (or take what was measured), calibrate, predict, print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validate", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does the loop close?")
    parser.add_argument("--out", type=Path, help="a new folder for what comes out (default: build/validate/<time>)")
    parser.add_argument("--from", dest="earlier", type=Path, help="measure nothing: take the samples in this folder")
    parser.add_argument("--keep", metavar="NAME", help="keep the record in benchmarks/results/NAME; write the page")
    given = parser.parse_args(arguments)
    sizes = QUICK if given.quick else FULL
    try:
        folder = given.earlier or given.out or PROJECT / "build" / "validate" / time.strftime("%Y%m%d-%H%M%S")
        if given.earlier is None:
            folder.mkdir(parents=True)
            measure(folder, sizes, say)
        found, verdicts = analyse(folder, sizes)
        (folder / "validation.json").write_text(json.dumps(found.to_dict(), indent=1), encoding="utf-8")
        draw(found, folder / "predicted.png", name=folder.name)
        if given.keep:
            page.keep(folder, given.keep, found, verdicts)
    except VsimError as error:
        say(f"error: {error}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return error.exit_code
    except FileExistsError as error:
        say(f"error: {error.filename} is there already")
        return InputError.exit_code
    except OSError as error:
        say(f"error: {error}")
        return HostError.exit_code
    click.echo(report(verdicts))
    for note in found.notes:
        say(f"note: {note}")
    say(f"samples, profile, all errors and a drawing are in {folder}")
    return 0 if all(verdict.met for verdict in verdicts) else 1


def say(text: str) -> None:
    """Print a message to standard error."""
    click.echo(text, err=True)


if __name__ == "__main__":
    sys.exit(main())
