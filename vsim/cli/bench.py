"""``vsim bench``: measure this host, rung by rung."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vsim.bench.run import Lacking
    from vsim.bench.runner import Outcome
    from vsim.cli._bench_progress import Progress
    from vsim.model.plan import Plan
    from vsim.samples.records import Sample

__all__ = ["command"]


def _suites(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    from vsim.model.plan import SUITES

    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    for name in names:
        if name not in SUITES:
            raise click.BadParameter(f"{name!r} is none of {', '.join(SUITES)}.", ctx, param)
    if not names:
        raise click.BadParameter("name at least one suite.", ctx, param)
    return names


@click.command(
    name="bench",
    epilog="PLAN is a YAML file; without one, the suites named by --suite are run in their standard sizes. Samples are "
    "written one by one: what was measured before an interruption is kept, and --resume goes on.",
)
@click.argument("plan", required=False, metavar="[PLAN]")
@click.option("--suite", metavar="NAME,…", callback=_suites, help="What to measure (default: startup,memory).")
@click.option("--driver", "drivers", multiple=True, metavar="NAME", help="A rung to measure (repeat; default: all).")
@click.option("--quick", is_flag=True, help="Small sizes: a table within three minutes.")
@click.option("--blocks", type=click.IntRange(min=1), help="How often every rung is measured.")
@click.option("--seed", type=click.IntRange(min=0), help="The seed of the order within blocks.")
@click.option(
    "--time-limit", type=click.FloatRange(min=1), metavar="S", help="End after so many seconds at the latest."
)
@click.option("--note", metavar="TEXT", help="What should be known of this host, kept in the run's record.")
@click.option("--resume", "resuming", is_flag=True, help="Go on with the interrupted run in --out.")
@click.option(
    "--import",
    "imported",
    metavar="FILE",
    help="Measure nothing; turn JSON of pytest-benchmark, fio or hyperfine into samples.",
)
@click.option("--out", metavar="SAMPLES", help="Where the samples go (default: vsim-<time>.jsonl here).")
def command(
    plan: str | None,
    suite: tuple[str, ...] | None,
    drivers: tuple[str, ...],
    quick: bool,
    blocks: int | None,
    seed: int | None,
    time_limit: float | None,
    note: str | None,
    resuming: bool,
    imported: str | None,
    out: str | None,
) -> None:
    """Measure what each rung costs on this host: process, sandbox, container, virtual machine."""
    from pathlib import Path

    if imported is not None:
        if resuming or plan or suite or drivers or quick or blocks or seed is not None or time_limit or note:
            raise click.UsageError("--import takes nothing but --out.")
        _import(imported, Path(out) if out is not None else _new_file())
        return
    if resuming:
        if out is None:
            raise click.UsageError("--resume needs --out SAMPLES: the file to go on with.")
        if plan or suite or drivers or quick or blocks or seed is not None or time_limit or note:
            raise click.UsageError("--resume takes plan, drivers and seed from the file; leave the other options out.")
        _resume(Path(out))
        return
    if plan is not None and (suite or quick):
        raise click.UsageError("a PLAN says what is measured; leave --suite and --quick out.")
    from vsim.bench.run import choose_drivers, run

    made = _plan(plan, suite, quick=quick, blocks=blocks, seed=seed, time_limit=time_limit)
    chosen, lacking = choose_drivers(drivers)
    _tell_lacking(lacking)
    target = Path(out) if out is not None else _new_file()
    fit = quick and blocks is None
    progress = _progress()
    try:
        outcome = run(made, chosen, target, observer=progress, fit=fit, note=note)
    finally:
        progress.close()
    _finish(target, outcome, drivers)


def _import(file: str, out: Path) -> None:
    from vsim.bench.imports import read_foreign
    from vsim.samples.records import SampleWriter

    records = read_foreign(file)
    with SampleWriter(out) as writer:
        for record in records:
            writer.write(record)
    click.echo(f"{len(records) - 1} samples in {out}", err=True)


def _resume(out: Path) -> None:
    from vsim.bench.run import resume
    from vsim.samples.records import read_samples

    run = read_samples(out).runs[-1]
    progress = _progress()
    try:
        outcome = resume(out, observer=progress)
    finally:
        progress.close()
    _finish(out, outcome, run.drivers)


def _plan(
    file: str | None,
    suite: tuple[str, ...] | None,
    *,
    quick: bool,
    blocks: int | None,
    seed: int | None,
    time_limit: float | None,
) -> Plan:
    import dataclasses

    from vsim.model.plan import preset

    if file is not None:
        from vsim.scenario.plan_file import read_plan

        plan = read_plan(file)
    else:
        plan = preset(suite or ("startup", "memory"), quick=quick)
    return dataclasses.replace(
        plan,
        blocks=plan.blocks if blocks is None else blocks,
        seed=plan.seed if seed is None else seed,
        time_limit_s=plan.time_limit_s if time_limit is None else time_limit,
    )


def _progress() -> Progress:
    from vsim.cli._bench_progress import Progress

    return Progress()


def _new_file() -> Path:
    import time
    from pathlib import Path

    return Path(time.strftime("vsim-%Y%m%d-%H%M%S.jsonl"))


def _tell_lacking(lacking: tuple[Lacking, ...]) -> None:
    if lacking:
        names = ", ".join(each.driver.name for each in lacking)
        click.echo(f"not on this host: {names} (`vsim doctor` says why)", err=True)


def _finish(out: Path, outcome: Outcome, wanted: Sequence[str]) -> None:
    """Print the summary of the run that `out` ends with, and say what went wrong in it.

    Raises HostError when one of the `wanted` drivers failed for good: who named it doesn't get what was asked for.
    """
    from vsim.cli._bench_table import short, table
    from vsim.errors import HostError
    from vsim.samples.plans import plan_from_data
    from vsim.samples.records import read_samples
    from vsim.samples.summary import median_interval, summarize

    samples = read_samples(out)
    run = samples.runs[-1]
    own = [sample for sample in samples.samples if sample.run_id == run.run_id]
    rows = summarize(own)
    text = table([row for row in rows if row.suite != "canary"], plan_from_data(run.plan))
    lines = [text] if text else ["nothing was measured"]
    notes = _notes(own, [row.flags for row in rows])
    canary = [[s.value for s in own if s.metric == "fork_exec_s" and s.block == b] for b in {s.block for s in own}]
    canary = [values for values in canary if values]
    if canary:
        interval = median_interval(canary)
        notes.insert(0, f"canary (fork and exec): {short(interval.value, 's')}, {_spread(canary)}")
    click.echo("\n".join([*lines, "", *notes]), color=False if os.environ.get("NO_COLOR") else None)
    failures = [failure for failure in samples.failures if failure.run_id == run.run_id]
    if failures:
        click.echo(f"{len(failures)} failures were recorded", err=True)
    for name, reason in outcome.given_up.items():
        click.echo(f"{name} was given up: {reason}", err=True)
    for name, reason in outcome.left_behind.items():
        click.echo(f"{name} could not remove everything: {reason}; `vsim clean` does, once it can", err=True)
    if outcome.stopped:
        click.echo(f"{outcome.stopped}; `vsim bench --resume --out {out}` goes on", err=True)
    click.echo(f"{len(own)} samples in {out}", err=True)
    without = {failure.driver for failure in failures} - {sample.driver for sample in own}
    lost = [name for name in wanted if name in without or name in outcome.given_up]
    if lost:
        raise HostError(
            f"{', '.join(lost)} failed on this host",
            hint=f"the failures in {out} say in which stage; `vsim bench --resume --out {out}` tries what is left",
        )


def _notes(samples: list[Sample], flags: list[tuple[str, ...]]) -> list[str]:
    notes = ["medians with bootstrap intervals over blocks; × process is paired within blocks"]
    if any(sample.driver == "null" for sample in samples):
        notes.append("null is the harness itself: subtract it from what is small")
    if any("emulated" in each for each in flags):
        notes.append("* full emulation: not to be compared with hardware virtualization")
    return notes


def _spread(blocks: list[list[float]]) -> str:
    """Say how far the canary's medians of the blocks are apart: what the host's noise is."""
    import statistics

    medians = [statistics.median(values) for values in blocks]
    return f"slowest block {max(medians) / min(medians):.1f} × the fastest"
