"""``vsim simulate PLAN``: what `vsim bench` does, in simulated time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from vsim.cli._progress import ProgressBar

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.model.plan import Plan
    from vsim.samples.records import Run, Samples

__all__ = ["run"]

# Of kinds of sources, the best first.
_KINDS = ("measured", "published", "derived", "assumed")


def run(
    plan: Plan, profile: Profile, drivers: Sequence[str], on: Sequence[str], seed: int | None, out: str | None
) -> None:
    """Carry the plan out, write its samples to the new file `out`, if any, and print the tables."""
    from vsim.api import simulate_plan

    with ProgressBar() as progress:
        samples = simulate_plan(plan, profile=profile, drivers=drivers, on=on, seed=seed, out=out, progress=progress)
    tables = [_run(samples, each, plan, profile, several=len(samples.runs) > 1) for each in samples.runs]
    click.echo("\n\n".join(tables), color=False if os.environ.get("NO_COLOR") else None)
    for line in dict.fromkeys(line for each in samples.runs for line in _left_out(each)):
        click.echo(f"left out: {line}", err=True)
    if samples.failures:
        click.echo(f"{len(samples.failures)} failures were recorded", err=True)
    if out is not None:
        click.echo(f"{len(samples.samples)} samples in {out}", err=True)


def _run(samples: Samples, own: Run, plan: Plan, profile: Profile, *, several: bool) -> str:
    from vsim.cli._bench_table import table
    from vsim.samples.summary import BASE, summarize

    base = next((name for name in (BASE, "bare-metal") if name in own.drivers), own.drivers[0])
    rows = summarize((sample for sample in samples.samples if sample.run_id == own.run_id), base=base)
    machine = own.environment["hostname"]
    parts = [click.style(machine, bold=True)] if several else []
    parts.append(table(rows, plan, base=base) or "nothing could be simulated")
    notes = [f"medians with bootstrap intervals over blocks; × {base} is paired within blocks"] if rows else []
    notes.append(f"simulated on {machine} with the profile {profile.name}: {_sources(profile, own.drivers, machine)}")
    parts.append("\n".join(notes))
    return "\n\n".join(parts)


def _sources(profile: Profile, drivers: Sequence[str], machine: str) -> str:
    """Say how many of the parameters of the rungs have which kind of source, and where they were measured."""
    from vsim.cli._table import on_hosts

    used = {
        quantity.name: quantity.source
        for driver in drivers
        for quantity in profile.used_by(profile.architecture(f"{driver}@{machine}"))
    }
    kinds = [source.kind for source in used.values()]
    counts = {kind: f"{kinds.count(kind)} {kind}" for kind in _KINDS if kind in kinds}
    if "measured" in counts:
        counts["measured"] += on_hosts(source.host for source in used.values() if source.kind == "measured")
    told = ", ".join(counts.values())
    return f"{len(kinds)} parameters, {told}"


def _left_out(run: Run) -> list[str]:
    """Return what was left out, a line for each step and reason, with all rungs that it is true of."""
    found: dict[tuple[str, str], list[str]] = {}
    for text in run.left_out:
        where, _, reason = text.partition(": ")
        step, _, driver = where.partition(" with ")
        found.setdefault((step, reason), []).append(driver)
    return [f"{step} with {', '.join(drivers)}: {reason}" for (step, reason), drivers in found.items()]
