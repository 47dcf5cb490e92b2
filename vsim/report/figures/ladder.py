"""The ladder: start-up of every rung, one start at a time, as whole distributions on a logarithmic axis."""

from __future__ import annotations

from dataclasses import astuple
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.figures._starts import KINDS, Rung, rungs
from vsim.report.lettering import shorten, width_of
from vsim.report.palette import colour, layer_of_stack, marker
from vsim.report.sheet import Sheet
from vsim.report.words import joined, seconds, span

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Ladder"]

# A dot for each so many parts of the starts: a quantile dot plot (Kay et al., CHI 2016).
DOTS = 50


class Ladder(Figure):
    """Start-up of every rung of the ladder."""

    name = "ladder"
    needs = ("samples",)
    suites = frozenset({"startup"})

    @remembered
    def rungs(self, inputs: Inputs) -> list[Rung]:
        """Return the rungs, the fastest first: one warm start at a time."""
        return rungs(
            inputs.samples.samples,
            "startup_s",
            lambda s: s.suite == "startup" and s.concurrency == 1 and "cold" not in s.flags,
        )

    def poor(self, inputs: Inputs) -> str | None:
        """Return that there are no starts one at a time, if so."""
        return None if self.rungs(inputs) else "no rung was started one at a time"

    def table(self, inputs: Inputs) -> Table:
        """Return the quantiles of each rung's start-up in seconds."""
        header = (
            "rung",
            "stack",
            "flags",
            "starts",
            "median_s",
            "low_s",
            "high_s",
            "p5_s",
            "p95_s",
            "least_s",
            "most_s",
        )
        rows: list[list[Cell]] = []
        for rung in self.rungs(inputs):
            values, said = rung.values, " ".join(sorted(rung.flags))
            spread = rung.quantile(0.05), rung.quantile(0.95), values[0], values[-1]
            rows.append([rung.driver, rung.stack, said, len(values), *astuple(rung.median), *spread])
        return header, rows

    def title(self, inputs: Inputs) -> str:
        """Return between which medians each kind of stack lies."""
        medians: dict[str, list[float]] = {}
        for rung in self.rungs(inputs):
            if rung.comparable:
                medians.setdefault(rung.stack, []).append(rung.median.value)
        if not medians:
            slowest = self.rungs(inputs)[-1]
            return f"{slowest.driver} starts in {seconds(slowest.median.value)}, emulated"
        order = sorted(medians, key=lambda stack: min(medians[stack]))
        parts = [f"{KINDS.get(stack, stack)} in {span(min(medians[stack]), max(medians[stack]))}" for stack in order]
        parts[0] = parts[0].replace(" in ", " starts in ", 1)
        said = joined(parts)
        return said[0].upper() + said[1:]

    def alt(self, inputs: Inputs) -> str:
        """Return all medians in words."""
        said = "; ".join(f"{rung.label} {seconds(rung.median.value, 3)}" for rung in self.rungs(inputs))
        return f"Dot plot of start-up times on a logarithmic axis, one row for each rung. Medians: {said}."

    def caption(self, inputs: Inputs) -> str:
        """Return what a dot, a line and a bar are."""
        most = max(len(rung.values) for rung in self.rungs(inputs))
        return (
            f"From asking to the first byte, one start at a time. A dot is {100 // DOTS} % of up to {most} starts, the "
            "line their range, the bar the median's 95 % interval (blocks resampled)."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a row for each rung."""
        sheet = Sheet(figure, style)
        found = self.rungs(inputs)
        axis = sheet.line_height() * 1.2
        room = int((sheet.height - axis) / (sheet.line_height() * 0.98))
        shown, left_out = _thinned(found, room)
        if left_out:
            shown, left_out = _thinned(found, room - 1)
        below = sheet.line_height() if left_out else 0.0
        height = sheet.height - axis - below
        step = height / len(shown)
        names = [shorten(rung.label, style.text, sheet.width * 0.3) for rung in shown]
        left = max(width_of(name, style.text) for name in names) + style.text * 0.8
        values = [seconds(rung.median.value) for rung in shown]
        right = max(width_of(value, style.text) for value in values) + style.text * 0.8
        width = sheet.width - left - right
        axes = sheet.panel(left, axis + below, width, height)
        low = min(rung.values[0] for rung in shown) * 0.8
        high = max(rung.values[-1] for rung in shown) * 1.25
        sheet.time_axis(axes, low, high, width)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.yaxis.set_visible(False)
        for row, rung in enumerate(shown):
            y = axis + below + height - (row + 0.5) * step
            sheet.text(0, y, names[row])
            sheet.text(sheet.width, y, values[row], ha="right")
            _row(axes, rung, row, style)
        if left_out:
            said = ", ".join(rung.driver for rung in left_out)
            sheet.text(
                0,
                below * 0.4,
                f"Close to one shown, and in the table: {said}",
                size=style.note,
                colour=style.faint,
                width=sheet.width,
            )


def _row(axes: Any, rung: Rung, row: int, style: Style) -> None:
    layer = layer_of_stack(rung.stack)
    own = colour(layer, style.dark)
    values = rung.values
    axes.plot([values[0], values[-1]], [row, row], color=own, lw=style.line * 0.5, zorder=2)
    dots = [rung.quantile((number + 0.5) / DOTS) for number in range(min(DOTS, len(values)))]
    places = [row + (_corput(number + 1) - 0.5) * 0.5 for number in range(len(dots))]
    face = own if rung.comparable else "none"
    axes.scatter(
        dots,
        places,
        s=(style.text * 0.26) ** 2,
        marker=marker(layer),
        facecolor=face,
        edgecolor=own,
        lw=style.line * 0.25,
        alpha=0.75,
        zorder=3,
    )
    median = rung.median
    axes.plot(
        [median.low, median.high], [row, row], color=style.ink, lw=style.line * 1.6, solid_capstyle="butt", zorder=4
    )
    axes.plot([median.value] * 2, [row - 0.36, row + 0.36], color=style.ink, lw=style.line * 0.9, zorder=4)


def _corput(number: int) -> float:
    """Return a term of van der Corput's sequence: neighbours in order are far apart in place, and always the same."""
    value, part = 0.0, 0.5
    while number:
        value += part * (number & 1)
        number >>= 1
        part /= 2
    return value


def _thinned(found: list[Rung], room: int) -> tuple[list[Rung], list[Rung]]:
    """Return as many rungs as there is room for, and the others.

    Of the two whose medians are nearest to each other the one with the longer name is left out, again and again, but
    neither the fastest nor the slowest.
    """
    shown, left_out = list(found), []
    while len(shown) > max(2, room):
        ratios = [after.quantile(0.5) / before.quantile(0.5) for before, after in pairwise(shown)]
        near = ratios.index(min(ratios))
        pair = [index for index in (near, near + 1) if 0 < index < len(shown) - 1] or [1]
        left_out.append(shown.pop(max(pair, key=lambda index: len(shown[index].label))))
    return shown, left_out


FIGURE = Ladder()
