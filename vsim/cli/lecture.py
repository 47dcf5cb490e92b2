"""``vsim lecture``: a lecture's slides, notes, figures and numbers in one archive."""

from __future__ import annotations

import os
from pathlib import Path

import click

from vsim.cli._progress import ProgressBar
from vsim.errors import HostError, InputError

__all__ = ["command"]


@click.command(
    name="lecture",
    epilog="RESULT is a directory that `vsim simulate --out` wrote, or a scenario; it takes the place of what the "
    "lecture simulates itself, in the order in which the lecture's head names its results. SAMPLES are files of "
    "`vsim bench`.",
)
@click.argument("inputs", nargs=-1, metavar="[RESULT|SAMPLES ...]")
@click.option("--out", metavar="DIR", help="Write the archive into this directory, as NAME.zip.")
@click.option("--source", metavar="FILE", help="The slides to build, in Markdown (default: those that come with vsim).")
@click.option("--copy-source", metavar="DIR", help="Only copy the slides' source to this directory, to be changed.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one."
)
@click.option("--seed", type=click.IntRange(min=0), help="The seed of what is simulated.")
@click.option("--no-sliders", is_flag=True, help="Show the first result on the page as it is: nothing around it.")
def command(
    inputs: tuple[str, ...],
    out: str | None,
    source: str | None,
    copy_source: str | None,
    profiles: tuple[str, ...],
    seed: int | None,
    no_sliders: bool,
) -> None:
    """Pack a lecture: slides for reveal.js, remark and PowerPoint, with notes, figures and numbers."""
    from vsim.report.lecture import build, builtin_source, read
    from vsim.report.lecture.source import read_source

    if (out is None) is (copy_source is None):
        raise click.UsageError("It takes either --out DIR or --copy-source DIR.")
    if copy_source is not None:
        _copy(Path(source) if source else builtin_source(), Path(copy_source))
        return
    assert out is not None
    written = read_source(source or builtin_source())
    target = Path(out) / f"{_name(Path(written.file))}.zip"
    _check(target)
    context = read(written, inputs, profile=profiles, seed=seed)
    with ProgressBar() as progress:
        lecture = build(context, sliders=not no_sliders, progress=progress)
    for reason in lecture.left_out:
        click.echo(f"left out: {reason}", err=True)
    _write(lecture.archive, target)
    count = len(lecture.deck.slides)
    click.echo(f"{count} slide{'' if count == 1 else 's'} written to {target}", err=True)


def _name(source: Path) -> str:
    """Return what the archive is called: as the source's folder, or as the source itself."""
    return source.resolve().parent.name if source.stem == "slides" else source.stem


def _check(target: Path) -> None:
    """Raise before any work is done when the archive can't go there: an earlier one is replaced, nothing else is."""
    if target.parent.exists() and not target.parent.is_dir():
        raise InputError(f"{target.parent} is a file", hint="name a directory for --out")
    if target.is_dir():
        raise InputError(f"{target} is a directory", hint="name another directory for --out")
    there = next(folder for folder in target.absolute().parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise HostError(f"can't write {target}: nothing can be made in {there}", hint="name another directory")


def _write(archive: bytes, target: Path) -> None:
    """Write the archive in one go: an interrupt leaves an earlier one as it was, and never half of one."""
    fresh = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.write_bytes(archive)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"can't write {target}: {error.strerror or error}", hint="name another directory") from None


def _copy(source: Path, target: Path) -> None:
    file = source / "slides.md" if source.is_dir() else source
    to = target / "slides.md"
    if to.exists():
        raise InputError(f"{to} is there already", hint="name another directory for --copy-source")
    try:
        data = file.read_bytes()
        target.mkdir(parents=True, exist_ok=True)
        to.write_bytes(data)
    except OSError as error:
        raise HostError(f"can't copy to {to}: {error.strerror or error}", hint="name another directory") from None
    click.echo(f"change {to}, then: vsim lecture --source {to} --out DIR", err=True)
