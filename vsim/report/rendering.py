"""Puts a figure into its frame (finding, caption, footer) and writes it, its table and its words.

The same inputs make the same bytes: no dates, fixed identifiers, one font that comes with matplotlib, and nothing of
the user's matplotlib settings.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vsim
from vsim.errors import HostError, InputError
from vsim.report.documents import Validated
from vsim.report.footer import footer_of
from vsim.report.lettering import FONT, LEADING, clean, wrap
from vsim.report.receipts import Receipt, metadata
from vsim.report.styles import Style, style_named
from vsim.scenario.validation import listed

if TYPE_CHECKING:
    from vsim.report.figures._figure import Cell, Figure, Table
    from vsim.report.inputs import Inputs

__all__ = ["FORMATS", "Drawn", "Rendered", "drawn", "receipt_of", "render_figure", "require_matplotlib", "to_csv"]

FORMATS = ("svg", "png", "pdf")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A figure that was written: `files` by format (``csv`` and ``txt`` among them), and its words."""

    name: str
    style: str
    files: Mapping[str, Path]
    title: str
    alt: str
    caption: str
    footer: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A matplotlib figure with its frame, not yet written, and the lines of the frame."""

    figure: Any
    title: str
    caption: str
    footer: str


def require_matplotlib() -> None:
    """Raise HostError without matplotlib, which is an extra."""
    try:
        import matplotlib  # noqa: F401  # whether it is there is what is asked
    except ImportError:
        raise HostError("drawing needs matplotlib, which isn't here", hint="pip install 'vsim[plot]'") from None


def render_figure(
    figure: Figure, inputs: Inputs, style: str, formats: Sequence[str], out: str | Path | None
) -> tuple[Rendered, Mapping[str, bytes]]:
    """Draw one figure and return what was made, by format; write the files to the folder `out` if there is one.

    Raises InputError for an unknown style or format, or inputs that it can't be drawn from; HostError when a file can't
    be written, or matplotlib is missing.
    """
    require_matplotlib()
    for form in formats:
        if form not in FORMATS:
            raise InputError(f"there is no format {form!r}", hint=f"there are {listed(FORMATS, 'and')}")
    look = style_named(style)
    own = figure.narrowed(inputs)
    alt = clean(figure.alt(own))
    made: dict[str, bytes] = {}
    with drawn(figure, own, look) as done:
        for form in formats:
            made[form] = _saved(done.figure, receipt_of(figure, own, style, form), look, done.title, alt)
    made["csv"] = to_csv(figure.table(own)).encode()
    words = (done.title, alt, done.caption, done.footer)
    made["txt"] = ("\n\n".join(words) + "\n").encode()
    files = {} if out is None else {form: Path(out) / f"{figure.name}.{form}" for form in made}
    for form, path in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made[form])
        except OSError as error:
            raise HostError(f"can't write {path}: {error.strerror or error}", hint="name another folder") from None
    return Rendered(figure.name, style, files, done.title, alt, done.caption, done.footer), made


@contextmanager
def drawn(figure: Figure, inputs: Inputs, style: Style) -> Iterator[Drawn]:
    """Give the figure with its frame. Nothing of matplotlib's settings outlives it, or came in."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": [FONT],
                "text.parse_math": False,
                "text.hinting": "none",
                "svg.hashsalt": "vsim",
                "svg.fonttype": "none",
                "pdf.fonttype": 42,
                "axes.unicode_minus": True,
                "axes.formatter.useoffset": False,
                "hatch.linewidth": style.line * 0.3,
                "path.simplify": False,
            }
        )
        canvas = Canvas(figsize=(style.width, style.height), dpi=style.dpi, facecolor=style.paper)
        FigureCanvasAgg(canvas)
        title, caption = clean(figure.title(inputs)), clean(figure.caption(inputs))
        footer = clean(footer_of(inputs, figure.besides(inputs)))
        body = _frame(canvas, style, title, caption, footer)
        figure.draw(inputs, style, body)
        yield Drawn(canvas, title, caption, footer)


def _frame(canvas: Any, style: Style, title: str, caption: str, footer: str) -> Any:
    """Write the frame and return the part of the figure between its lines."""
    width, height = style.width * 72, style.height * 72
    inner = width - 2 * style.margin
    gap = style.text * 0.5

    def write(lines: Sequence[str], top: float, size: float, colour: str, weight: str) -> None:
        for number, line in enumerate(lines):
            y = top - (number + 0.5) * LEADING * size
            canvas.text(
                style.margin / width,
                y / height,
                line,
                fontsize=size,
                color=colour,
                weight=weight,
                va="center_baseline",
                ha="left",
            )

    head = wrap(title, style.title, inner, 2, bold=True)
    top = height - style.margin * 0.6
    write(head, top, style.title, style.ink, "bold")
    upper = top - len(head) * LEADING * style.title - gap
    foot = wrap(footer, style.note, inner, 2)
    lower = style.margin * 0.5 + len(foot) * LEADING * style.note
    write(foot, lower, style.note, style.faint, "normal")
    said = wrap(caption, style.note, inner, 2)
    if said:
        lower += gap * 0.5 + len(said) * LEADING * style.note
        write(said, lower, style.note, style.ink, "normal")
    lower += gap
    grid = canvas.add_gridspec(
        3, 3, height_ratios=(height - upper, upper - lower, lower), width_ratios=(style.margin, inner, style.margin)
    )
    return canvas.add_subfigure(grid[1, 1], frameon=False)


def _saved(canvas: Any, receipt: Receipt, style: Style, title: str, alt: str) -> bytes:
    target = io.BytesIO()
    canvas.savefig(
        target,
        format=receipt.format,
        dpi=style.dpi,
        facecolor=style.paper,
        metadata=metadata(receipt, title, alt),
    )
    return target.getvalue()


def receipt_of(figure: Figure, inputs: Inputs, style: str, form: str) -> Receipt:
    """Return the receipt of a figure made from `inputs`, which are its own part already."""
    import matplotlib as mpl
    from matplotlib import ft2font

    result = inputs.simulated[0] if inputs.simulated else None
    runs = inputs.samples.runs if inputs.measured else ()
    seeds = [result.result.seed] if result else [run.seed for run in runs]
    seeds += [run.seed for one in inputs.contents(Validated) for run in one.validation.runs]
    profile: dict[str, Any] | None = None
    if result is not None:
        besides = figure.besides(inputs)
        numbers, changed = result.numbers(besides), result.changed_among(besides)
        profile = {**result.result.profile, "sha256": numbers, "changed": len(changed)}
    return Receipt(
        figure=figure.name,
        style=style,
        format=form,
        command=inputs.command("--figure", figure.name, "--style", style, "--format", form),
        inputs=inputs.files,
        seeds=tuple(dict.fromkeys(seeds)),
        seed=inputs.seed,
        profile=profile,
        vsim=vsim.__version__,
        matplotlib=mpl.__version__,
        freetype=ft2font.__freetype_version__,
    )


def to_csv(table: Table) -> str:
    """Return a figure's table as CSV; numbers with nine significant digits, which no library's last bit changes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header, rows = table
    writer.writerow(header)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.9g}" if isinstance(cell, float) else str(cell)
