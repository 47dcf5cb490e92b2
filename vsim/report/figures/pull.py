"""Image pull: how long an image takes to be there, with nothing of it cached, with shared layers, with all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.report.documents import Images, Pulls
from vsim.report.figures._figure import Cell, Figure, Table, remembered
from vsim.report.figures._pulls import (
    STATES,
    MeasuredPull,
    PullTime,
    measured,
    numbers,
    pull_times,
    pulling,
    shared_most,
)
from vsim.report.lettering import shorten, width_of, wrap
from vsim.report.palette import colour
from vsim.report.plain import plain
from vsim.report.sheet import Sheet
from vsim.report.words import rounded, seconds

if TYPE_CHECKING:
    from vsim.model.image import Image
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Pull"]

# What is filled is what has to come: all of the circle, a half, nothing.
_FILL = dict(zip(STATES, ("full", "left", "none"), strict=True))


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the drawing: seconds with their interval or range, and where the model's mark is, if it has one."""

    state: str
    seconds: float
    low: float
    high: float
    bytes: int
    label: str
    model: float | None = None


class Pull(Figure):
    """An image pulled cold, with shared layers there, and warm."""

    name = "pull"
    needs = ("images", "result")
    wants = ("pulls",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that no images are pulled there, if so."""
        if simulated.lacking:
            return simulated.lacking
        found = pulling(simulated.architectures)
        return None if found else "it needs an architecture whose layers pull images: one with containers"

    def best(self, accepted: list[Simulated]) -> Simulated:
        """Return the result with the most kinds of machines that pull images."""
        return max(accepted, key=lambda one: len(pulling(one.architectures)))

    def besides(self, inputs: Inputs) -> list[str]:
        """Return the numbers of what pulls, of the registry, and of the machines."""
        return numbers(inputs.result)

    @remembered
    def times(self, inputs: Inputs) -> list[PullTime]:
        """Return what was simulated, by machine."""
        return pull_times(inputs.result, _described(inputs))

    @remembered
    def measured(self, inputs: Inputs) -> list[MeasuredPull]:
        """Return what was measured."""
        return [one for record in inputs.contents(Pulls)[:1] for one in measured(record)]

    @remembered
    def image(self, inputs: Inputs) -> Image:
        """Return the image that is shown: the one that shares most with the others."""
        ratio = inputs.result.profile.quantities["process.startup.fetch.image_write"].value
        return shared_most(_described(inputs), ratio)[0]

    def table(self, inputs: Inputs) -> Table:
        """Return each pull: simulated with the profile, and measured with the model that was fitted to it."""
        image = self.image(inputs).name
        rows: list[list[Cell]] = [
            [
                *("simulated", one.machine, image, one.state, 1, one.bytes),
                *(one.seconds, one.low, one.high, one.downloaded_s, None),
            ]
            for one in self.times(inputs)
        ]
        rows += [
            [
                "measured",
                "",
                one.what,
                one.state,
                one.pulls,
                one.bytes,
                one.seconds,
                one.low,
                one.high,
                None,
                one.fitted,
            ]
            for one in self.measured(inputs)
        ]
        header = ("kind", "machine", "image", "cached", "pulls", "transferred_bytes", "seconds", "low_s", "high_s")
        return (*header, "downloaded_s", "fitted_s"), rows

    def title(self, inputs: Inputs) -> str:
        """Return what sharing layers saves on the first machine, or what having the image does."""
        image, found = self.image(inputs), self.times(inputs)
        machine = found[0].machine
        by_state = {one.state: one.seconds for one in found if one.machine == machine}
        cold, warm = by_state[STATES[0]], by_state[STATES[2]]
        said = f"Pulling {_named(image)} takes {seconds(cold)} on an empty {machine}"
        if STATES[1] in by_state:
            return f"{said}, {seconds(by_state[STATES[1]])} where its shared layers are there"
        return f"{said}, {seconds(warm)} where all of it is there"

    def alt(self, inputs: Inputs) -> str:
        """Return all times in words."""
        said = [
            f"{one.machine}, {one.state}: {seconds(one.seconds)}, from {seconds(one.low)} to {seconds(one.high)}"
            for one in self.times(inputs)
        ]
        said += [f"measured, {_size(one.bytes)}, {one.state}: {seconds(one.seconds)}" for one in self.measured(inputs)]
        return f"Dots on a logarithmic time axis, a row for each machine and what it has already. {'; '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return what dots and bars are."""
        said = "Pulled from Docker Hub; bar: 95 % from the intervals of the numbers, as if independent."
        if self.measured(inputs):
            said += " Measured: from a registry on the host, median and range; stroke: the model fitted to it."
        return said

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a row for each machine and state, those of a machine together, and what was measured below them."""
        sheet = Sheet(figure, style)
        text, line = style.text, sheet.line_height()
        axis = line * 1.2
        groups = _groups(self.times(inputs), self.measured(inputs))
        room = int((sheet.height - axis) / (line * 0.98))
        groups, left_out = _fitting(groups, room)
        rows = [row for _, own in groups for row in own]
        below = line if left_out else 0.0
        gap = min(text * 0.5, (sheet.height - axis - below - len(rows) * line * 0.95) / max(1, len(groups) - 1))
        gap = max(0.0, gap)
        step = (sheet.height - axis - below - gap * (len(groups) - 1)) / len(rows)
        step = min(step, line * 3)
        names = [wrap(name, text, sheet.width * 0.2, min(2, len(own)), True) for name, own in groups]
        first = max(width_of(part, text, True) for lines in names for part in lines) + text
        labels = [shorten(row.label, text, sheet.width * 0.28) for row in rows]
        left = first + max(width_of(label, text) for label in labels) + text
        said = [seconds(row.seconds) for row in rows]
        right = max(width_of(one, text) for one in said) + text
        width = sheet.width - left - right
        # what takes no time has no place on the axis
        low = min((end for row in rows for end in (row.low, row.seconds, row.model) if end), default=1.0) / 1.4
        high = max(max(row.high, row.seconds) for row in rows) * 1.4 or 1.0
        height = step * len(rows) + gap * (len(groups) - 1)
        bottom = axis + below + (sheet.height - axis - below - height) / 2
        axes = sheet.panel(left, bottom, width, height)
        sheet.time_axis(axes, low, high, width)
        axes.yaxis.set_visible(False)
        axes.set_ylim(0, height)

        own = colour("container-engine", style.dark)
        top = bottom + height
        number = 0
        for index, (_, members) in enumerate(groups):
            for part, written in enumerate(names[index]):
                sheet.text(0, top - (part + 0.5) * step, written, bold=True)
            for row in members:
                y = top - step / 2
                sheet.text(first, y, labels[number])
                sheet.text(sheet.width, y, said[number], ha="right")
                simulated = row.model is None
                axes.plot(
                    [max(row.low, low), max(row.high, low)],
                    [y - bottom, y - bottom],
                    color=own if simulated else style.ink,
                    lw=style.line * 0.9,
                    ls="-" if simulated else ":",
                    zorder=3,
                )
                if row.model is not None and row.model > 0:
                    ends = [y - bottom - step * 0.3, y - bottom + step * 0.3]
                    axes.plot([row.model, row.model], ends, color=own, lw=style.line * 1.2, zorder=4)
                axes.plot(
                    [max(row.seconds, low)],
                    [y - bottom],
                    ls="none",
                    marker="o",
                    fillstyle=_FILL[row.state],
                    markerfacecoloralt=style.paper,
                    ms=text * 0.62,
                    color=own if simulated else style.ink,
                    mec=own if simulated else style.ink,
                    mew=style.line * 0.7,
                    zorder=5,
                    **({"mfc": style.paper} if row.state == STATES[2] else {}),
                )
                top -= step
                number += 1
            top -= gap
        if left_out:
            sheet.text(
                0,
                bottom - axis - below * 0.55,
                f"In the table as well: {', '.join(left_out)}",
                size=style.note,
                colour=style.faint,
                width=sheet.width,
            )


def _described(inputs: Inputs) -> Images:
    return inputs.contents(Images)[0]


def _named(image: Image) -> str:
    """Return the name of an image for a sentence, and its size."""
    return f"{plain(image.name, 40)} ({_size(image.compressed_bytes)})"


def _size(value: int) -> str:
    """Return a size as registries state it, in powers of ten."""
    for divisor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= divisor:
            return f"{rounded(value / divisor, 2)} {unit}"
    return f"{value} bytes"


def _groups(simulated: list[PullTime], found: list[MeasuredPull]) -> list[tuple[str, list[_Row]]]:
    """Return the rows by machine, and what was measured: the largest image with nothing there, and those there."""
    groups: dict[str, list[_Row]] = {}
    for one in simulated:
        groups.setdefault(one.machine, []).append(_Row(one.state, one.seconds, one.low, one.high, one.bytes, one.state))
    shown = [*[one for one in found if one.state == STATES[0]][:1], *[one for one in found if one.state == STATES[2]]]
    if shown:
        groups["measured"] = [
            _Row(
                one.state,
                one.seconds,
                one.low,
                one.high,
                one.bytes,
                f"{_size(one.bytes)}, {one.state}" if one.bytes else one.state,
                one.fitted,
            )
            for one in shown
        ]
    return list(groups.items())


def _fitting(groups: list[tuple[str, list[_Row]]], room: int) -> tuple[list[tuple[str, list[_Row]]], list[str]]:
    """Return as many groups as there is room for, and the names of the others: those in the middle are left out."""
    shown, left_out = list(groups), list[str]()
    while sum(len(rows) for _, rows in shown) + (1 if left_out else 0) > room and len(shown) > 1:
        left_out.append(shown.pop(len(shown) // 2)[0])
    return shown, left_out


FIGURE = Pull()
