"""Makes a figure anew from its receipt, and says whether the bytes are the same, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vsim.errors import InputError
from vsim.report.inputs import Inputs, read_inputs
from vsim.report.receipts import Receipt, read_receipt

__all__ = ["Again", "make_again"]


@dataclass(frozen=True, slots=True)
class Again:
    """A figure that was made anew: its bytes, whether they are those of the file, and what has changed since."""

    receipt: Receipt
    made: bytes
    same: bool
    changes: tuple[str, ...]


def make_again(path: str | Path) -> Again:
    """Make the figure at `path` anew.

    Relative paths in its receipt are looked for in this directory, then in those that the figure is in. Raises
    InputError for a file without a receipt, or where an input isn't there any more; HostError without matplotlib.
    """
    from vsim.report.figures import FIGURES
    from vsim.report.rendering import receipt_of, render_figure

    receipt = read_receipt(path)
    if receipt.figure not in FIGURES:
        raise InputError(f"this version has no figure {receipt.figure!r}")
    inputs = _inputs(receipt, Path(path))
    figure = FIGURES[receipt.figure]
    _, made = render_figure(figure, inputs, receipt.style, [receipt.format], None)
    now = receipt_of(figure, figure.narrowed(inputs), receipt.style, receipt.format)
    same = made[receipt.format] == Path(path).read_bytes()
    return Again(receipt, made[receipt.format], same, tuple(_changes(receipt, now)))


def _inputs(receipt: Receipt, figure: Path) -> Inputs:
    roots = [Path(), *figure.resolve().parents]
    relative = [
        file.path
        for file in receipt.inputs
        if not Path(file.path).is_absolute() and (file.kind != "scenario" or file.path.endswith((".yaml", ".yml")))
    ]
    root = next((root for root in roots if all((root / name).exists() for name in relative)), None)
    if root is None:
        missing = [name for name in relative if not Path(name).exists()]
        raise InputError(
            f"{(missing or relative)[0]} isn't there any more, and the figure was made from it",
            hint="call it from the directory that the figure was made in",
        )
    return read_inputs(
        [file.path for file in receipt.inputs if file.kind != "profile"],
        profile=[file.path for file in receipt.inputs if file.kind == "profile"],
        seed=receipt.seed,
        root=root,
    )


def _changes(then: Receipt, now: Receipt) -> Iterator[str]:
    """Yield what is different now from when the figure was made."""
    digests = {file.path: file.sha256 for file in now.inputs}
    for file in then.inputs:
        if digests.get(file.path) != file.sha256:
            yield f"{file.path} has changed since"
    if (then.profile or {}).get("sha256") != (now.profile or {}).get("sha256"):
        yield "the profile has changed since: other numbers are used"
    for name, before, after in (
        ("vsim", then.vsim, now.vsim),
        ("matplotlib", then.matplotlib, now.matplotlib),
        ("FreeType", then.freetype, now.freetype),
    ):
        if before != after:
            yield f"it was made with {name} {before}, and this is {after}"
