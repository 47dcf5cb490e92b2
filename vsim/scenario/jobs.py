"""Lists of jobs and of arrivals, from CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vsim.model.workload import Arrivals, Job
from vsim.scenario.table import Field, read_table

__all__ = ["read_arrivals", "read_jobs"]

# Ten years, as for any time in a scenario; the engine makes every host up to the highest number.
MOST_SECONDS = 10 * 365 * 86400.0
MOST_HOSTS = 100_000

_JOB = (
    Field("host", integer=True, maximum=MOST_HOSTS - 1),
    Field("arrival_s", maximum=MOST_SECONDS),
    Field("demand_core_s", maximum=MOST_SECONDS),
)
_ARRIVAL = (Field("arrival_s", maximum=MOST_SECONDS),)


def read_jobs(path: Path) -> Sequence[Job]:
    """Return the jobs in a CSV file ``host,arrival_s,demand_core_s``: host number, seconds, core-seconds.

    Raises InputError with file, line and column for the first bad cell.
    """
    columns = read_table(path, _JOB).columns
    hosts = columns["host"].astype(int).tolist()
    return tuple(map(Job, hosts, columns["arrival_s"].tolist(), columns["demand_core_s"].tolist()))


def read_arrivals(path: Path, period_s: float | None) -> Arrivals:
    """Return recorded arrivals: one time a line, in seconds, in any order, repeated every `period_s`.

    Without a period it is the time of the last arrival. Raises InputError with file, line and column for the first
    bad line, and for a time that isn't within the period.
    """
    import numpy as np

    table = read_table(path, _ARRIVAL)
    times = table.columns["arrival_s"]
    last = float(times.max())
    period = last if period_s is None else period_s
    if last > period:
        row = int(np.argmax(times > period))
        raise table.error(row, "arrival_s", f"it is later than the period of {period:g} s", "raise `period`")
    if period <= 0:
        raise table.error(
            0, "arrival_s", "all arrivals are at 0 s, so that the trace has no length", "state a `period`"
        )
    return Arrivals("trace", len(times) / period, times_s=tuple(np.sort(times).tolist()), period_s=period)
