"""Draws a validation that was just made to a file: the figure `predicted` of ``vsim report``, without a receipt.

A receipt names the files that a figure was made from, and here there is none yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vsim.errors import HostError, InputError
from vsim.report.documents import Validated
from vsim.report.inputs import Document, InputFile, Inputs
from vsim.scenario.validation import listed

if TYPE_CHECKING:
    from vsim.experiment.rehearsal import Validation

__all__ = ["check_target", "draw"]

FORMATS = (".png", ".svg", ".pdf")
# No dates: the same validation makes the same bytes.
_UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def check_target(path: Path | str) -> None:
    """Raise InputError for a file of another kind than can be drawn, HostError without matplotlib."""
    from vsim.report.rendering import require_matplotlib

    if Path(path).suffix.lower() not in FORMATS:
        raise InputError(f"{path} can't be drawn to", hint=f"its name ends with {listed(FORMATS, 'or')}")
    if not Path(path).absolute().parent.is_dir():
        raise InputError(f"{path} can't be drawn to: there is no such folder")
    require_matplotlib()


def draw(validation: Validation, path: Path | str, *, name: str = "this one", style: str = "handout") -> None:
    """Draw `validation`, called `name`, to `path` (.png, .svg or .pdf) in a style of ``vsim report``.

    Raises InputError when there is nothing to draw or the file's kind is unknown, HostError when it can't be written.
    """
    check_target(path)
    from vsim.report.figures import FIGURES
    from vsim.report.rendering import drawn
    from vsim.report.styles import style_named

    figure, look = FIGURES["predicted"], style_named(style)
    inputs = Inputs((), (), (Document(Validated(name, validation), InputFile(name, "", "validation")),))
    with drawn(figure, figure.narrowed(inputs), look) as done:
        suffix = Path(path).suffix.lower()
        try:
            done.figure.savefig(path, dpi=look.dpi, facecolor=look.paper, metadata=_UNDATED.get(suffix))
        except OSError as error:
            raise HostError(f"{path} can't be written: {error.strerror or error}", hint="name another file") from None
