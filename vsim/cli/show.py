"""``vsim show``: what made a figure, and whether it comes out the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vsim.report.receipts import Receipt

__all__ = ["command"]


@click.command(
    name="show",
    epilog="FILE is a figure that `vsim report` drew: PNG, SVG or PDF. "
    "With --again, it ends with 1 if the bytes differ.",
)
@click.argument("file", metavar="FILE")
@click.option("--again", is_flag=True, help="Make the figure anew, and say whether the bytes are the same.")
@click.option("--out", metavar="FILE", help="With --again: write the new figure here.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def command(file: str, again: bool, out: str | None, form: str) -> None:
    """Print the receipt of a figure: the command, the seed, the profile and the versions that made it."""
    from vsim.report.receipts import read_receipt

    if out is not None and not again:
        raise click.UsageError("--out goes with --again.")
    receipt = read_receipt(file)
    if form == "json":
        click.echo(receipt.to_json())
    else:
        click.echo("\n".join(_lines(receipt)))
    if again:
        _make(file, out)


def _lines(receipt: Receipt) -> Iterator[str]:
    rows = [
        ("figure", f"{receipt.figure}, {receipt.style}, {receipt.format}"),
        ("command", receipt.command),
        *(("from", f"{one.path} ({one.kind}, sha256 {one.sha256[:12]})") for one in receipt.inputs),
    ]
    if receipt.seeds:
        rows.append(("seed", ", ".join(map(str, receipt.seeds))))
    if receipt.profile is not None:
        changed = receipt.profile.get("changed", 0)
        said = f"CHANGED, {changed} numbers differ from the built-in one" if changed else "the built-in numbers"
        name, digest = receipt.profile.get("name"), str(receipt.profile.get("sha256"))[:12]
        rows.append(("profile", f"{name}, sha256 {digest}: {said}"))
    rows.append(
        ("made with", f"vsim {receipt.vsim}, matplotlib {receipt.matplotlib}, FreeType {receipt.freetype}"),
    )
    width = max(len(name) for name, _ in rows)
    last = ""
    for name, said in rows:
        yield f"{'' if name == last else name:{width}}  {said}"
        last = name


def _make(file: str, out: str | None) -> None:
    from pathlib import Path

    from vsim.errors import HostError, ThresholdError
    from vsim.report.again import make_again

    done = make_again(file)
    if out is not None:
        try:
            Path(out).write_bytes(done.made)
        except OSError as error:
            raise HostError(f"can't write {out}: {error.strerror or error}", hint="name another file") from None
    if done.same:
        click.echo("made anew: the same bytes")
        return
    raise ThresholdError(
        "made anew, it is another figure" + "".join(f"; {change}" for change in done.changes),
        hint="--out FILE writes the new one" if out is None else None,
    )
