"""The figures, one module each, and how they are rendered."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsim.errors import InputError
from vsim.report.rendering import Rendered, render_figure
from vsim.scenario.validation import did_you_mean, listed

if TYPE_CHECKING:
    from vsim.report.figures._figure import Figure
    from vsim.report.inputs import Inputs

__all__ = ["FIGURES", "Rendered", "lacking", "render"]

# In the order in which a lecture shows them. Each is FIGURE in the module of its name.
_NAMES = (
    "ladder",
    "concurrency",
    "fleet",
    "stacks",
    "density",
    "provision",
    "timeline",
    "pull",
    "overhead",
    "failure",
    "latency",
    "predicted",
    "tornado",
    "raspberry",
)


class _Figures(Mapping[str, "Figure"]):
    """Figures by name, each loaded when it is asked for."""

    def __getitem__(self, name: str) -> Figure:
        if name not in _NAMES:
            raise KeyError(name)
        figure: Figure = importlib.import_module(f"vsim.report.figures.{name}").FIGURE
        return figure

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


FIGURES: Mapping[str, Figure] = _Figures()


def lacking(inputs: Inputs) -> dict[str, str]:
    """Return the figures that can't be drawn from `inputs`, each with the reason."""
    return {name: reason for name, figure in FIGURES.items() if (reason := figure.lacking(inputs)) is not None}


def render(
    inputs: Inputs,
    names: Sequence[str] | None = None,
    style: str = "slide",
    formats: Sequence[str] = ("svg",),
    out: str | Path | None = None,
) -> list[Rendered]:
    """Draw figures and write each to NAME.svg (.png, .pdf), NAME.csv (its numbers) and NAME.txt (its words) in `out`.

    Without `names`, all that the inputs suffice for. Raises InputError for an unknown name, style or format, or a
    figure of `names` that can't be drawn from these inputs; HostError when a file can't be written.
    """
    for name in names or ():
        if name not in FIGURES:
            hint = did_you_mean(name, list(FIGURES)) or f"there are {listed(tuple(FIGURES), 'and')}"
            raise InputError(f"there is no figure {name!r}", hint=hint)
    left_out = {} if names else lacking(inputs)
    chosen = names or [name for name in FIGURES if name not in left_out]
    return [render_figure(FIGURES[name], inputs, style, formats, out)[0] for name in chosen]
