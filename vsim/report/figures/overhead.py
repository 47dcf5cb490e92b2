"""The overhead of CPU as a waterfall: what each layer adds to the work of the same requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, most_stacks, remembered
from vsim.report.figures._layers import cpu_by_layer
from vsim.report.lettering import width_of, wrap
from vsim.report.sheet import Sheet
from vsim.report.words import rounded

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style

__all__ = ["FIGURE", "Overhead"]

# A layer that adds less than this part of the work has no row of its own.
_LEAST = 0.0005


class Overhead(Figure):
    """What each layer adds to the CPU work of a request."""

    name = "overhead"
    needs = ("result",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that layers or requests aren't known, if so."""
        if simulated.lacking:
            return simulated.lacking
        asked = any(service.request is not None and service.arrivals is not None for service in simulated.services)
        return None if asked else "it needs a scenario with requests"

    def best(self, accepted: list[Simulated]) -> Simulated:
        """Return the result with the most stacks."""
        return most_stacks(accepted)

    @remembered
    def layers(self, inputs: Inputs) -> dict[str, list[tuple[str, float]]]:
        """Return by architecture what each layer adds, over the requests of all services as they arrive."""
        services = [s for s in inputs.result.services if s.request is not None and s.arrivals is not None]
        found: dict[str, list[tuple[str, float]]] = {}
        for one in inputs.result.architectures:
            added: dict[str, float] = {}
            work = 0.0
            for service in services:
                assert service.request is not None
                assert service.arrivals is not None
                request = service.request
                own = request.user_core_s + request.system_call_core_s + request.page_fault_core_s
                weight = own * service.arrivals.rate_per_s
                work += weight
                for layer, part in cpu_by_layer(one, service):
                    added[layer] = added.get(layer, 0.0) + part * weight
            found[one.name] = [(layer, part / work) for layer, part in added.items()] if work > 0 else []
        return found

    def table(self, inputs: Inputs) -> Table:
        """Return what each layer adds as a part of the bare work, and what the simulation came to."""
        rows: list[list[Cell]] = [
            [name, layer, part] for name, layers in self.layers(inputs).items() for layer, part in layers
        ]
        for one in inputs.result.result.architectures:
            if "cpu_overhead_fraction" in one.metrics:
                rows.append([one.name, "simulated, all layers", one.metrics["cpu_overhead_fraction"].value])
        return ("architecture", "layer", "added_fraction"), rows

    def title(self, inputs: Inputs) -> str:
        """Return the largest overhead and the layer that adds most of it."""
        layers = self.layers(inputs)
        totals = {name: sum(part for _, part in parts) for name, parts in layers.items()}
        most, least = max(totals, key=lambda n: totals[n]), min(totals, key=lambda n: totals[n])
        if not layers[most] or totals[most] < _LEAST:
            return "No layer adds CPU work worth showing"
        layer, part = max(layers[most], key=lambda pair: pair[1])
        said = f"The same requests take {_percent(totals[most])} more CPU on {most}"
        if len(layers[most]) > 1 and part < totals[most] * 0.95:
            said += f", {_percent(part)} of it for the {layer}"
        return f"{said}, {_percent(totals[least])} on {least}" if least != most else said

    def alt(self, inputs: Inputs) -> str:
        """Return all layers in words."""
        said = [
            f"{name}: "
            + (", ".join(f"{layer} {_percent(part)}" for layer, part in parts if part >= _LEAST) or "nothing")
            for name, parts in self.layers(inputs).items()
        ]
        return f"Waterfall chart of CPU work that layers add. {'; '.join(said)}."

    def caption(self, inputs: Inputs) -> str:
        """Return what a bar is."""
        return (
            "CPU work that a layer adds, in percent of that on the bare machine; a bar begins where that of the layer "
            "below ends. The profile's values, without intervals."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a row for each layer that adds something."""
        sheet = Sheet(figure, style)
        layers = self.layers(inputs)
        size, line = style.text, sheet.line_height()
        names = {name: wrap(name.replace("@", " on "), size, sheet.width * 0.25, 2) for name in layers}
        left = max(width_of(part, size) for lines in names.values() for part in lines) + size
        rows = {name: [pair for pair in parts if pair[1] >= _LEAST] for name, parts in layers.items()}
        most = max(max((sum(part for _, part in parts) for parts in rows.values()), default=0.0), _LEAST)
        labels = [f"{layer} +{_percent(part)}" for parts in rows.values() for layer, part in parts] or ["adds nothing"]
        room = max(width_of(label, size) for label in labels) + size
        scale = (sheet.width - left - room) / most
        count = sum(max(1, len(parts)) for parts in rows.values())
        gap = size * 0.5
        step = (sheet.height - gap * (len(rows) - 1)) / count
        thick = min(step * 0.72, line * 1.4)
        sheet.line([left, left], [0, sheet.height], colour=style.ink)
        y = sheet.height
        for name, parts in rows.items():
            block = max(1, len(parts)) * step
            for number, written in enumerate(names[name]):
                sheet.text(0, y - block / 2 + ((len(names[name]) - 1) / 2 - number) * line, written)
            if not parts:
                sheet.text(left + size * 0.4, y - step / 2, "adds nothing", colour=style.faint)
            x = left
            for number, (layer, part) in enumerate(parts):
                middle = y - (number + 0.5) * step
                sheet.box(x, middle - thick / 2, part * scale, thick, layer)
                end = x + part * scale
                if number + 1 < len(parts):
                    sheet.line([end, end], [middle - thick / 2, middle - step], colour=style.ink)
                sheet.text(end + size * 0.4, middle, f"{layer} +{_percent(part)}")
                x = end
            y -= block + gap


def _percent(part: float) -> str:
    return f"{rounded(100 * part, 2)} %"


FIGURE = Overhead()
