"""Parameters as text for people: values in fitting units, and where each comes from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.calibration.specification import Specification
    from vsim.model.quantity import Quantity

__all__ = ["KINDS", "details", "entry", "field", "listing", "number", "ranged", "shown"]

# The order of trust, and a colour for each.
KINDS = {"measured": "green", "published": "cyan", "derived": "yellow", "assumed": "magenta"}

_TIME = ((604800.0, "weeks"), (86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_WORK = ((1.0, "core-s"), (1e-3, "core-ms"), (1e-6, "core-µs"))
_DECIMAL = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))
_BINARY = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"))
_SCALES: Mapping[str, tuple[tuple[float, str], ...]] = {
    "s": _TIME,
    "core-s": _WORK,
    "bytes": _DECIMAL,
    "bytes/s": tuple((size, f"{unit}/s") for size, unit in _DECIMAL),
    "core-s/byte": ((1e-9, "core-s/GB"),),
}


def number(value: float) -> str:
    """Return a number with four significant digits, without an exponent where that is readable."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.4g}"
    digits = len(str(int(abs(value))))
    text = f"{value:,.{max(0, 4 - digits)}f}" if abs(value) >= 1 else f"{value:.4g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scale(value: float, unit: str) -> tuple[float, str]:
    """Return what one of the unit in which `value` is best read is worth, and its name."""
    scales = _SCALES.get(unit, ((1.0, "" if unit == "1" else unit),))
    if unit == "bytes":
        # 96 GiB, but 150 MB: whichever is round
        scales = next((((size, name),) for size, name in _BINARY if value and value % size == 0), scales)
    # weeks are for more than one of them
    fitting = (scale for scale in scales if value >= scale[0] * (2 if scale[1] == "weeks" else 1))
    return next(fitting, scales[-1] if value else scales[0])


def shown(value: float, unit: str) -> str:
    """Return ``150 MB`` for 1.5e8 bytes."""
    if unit in _SCALES and not value:
        return f"0 {unit}"
    size, name = _scale(value, unit)
    return f"{number(value / size)} {name}".rstrip()


def ranged(low: float, high: float, unit: str) -> str:
    """Return ``80 to 300 MB``; ``exactly`` where there is no range."""
    if low == high:
        return "exactly"
    size, name = _scale(high, unit)
    if unit in _SCALES and low and low < size / 100:
        return f"{shown(low, unit)} to {shown(high, unit)}"
    return f"{number(low / size)} to {number(high / size)} {name}".rstrip()


# -- lists -------------------------------------------------------------------------------------------------------------


def listing(profile: Profile, quantities: Iterable[Quantity], width: int) -> Iterator[str]:
    """Yield lines: for each group its name, for each parameter a line of numbers and a line that says the source."""
    group = None
    for quantity in quantities:
        owner, _, rest = quantity.name.partition(".")
        if owner != group:
            group = owner
            yield ""
            title = _title(profile, owner)
            yield click.style(owner, bold=True) + (f"  {title}"[: width - len(owner)] if title else "")
        q, source = quantity, f"{quantity.source.kind}: {_brief(quantity)}"
        yield from entry(rest, q.value, q.low, q.high, q.unit, source, width)


def entry(name: str, value: float, low: float, high: float, unit: str, source: str, width: int) -> Iterator[str]:
    """Yield two lines: name, value and interval at fixed columns (a long name pushes the rest), and the source."""
    size = max(24, width - 40)
    yield _cut(f"  {name:<{size}} {shown(value, unit):>11}  {ranged(low, high, unit)}", width)
    yield click.style(_cut(f"    {source}", width), dim=True)


def _brief(quantity: Quantity) -> str:
    """Return the source in few words: the work and the place in it, the rule, or the reason."""
    source = quantity.source
    if source.kind == "published":
        return ", ".join(part for part in (source.citation, source.place) if part)
    if source.kind == "measured":
        return f"run {source.run} on {source.host}, {source.date}, n = {source.n}"
    return source.rule if source.kind == "derived" else source.why


def _title(profile: Profile, owner: str) -> str:
    if owner == "site":
        return "what the place charges"
    if owner == "reference":
        return "quantities that only rules use"
    for section in (profile.layers, profile.machines, profile.chassis, profile.stacks, profile.images):
        if owner in section:
            return str(section[owner].title)
    return ""


# -- one parameter -----------------------------------------------------------------------------------------------------


def details(profile: Profile, quantity: Quantity, width: int) -> Iterator[str]:
    """Yield lines with everything that is known about a parameter."""
    yield click.style(quantity.name, bold=True)
    for label, text in _facts(profile, quantity):
        yield from field(label, text, width)


def _facts(profile: Profile, quantity: Quantity) -> Iterator[tuple[str, str]]:
    specification = profile.specifications[quantity.name]
    source, unit = quantity.source, quantity.unit
    best = shown(quantity.value, unit)
    # also in the unit of the model, which `--profile` files may use and results do
    yield "value", best if best.endswith(f" {unit}") or unit not in _SCALES else f"{best} ({quantity.value:.6g} {unit})"
    if quantity.points:
        yield "at loads", ", ".join(number(point) for point in quantity.points) + f" {unit} at 0, 10, …, 100 %"
    yield "interval", ranged(quantity.low, quantity.high, unit)
    for end in ("low", "high"):
        bound = getattr(specification, end)
        if isinstance(bound, str) and bound != "value":
            yield f"  {end}", f"{bound}{_where(profile, specification, bound)}"
    if quantity.distribution is not None:
        of = quantity.distribution
        spread = "the factors of a sample" if of.relative else f"coefficient of variation {of.cv:g}"
        yield "varies", f"{of.family}, {spread}: single occurrences, around the value"
    yield "source", _kind(source.kind)
    if quantity.name in profile.pinned:
        yield "", "set by hand: the source is that of the value it had"
    if source.kind == "derived":
        yield "rule", source.rule
        yield from _inputs(profile, specification, source.rule)
    for label in ("citation", "place", "conditions", "run", "host", "date", "n", "why"):
        text = getattr(source, label)
        if text:
            yield label, str(text)
    if source.kind == "published" and specification.rule is not None:
        yield from _inputs(profile, specification, specification.rule)
    users = profile.users[quantity.name]
    if users:
        yield "used by", ", ".join(users)


def _inputs(profile: Profile, specification: Specification, rule: str) -> Iterator[tuple[str, str]]:
    """Yield each name in a rule, with what it stands for and its value."""
    from vsim.calibration.formula import Formula

    for name in Formula.of(rule).names:
        target = specification.inputs.get(name, name)
        if target in profile.quantities:
            other = profile.quantities[target]
            numbers = f"{shown(other.value, other.unit)}, {ranged(other.low, other.high, other.unit)}, "
            yield f"  {name}", (f"{target}: " if target != name else "") + numbers + other.source.kind
        elif (figure := profile.figures.get(target.partition("[")[0])) is not None:
            values = figure.value if isinstance(figure.value, tuple) else (figure.value,)
            text = ", ".join(number(value) if isinstance(value, float) else value for value in values)
            what = ", ".join(part for part in (figure.quantity, figure.place) if part)
            yield f"  {name}", f"{text} {figure.unit} ({what or 'published'})"


def _where(profile: Profile, specification: Specification, rule: str) -> str:
    """Return the values of the names in an interval's rule, in brackets."""
    stated = [f"{name.strip()} = {text}" for name, text in _inputs(profile, specification, rule)]
    return f" ({'; '.join(stated)})" if stated else ""


# -- layout ------------------------------------------------------------------------------------------------------------


def _kind(kind: str) -> str:
    return click.style(kind, fg=KINDS[kind])


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def field(label: str, text: str, width: int) -> list[str]:
    """Return the lines of a label and its text, wrapped beside it."""
    indent = 16
    if len(label) > indent - 4:
        label, text = " " * (len(label) - len(label.lstrip())), f"{label.strip()}: {text}"
    head = f"  {label:<{indent - 4}}  "
    if "\x1b" in text:  # styled: short, and its length isn't what it seems
        return [head + text]
    return textwrap.wrap(
        text,
        max(width, indent + 20),
        initial_indent=head,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]
