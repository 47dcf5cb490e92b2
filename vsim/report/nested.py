"""What runs where as a picture: instances in kernels in machines in chassis, one column for each architecture.

Boxes are nested as things contain each other. A kernel's colour is that of the boundary around an instance; a
privileged instance has a thick edge, since its boundary counts for little.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsim.errors import HostError, InputError
from vsim.report.predicted import check_target

if TYPE_CHECKING:
    from vsim.experiment.layout import Layout, PlacedHost

__all__ = ["draw_layouts"]

# How many machines of an architecture, and instances of a kernel, are drawn; the others are counted below.
MOST_HOSTS = 8
MOST_INSTANCES = 12
# By boundary; people with any kind of colour vision tell them apart (Okabe & Ito, Color Universal Design, 2008).
_COLOURS = {
    "none": "#999999",
    "process": "#D55E00",
    "namespace": "#E69F00",
    "sandbox-kernel": "#F0E442",
    "hypervisor": "#56B4E9",
    "machine": "#009E73",
}
_UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_INK, _EDGE, _BOX = "#222222", "#666666", "#F2F2F2"
_LINE, _PAD, _WIDTH = 0.26, 0.08, 3.4


def draw_layouts(
    placed: Sequence[Layout], path: Path | str, *, title: str, privileged: frozenset[str] = frozenset()
) -> None:
    """Draw where the instances are to `path` (.png, .svg or .pdf).

    Raises InputError for another kind of file, HostError without matplotlib or when it can't be written.
    """
    check_target(path)
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = max(_height(one) for one in placed)
    figure = Figure(figsize=(len(placed) * (_WIDTH + 0.3) + 0.3, height + 0.7))
    FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, len(placed) * (_WIDTH + 0.3) + 0.3)
    axes.set_ylim(height + 0.7, 0)
    axes.axis("off")
    axes.text(0.3, 0.25, title, fontsize=12, color=_INK, va="center")
    for column, one in enumerate(placed):
        _column(axes, one, 0.3 + column * (_WIDTH + 0.3), privileged)
    try:
        # no date, and names that don't change: the same layout makes the same bytes
        with rc_context({"svg.hashsalt": "vsim", "svg.fonttype": "none"}):
            figure.savefig(path, dpi=150, metadata=_UNDATED.get(Path(path).suffix.lower()))
    except OSError as error:
        raise HostError(f"can't write {path}: {error.strerror}", hint="make room, or write elsewhere") from None
    except ValueError as error:
        raise InputError(f"{path} can't be drawn to: {error}") from None


def _guests(one: Layout, host: PlacedHost) -> list[tuple[str, ...]]:
    return list(host.guests) if one.in_guests else [tuple(name for guest in host.guests for name in guest)]


def _lines(guest: tuple[str, ...]) -> int:
    return min(len(guest), MOST_INSTANCES) + (len(guest) > MOST_INSTANCES)


def _kernel_height(guest: tuple[str, ...]) -> float:
    return _LINE + _lines(guest) * _LINE + 2 * _PAD


def _host_height(one: Layout, host: PlacedHost) -> float:
    return _LINE + sum(_kernel_height(guest) + _PAD for guest in _guests(one, host)) + _PAD


def _height(one: Layout) -> float:
    shown = one.hosts[:MOST_HOSTS]
    chassis = len({host.chassis for host in shown if host.chassis is not None})
    return 0.9 + sum(_host_height(one, host) + _PAD for host in shown) + chassis * (_LINE + 2 * _PAD) + _LINE


def _column(axes: Any, one: Layout, left: float, privileged: frozenset[str]) -> None:
    architecture = one.architecture
    axes.text(left, 0.65, architecture.name, fontsize=10, weight="bold", color=_INK, va="center")
    top = 0.85
    shown = one.hosts[:MOST_HOSTS]
    for chassis in dict.fromkeys(host.chassis for host in shown):
        inside = [host for host in shown if host.chassis == chassis]
        hosts_height = sum(_host_height(one, host) + _PAD for host in inside)
        indent = 0.0
        if chassis is not None and architecture.machine.chassis is not None:
            _box(axes, left, top, _WIDTH, hosts_height + _LINE + _PAD, "#FFFFFF", architecture.machine.chassis.name)
            top += _LINE
            indent = _PAD
        for host in inside:
            _host(axes, one, host, (left + indent, top, _WIDTH - 2 * indent), privileged)
            top += _host_height(one, host) + _PAD
        top += 2 * _PAD
    if len(one.hosts) > MOST_HOSTS:
        axes.text(left, top + _LINE / 2, f"and {len(one.hosts) - MOST_HOSTS} more machines", fontsize=8, color=_INK)


def _host(axes: Any, one: Layout, host: PlacedHost, at: tuple[float, float, float], privileged: frozenset[str]) -> None:
    left, top, width = at
    stack = one.architecture.stack
    opener = next((layer for layer in stack.below if layer.opens_guest), None)
    title = f"{one.architecture.machine.name} {host.index + 1}" + ("" if opener is None else f" · {opener.name}")
    _box(axes, left, top, width, _host_height(one, host), _BOX, title)
    kernel = stack.above[0].name if one.in_guests else stack.below[0].name
    top += _LINE
    for guest in _guests(one, host):
        height = _kernel_height(guest)
        colour = _COLOURS[one.architecture.boundary]
        _box(axes, left + _PAD, top, width - 2 * _PAD, height, colour, f"{kernel} ({one.architecture.boundary})")
        for number, name in enumerate(guest[:MOST_INSTANCES]):
            line = top + _LINE * (number + 1) + _PAD / 2
            edge = 2.0 if name in privileged else 0.6
            _box(axes, left + 2 * _PAD, line, width - 4 * _PAD, _LINE * 0.85, "#FFFFFF", name, edge=edge)
        if len(guest) > MOST_INSTANCES:
            line = top + _LINE * (MOST_INSTANCES + 1) + _PAD / 2
            more = f"and {len(guest) - MOST_INSTANCES} more"
            axes.text(left + 3 * _PAD, line + _LINE / 2, more, fontsize=8, color=_INK, va="center")
        top += height + _PAD


def _box(
    axes: Any, left: float, top: float, width: float, height: float, colour: str, text: str, *, edge: float = 0.8
) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((left, top), width, height, facecolor=colour, edgecolor=_EDGE, linewidth=edge))
    most = round(width / 0.075)
    shown = text if len(text) <= most else f"{text[: most - 1]}…"
    axes.text(left + _PAD / 2, top + _LINE / 2, shown, fontsize=8, color=_INK, va="center")
