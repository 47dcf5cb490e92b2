"""An application coming up as a picture: a bar for each service, one panel for each architecture, one axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsim.engine.timeline import slowest
from vsim.errors import HostError, InputError
from vsim.report.predicted import check_target

if TYPE_CHECKING:
    from vsim.engine.timeline import Phase, Row
    from vsim.experiment.bringing_up import BroughtUp

__all__ = ["draw_bringing_up"]

# People with any kind of colour vision tell them apart (Okabe & Ito, Color Universal Design, 2008); what is waited
# for is pale, and each phase is hatched in its own way or not at all, for print in black and white.
_LOOKS: dict[Phase, tuple[str, str, str]] = {
    "boot": ("machine boots", "#CC79A7", ""),
    "build": ("image is built", "#0072B2", "///"),
    "pull": ("image is fetched", "#0072B2", ""),
    "guest": ("guest boots", "#CC79A7", "///"),
    "create": ("created", "#56B4E9", ""),
    "wait": ("waits", "#E5E5E5", ""),
    "start": ("started", "#E69F00", ""),
    "application": ("application gets ready", "#D55E00", ""),
    "check": ("until found healthy", "#009E73", "..."),
    "stop": ("stops", "#E69F00", "///"),
    "remove": ("removed", "#56B4E9", "///"),
    "shut down": ("guest shuts down", "#CC79A7", "..."),
}
_INK, _FAINT = "#222222", "#999999"
_UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_WIDTH, _BAR, _HEAD = 9.0, 0.3, 0.75
# How many services of an application are drawn; more than these are no picture.
MOST_ROWS = 40


def draw_bringing_up(found: Sequence[BroughtUp], path: Path | str, *, title: str, down: bool = False) -> None:
    """Draw the runs that are shown to `path` (.png, .svg or .pdf); `down`: how they are taken down, too.

    Raises InputError for another kind of file, HostError without matplotlib or when it can't be written.
    """
    check_target(path)
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [panel for one in found for panel in _panels(one, down=down)]
    heights = [_HEAD + _BAR * len(rows) for _, rows in panels]
    with rc_context({"svg.hashsalt": "vsim", "svg.fonttype": "none", "hatch.linewidth": 0.6}):
        figure = Figure(figsize=(_WIDTH, sum(heights) + 1.1), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=12, color=_INK, x=0.01, ha="left")
        axes: Any = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
        used: dict[Phase, None] = {}
        for place, (head, rows) in zip(axes[:, 0], panels, strict=True):
            _panel(place, head, rows, used)
        axes[-1, 0].set_xlabel("seconds", fontsize=9, color=_INK)
        _legend(figure, used)
        try:
            # no date, and names that don't change: the same runs make the same bytes
            figure.savefig(path, dpi=150, metadata=_UNDATED.get(Path(path).suffix.lower()))
        except OSError as error:
            raise HostError(f"can't write {path}: {error.strerror}", hint="make room, or write elsewhere") from None
        except ValueError as error:
            raise InputError(f"{path} can't be drawn to: {error}") from None


def _panels(one: BroughtUp, *, down: bool) -> list[tuple[str, list[tuple[str, Row]]]]:
    told = "not up" if one.shown.up_s is None else f"up after {one.shown.up_s:.3g} s"
    panels = [(f"{one.architecture}: {told}", slowest(one.shown.up)[:MOST_ROWS])]
    if down:
        panels.append((f"{one.architecture}: down after {one.shown.down_s:.3g} s", slowest(one.shown.down)[:MOST_ROWS]))
    return panels


def _panel(axes: Any, head: str, rows: Sequence[tuple[str, Row]], used: dict[Phase, None]) -> None:
    for line, (_, row) in enumerate(rows):
        for span in row.spans:
            _, colour, hatch = _LOOKS[span.phase]
            used[span.phase] = None
            axes.broken_barh(
                [(span.begin_s, span.end_s - span.begin_s)],
                (line - 0.36, 0.72),
                facecolor=colour,
                hatch=hatch or None,
                edgecolor="white",
                linewidth=0.4,
            )
        if row.end_s is not None:
            axes.annotate(
                row.outcome if row.started_s is not None else "",
                (row.end_s, line),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize=8,
                color=_INK,
                va="center",
            )
    last = max((span.end_s for _, row in rows for span in row.spans), default=1.0)
    axes.set_xlim(0, last * 1.12)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_title(head, loc="left", fontsize=10, color=_INK)
    axes.tick_params(colors=_INK, labelsize=8, length=0, axis="y")
    axes.tick_params(colors=_INK, labelsize=8, axis="x")
    axes.grid(axis="x", color=_FAINT, alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _legend(figure: Any, used: dict[Phase, None]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colour, hatch=hatch or None, edgecolor="white", label=name)
        for phase, (name, colour, hatch) in _LOOKS.items()
        if phase in used
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=4, fontsize=8, frameon=False, labelcolor=_INK)
