"""``vsim image``: the layers of images, what they share, and how long they take to be pulled."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vsim.experiment.pulls import PullPlan, PullTime
    from vsim.scenario.images import DescribedImage

__all__ = ["command"]

_FORMATS = click.Choice(["table", "json", "csv", "md"])


@click.group(name="image")
def command() -> None:
    """Look at the layers of images, and at what pulling them takes."""


@command.command(
    name="inspect",
    epilog="IMAGE is a name that the local Docker engine knows, a folder or tar archive with an OCI layout, or an "
    "archive of `docker save`. Nothing is pulled. An engine keeps layers uncompressed: --compress says how large they "
    "are in a registry. --format json can be kept for `vsim image pull-time`.",
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("--compress", is_flag=True, help="Compress layers that aren't, to know their size in a registry (slow).")
@click.option("--format", "form", type=_FORMATS, default="table", help="How to print them.")
def inspect(images: tuple[str, ...], compress: bool, form: str) -> None:
    """Print the layers of images with their sizes, and what the images share."""
    from vsim.scenario.images import to_data

    found = [image for name in images for image in _read(name, compress=compress)]
    if form == "json":
        import json

        click.echo(json.dumps(to_data(found), indent=1, ensure_ascii=False))
        return
    _show(_layer_lines(found), "<<>>><", form)
    if form != "csv":
        for line in _shared(found):
            click.echo(line, err=form == "md")


@command.command(
    name="pull-time",
    epilog="IMAGE is what `vsim image inspect` takes, or a file that it wrote as JSON. Nothing is pulled: the times "
    "are simulated, from the profile's parameters. `after` is on a host that has pulled those before it in the list.",
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("--registry", default="docker-hub", show_default=True, metavar="NAME", help="Where they are pulled from.")
@click.option("--bandwidth", metavar="RATE", help="Of the registry's link, in place of the profile's: 100 Mbit/s.")
@click.option("--machine", default="rack-server", show_default=True, metavar="NAME", help="What pulls.")
@click.option("--hosts", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many pull at once.")
@click.option("--puller", default="docker-pull", show_default=True, metavar="NAME", help="The engine's way to pull.")
@click.option("--profile", "profiles", multiple=True, metavar="FILE", help="A profile on top of the built-in one.")
@click.option("--compress", is_flag=True, help="Compress layers of the engine to know their size in a registry (slow).")
@click.option("--format", "form", type=_FORMATS, default="table", help="How to print them.")
def pull_time(
    images: tuple[str, ...],
    registry: str,
    bandwidth: str | None,
    machine: str,
    hosts: int,
    puller: str,
    profiles: tuple[str, ...],
    compress: bool,
    form: str,
) -> None:
    """Simulate how long pulling images takes: cold, after the others, and warm."""
    from vsim.calibration.profile_file import load_profile
    from vsim.experiment.pulls import PullPlan, pull_times

    profile = load_profile(*profiles)
    rate = None if bandwidth is None else _rate(bandwidth)
    plan = PullPlan.of(profile, registry, puller, machine, hosts=hosts, bytes_per_s=rate)
    found = [image for name in images for image in _read(name, compress=compress, described=True)]
    ratio = profile.quantities["process.startup.fetch.image_write"].value
    times = pull_times(found, plan, ratio=ratio)
    if form == "json":
        import json

        click.echo(json.dumps(_times_data(times, plan), indent=1, ensure_ascii=False))
        return
    _show(_time_lines(times), "<>>>>>>", form)
    if any(time.estimated for time in times):
        click.echo(f"note: sizes that aren't known are estimated at {ratio:.1f} bytes uncompressed to one", err=True)


def _rate(text: str) -> float:
    from vsim.errors import InputError
    from vsim.scenario.units import parse
    from vsim.scenario.validation import Refused

    try:
        return parse(text, "bytes/s", positive=True)
    except Refused as refused:
        raise InputError(f"--bandwidth: {refused}", hint=refused.hint) from None


def _read(name: str, *, compress: bool, described: bool = False) -> Sequence[DescribedImage]:
    """Return the images that `name` stands for: a path where there is one, else one of the engine."""
    from pathlib import Path

    from vsim.scenario.images import read_description, read_stored

    path = Path(name)
    if path.exists():
        if described and path.suffix in (".json", ".yaml", ".yml"):
            return read_description(path)
        return read_stored(path)
    if name.startswith((".", "/")) or path.suffix in (".tar", ".json", ".yaml", ".yml"):
        from vsim.errors import InputError, Place

        raise InputError("there is no such file or folder", place=Place(name), hint="check the path")
    from vsim.bench.engine_images import read_engine_image

    return read_engine_image(name, compress=compress)


# -- printing ----------------------------------------------------------------------------------------------------------


def _show(lines: Sequence[Sequence[str]], alignment: str, form: str) -> None:
    from vsim.cli._columns import columns, markdown

    if form == "csv":
        import csv
        import io

        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        click.echo(text.getvalue(), nl=False)
    elif form == "md":
        click.echo("\n".join(markdown(lines)))
    else:
        width = max(60, shutil.get_terminal_size().columns)
        click.echo(columns(lines, alignment, width), color=False if os.environ.get("NO_COLOR") else None)


def _size(value: int | None) -> str:
    if value is None:
        return "–"
    amount, unit = float(value), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.3g} {unit}"


def _layer_lines(images: Sequence[DescribedImage]) -> list[list[str]]:
    lines = [["image", "layer", "compressed", "uncompressed", "files", "made by"]]
    for image in images:
        for layer in image.layers:
            files = "–" if layer.files is None else f"{layer.files:,}"
            made = " ".join("".join(c if c.isprintable() else " " for c in layer.created_by).split())
            digest = layer.digest.partition(":")[2][:12] or layer.digest[:12]
            row = [image.name, digest, _size(layer.compressed_bytes), _size(layer.uncompressed_bytes), files, made]
            lines.append(row)
        packed = [layer.compressed_bytes for layer in image.layers]
        plain = [layer.uncompressed_bytes for layer in image.layers]
        count = len(image.layers)
        lines.append(
            [
                image.name,
                f"{count} layer{'' if count == 1 else 's'}",
                _size(None if None in packed else sum(filter(None, packed))),
                _size(None if None in plain else sum(filter(None, plain))),
                "",
                image.platform,
            ]
        )
    return lines


def _shared(images: Sequence[DescribedImage]) -> list[str]:
    """Return what each two of the images share, in words."""
    from itertools import combinations

    found: list[str] = []
    if len(images) < 2:
        return found
    for one, other in combinations(images[:20], 2):
        first, second = one.to_image(1.0)[0], other.to_image(1.0)[0]
        shared = first.shared_with(second)
        if shared:
            size = _size(sum(layer.uncompressed_bytes for layer in shared))
            found.append(
                f"{one.name} and {other.name} share {len(shared)} of their layers, {size}: kept and pulled once"
            )
        else:
            found.append(f"{one.name} and {other.name} share nothing")
    return ["", *found]


def _time_lines(times: Sequence[PullTime]) -> list[list[str]]:
    lines = [["image", "layers", "cold", "transferred", "after", "transferred", "warm"]]
    for time in times:
        lines.append(
            [
                time.image.name,
                str(len(time.image.layers)),
                _seconds(time.cold_s),
                _size(time.cold_bytes),
                _seconds(time.after_s),
                _size(time.after_bytes),
                _seconds(time.warm_s),
            ]
        )
    return lines


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 0.9995 else f"{value * 1000:.3g} ms"


def _times_data(times: Sequence[PullTime], plan: PullPlan) -> dict[str, object]:
    return {
        "registry": plan.registry.name,
        "puller": plan.puller.name,
        "machine": plan.machine.name,
        "hosts": plan.hosts,
        "parameters": plan.sources(),
        "images": [
            {
                "name": time.image.name,
                "estimated_sizes": time.estimated,
                "cold_s": time.cold_s,
                "cold_bytes": time.cold_bytes,
                "after_s": time.after_s,
                "after_bytes": time.after_bytes,
                "warm_s": time.warm_s,
            }
            for time in times
        ],
    }
