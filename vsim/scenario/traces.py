"""Recorded demands: Bitbrains (GWA-T-12) and PlanetLab traces, one file per machine that was recorded.

Bitbrains: a line every five minutes or so with a Unix time (in seconds, though the header says ms), cores, and the CPU
used in MHz and percent of what was provisioned, memory in KB of 1024 bytes, separated by `;` or `,`. Iosup et al., The
Grid Workloads Archive, GWA-T-12; Shen, van Beek, Iosup, CCGrid 2015.

PlanetLab: a line every five minutes with the CPU utilisation in percent, and nothing else. Park and Pai, CoMon, 2006;
as collected by Beloglazov and Buyya, 2012.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vsim.errors import InputError, Place
from vsim.model.workload import DemandSeries
from vsim.scenario.table import Field, Table, first_line, read_table, read_text
from vsim.scenario.validation import shown
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

_TIME = "timestamp"
_CORES = "cpu cores"
_CAPACITY = "cpu capacity"
_MHZ = "cpu usage [mhz]"
_PERCENT = "cpu usage [%]"
_GIVEN = "memory capacity"
_USED = "memory usage"
_BITBRAINS = (
    Field(_TIME, position=0),
    Field(_CORES, maximum=4096, position=1),
    Field(_CAPACITY, maximum=1e9, position=2, optional=True),
    Field(_MHZ, maximum=1e9, position=3, optional=True),
    Field(_PERCENT, maximum=_MOST_PERCENT, position=4, optional=True),
    Field(_GIVEN, maximum=2.0**50, position=5),
    Field(_USED, maximum=2.0**50, position=6),
)
# without a header, all columns are those of the archive
_BITBRAINS_PLAIN = tuple(replace(field, optional=False) for field in _BITBRAINS)
_UNIT = re.compile(r"\[\s*(.*?)\s*\]")
_MEMORY_UNITS = {"b": 1.0, "kb": 2.0**10, "kib": 2.0**10, "mb": 2.0**20, "mib": 2.0**20, "gb": 2.0**30, "gib": 2.0**30}
_PLANETLAB = (Field("cpu percentage", maximum=_MOST_PERCENT),)


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
    text = read_text(path)
    line = first_line(text)
    if form == "auto":
        form = "bitbrains" if any(mark in line.lower() for mark in (";", ",", "timestamp")) else "planetlab"
    written = Written(name, Place(str(path)))
    if form == "bitbrains":
        return _bitbrains(path, text, written, ";" if ";" in line else ",", core_speed)
    used = read_table(path, _PLANETLAB, text=text).columns[_PLANETLAB[0].name]
    return DemandSeries(
        name=written,
        interval_s=defaults.interval_s,
        cpu_cores=array("d", used / 100 * defaults.cores * core_speed),
        provisioned_cores=defaults.cores * core_speed,
        provisioned_bytes=defaults.memory_bytes,
    )


def _bitbrains(path: Path, text: str, name: Written, separator: str, core_speed: float) -> DemandSeries:
    has_header = any(letter.isalpha() for letter in first_line(text).lower().replace("e", ""))
    fields = _BITBRAINS if has_header else _BITBRAINS_PLAIN
    table = read_table(path, fields, separator=separator, others=True, text=text)
    column = table.columns
    cores = column[_CORES] * core_speed
    interval_s, rows = _regular(table)
    return DemandSeries(
        name=name,
        interval_s=interval_s,
        cpu_cores=array("d", (_utilisation(table) * cores)[rows]),
        memory_bytes=array("d", column[_USED][rows] * _memory_unit(table, _USED)),
        provisioned_cores=float(cores.max()),
        provisioned_bytes=float(column[_GIVEN].max()) * _memory_unit(table, _GIVEN),
    )


def _utilisation(table: Table) -> Column:
    """Return the part of the provisioned cores in use: from the percentage, or from MHz used and provisioned."""
    import numpy as np

    column = table.columns
    if _PERCENT in column:
        return column[_PERCENT] / 100
    if _MHZ in column and _CAPACITY in column:
        none = np.zeros_like(column[_MHZ])
        return np.divide(column[_MHZ], column[_CAPACITY], out=none, where=column[_CAPACITY] > 0)
    number, line = table.header
    raise InputError(
        "the header has no column for the CPU usage",
        place=Place(str(table.path), number, 1, line),
        hint="`CPU usage [%]`, or `CPU usage [MHZ]` with `CPU capacity provisioned [MHZ]`",
    )


def _memory_unit(table: Table, name: str) -> float:
    """Return the bytes in the unit that the header states; kilobytes where it states none."""
    header = table.layout.headers.get(name, "")
    unit = _UNIT.search(header)
    if unit is None:
        return KILOBYTE
    factor = _MEMORY_UNITS.get(unit[1].lower())
    if factor is None:
        number, line = table.header
        raise InputError(
            f"the unit {shown(unit[1])} of the memory is not known",
            place=Place(str(table.path), number, max(line.find(unit[0]), 0) + 2, line),
            hint="it is KB, MB, GB or B",
        )
    return factor


def _regular(table: Table) -> tuple[float, NDArray[np.int64]]:
    """Return the usual seconds between two lines, and the line that holds in each interval of that length.

    A gap is filled with the line before it. Raises InputError for a time that isn't after the one before.
    """
    import numpy as np

    times = table.columns[_TIME]
    steps = np.diff(times)
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        raise table.error(row, _TIME, "this time isn't after the one before", "lines are in the order of time")
    if not len(steps):
        return 300.0, np.zeros(1, dtype=np.int64)
    interval = float(np.sort(steps)[(len(steps) - 1) // 2])  # the median, but never a mean of two
    number = round(float(times[-1] - times[0]) / interval) + 1
    if number > MAX_INTERVALS:
        row = int(np.argmax(steps)) + 1
        raise table.error(
            row, _TIME, f"the trace covers more than {MAX_INTERVALS:,} intervals", "is the gap before it a slip?"
        )
    grid = times[0] + interval * np.arange(number)
    # half an interval of slack: the clock of the recorder jitters
    rows = np.searchsorted(times, grid + interval / 2, side="right") - 1
    in_seconds = interval / 1000 if times[0] > LATEST_SECONDS else interval
    return in_seconds, rows
