"""The pictures of a lecture: figures that ``vsim report`` draws, and charts that stay editable in PowerPoint."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vsim.errors import HostError, InputError
from vsim.report.lecture.native import Plot, of_bars, plots_of
from vsim.report.lecture.problems import NotThereError
from vsim.report.palette import colour, layer_of_stack
from vsim.report.plain import plain
from vsim.samples.bars import Bars, bars_of
from vsim.samples.metrics import METRICS
from vsim.samples.svg import to_svg
from vsim.scenario.validation import did_you_mean, listed

if TYPE_CHECKING:
    from vsim.report.figures._figure import Figure
    from vsim.report.inputs import Inputs
    from vsim.report.lecture.expressions import Context
    from vsim.report.lecture.source import Picture, Source
    from vsim.samples.result import Result

# From here on bars of a part look alike; and this many times the smallest value asks for a logarithmic scale.
_NEARLY_ALL, _WIDE = 0.9, 50.0

__all__ = ["Drawing", "check_picture", "draw", "figure_named"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that was drawn: its files by format, its words, and what it is as native charts (none: it isn't).

    A figure's files are a whole slide with its finding on top (`whole`); a chart stands below the slide's title.
    """

    name: str
    alt: str
    files: Mapping[str, bytes]
    command: str
    caption: str = ""
    bars: Bars | None = None
    plots: tuple[Plot, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the picture is a slide of its own."""
        return self.bars is None

    @property
    def shown(self) -> str:
        """The format that a page shows: text in an SVG of a figure depends on the reader's fonts, a PNG on nothing."""
        return "svg" if self.bars else "png"


def figure_named(inputs: Inputs, name: str) -> Figure:
    """Return the figure `name`. Raises InputError when there is none, NotThereError when `inputs` don't suffice."""
    from vsim.report.figures import FIGURES

    if name not in FIGURES:
        hint = did_you_mean(name, list(FIGURES)) or f"there are {listed(tuple(FIGURES), 'and')}"
        raise InputError(f"there is no figure {name!r}", hint=hint)
    figure = FIGURES[name]
    reason = figure.lacking(inputs)
    if reason is not None:
        raise NotThereError(f"the figure {name} can't be drawn: {reason}")
    return figure


def check_picture(source: Source, picture: Picture) -> None:
    """Raise InputError, with line and column, for a picture that there isn't."""
    from vsim.report.figures import FIGURES

    if picture.kind == "figure":
        if picture.name not in FIGURES:
            raise InputError(
                f"there is no figure {picture.name!r}",
                place=source.place(picture.line, picture.name),
                hint=did_you_mean(picture.name, list(FIGURES)) or f"there are {listed(tuple(FIGURES), 'and')}",
            )
        return
    name, _, metric = picture.name.partition("/")
    for given, known, what in ((name, source.results, "result"), (metric, METRICS, "metric")):
        if given not in known:
            raise InputError(
                f"there is no {what} {given!r} to draw",
                place=source.place(picture.line, given or picture.name),
                hint=did_you_mean(given, list(known)) or f"there are {listed(tuple(known), 'and')}",
            )


def draw(context: Context, picture: Picture) -> Drawing:
    """Draw the picture of a slide.

    Raises InputError, with its place, for a picture that there isn't; NotThereError for one that these results can't
    give, or that can't be drawn without matplotlib.
    """
    check_picture(context.source, picture)
    if picture.kind == "chart":
        return _chart(context, picture)
    try:
        return _figure(context, picture)
    except HostError as error:
        raise NotThereError(error.message) from None


def _figure(context: Context, picture: Picture) -> Drawing:
    from vsim.report.rendering import render_figure

    inputs = context.inputs
    figure = figure_named(inputs, picture.name)
    words, files = render_figure(figure, inputs, "slide", ("png", "svg"), None)
    command = figure.narrowed(inputs).command("--figure", picture.name)
    own = figure.narrowed(inputs)
    currency = own.result.profile.site.currency if own.simulated else "USD"
    plots = plots_of(picture.name, *figure.table(own), context.source.names, currency)
    return Drawing(picture.name, picture.alt or words.alt, files, command, words.caption, plots=tuple(plots))


def _chart(context: Context, picture: Picture) -> Drawing:
    name, _, metric = picture.name.partition("/")
    one = context.results[name]
    on = picture.on or [a.name for a in one.result.architectures]
    chosen = [a for a in on if any(a == b.name and metric in b.metrics for b in one.result.architectures)]
    if len(chosen) < 2:
        raise NotThereError(f"the result {name} has {metric} of {len(chosen)} of the architectures to compare")
    bars = _to_be_seen(bars_of(one.result, metric, names=context.source.names, on=chosen))
    said = "; ".join(f"{bar.label} {bar.text}" for bar in bars.bars)
    alt = plain(picture.alt or f"{bars.title}: {said}")
    fills = tuple(colour(layer_of_stack(a.partition("@")[0])) for a in chosen)
    files = {"svg": to_svg(bars, alt=alt, fills=fills).encode(), "csv": _csv(one.result, metric, chosen).encode()}
    from vsim.report.lecture.expressions import command_of

    stem = f"{name}-{metric}".replace("_", "-")
    return Drawing(
        f"{stem}-{_digest(chosen)}" if picture.on else stem,
        alt,
        files,
        command_of(one),
        "",
        bars,
        (of_bars(bars, fills),),
    )


def _to_be_seen(bars: Bars) -> Bars:
    """Return what is missing of parts that are nearly all (an availability): the whole would hide how they differ."""
    if METRICS[bars.metric].most != 1.0 or min(bar.value for bar in bars.bars) < _NEARLY_ALL:
        return bars
    rest = [
        replace(
            bar,
            value=1.0 - bar.value,
            low=None if bar.high is None else 1.0 - bar.high,
            high=None if bar.low is None else 1.0 - bar.low,
        )
        for bar in bars.bars
    ]
    values = [bar.value for bar in rest]
    ends = [end for bar in rest for end in (bar.value, bar.low, bar.high) if end]
    title = f"what is missing to full {bars.title}"
    if min(values) <= 0 or max(values) <= _WIDE * min(values):
        return replace(bars, title=title, bars=tuple(rest), log=False, least=0.0, most=max(ends, default=1.0))
    least, most = 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(ends)))
    # an interval may reach to nothing, which has no place on this scale
    rest = [replace(bar, low=None if bar.low is None else max(bar.low, least)) for bar in rest]
    return replace(bars, title=title, bars=tuple(rest), log=True, least=least, most=most)


def _digest(names: Sequence[str]) -> str:
    import hashlib

    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:6]


def _csv(result: Result, metric: str, names: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("architecture", "metric", "value", "low", "high", "unit"))
    by_name = {one.name: one for one in result.architectures}
    for name in names:
        found = by_name[name].metrics[metric]
        writer.writerow((name, metric, found.value, found.low, found.high, found.unit))
    return text.getvalue()
