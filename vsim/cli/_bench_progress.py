"""How a bench run goes, on standard error: one line that is rewritten in a terminal, now and then a line elsewhere."""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from typing import TYPE_CHECKING

import click

from vsim.cli._bench_table import short
from vsim.samples.records import Failure, Sample

if TYPE_CHECKING:
    from vsim.bench.runner import Unit
    from vsim.samples.records import Record

__all__ = ["Progress"]

_EVERY_S = 10.0
# The first metric of each suite that there is an estimate of while it runs.
_SHOWN = ("startup_s", "memory_pss_bytes")


class Progress:
    """Shows block, rung, step, the estimate so far and the time left."""

    def __init__(self) -> None:
        self._blocks = 0
        self._terminal = sys.stderr.isatty()
        self._units = 0
        self._ended = 0
        self._begun = time.monotonic()
        self._last = self._begun
        self._spent: dict[tuple[str, int], list[float]] = {}
        self._unit_begun = self._begun
        self._values: dict[tuple[str, str], list[float]] = {}
        self._units_of: dict[str, str] = {}
        self._open = False

    def begin(self, units: int, blocks: int) -> None:
        # Of the plan as it is run: one that is fitted to a time has fewer than were asked for.
        self._units, self._blocks = units, blocks
        self._begun = self._last = time.monotonic()

    def unit(self, unit: Unit) -> None:
        self._unit_begun = time.monotonic()
        if self._terminal:
            self._rewrite(self._line(unit))
        elif time.monotonic() - self._last > _EVERY_S:
            self._last = time.monotonic()
            click.echo(self._line(unit), err=True)

    def record(self, record: Record) -> None:
        if isinstance(record, Failure):
            where = f" (instance {record.instance})" if record.instance is not None else ""
            self.say(f"{record.driver}: {record.suite or 'session'} failed at {record.stage}{where}: {record.message}")
        elif isinstance(record, Sample) and record.metric in _SHOWN and "warmup" not in record.flags:
            self._values.setdefault((record.driver, record.metric), []).append(record.value)
            self._units_of[record.metric] = record.unit

    def done(self, unit: Unit) -> None:
        self._ended += 1
        self._spent.setdefault((unit.driver.name, unit.number), []).append(time.monotonic() - self._unit_begun)

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self.close()
        click.echo(text, err=True)

    def close(self) -> None:
        """End the line that is being rewritten."""
        if self._open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._open = False

    def _line(self, unit: Unit) -> str:
        told = [f"block {unit.block + 1}/{self._blocks}", f"{unit.driver.name} {unit.step.suite}"]
        for metric in _SHOWN:
            values = self._values.get((unit.driver.name, metric))
            if values and metric.startswith(unit.step.suite):
                told.append(f"so far {short(statistics.median(values), self._units_of[metric])}")
        told.append(f"{self._left()} left" if self._ended else f"{self._units} steps to do")
        return " · ".join(told)

    def _left(self) -> str:
        """Return the time left: what the units so far took on average, for those to come."""
        seconds = (time.monotonic() - self._begun) / self._ended * (self._units - self._ended)
        return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"

    def _rewrite(self, line: str) -> None:
        width = shutil.get_terminal_size().columns
        sys.stderr.write(f"\r\x1b[K{line[: width - 1]}")
        sys.stderr.flush()
        self._open = True
