"""The overhead of CPU as a waterfall: what each layer adds to the work of the same requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsim.report.figures._figure import Cell, Figure, Table, most_stacks, remembered
from vsim.report.figures._layers import background, cpu_by_layer
from vsim.report.figures._rows import RowNames
from vsim.report.lettering import width_of
from vsim.report.sheet import Sheet
from vsim.report.words import rounded, short_names

if TYPE_CHECKING:
    from vsim.report.inputs import Inputs, Simulated
    from vsim.report.styles import Style
    from vsim.samples.result import ArchitectureResult

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
        results = {one.name: one for one in inputs.result.result.architectures}
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
            # what layers do all the time, on the machines and for the instances that the result has
            for layer, cores in background(one, *_placed(inputs.result, results[one.name])):
                added[layer] = added.get(layer, 0.0) + cores * one.machine.core_speed.value
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
        called = short_names(layers)
        said = f"Layers take {_percent(totals[most])} more CPU for the same requests on {called[most]}"
        return f"{said}, {_percent(totals[least])} on {called[least]}" if least != most else said

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
            "CPU time that a layer adds, to requests and in the background, in percent of the work on the bare "
            "machine; a bar begins where the one above ends. No intervals."
        )

    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw a row for each layer that adds something."""
        sheet = Sheet(figure, style)
        layers = self.layers(inputs)
        size, line = style.text, sheet.line_height()
        rows = {name: [pair for pair in parts if pair[1] >= _LEAST] for name, parts in layers.items()}
        names = RowNames(sheet, layers, line * 2)
        lines = sum(max(1, len(parts), names.count(number)) for number, parts in enumerate(rows.values()))
        if lines * line * 0.98 > sheet.height:
            _bars(sheet, rows)
            return
        left = names.width
        most = max(max((sum(part for _, part in parts) for parts in rows.values()), default=0.0), _LEAST)
        labels = [f"{layer} +{_percent(part)}" for parts in rows.values() for layer, part in parts] or ["adds nothing"]
        room = max(width_of(label, size) for label in labels) + size
        scale = (sheet.width - left - room) / most
        gap = size * 0.5
        step, block = _rows(
            [max(1, len(rows[name])) for name in rows],
            [names.count(number) * line for number in range(len(rows))],
            sheet.height - gap * (len(rows) - 1),
        )
        thick = min(step * 0.72, line * 1.4)
        sheet.line([left, left], [0, sheet.height], colour=style.ink)
        y = sheet.height
        for row, (parts, tall) in enumerate(zip(rows.values(), block, strict=True)):
            names.middle(row, y - tall / 2)
            if not parts:
                sheet.text(left + size * 0.4, y - tall / 2, "adds nothing", colour=style.faint)
            x = left
            top = y - (tall - len(parts) * step) / 2
            for number, (layer, part) in enumerate(parts):
                middle = top - (number + 0.5) * step
                sheet.box(x, middle - thick / 2, part * scale, thick, layer)
                end = x + part * scale
                if number + 1 < len(parts):
                    sheet.line([end, end], [middle - thick / 2, middle - step], colour=style.ink)
                sheet.text(end + size * 0.4, middle, f"{layer} +{_percent(part)}")
                x = end
            y -= tall + gap


def _bars(sheet: Sheet, rows: dict[str, list[tuple[str, float]]]) -> None:
    """Draw what layers add in one row for each architecture, where there is no room for a row for each layer."""
    style, size, line = sheet.style, sheet.style.text, sheet.line_height()
    step = sheet.height / len(rows)
    names = RowNames(sheet, rows, step)
    left, thick = names.width, min(step * 0.6, line * 1.4)
    totals = [sum(part for _, part in parts) for parts in rows.values()]
    labels = []
    for parts, total in zip(rows.values(), totals, strict=True):
        most = max(parts, key=lambda pair: pair[1], default=None)
        of = f", most by {most[0]}" if most is not None and len(parts) > 1 else f" by {most[0]}" if most else ""
        labels.append(f"+{_percent(total)}{of}" if total else "adds nothing")
    room = max(width_of(label, size) for label in labels) + size
    scale = (sheet.width - left - room) / max(*totals, _LEAST)
    sheet.line([left, left], [0, sheet.height], colour=style.ink)
    for row, parts in enumerate(rows.values()):
        middle = sheet.height - (row + 0.5) * step
        names.middle(row, middle)
        x = left
        for layer, part in parts:
            sheet.box(x, middle - thick / 2, part * scale, thick, layer)
            x += part * scale
        sheet.text(x + size * 0.4, middle, labels[row])


def _rows(counts: list[int], least: list[float], height: float) -> tuple[float, list[float]]:
    """Return the height of a row, and of each block of rows, which is at least what its name takes."""
    step = height / sum(counts)
    for _ in counts:
        # blocks whose names are taller than their rows leave less to the others
        tall = [number for number, count in enumerate(counts) if least[number] > count * step]
        free = sum(count for number, count in enumerate(counts) if number not in tall)
        left = height - sum(least[number] for number in tall)
        if not free or left <= 0:
            break
        step = min(step, left / free)
    blocks = [max(low, count * step) for low, count in zip(least, counts, strict=True)]
    squeezed = min(1.0, height / sum(blocks))
    return step * squeezed, [block * squeezed for block in blocks]


def _placed(simulated: Simulated, one: ArchitectureResult) -> tuple[float, float]:
    """Return how many machines carry how many instances."""
    hosts, unplaced = (one.metrics[name].value if name in one.metrics else 0.0 for name in ("hosts", "unplaced"))
    return hosts, sum(service.replicas for service in simulated.services) - unplaced


def _percent(part: float) -> str:
    return f"{rounded(100 * part, 2)} %"


FIGURE = Overhead()
