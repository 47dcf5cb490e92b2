"""How long the steps of a build took: from a build's own output, or a table.

Three forms are read.

BuildKit     what ``docker build --progress=plain`` prints: ``#7 [2/4] RUN …`` and ``#7 DONE 3.2s``
classic      what the classic builder prints, each line behind a time: ``docker build . | ts -s '%.s'``
table        CSV with the columns ``step`` (of ``Step 3/7``) or ``line``, and ``seconds``; comments (``# ``) above
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from vsim.errors import InputError, Place
from vsim.scenario.document import decode, read_bytes
from vsim.scenario.units import parse
from vsim.scenario.validation import Refused, shown

__all__ = ["Timings", "read_timings"]

_MAX_BYTES = 16 * 1024 * 1024
_CLASSIC = re.compile(r"^(?P<time>\S+)\s+Step (?P<step>\d{1,6})/(?P<of>\d{1,6}) : ?(?P<text>.*)$")
_CACHED = re.compile(r"^\S+\s+ ?---> Using cache\s*$")
_NAMED = re.compile(r"^#(\d{1,6}) \[(?P<where>[^\]]*?)\s*\d{1,6}/\d{1,6}\] (?P<text>.*)$")
_DONE = re.compile(r"^#(\d{1,6}) DONE (\d+(?:\.\d+)?)s\s*$")
_FROM_CACHE = re.compile(r"^#(\d{1,6}) CACHED\s*$")


@dataclass(slots=True)
class Timings:
    """Seconds by step number (of ``Step 3/7``), by line, or by text: the instruction in one line, and the stage."""

    file: str
    by_step: dict[int, float] = field(default_factory=dict)
    by_line: dict[int, float] = field(default_factory=dict)
    by_text: dict[tuple[str, str], float] = field(default_factory=dict)
    cached: int = 0

    def of(self, *, number: int, line: int, texts: Sequence[str], stage: str, platform: str) -> float | None:
        """Return the seconds of a step, None when the build took it from its cache or didn't have it."""
        if number in self.by_step:
            return self.by_step[number]
        if line in self.by_line:
            return self.by_line[line]
        for text in texts:
            for where in (stage, f"{platform} {stage}", platform, ""):
                found = self.by_text.get((where, " ".join(text.split())))
                if found is not None:
                    return found
        return None

    @property
    def empty(self) -> bool:
        """Whether there is no duration at all."""
        return not (self.by_step or self.by_line or self.by_text)


def read_timings(path: Path | str) -> Timings:
    """Read the durations in the file at `path`.

    Raises InputError, with its place, for a file that can't be read or holds none of the three forms.
    """
    file = str(path)
    lines = decode(file, read_bytes(path, _MAX_BYTES)).splitlines()
    first = next((number for number, line in enumerate(lines) if not line.startswith("# ")), 0)
    if lines and _is_table(lines[first]):
        return _table(file, lines, first)
    timings = Timings(file)
    if any(_DONE.match(line) or _FROM_CACHE.match(line) for line in lines):
        _buildkit(timings, lines)
    else:
        _classic(timings, lines)
    if timings.empty and not timings.cached:
        raise InputError(
            "there are no durations of a build in it",
            place=Place(file, 1, 1, lines[0] if lines else ""),
            hint="keep what `docker build --progress=plain .` prints (with the classic builder `docker build . | "
            "ts -s '%.s'`), or write CSV with the columns step (or line) and seconds",
        )
    return timings


def _is_table(line: str) -> bool:
    header = [cell.strip().lower() for cell in line.split(",")]
    return "seconds" in header and ("step" in header or "line" in header)


def _table(file: str, lines: Sequence[str], first: int) -> Timings:
    timings = Timings(file)
    header = [cell.strip().lower() for cell in lines[first].split(",")]
    key = "step" if "step" in header else "line"
    rows = csv.reader(lines[first + 1 :])
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            at = first + rows.line_num
            place = Place(file, at + 1, 1, lines[at])
            if len(row) < len(header):
                raise InputError(
                    f"{len(header)} columns are wanted, not {len(row)}", place=place, hint="see the header"
                )
            number, seconds = row[header.index(key)].strip(), row[header.index("seconds")]
            if not re.fullmatch(r"\d{1,6}", number):
                raise InputError(f"{shown(number)} is not the number of a {key}", place=place, hint="count from 1")
            try:
                value = parse(seconds.strip(), "s")
            except Refused as refused:
                raise InputError(str(refused), place=place, hint=refused.hint) from None
            (timings.by_step if key == "step" else timings.by_line)[int(number)] = value
    except csv.Error as error:
        raise InputError(f"this can't be read as CSV: {error}", place=Place(file, first + rows.line_num + 1)) from None
    return timings


def _buildkit(timings: Timings, lines: Sequence[str]) -> None:
    names: dict[str, tuple[str, str]] = {}
    for line in lines:
        named = _NAMED.match(line)
        if named:
            names[named[1]] = (" ".join(named["where"].split()), " ".join(named["text"].split()))
            continue
        done = _DONE.match(line)
        if done and done[1] in names:
            key = names[done[1]]
            timings.by_text[key] = timings.by_text.get(key, 0.0) + float(done[2])
        elif (cached := _FROM_CACHE.match(line)) and cached[1] in names:
            timings.cached += 1


def _classic(timings: Timings, lines: Sequence[str]) -> None:
    open_step: tuple[int, float] | None = None
    cached = False
    last: float | None = None
    for time, line in _timed(lines):
        match = _CLASSIC.match(line)
        if match is None:
            cached = cached or _CACHED.match(line) is not None
            last = time
            continue
        _close(timings, open_step, time, cached)
        open_step, cached, last = (int(match["step"]), time), False, time
    if last is not None:
        _close(timings, open_step, last, cached)


def _close(timings: Timings, step: tuple[int, float] | None, time: float, cached: bool) -> None:
    if step is None:
        return
    if cached:
        timings.cached += 1
    else:
        timings.by_step[step[0]] = max(0.0, time - step[1])


def _timed(lines: Sequence[str]) -> Iterator[tuple[float, str]]:
    """Yield the lines that begin with a time, in seconds or as a date."""
    for line in lines:
        word = line.split(None, 1)[0] if line.strip() else ""
        if re.fullmatch(r"\d{1,12}(\.\d{1,12})?", word):
            yield float(word), line
        elif re.match(r"\d{4}-\d\d-\d\d[T ]", word):
            try:
                yield datetime.fromisoformat(word).timestamp(), line
            except (ValueError, OverflowError, OSError):
                continue
