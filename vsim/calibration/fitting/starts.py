"""Start-up: what a rung's start consists of, beyond that of a process, and how it grows with what already runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vsim.calibration.fitting.families import choose
from vsim.calibration.fitting.moments import Level
from vsim.calibration.fitting.resampling import Table, mean_interval
from vsim.calibration.fitting.rungs import layer_of, put_harness, without_unit_stages
from vsim.calibration.fitting.selection import Block, Selected, by_block
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.calibration.fitting.start_fit import StartFit, fit_starts
from vsim.model.probe import LAUNCH, LAUNCHER
from vsim.samples.records import Sample
from vsim.scenario.validation import listed

if TYPE_CHECKING:
    from vsim.calibration.fitting.start_model import Parameters

__all__ = ["STAGE", "Harness", "Observer", "Search", "fit_start_up", "harness_of", "levels_of"]

# The one stage of a rung's start; no lower source has a stage of that name.
STAGE = "bring-up"
# A wait below this part of the start is none.
_NOTHING = 1e-3


# Is told whose start is fitted next, how many were, and of how many.
Observer = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Search:
    """How thoroughly is searched: in how many rounds a start may wait and compute, how many starts are simulated."""

    rounds: tuple[int, ...] = (1, 2, 4)
    starts: int = 400
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Harness:
    """What the harness itself takes for each start, from the rung in which nothing runs: core-seconds.

    `launch_core_s` passes from launch to launch within a wave; `account_core_s` is in the host's CPU account, by
    concurrency.
    """

    launch_core_s: float = 0.0
    account_core_s: Mapping[int, float] | None = None

    def account(self, concurrency: int) -> float:
        """Return what is in the account at this concurrency, or on average at those that were measured."""
        if not self.account_core_s:
            return 0.0
        mean = sum(self.account_core_s.values()) / len(self.account_core_s)
        return self.account_core_s.get(concurrency, mean)


def _startup(selected: Selected, driver: str, metric: str) -> list[Sample]:
    """Return the samples of warm starts."""
    return [s for s in selected.of(driver, "startup") if s.metric == metric and "cold" not in s.flags]


def harness_of(selected: Selected, sheet: Sheet | None = None) -> Harness:
    """Return what the rung `null` says about the harness; nothing where it wasn't measured."""
    gaps = [
        np.mean([1 / s.value for s in block])
        for block in by_block(s for s in _startup(selected, "null", "starts_per_s") if s.concurrency > 1).values()
    ]
    accounts: dict[int, list[float]] = {}
    for sample in _startup(selected, "null", "startup_cpu_core_s"):
        accounts.setdefault(sample.concurrency, []).append(sample.value)
    if gaps and sheet is not None:
        middle, low, high = mean_interval([float(gap) for gap in gaps])
        where = "between the starts of a wave in which nothing runs; the harness works on one core"
        sheet.put(tuple(LAUNCH.split(".")), Estimate.within(middle, low, high, "core-s", len(gaps), conditions=where))
    launch = float(np.mean(gaps)) if gaps else 0.0
    return Harness(launch, {k: float(np.mean(values)) for k, values in sorted(accounts.items())})


def levels_of(selected: Selected, driver: str, harness: Harness) -> tuple[list[Level], list[Block]]:
    """Return what was measured at each concurrency, in the blocks that have all of them, and those blocks."""
    metrics = ("startup_s", "starts_per_s", "startup_cpu_core_s")
    found = {metric: _startup(selected, driver, metric) for metric in metrics}
    levels = sorted({sample.concurrency for sample in found["startup_s"]})
    accounted = all(any(s.concurrency == k for s in found["startup_cpu_core_s"]) for k in levels)
    needed = metrics if accounted else metrics[:2]
    by_level = {
        (k, metric): by_block(s for s in found[metric] if s.concurrency == k) for k in levels for metric in needed
    }
    every = [set(blocks) for blocks in by_level.values()]
    common = sorted(set.intersection(*every)) if every else []

    def table(k: int, metric: str, less: float = 0.0) -> Table:
        return Table([[s.value - less for s in by_level[k, metric][block]] for block in common])

    result = []
    for k in levels:
        spread = None
        if k > 1:
            spread = Table([_spreads(by_level[k, "startup_s"][block], k) for block in common])
            if not len(spread):
                spread = None
        account = table(k, "startup_cpu_core_s", harness.account(k)) if accounted else None
        result.append(Level(k, table(k, "startup_s"), table(k, "starts_per_s"), account, spread))
    return result, common


def _spreads(samples: Sequence[Sample], concurrency: int) -> list[float]:
    """Return how far apart the starts of each whole wave are, in parts of their mean."""
    waves: dict[tuple[int, int], list[float]] = {}
    for sample in samples:
        if sample.instance is not None:
            waves.setdefault((sample.step, sample.instance // concurrency), []).append(sample.value)
    return [(max(w) - min(w)) / (sum(w) / len(w)) for w in waves.values() if len(w) == concurrency]


def fit_start_up(
    selected: Selected, sheet: Sheet, search: Search, observer: Observer | None = None
) -> dict[str, StartFit]:
    """Fit the start of every rung that has starts, and put them on the sheet; the process's first."""
    harness = harness_of(selected, sheet)
    if not harness.launch_core_s and any(s.suite == "startup" and s.concurrency > 1 for s in selected.samples):
        sheet.leave_out("the harness", "the rung `null` has no waves: its own part of a start is in all of them")
    fits: dict[str, StartFit] = {}
    for number, driver in enumerate(sorted(selected.drivers, key=lambda name: name != "process")):
        if observer is not None:
            observer(driver, number, len(selected.drivers))
        levels, blocks = levels_of(selected, driver, harness)
        if not levels:
            continue
        reason = _unfit(levels, blocks)
        if reason is not None:
            sheet.leave_out(f"{driver}, start-up", reason)
            continue
        fit = fit_starts(
            levels,
            selected.host.cores,
            launch_core_s=harness.launch_core_s,
            ready_s=_ready_s(selected, driver),
            rounds=search.rounds,
            starts=search.starts,
            seed=search.seed,
        )
        fits[driver] = fit
        _put(sheet, driver, fit, levels, fits.get("process") if driver != "process" else None)
        if len(levels) == 1:
            sheet.leave_out(
                f"{driver}, parallelism, sections and turns of a start",
                "starts at one concurrency don't tell them: measure at several, such as 1, 2 and 4",
            )
    return fits


def _unfit(levels: Sequence[Level], blocks: Sequence[Block]) -> str | None:
    """Return why these starts can't be fitted, or None."""
    concurrencies = [level.concurrency for level in levels]
    if concurrencies[0] != 1:
        return f"starts at {listed(list(map(str, concurrencies)), 'and')} at once only: how they vary alone isn't known"
    if len(blocks) < 2:
        return "no two blocks have starts at all of the concurrencies"
    if len(levels) == 1 and levels[0].account_core_s is None:
        return "without a CPU account, starts one at a time don't tell work from waiting"
    return None


def _ready_s(selected: Selected, driver: str) -> float:
    """Return what passes from the first instruction to being ready, one start at a time."""
    values: dict[str, list[float]] = {"ready_s": [], "first_instruction_s": []}
    for metric, found in values.items():
        found += [s.value for s in _startup(selected, driver, metric) if s.concurrency == 1]
    if not all(values.values()):
        return 0.0
    return max(0.0, float(np.median(values["ready_s"]) - np.median(values["first_instruction_s"])))


# -- on the sheet ------------------------------------------------------------------------------------------------------


def _put(sheet: Sheet, driver: str, fit: StartFit, levels: Sequence[Level], base: StartFit | None) -> None:
    if driver != "process":
        without_unit_stages(sheet, driver)
    path = ("layers", layer_of(driver), "startup")
    concurrencies = listed([str(level.concurrency) for level in levels], "and")
    conditions = f"starts at concurrency {concurrencies}"
    parameters, structure = fit.parameters, fit.structure
    varying, cut = _varying(levels[0].startup_s, parameters, structure.carrier)
    distribution, reason = choose(varying)
    sheet.notes.append(f"{driver}: what varies is the {structure.carrier}: {_family(distribution)}, {reason}")
    if structure.section:
        low, high = fit.interval("section_core_s")
        locked = Estimate.within(parameters.section_core_s, low, high, "core-s", fit.n, conditions=conditions)
        sheet.put((*path, "serialised", "section"), f"{driver}-start")
        sheet.put((*path, "serialised", "cpu_core_s"), locked)
    # For a process, the lower source knows what a cold start reads from the disk: the stage stays as it is otherwise.
    stage = (*path, "exec" if driver == "process" else STAGE)
    for name, unit in (("wait_s", "s"), ("cpu_core_s", "core-s")):
        carries = (name == "wait_s") == (structure.carrier == "wait")
        value = _beyond(parameters, name) - (_below(base.parameters, name) if base else 0.0)
        low, high = _interval(fit, base, name)
        if carries:
            # Nobody waits or works less than nothing: what was cut off is a part of the mean.
            value, low, high = value + cut, low + cut, high + cut
        if name == "wait_s" and max(value, high) < _NOTHING * parameters.alone_s:
            continue
        estimate = Estimate.within(
            value, low, high, unit, fit.n, distribution=distribution if carries else None, conditions=conditions
        )
        sheet.put((*stage, name), estimate)
    if structure.busy:
        low, high = fit.interval("busy")
        busy = Estimate.within(parameters.busy, low, high, "cores", fit.n, conditions=conditions)
        sheet.put((*stage, "busy_cores"), busy)
    if structure.parallel:
        low, high = fit.interval("parallelism")
        cores = Estimate.within(parameters.parallelism, low, high, "cores", fit.n, least=1.0, conditions=conditions)
        sheet.put((*stage, "parallelism"), cores)
    if structure.rounds > 1:
        counts = [one.rounds for one, weight in fit.weights if weight > 0.05]
        turns = Estimate.within(structure.rounds, min(counts), max(counts), "1", fit.n, conditions=conditions)
        sheet.put((*stage, "rounds"), turns)
    if structure.turns:
        low, high = (each / structure.turns for each in fit.interval("launched_core_s"))
        own = Estimate.within(
            parameters.launched_core_s / structure.turns, low, high, "core-s", fit.n, conditions=conditions
        )
        put_harness(sheet, driver, LAUNCHER, structure.turns, own)


def _beyond(parameters: Parameters, name: str) -> float:
    """Return what is outside the sections: each is a stage of its own."""
    return parameters.wait_s if name == "wait_s" else parameters.cpu_core_s - parameters.serial_core_s


def _below(parameters: Parameters, name: str) -> float:
    """Return what a rung's stack has from the process's layer: all but what the harness does for a process itself."""
    return parameters.wait_s if name == "wait_s" else parameters.cpu_core_s - parameters.launched_core_s


def _interval(fit: StartFit, base: StartFit | None, name: str) -> tuple[float, float]:
    """Return the interval of the difference to the process: the uncertainty of both is in it."""
    values = np.array([_beyond(draw, name) for draw in fit.draws])
    if base is not None:
        below = np.array([_below(draw, name) for draw in base.draws])
        rng = np.random.default_rng(0)
        values = values - rng.choice(below, len(values))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _varying(alone: Table, parameters: Parameters, carrier: str) -> tuple[list[list[float]], float]:
    """Return, block by block, what each start alone waited or worked, given what all have in common.

    Beside it, by how much that is more on average because none of it is below 0.
    """
    found: list[list[float]] = []
    below = 0.0
    free = parameters.cpu_core_s - parameters.serial_core_s
    for row in alone.values:
        taken = row[~np.isnan(row)] - parameters.serial_core_s
        if carrier == "wait":
            values = taken - free / parameters.parallelism
        else:
            values = (taken - parameters.wait_s) * parameters.parallelism
        found.append(np.maximum(0.0, values).tolist())
        below += float(np.maximum(0.0, -values).sum())
    return found, below / len(alone)


def _family(distribution: object) -> str:
    family = getattr(distribution, "family", None)
    return "no spread" if family is None else str(family)
