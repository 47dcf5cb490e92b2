"""Sensitivity: which numbers the answer hangs on, as a tornado."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.lettering import shorten, width_of
from vsim.report.palette import LAYERS
from vsim.report.sheet import Sheet
from vsim.samples.human import format_value
from vsim.samples.metrics import METRICS

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style
    from vsim.samples.result import Sensitivity, Swing

__all__ = ["FIGURE", "Tornado"]

# Swings below half a percent aren't worth a row, and more rows than this aren't readable.
_LEAST, _MOST = 0.005, 9


class Tornado(Figure):
    """How far parameters, moved over their intervals, move one metric."""

    name = "tornado"
    needs = ("result",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that there is no sensitivity analysis, if so."""
        found = simulated.result.sensitivity
        return None if found is not None and _chosen(found) else "no parameter was found that moves the result"

    @remembered
    def swings(self, inputs: Inputs) -> list[Swing]:
        """Return the swings of the metric and the architecture that most parameters move, the largest first."""
        assert inputs.result.result.sensitivity is not None
        return _chosen(inputs.result.result.sensitivity)

    def table(self, inputs: Inputs) -> Table:
        """Return all swings of that metric and architecture."""
        rows: list[list[Cell]] = [
            [s.parameter, s.kind, s.metric, s.architecture, s.low, s.high, s.at_low, s.at_high, s.value, s.swing]
            for s in self.swings(inputs)
        ]
        return (
            "parameter",
            "source",
            "metric",
            "architecture",
            "low",
            "high",
            "at_low",
            "at_high",
            "value",
            "swing",
        ), rows

    def title(self, inputs: Inputs) -> str:
        """Return the parameter that moves it most, and between which values."""
        first = self.swings(inputs)[0]
        low, high = sorted((first.at_low, first.at_high))
        title = METRICS[first.metric].title
        return (
            f"{title[0].upper() + title[1:]} on {first.architecture} is anything from {self._said(inputs, low)} to "
            f"{self._said(inputs, high)}, depending on {first.parameter}"
        )

    def _said(self, inputs: Inputs, value: float) -> str:
        first = self.swings(inputs)[0]
        unit = next(
            one.metrics[first.metric].unit
            for one in inputs.result.result.architectures
            if one.name == first.architecture
        )
        return format_value(first.metric, value, unit)

    def alt(self, inputs: Inputs) -> str:
        """Return all swings in words."""
        said = [
            f"{s.parameter} {self._said(inputs, s.at_low)} to {self._said(inputs, s.at_high)}"
            for s in self.swings(inputs)
        ]
        return f"Tornado chart, the parameter that moves the result most on top: {'; '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return what a bar is."""
        found = inputs.result.result.sensitivity
        assert found is not None
        value = self._said(inputs, self.swings(inputs)[0].value)
        return (
            f"Each bar: one number at the low (empty) and the high end (filled) of its interval, the others at their "
            f"values, which give {value}. {found.tried} of {found.uncertain} tried."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a bar for each parameter around the value."""
        sheet = Sheet(figure, style)
        size, line = style.text, sheet.line_height()
        foot = line * 1.1
        swings = self.swings(inputs)[: max(1, min(_MOST, int((sheet.height - foot) / (line * 1.15))))]
        names = [shorten(swing.parameter, size, sheet.width * 0.5) for swing in swings]
        left = max(width_of(name, size) for name in names) + size
        ends = [end for swing in swings for end in (swing.at_low, swing.at_high, swing.value)]
        low, high = min(ends), max(ends)
        width = sheet.width - left - size * 0.5
        scale = width / ((high - low) or 1.0)
        step = (sheet.height - foot) / len(swings)
        thick = min(step * 0.62, line)
        base = left + (swings[0].value - low) * scale
        sheet.line([base, base], [foot, sheet.height], colour=style.ink, width=style.line * 0.8)
        for number, swing in enumerate(swings):
            y = sheet.height - (number + 0.5) * step
            sheet.text(0, y, names[number])
            owner = swing.parameter.partition(".")[0]
            layer = owner if owner in LAYERS else "machine"
            for at, filled in ((swing.at_low, False), (swing.at_high, True)):
                x = left + (at - low) * scale
                begin, long = min(x, base), abs(x - base)
                if long > 0:
                    sheet.box(
                        begin,
                        y - thick / 2,
                        long,
                        thick,
                        layer if filled else None,
                        fill=None if filled else style.paper,
                        line=style.line * 0.6,
                    )
        said = [self._said(inputs, value) for value in (low, swings[0].value, high)]
        places = [left, base, left + width]
        spots = [
            (left, "left", said[0]),
            (base, "center", said[1]),
            (left + width, "right", said[2]),
        ]
        half = width_of(said[1], size) / 2 + size * 0.5
        room_left = places[1] - half > left + width_of(said[0], size)
        room_right = places[1] + half < left + width - width_of(said[2], size)
        for number, (x, ha, text) in enumerate(spots):
            if number == 1 and not (room_left and room_right):
                continue
            sheet.text(x, foot - line * 0.6, text, ha=ha)


def _chosen(sensitivity: Sensitivity) -> list[Swing]:
    """Return the swings of the metric and architecture that has most of them, the largest first."""
    groups: dict[tuple[str, str], list[Swing]] = {}
    for swing in sensitivity.swings:
        if swing.swing is not None and swing.swing >= _LEAST:
            groups.setdefault((swing.metric, swing.architecture), []).append(swing)
    if not groups:
        return []
    # of equally many the one whose largest swing is largest
    best = max(groups.values(), key=lambda found: (len(found), max(s.swing or 0.0 for s in found)))
    return sorted(best, key=lambda s: (-(s.swing or 0.0), s.parameter))


FIGURE = Tornado()
