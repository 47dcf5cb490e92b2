"""Recorded demands: Bitbrains (GWA-T-12) and PlanetLab traces, one file per machine that was recorded.

Bitbrains: a line every five minutes or so with a Unix time (in seconds, though the header says ms), cores, and the CPU
used in MHz and percent of what was provisioned, memory in KB of 1024 bytes, separated by `;` or `,`. Iosup et al., The
Grid Workloads Archive, GWA-T-12; Shen, van Beek, Iosup, CCGrid 2015.

PlanetLab: a line every five minutes with the CPU utilisation in percent, and nothing else. Park and Pai, CoMon, 2006;
as collected by Beloglazov and Buyya, 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vsim.errors import InputError, Place
from vsim.model.workload import DemandSeries
from vsim.scenario.table import Field, Table, first_line, read_table
from vsim.scenario.written import Written

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

__all__ = ["TraceDefaults", "read_traces"]

MAX_FILES = 20_000
MAX_INTERVALS = 1_000_000
KILOBYTE = 1024.0
# Unix times beyond the year 5138 are milliseconds.
LATEST_SECONDS = 1e11

# How many percent a machine can use of itself: recorded values exceed 100 a little when a clock drifts, or a lot when
# the hypervisor lends cores, but not without end.
_MOST_PERCENT = 100_000.0

_BITBRAINS = (
    Field("timestamp"),
    Field("cpu cores", maximum=4096),
    Field("cpu usage [%]", maximum=_MOST_PERCENT),
    Field("memory capacity provisioned", maximum=2.0**50),
    Field("memory usage", maximum=2.0**50),
)
_PLANETLAB = (Field("CPU percentage", maximum=_MOST_PERCENT),)


@dataclass(frozen=True, slots=True)
class TraceDefaults:
    """What a PlanetLab trace doesn't say about its machines: cores, memory, and the seconds from line to line."""

    cores: int
    memory_bytes: float
    interval_s: float


def read_traces(
    path: Path, form: Literal["auto", "bitbrains", "planetlab"], defaults: TraceDefaults, core_speed: float = 1.0
) -> tuple[DemandSeries, ...]:
    """Return the demands in the file `path`, or in all files of the folder `path`, in the order of their names.

    `core_speed` is the speed of a core of the recorded machines in reference cores. Raises InputError with file, line
    and column for the first line that can't be used.
    """
    if not path.is_dir():
        return (_read(path, path.name, form, defaults, core_speed),)
    try:
        files = sorted(
            islice((p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")), MAX_FILES + 1)
        )
    except OSError as error:
        raise InputError(f"this folder can't be read: {error.strerror}", place=Place(str(path))) from None
    if not files:
        raise InputError("there is no file in this folder", place=Place(str(path)), hint="name a folder of trace files")
    if len(files) > MAX_FILES:
        raise InputError(f"more than {MAX_FILES:,} files", place=Place(str(path)), hint="is it the right folder?")
    return tuple(_read(p, str(p.relative_to(path)), form, defaults, core_speed) for p in files)


def _read(path: Path, name: str, form: str, defaults: TraceDefaults, core_speed: float) -> DemandSeries:
    line = first_line(path)
    if form == "auto":
        form = "bitbrains" if any(letter.isalpha() for letter in line.lower().replace("e", "")) else "planetlab"
    written = Written(name, Place(str(path)))
    if form == "bitbrains":
        return _bitbrains(path, written, ";" if ";" in line else ",", core_speed)
    used = read_table(path, _PLANETLAB).columns["CPU percentage"]
    return DemandSeries(
        name=written,
        interval_s=defaults.interval_s,
        cpu_cores=(used / 100 * defaults.cores * core_speed).tolist(),
        provisioned_cores=defaults.cores * core_speed,
        provisioned_bytes=defaults.memory_bytes,
    )


def _bitbrains(path: Path, name: Written, separator: str, core_speed: float) -> DemandSeries:
    table = read_table(path, _BITBRAINS, separator=separator, others=True)
    column = table.columns
    interval_s, rows = _regular(table)
    cores = column["cpu cores"][rows] * core_speed
    return DemandSeries(
        name=name,
        interval_s=interval_s,
        cpu_cores=(column["cpu usage [%]"][rows] / 100 * cores).tolist(),
        memory_bytes=(column["memory usage"][rows] * KILOBYTE).tolist(),
        provisioned_cores=float(cores.max()),
        provisioned_bytes=float(column["memory capacity provisioned"].max()) * KILOBYTE,
    )


def _regular(table: Table) -> tuple[float, NDArray[np.int64]]:
    """Return the usual seconds between two lines, and the line that holds in each interval of that length.

    A gap is filled with the line before it. Raises InputError for a time that isn't after the one before.
    """
    import numpy as np

    times = table.columns["timestamp"]
    steps = np.diff(times)
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        raise table.error(row, "timestamp", "this time isn't after the one before", "lines are in the order of time")
    if not len(steps):
        return 300.0, np.zeros(1, dtype=np.int64)
    interval = float(np.median(steps))
    number = round(float(times[-1] - times[0]) / interval) + 1
    if number > MAX_INTERVALS:
        row = int(np.argmax(steps)) + 1
        raise table.error(
            row, "timestamp", f"the trace covers more than {MAX_INTERVALS:,} intervals", "is the gap before it a slip?"
        )
    grid = times[0] + interval * np.arange(number)
    # half an interval of slack: the clock of the recorder jitters
    rows = np.searchsorted(times, grid + interval / 2, side="right") - 1
    in_seconds = interval / 1000 if times[0] > LATEST_SECONDS else interval
    return in_seconds, rows
