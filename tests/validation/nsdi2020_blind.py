"""A blind prediction: boot times with 50 and 100 starts at a time, from the runs with one and with ten.

``python -m tests.validation.nsdi2020_blind`` (or ``make blind``) prints it. It has seen the files `serial` and
`parallel-10` of :mod:`tests.validation.nsdi2020` and no others. :mod:`tests.validation.nsdi2020_unknowns` says what
these two leave open, and keeps the vectors of unknowns that reproduce them. Each predicts 50 and 100; the interval is
the range over all. Beside it stands what the engine makes of the profile fitted to the same files.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from tests.validation.fit_nsdi2020 import fitted
from tests.validation.launchers import Floats
from tests.validation.nsdi2020 import MACHINES, MONITORS, launcher_core_s, profile, simulated
from tests.validation.nsdi2020_unknowns import STARTS, Vector, read, search, times, write
from vsim.model.quantity import Quantity

PREDICTED = Path(__file__).with_suffix(".json")
LEVELS = (50, 100)


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """One statistic of one monitor on one machine at one level, in seconds: point, interval, the engine's answer.

    `low_seed` and `high_seed` tell which vectors gave the ends of the interval.
    """

    monitor: str
    machine: str
    level: int
    statistic: str
    value_s: float
    low_s: float
    high_s: float
    low_seed: int
    high_seed: int
    engine_s: float
    engine_low_s: float
    engine_high_s: float


STATISTICS: Mapping[str, float] = {"median": 50.0, "99 %": 99.0}
Statistics = tuple[float, ...]


def statistics(values: Floats) -> Statistics:
    """Return the two that are predicted: median and 99th percentile."""
    return tuple(np.percentile(values, list(STATISTICS.values())).tolist())


def _predicted(vector: Vector, folder: Path, machine: str, monitor: str, level: int) -> Statistics:
    return statistics(times(vector, folder, machine, monitor, level))


ENGINE_DRAWS = 24


def engine(machine: str, monitor: str, level: int, seed: int) -> Statistics:
    """Return what the engine makes of ``nsdi2020.yaml``: at its values (seed 0), or somewhere in its intervals.

    Drawn are the work and the waiting of each stage, the machine's speed, and the launcher's work, evenly and apart.
    """
    known = profile()
    rng = np.random.default_rng(seed)

    def value(quantity: Quantity) -> float:
        return float(quantity.value if seed == 0 else rng.uniform(quantity.low, quantity.high))

    stack, kind = known.stacks[monitor], known.machines[machine]
    stages = [stage for layer in stack.layers if layer.name != "host-os" for stage in layer.startup]
    values = []
    for stage in stages:
        assert stage.cpu_core_s is not None
        assert stage.wait_s is not None
        values += [value(stage.cpu_core_s), value(stage.wait_s)]
    assert stages[0].cpu_core_s is not None
    assert stages[0].cpu_core_s.distribution is not None
    cv = stages[0].cpu_core_s.distribution.cv
    assert cv is not None
    kind = dataclasses.replace(kind, core_speed=kind.core_speed.with_value(value(kind.core_speed)))
    launcher = launcher_core_s(known) if seed == 0 else value(known.quantities["reference.launcher_core_s"])
    return statistics(
        simulated(fitted(stack, kind, [*values, cv]), level, STARTS, launcher_core_s=launcher, seed=seed + 1).total_s
    )


def predict(vectors_of: Mapping[str, Sequence[Vector]], folder: Path) -> list[Prediction]:
    """Return all predictions. The point is the median over the vectors without a section, which no datum asks for."""
    cells = [(monitor, machine, level) for monitor in MONITORS for machine in MACHINES for level in LEVELS]
    found = []
    for monitor, machine, level in cells:
        vectors = vectors_of[monitor]
        ours = Parallel(-1)(delayed(_predicted)(vector, folder, machine, monitor, level) for vector in vectors)
        theirs = Parallel(-1)(delayed(engine)(machine, monitor, level, seed) for seed in range(ENGINE_DRAWS + 1))
        for place, statistic in enumerate(STATISTICS):
            values = [(of_one[place], vector.seed) for of_one, vector in zip(ours, vectors, strict=True)]
            plain = [of_one[place] for of_one, vector in zip(ours, vectors, strict=True) if not vector.section]
            others = [of_one[place] for of_one in theirs]
            found.append(
                Prediction(
                    monitor, machine, level, statistic,
                    float(np.median(plain)), min(values)[0], max(values)[0], min(values)[1], max(values)[1],
                    others[0], min(others), max(others),
                )
            )  # fmt: skip
    return found


def keep(predictions: Sequence[Prediction]) -> None:
    """Write the predictions down, one a line."""
    lines = ",\n".join(json.dumps(dataclasses.asdict(prediction)) for prediction in predictions)
    PREDICTED.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def kept() -> list[Prediction]:
    """Return the predictions that were written down."""
    return [Prediction(**values) for values in json.loads(PREDICTED.read_text(encoding="utf-8"))]


def table(predictions: Sequence[Prediction]) -> str:
    """Return the predictions as a table in Markdown, in milliseconds."""
    lines = [
        "| monitor | machine | at a time | statistic | predicted, ms | interval, ms | engine, ms | its interval, ms |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {p.monitor} | {p.machine} | {p.level} | {p.statistic} | {1e3 * p.value_s:.0f} "
        f"| {1e3 * p.low_s:.0f} to {1e3 * p.high_s:.0f} | {1e3 * p.engine_s:.0f} "
        f"| {1e3 * p.engine_low_s:.0f} to {1e3 * p.engine_high_s:.0f} |"
        for p in predictions
    ]
    return "\n".join(lines)


def spread(vectors_of: Mapping[str, Sequence[Vector]]) -> str:
    """Return what the kept vectors leave open, as a table in Markdown: the range of each unknown."""
    shown = (
        ("wait_s", 1e3, "waiting, ms"),
        ("section", 100.0, "in a section, % of the work"),
        ("launcher_core_s", 1e3, "launcher, ms of a core"),
        ("cold", 1.0, "cold start's work, factor"),
        ("busy", 100.0, "of the waiting busy, %"),
        ("turns", 1.0, "turns"),
        ("balance_s", 1e3, "balance, ms"),
    )
    lines = [f"| unknown | {' | '.join(f'{monitor} ({len(rows)})' for monitor, rows in vectors_of.items())} |"]
    lines.append("| --- |" + " --- |" * len(vectors_of))
    for name, scale, title in shown:
        cells = []
        for rows in vectors_of.values():
            values = [scale * getattr(vector, name) for vector in rows]
            digits = (
                0
                if max(values) >= 100 or all(value == int(value) for value in values)
                else 1
                if max(values) >= 2
                else 2
            )
            cells.append(f"{min(values):.{digits}f} to {max(values):.{digits}f}")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print what is open and what is predicted; with --draws, look for the vectors anew first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, help="look for the vectors anew, in so many draws for each monitor")
    parser.add_argument("--keep", action="store_true", help="write what is new into the files that the documents show")
    given = parser.parse_args()
    vectors = search(given.data, given.draws) if given.draws else read()
    predictions = predict(vectors, given.data)
    if given.keep:
        write(vectors)
        keep(predictions)
    print(spread(vectors), table(predictions), sep="\n\n")  # noqa: T201


if __name__ == "__main__":
    main()
