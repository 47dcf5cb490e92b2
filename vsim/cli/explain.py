"""``vsim explain``: where a parameter or a result comes from."""

from __future__ import annotations

import json
import math
import os
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsim.errors import InputError

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.model.quantity import Quantity
    from vsim.samples.result import Result, Swing

__all__ = ["command"]

# How many of the parameters that move a metric are named.
MOST = 3
# Below half a percent a swing is not worth a line.
LEAST = 0.005


@click.command(
    name="explain",
    epilog="WHAT is a parameter (`container-engine.memory.unit_bytes`), the beginning of some (`raspberry-pi-4`), an "
    "architecture (`vm@laptop`), a published figure, or a result (a directory that `vsim simulate --out` wrote). "
    "Without it, all parameters are listed.",
)
@click.argument("what", required=False, metavar="[WHAT]")
@click.option("--profile", "files", multiple=True, metavar="FILE", help="A profile to put on top of the built-in one.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def command(what: str | None, files: tuple[str, ...], form: str) -> None:
    """Say where a parameter or a result comes from: value, interval and source."""
    if what is not None and _is_path(what):
        from vsim.samples.result_files import read_result

        if files:
            raise click.UsageError("A result carries its parameters with it: leave out --profile.")
        result = read_result(what)
        _print(_result_json(result) if form == "json" else "\n".join(_result_lines(result, _width())))
        return
    from vsim.calibration import load_profile

    profile = load_profile(*files)
    for warning in profile.warnings:
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {warning}", err=True)
    _print(_profile_json(profile, what) if form == "json" else "\n".join(_profile_lines(profile, what, _width())))


def _is_path(what: str) -> bool:
    """Return whether `what` names a file or a folder rather than a parameter, which wins where it could be both."""
    if what.endswith(".json") or os.sep in what:
        return True
    if not what or not Path(what).exists():
        return False
    from vsim.calibration import builtin

    return not _group(builtin(), what)


def _width() -> int:
    return max(60, min(120, shutil.get_terminal_size().columns))


def _print(text: str) -> None:
    click.echo(text, color=False if os.environ.get("NO_COLOR") else None)


# -- parameters --------------------------------------------------------------------------------------------------------


def _profile_lines(profile: Profile, what: str | None, width: int) -> Iterator[str]:
    from vsim.cli._parameters import details, listing

    if what is None:
        yield from _summary(f"{profile.name}: {{}} parameters", profile.quantities.values())
        yield from listing(profile, profile.quantities.values(), width)
    elif what in profile.quantities:
        yield from details(profile, profile.quantities[what], width)
    elif what in profile.figures:
        yield from _figure_lines(profile, what, width)
    else:
        found = _select(profile, what)
        yield from _summary(f"{what}: {{}} parameters", found)
        yield from listing(profile, found, width)


def _select(profile: Profile, what: str) -> list[Quantity]:
    """Return the quantities that `what` stands for: those below a name, or those of an architecture."""
    found = _group(profile, what)
    if found:
        return found
    if "@" in what:
        return profile.used_by(profile.architecture(what))
    from vsim.scenario.validation import did_you_mean

    names = [*profile.quantities, *dict.fromkeys(name.partition(".")[0] for name in profile.quantities)]
    hint = _by_last_part(profile, what) or did_you_mean(what, [*names, *profile.stacks, *profile.figures])
    raise InputError(
        f"there is no parameter, figure or result {what!r}", hint=hint or "`vsim explain` lists all parameters"
    )


def _group(profile: Profile, what: str) -> list[Quantity]:
    prefix = what.rstrip(".") + "."
    found = [q for name, q in profile.quantities.items() if name == what or name.startswith(prefix)]
    if not found and what in profile.stacks:
        from vsim.model.quantity import quantities

        found = list({q.name: q for q in quantities(profile.stacks[what])}.values())
    return found


def _by_last_part(profile: Profile, what: str) -> str | None:
    """Return a hint for who remembers the end of a name only: ``core_speed``."""
    found = [name for name in profile.quantities if name.endswith(f".{what}")]
    return f"there are {', '.join(found[:4])}{' …' if found[4:] else ''}" if found else None


def _summary(title: str, found: Iterable[Quantity]) -> Iterator[str]:
    from vsim.cli._parameters import KINDS

    kinds = [quantity.source.kind for quantity in found]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS)  # type: ignore[arg-type]
    yield f"{title.format(len(kinds))} ({counts})"


def _figure_lines(profile: Profile, name: str, width: int) -> Iterator[str]:
    from vsim.cli._parameters import field, number

    figure = profile.figures[name]
    values = figure.value if isinstance(figure.value, tuple) else (figure.value,)
    yield click.style(name, bold=True)
    texts = {
        "value": ", ".join(number(v) if isinstance(v, float) else v for v in values) + f" {figure.unit}",
        "quantity": figure.quantity,
        "citation": profile.citations.get(figure.citation, figure.citation),
        "place": figure.place,
        "platform": figure.platform,
        "conditions": figure.conditions,
        "confidence": figure.confidence,
        "used by": ", ".join(q.name for q in profile.quantities.values() if _uses(q, name)),
    }
    for label, text in texts.items():
        if text:
            yield from field(label, text, width)


def _uses(quantity: Quantity, figure: str) -> bool:
    return any(name.partition("[")[0] == figure for name in quantity.source.inputs)


def _profile_json(profile: Profile, what: str | None) -> str:
    if what is not None and what in profile.figures and what not in profile.quantities:
        import dataclasses

        figure = dataclasses.asdict(profile.figures[what])
        figure["citation"] = profile.citations.get(figure["citation"], figure["citation"])
        return _json({key: value for key, value in figure.items() if value != ""})
    found = profile.quantities.values() if what is None else _select(profile, what)
    return _json({"profile": profile.name, "parameters": [_record(profile, quantity) for quantity in found]})


def _record(profile: Profile, quantity: Quantity) -> dict[str, Any]:
    import dataclasses

    source = {key: value for key, value in dataclasses.asdict(quantity.source).items() if value not in ("", (), None)}
    record: dict[str, Any] = {
        "name": quantity.name,
        "value": quantity.value,
        "low": quantity.low,
        "high": quantity.high,
        "unit": quantity.unit,
        "source": source,
    }
    if quantity.distribution is not None:
        record["distribution"] = dataclasses.asdict(quantity.distribution)
    if quantity.points:
        record["points"] = quantity.points
    return record | {"used_by": profile.users[quantity.name]}


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)


# -- results -----------------------------------------------------------------------------------------------------------


def _result_lines(result: Result, width: int) -> Iterator[str]:
    from vsim.cli._parameters import KINDS, entry, field

    yield click.style(str(result.scenario.get("title", "result")), bold=True)
    yield from field("of", ", ".join(architecture.name for architecture in result.architectures), width)
    yield from field("profile", str(result.profile.get("name", "")), width)
    counts = ", ".join(f"{sum(p.kind == kind for p in result.parameters)} {kind}" for kind in KINDS)
    yield from field("parameters", f"{len(result.parameters)}: {counts}", width)
    yield ""
    yield from _sensitivity_lines(result, width)
    for kind in KINDS:
        parameters = [parameter for parameter in result.parameters if parameter.kind == kind]
        if parameters:
            yield ""
            yield click.style(f"{kind} ({len(parameters)})", bold=True)
        for p in parameters:
            yield from entry(p.name, p.value, p.low, p.high, p.unit, p.source.removeprefix(f"{kind}: "), width)


def _sensitivity_lines(result: Result, width: int) -> Iterator[str]:
    from vsim.cli._parameters import field
    from vsim.samples.metrics import METRICS

    found = result.sensitivity
    if found is None:
        yield "No sensitivity analysis was made."
        return
    how = "the whole scenario" if found.method == "full" else "start-up only (`vsim simulate --sensitivity` moves all)"
    yield click.style("What the answer hangs on most", bold=True)
    yield from field(
        "", f"{found.tried} of {found.uncertain} uncertain parameters moved over their intervals, {how}", width
    )
    for metric in found.metrics:
        yield f"  {METRICS[metric].title}"
        swings = _largest(result, metric)
        for swing in swings:
            line = f"  {_factor(swing):>8}  {swing.parameter} ({swing.kind}, {swing.architecture})"
            yield from textwrap.wrap(line, width, subsequent_indent=" " * 12, break_on_hyphens=False)
        if not swings:
            yield f"  {'–':>8}  nothing moves it"


def _largest(result: Result, metric: str) -> list[Swing]:
    """Return the swings that move `metric` most, each parameter once, for the architecture that it moves most."""
    assert result.sensitivity is not None
    best: dict[str, Swing] = {}
    for swing in sorted(result.sensitivity.swings, key=_size):
        if swing.metric == metric and (swing.span > 0 if swing.swing is None else swing.swing >= LEAST):
            best[swing.parameter] = swing
    return sorted(best.values(), key=_size, reverse=True)[:MOST]


def _size(swing: Swing) -> tuple[float, float]:
    return (math.inf if swing.swing is None else swing.swing, swing.span)


def _factor(swing: Swing) -> str:
    """Return how far a metric moves: in percent of its value, as a multiple from ten times on."""
    if swing.swing is None:
        return "from 0"
    return f"{swing.swing:.0%}" if swing.swing < 10 else f"× {1 + swing.swing:,.0f}"


def _result_json(result: Result) -> str:
    content = result.to_dict()
    keys = ("scenario", "profile", "parameters", "sensitivity")
    return _json({key: content[key] for key in keys if key in content})
