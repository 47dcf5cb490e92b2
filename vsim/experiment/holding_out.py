"""Parts of a data set that are left out of a calibration, to be predicted by it: what cross-validation holds out.

A selection is written ``KEY OP VALUE``: ``concurrency=8,16``, ``density>40``, ``rate>=500``, ``block=0..4``,
``run=20261124-122247-8348``. What it selects:

    concurrency   starts so many at a time (suite startup)
    density       whatever is known with so many instances on the host (suites density and memory); what a ramp as a
                  whole tells counts as known at its end
    rate          requests at so many per second (suite requests)
    block         all of the blocks with these numbers
    run           all of the runs with these ids, or with ids that begin so

Where densities are left out, the weight of a host without any instance is kept on both sides: it is what either side is
measured from.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from vsim.errors import InputError
from vsim.samples.records import Failure, Run, Sample, Samples
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["KEYS", "Key", "Selection", "each_in_turn", "parse", "split"]

Key = Literal["concurrency", "density", "rate", "block", "run"]
KEYS: tuple[Key, ...] = get_args(Key)

_FORM = re.compile(r"\s*(?P<key>[\w-]+)\s*(?P<operator>>=|<=|=|>|<)\s*(?P<values>\S(?:.*\S)?)\s*")
_ORDERED: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_EXAMPLE = "concurrency=8,16, density>40, rate>=500, block=0..4 or run=ID"


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of a data set: values of one key. `text` is how it was written; `matches` takes a value of the key."""

    key: Key
    text: str
    ranges: tuple[tuple[float, float], ...] = ()
    compare: tuple[str, float] | None = None
    ids: tuple[str, ...] = ()

    def matches(self, value: float | str) -> bool:
        """Return whether this value of the key is selected."""
        if isinstance(value, str):
            return value.startswith(self.ids)
        if self.compare is not None:
            return _ORDERED[self.compare[0]](value, self.compare[1])
        return any(low <= value <= high for low, high in self.ranges)


def parse(text: str) -> Selection:
    """Return the selection that `text` writes. Raises InputError, with a hint, for what can't be understood."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise InputError(f"{text!r} doesn't say what is left out", hint=f"write {_EXAMPLE}")
    key = next((key for key in KEYS if key == form["key"]), None)
    if key is None:
        hint = did_you_mean(form["key"], KEYS) or f"one of {listed(KEYS, 'or')}"
        raise InputError(f"nothing can be left out by {form['key']!r}", hint=hint)
    sign, values = form["operator"], form["values"]
    words = [word.strip() for word in values.split(",")]
    if not all(words):
        raise InputError(f"{text!r} lacks a value beside a comma", hint=f"write {_EXAMPLE}")
    if key == "run":
        if sign != "=":
            raise InputError(f"runs have no order: {text!r}", hint="write run=ID, or run=ID,ID")
        return Selection(key, text, ids=tuple(words))
    if sign != "=":
        return Selection(key, text, compare=(sign, _number(values, text)))
    ranges = []
    for word in words:
        low, between, high = word.partition("..")
        ranges.append((_number(low, text), _number(high if between else low, text)))
    return Selection(key, text, ranges=tuple(ranges))


def each_in_turn(samples: Samples, key: Key) -> list[Selection]:
    """Return a selection for each value that `samples` have of `key`: leave one out, and then the next.

    Raises InputError for `density`, which has no separate values, and where there are less than two.
    """
    if key == "density":
        raise InputError("density has no levels to leave out one by one", hint="leave out a range: density>40")
    found = sorted(_found(samples, key), key=lambda value: (isinstance(value, str), value))
    if len(found) < 2:
        has = f"only {found[0]}" if found else "none"
        raise InputError(f"leaving out one {key} after another needs two of them at least; the samples have {has}")
    return [parse(f"{key}={value if isinstance(value, str) else format(value, 'g')}") for value in found]


def split(samples: Samples, selections: Sequence[Selection]) -> tuple[Samples, Samples]:
    """Return what is kept, and what any of the selections leaves out.

    Raises InputError when one of them leaves nothing out, or together they keep nothing.
    """
    runs = {run.run_id: run for run in samples.runs}
    for selection in selections:
        found = _found(samples, selection.key)
        if not any(map(selection.matches, found)):
            has = listed([_shown(value) for value in sorted(found, key=_order)], "and") if found else "none at all"
            raise InputError(f"{selection.text} leaves out nothing", hint=f"the samples have {selection.key} {has}")

    kept = _part(samples, runs, selections, out=False)
    if not kept.samples:
        texts = " and ".join(selection.text for selection in selections)
        raise InputError(f"{texts} leaves nothing to calibrate on", hint="leave out less")
    return kept, _part(samples, runs, selections, out=True)


def _part(samples: Samples, runs: Mapping[str, Run], selections: Sequence[Selection], *, out: bool) -> Samples:
    """Return what is left out, or what is kept. Runs of which no rung has a sample in it aren't in it either."""

    def belongs(record: Sample | Failure) -> bool:
        values = _values(record, runs[record.run_id])
        if not values:
            return not out
        if isinstance(record, Sample) and _is_base(record):
            whole = [selection for selection in selections if selection.key in ("run", "block")]
            if not _left(values, whole):
                return not out or any(selection.key == "density" for selection in selections)
        return _left(values, selections) is out

    chosen = [sample for sample in samples.samples if belongs(sample)]
    names = {sample.run_id for sample in chosen if _values(sample, runs[sample.run_id])}
    return Samples(
        runs=tuple(run for run in samples.runs if run.run_id in names),
        samples=tuple(sample for sample in chosen if sample.run_id in names),
        failures=tuple(failure for failure in samples.failures if failure.run_id in names and belongs(failure)),
        done=frozenset(key for key in samples.done if key[0] in names),
    )


def _left(values: Mapping[Key, float | str], selections: Sequence[Selection]) -> bool:
    return any(selection.matches(values[selection.key]) for selection in selections if selection.key in values)


def _is_base(sample: Sample) -> bool:
    """Return whether this is the weight of the host with no instance on it."""
    return (sample.metric == "density_available_bytes" and sample.instance == 0) or (
        sample.metric == "memory_available_bytes" and sample.concurrency == 0
    )


def _values(record: Sample | Failure, run: Run) -> dict[Key, float | str]:
    """Return the record's value of every key that it has one of; none for the canary, which belongs to the host."""
    if record.suite in ("", "canary"):
        return {}
    values: dict[Key, float | str] = {"run": record.run_id, "block": float(record.block)}
    if record.suite == "startup":
        values["concurrency"] = float(record.concurrency)
    elif record.suite == "memory":
        values["density"] = float(record.concurrency)
    elif record.suite == "density":
        values["density"] = _density(record, run)
    elif record.suite == "requests" and (rate := _of_step(run, record.step, "rate_per_s")) is not None:
        values["rate"] = rate
    return values


def _density(record: Sample | Failure, run: Run) -> float:
    """Return how many instances there are when this is known: at a ramp's end for what it tells as a whole."""
    if record.instance is None:
        return _of_step(run, record.step, "limit") or 0.0
    weight = isinstance(record, Sample) and record.metric == "density_available_bytes"
    # The start of instance number 40 makes 41 of them.
    return float(record.instance if weight else record.instance + 1)


def _of_step(run: Run, number: int, name: str) -> float | None:
    steps = run.plan.get("steps")
    try:
        value = steps[number][name]  # type: ignore[index]
    except (TypeError, IndexError, KeyError):
        return None
    return float(value) if isinstance(value, int | float) else None


def _found(samples: Samples, key: Key) -> set[float | str]:
    runs = {run.run_id: run for run in samples.runs}
    return {values[key] for sample in samples.samples if key in (values := _values(sample, runs[sample.run_id]))}


def _order(value: float | str) -> tuple[bool, float | str]:
    return isinstance(value, str), value


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else format(value, "g")


def _number(word: str, text: str) -> float:
    try:
        number = float(word.strip().removesuffix("/s"))
    except ValueError:
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise InputError(f"{word.strip()!r} in {text!r} is no number from 0 on", hint=f"write {_EXAMPLE}")
    return number
