"""``vsim report``: figures from results, samples and scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vsim.report.inputs import Inputs

__all__ = ["command"]


@click.command(
    name="report",
    epilog="An input is a result (a directory that `vsim simulate --out` wrote), a file of samples, or a scenario, "
    "which is simulated on the spot: a YAML file, or the name of a preset (default: evolution).",
)
@click.argument("inputs", nargs=-1, metavar="[RESULT|SAMPLES|SCENARIO]...")
@click.option("--out", metavar="DIR", default="report", show_default=True, help="Where the files go.")
@click.option(
    "--style",
    "styles",
    multiple=True,
    metavar="STYLE",
    help="slide (default), handout, paper or dark. Of several, each gets a folder of its own.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT",
    help="svg, png or pdf (default: svg and png); of --myths table, md, json or csv.",
)
@click.option("--figure", "names", multiple=True, metavar="NAME", help="Only this figure (repeat for more).")
@click.option("--profile", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one.")
@click.option("--seed", type=click.IntRange(min=0), help="The seed of a scenario's random draws.")
@click.option("--myths", is_flag=True, help="Judge what people say about containers and virtual machines instead.")
def command(
    inputs: tuple[str, ...],
    out: str,
    styles: tuple[str, ...],
    formats: tuple[str, ...],
    names: tuple[str, ...],
    profile: tuple[str, ...],
    seed: int | None,
    myths: bool,
) -> None:
    """Draw figures with the finding as the title, each with its numbers (CSV), its words and a receipt."""
    from pathlib import Path

    from vsim.errors import InputError
    from vsim.report.figures import FIGURES, lacking, render
    from vsim.report.index import write
    from vsim.report.inputs import read_inputs
    from vsim.report.rendering import FORMATS, require_matplotlib
    from vsim.report.styles import style_named
    from vsim.scenario.validation import listed

    for style in styles:
        style_named(style)
    for form in () if myths else formats:
        if form not in FORMATS:
            raise InputError(f"there is no format {form!r}", hint=f"there are {listed(FORMATS, 'and')}")
    for name in names:
        if name not in FIGURES:
            raise InputError(f"there is no figure {name!r}", hint=f"there are {listed(tuple(FIGURES), 'and')}")
    if not myths:
        require_matplotlib()
    read = read_inputs(inputs, profile=profile, seed=seed)
    for one in read.simulated:
        if one.changed:
            count = len(one.changed)
            said = "1 number differs" if count == 1 else f"{count} numbers differ"
            click.echo(f"{one.file.path}: {said} from the built-in profile", err=True)
    if myths:
        _myths(read, formats)
        return
    left_out = {} if names else lacking(read)
    if len(left_out) == len(FIGURES):
        raise InputError("no figure can be drawn from that", hint=next(iter(left_out.values())))
    for style in styles or ("slide",):
        folder = Path(out) / style if len(styles) > 1 else Path(out)
        drawn = render(read, names or None, style, formats or ("svg", "png"), folder)
        write(drawn, folder)
        for figure in drawn:
            click.echo(f"{folder / figure.name}: {figure.title}")
    for name, reason in left_out.items():
        click.echo(f"left out {name}: {reason}", err=True)


def _myths(read: Inputs, formats: Sequence[str]) -> None:
    import shutil

    from vsim.errors import InputError
    from vsim.report.myths import table
    from vsim.report.myths.table import FORMATS
    from vsim.scenario.validation import listed

    form = next((one for one in FORMATS if [one] == list(formats or ("table",))), None)
    if form is None:
        raise InputError(
            f"statements can't be told as {' and '.join(formats)}", hint=f"--format is one of {listed(FORMATS)}"
        )
    results, samples = [one.result for one in read.simulated], [one.samples for one in read.measured]
    click.echo(table(results, samples, form=form, width=shutil.get_terminal_size().columns))
