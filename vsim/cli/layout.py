"""``vsim layout``: what runs where, what shares what, and who reaches whom."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vsim.experiment.layout import Layout, Path, Reach
    from vsim.scenario.scenario import Scenario

__all__ = ["command"]

# How many machines of an architecture are drawn.
MOST_HOSTS = 6
_NOTHING = "–"


@click.command(
    name="layout",
    epilog="SCENARIO is the name of a preset (default: evolution) or a YAML file. Counts are the most instances that "
    "one thing is common to; nothing is simulated in time.",
)
@click.argument("scenario", required=False)
@click.option(
    "--compose", multiple=True, metavar="FILE", help="A compose file instead of a scenario (repeat: laid on top)."
)
@click.option(
    "--compose-profile", multiple=True, metavar="NAME", help="With --compose: make the services of a profile active."
)
@click.option("--on", multiple=True, metavar="STACK@MACHINE", help="An architecture to look at (repeat for more).")
@click.option("--profile", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one.")
@click.option("--plot", metavar="FILE", help="Draw it as nested boxes: .png, .svg or .pdf.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def command(
    scenario: str | None,
    compose: tuple[str, ...],
    compose_profile: tuple[str, ...],
    on: tuple[str, ...],
    profile: tuple[str, ...],
    plot: str | None,
    form: str,
) -> None:
    """Say what runs where: what shares a kernel, how far an escape or a failure reaches, who reaches whom."""
    import dataclasses

    from vsim.api import DEFAULT_SCENARIO, load_profile, load_scenario
    from vsim.calibration.catalogue import load_compose
    from vsim.experiment.capabilities import check_capabilities
    from vsim.experiment.layout import layout, paths, reach
    from vsim.scenario.written import located

    if compose and scenario is not None:
        raise click.UsageError("--compose takes the place of a scenario.")
    if compose_profile and not compose:
        raise click.UsageError("--compose-profile goes with --compose.")
    if plot is not None:
        from vsim.report.predicted import check_target

        check_target(plot)
    loaded = load_profile(*profile)
    if compose:
        read = load_compose(*compose, profile=loaded, environment=os.environ, compose_profiles=compose_profile)
    else:
        read = load_scenario(scenario or DEFAULT_SCENARIO)
    read = dataclasses.replace(read, architectures=tuple(dict.fromkeys(on)) or read.architectures)
    architectures = []
    for name in read.architectures:
        with located(name):
            architectures.append(loaded.architecture(name))
    check_capabilities(read, architectures, loaded)
    placed = [layout(read, architecture) for architecture in architectures]
    shared = [reach(one, read.privileged) for one in placed]
    ways = [list(paths(read, one)) for one in placed]
    if plot is not None:
        from vsim.report.nested import draw_layouts

        draw_layouts(placed, plot, title=read.title, privileged=read.privileged)
    if form == "json":
        import json

        click.echo(json.dumps(_json(placed, shared, ways), indent=1, ensure_ascii=False))
    else:
        width = max(30, shutil.get_terminal_size().columns)
        lines = _lines(read, placed, shared, ways, width)
        click.echo("\n".join(lines), color=False if os.environ.get("NO_COLOR") else None)
    if plot is not None:
        click.echo(f"drawn to {plot}", err=True)


def _lines(
    scenario: Scenario, placed: Sequence[Layout], shared: Sequence[Reach], ways: Sequence[list[Path]], width: int
) -> Iterator[str]:
    from vsim.cli._table import laid_out
    from vsim.experiment.layout import unreached

    names = [one.architecture.name for one in placed]
    yield click.style(scenario.title, bold=True)
    yield ""
    rows = [
        ["hosts", *(str(len(one.hosts)) for one in placed)],
        ["share a kernel", *(str(one.kernel) for one in shared)],
        ["share a hypervisor", *(_count(one.hypervisor) for one in shared)],
        ["share a machine", *(str(one.machine) for one in shared)],
        ["share a chassis", *(_count(one.chassis) for one in shared)],
        ["kept apart by", *(one.architecture.boundary for one in placed)],
        ["an escape reaches", *(str(one.escape) for one in shared)],
        ["a failure reaches", *(str(one.failure) for one in shared)],
    ]
    if scenario.privileged:
        rows.append(["privileged reaches", *(_count(one.privileged) for one in shared)])
    yield "\n\n".join(laid_out("", names, rows, width, lambda _row, _column, padded: padded))
    if any(ways):
        yield ""
        rows = []
        for number, way in enumerate(ways[0] if ways else ()):
            label = f"{way.connection.of} → {way.connection.to}"
            rows.append([label, *(_way(each[number]) if number < len(each) else _NOTHING for each in ways)])
        yield "\n\n".join(laid_out("who reaches whom", names, rows, width, lambda _row, _column, padded: padded))
        for one, each in zip(placed, ways, strict=True):
            yield from (f"• {sentence}" for sentence in unreached(one, each))
    for one in placed:
        yield ""
        yield from _drawn(one, scenario.privileged)


def _count(number: int | None) -> str:
    return _NOTHING if number is None else str(number)


def _way(way: Path) -> str:
    if way.mode is None:
        return "no way"
    return f"{way.mode} {way.latency_s * 1e6:.3g} µs"


def _drawn(one: Layout, privileged: frozenset[str]) -> Iterator[str]:
    """Yield an architecture as nested boxes: chassis, machine, kernel, instances."""
    architecture = one.architecture
    chassis = architecture.machine.chassis
    yield click.style(architecture.name, bold=True)
    last: int | None = None
    for host in one.hosts[:MOST_HOSTS]:
        indent = "  "
        if chassis is not None:
            if host.chassis != last:
                yield f"  ┌ chassis {chassis.name}: {', '.join(chassis.parts)}"
                last = host.chassis
            indent = "  │ "
        below = architecture.stack.below
        kernel = next((layer for layer in below if layer.opens_guest), below[0])
        yield f"{indent}┌ {architecture.machine.name} {host.index + 1}: {kernel.title}"
        if one.in_guests:
            guest_kernel = architecture.stack.above[0].title
            for guest, many in Counter(host.guests).items():
                times = f" ×{many}" if many > 1 else ""
                yield f"{indent}│ ┌ {guest_kernel}{times}"
                yield f"{indent}│ │ {_inside(guest, privileged)}"
        else:
            for guest in host.guests:
                yield f"{indent}│ {_inside(guest, privileged)}"
    if len(one.hosts) > MOST_HOSTS:
        yield f"  … and {len(one.hosts) - MOST_HOSTS} more machines"


def _inside(guest: tuple[str, ...], privileged: frozenset[str]) -> str:
    parts = []
    for name, many in Counter(guest).items():
        times = f" ×{many}" if many > 1 else ""
        parts.append(f"{name}{times}{' (privileged)' if name in privileged else ''}")
    return "   ".join(parts)


def _json(placed: Sequence[Layout], shared: Sequence[Reach], ways: Sequence[list[Path]]) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "schema": "vsim.layout/1",
        "architectures": [
            {
                "name": one.architecture.name,
                "boundary": one.architecture.boundary,
                "unplaced": one.unplaced,
                "instances": asdict(common),
                "hosts": [
                    {"chassis": host.chassis, "kernels": [list(guest) for guest in host.guests]} for host in one.hosts
                ],
                "paths": [
                    {
                        "of": way.connection.of,
                        "to": way.connection.to,
                        "where": way.where,
                        "mode": way.mode,
                        "latency_s": way.latency_s,
                        "bytes_per_s": way.bytes_per_s,
                        "why": way.why,
                    }
                    for way in each
                ],
            }
            for one, common, each in zip(placed, shared, ways, strict=True)
        ],
    }
