"""From samples to a profile: select, fit suite by suite, write it down, and say what was left out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vsim.calibration.fitting.cpu import fit_cpu
from vsim.calibration.fitting.disk import fit_disk
from vsim.calibration.fitting.growth import fit_growth
from vsim.calibration.fitting.ladder import Rung, ladder
from vsim.calibration.fitting.memory import fit_memory
from vsim.calibration.fitting.network import fit_network
from vsim.calibration.fitting.profile_text import profile_text
from vsim.calibration.fitting.refusals import Origin
from vsim.calibration.fitting.requests import fit_requests
from vsim.calibration.fitting.rungs import describe
from vsim.calibration.fitting.selection import LeftOut, Selected, select
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.calibration.fitting.start_fit import StartFit
from vsim.calibration.fitting.starts import Observer, Search, fit_start_up
from vsim.calibration.profile import Profile
from vsim.calibration.profile_file import profile_of_text
from vsim.calibration.specification import name_of
from vsim.errors import Place
from vsim.samples.merge import Source, read_all
from vsim.samples.records import Samples

__all__ = ["Calibration", "Report", "calibrate", "fit"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a calibration has found.

    `fitted` maps the names of quantities to their estimates; `left_out` says what wasn't fitted and why; `notes` what
    should be known of what was; `starts` are the fitted models of starts, by rung.
    """

    machine: str
    hostname: str
    runs: tuple[str, ...]
    stacks: tuple[str, ...]
    fitted: Mapping[str, Estimate]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    ladder: tuple[Rung, ...]
    starts: Mapping[str, StartFit]

    @property
    def architectures(self) -> list[str]:
        """The names of what can be simulated with it."""
        return [f"{stack}@{self.machine}" for stack in self.stacks]


@dataclass(frozen=True)
class Calibration:
    """A profile made of samples: its file's `text`, and the `report`."""

    text: str
    report: Report

    @cached_property
    def profile(self) -> Profile:
        """The built-in profile with what was fitted on top."""
        return profile_of_text(self.text, self.report.machine)


def fit(
    samples: Samples,
    *,
    name: str | None = None,
    host: str | None = None,
    drivers: Collection[str] = (),
    simulated: bool = False,
    search: Search | None = None,
    origin: Origin | None = None,
    observer: Observer | None = None,
) -> Calibration:
    """Fit `samples` to a profile.

    `name` is what it calls the machine (default: the host's name), `host` picks the runs of one host, `drivers` the
    rungs. Samples of a simulation are taken with `simulated` only. `search` says how thoroughly starts are fitted,
    and `observer` is told of each.

    Raises InputError, with the reason, for samples that can't be used.
    """
    selected = select(samples, name=name, host=host, drivers=drivers, simulated=simulated, origin=origin)
    sheet = Sheet(left_out=list(selected.left_out))
    describe(sheet, selected)
    starts = fit_start_up(selected, sheet, search or Search(), observer)
    fit_growth(selected, sheet, starts)
    fit_memory(selected, sheet)
    fit_cpu(selected, sheet)
    fit_disk(selected, sheet)
    fit_network(selected, sheet)
    fit_requests(selected, sheet)
    return Calibration(profile_text(sheet, selected), _report(sheet, selected, starts))


def _report(sheet: Sheet, selected: Selected, starts: Mapping[str, StartFit]) -> Report:
    return Report(
        machine=selected.host.name,
        hostname=selected.host.hostname,
        runs=tuple(run.run_id for run in selected.runs),
        stacks=tuple(sheet.tree.get("stacks", {})),
        fitted={name_of(path): estimate for path, estimate in sheet.estimates() if not estimate.assumed},
        left_out=tuple(sheet.left_out),
        notes=tuple(sheet.notes),
        ladder=tuple(ladder(selected)),
        starts=starts,
    )


def calibrate(paths: Iterable[str | Path], **options: Any) -> Calibration:
    """Fit the samples in files; the options are those of :func:`fit`.

    Raises InputError, with file and line, for files or samples that can't be used.
    """
    files = list(paths)
    return fit(read_all(files), origin=_Files(files), **options)


class _Files(Origin):
    """Finds records in the files again when an error needs their place."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self._paths = paths

    def run(self, run_id: str) -> Place | None:
        return self._first(run_id, lambda record: record.get("record") == "run")

    def flagged(self, run_id: str, flags: Collection[str]) -> Place | None:
        return self._first(
            run_id,
            lambda record: (
                record.get("record") in ("sample", "failure") and not set(flags).isdisjoint(record.get("flags") or ())
            ),
        )

    def _first(self, run_id: str, wanted: Any) -> Place | None:
        for path in self._paths:
            source = Source.read(path)
            if run_id not in source.lines or not any(True for _ in source.lines[run_id]):
                continue
            own = set(source.lines[run_id])
            for number, line in enumerate(_all_lines(path), start=1):
                if line.strip() in own and wanted(json.loads(line)):
                    return Place(str(path), number)
        return None


def _all_lines(path: str | Path) -> list[bytes]:
    import gzip

    data = Path(path).read_bytes()
    return (gzip.decompress(data) if str(path).endswith(".gz") else data).split(b"\n")
