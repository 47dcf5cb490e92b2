"""The runs of many hosts as one data set, with a check that they are comparable.

Lines are copied as they are: keys that a later version adds, and what a resume has made void, come along.

Refused: two different runs of the same id, two worlds, versions or sets of steps. Only told: what makes figures
differ that nobody asked about (payloads, throttling, emulation).
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsim.errors import HostError, InputError, Place
from vsim.samples.records import Failure, Run, Sample, Samples, read_samples

__all__ = ["Host", "Merged", "Source", "merge", "read_all", "write_merged"]

# What tells one host from another in the environment record. Equal machines with equal names can't be told apart.
_IDENTITY = ("hostname", "host_product", "pi_model", "architecture", "cpu_model", "cpu_count", "memory_bytes")

# What is run inside the rungs beside the probe, and comes from the host's distribution.
_PROGRAMS = ("fio", "sysbench", "sqlite3")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of samples: what it says, and the lines of each run as they stand in it."""

    path: str
    samples: Samples
    lines: Mapping[str, tuple[bytes, ...]]

    @classmethod
    def read(cls, path: Path | str) -> Source:
        """Read a file. Raises InputError, with file and line, for what isn't a file of samples."""
        samples = read_samples(path)
        data = Path(path).read_bytes()
        whole = gzip.decompress(data) if Path(path).suffix == ".gz" else data
        lines: dict[str, list[bytes]] = {run.run_id: [] for run in samples.runs}
        found = [line.strip() for line in whole.split(b"\n")]
        for line in filter(None, found[:-1] if samples.torn else found):
            lines[json.loads(line)["run_id"]].append(line)
        return cls(str(path), samples, {run_id: tuple(own) for run_id, own in lines.items()})


@dataclass(frozen=True, slots=True)
class Host:
    """One host of a data set: what it is, and what it has measured. `cores` are physical, `memory_bytes` all it has."""

    name: str
    cpu: str
    cores: int | None
    memory_bytes: int | None
    runs: int
    samples: int
    failures: int


@dataclass(frozen=True, slots=True)
class Merged:
    """The runs of all sources, each once, and its host; `notes` for reading, `warnings` for being careful."""

    samples: Samples
    hosts: tuple[Host, ...]
    lines: tuple[bytes, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def read_all(paths: Iterable[Path | str]) -> Samples:
    """Read files as one set of samples, each run once; whether they are comparable is for the caller to say.

    Raises InputError, with file and line, for what isn't a file of samples, and for two different runs of one id.
    """
    return _joined(_once([Source.read(path) for path in paths])[0])


def merge(sources: Sequence[Source]) -> Merged:
    """Join the runs of `sources`. Raises InputError, naming the files, where they aren't comparable."""
    chosen, notes = _once(sources)
    _check(chosen)
    samples = _joined(chosen)
    notes += [f"{source.path}: its last line was cut off, and is left out" for source in sources if source.samples.torn]
    return Merged(
        samples,
        _hosts(chosen),
        tuple(line for source, run in chosen for line in source.lines[run.run_id]),
        tuple(notes),
        tuple(_warnings(chosen, samples)),
    )


def write_merged(merged: Merged, path: Path | str) -> None:
    """Write the runs to the new file `path`, compressed if its name ends in `.gz`; all of them or none.

    Raises InputError when there is such a file already, HostError when it can't be written.
    """
    target = Path(path)
    data = b"".join(line + b"\n" for line in merged.lines)
    if target.suffix == ".gz":
        # Without a time in it, the same runs make the same bytes.
        data = gzip.compress(data, mtime=0)
    temporary = None
    try:
        if target.exists():
            raise InputError(f"{path} is there already", hint="name another file with --out")
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o666 & ~_umask())
        # Unlike a rename, a link doesn't replace a file that has appeared meanwhile.
        os.link(temporary, target)
    except FileExistsError:
        raise InputError(f"{path} is there already", hint="name another file with --out") from None
    except OSError as error:
        raise HostError(f"{path} can't be written: {error.strerror or error}", hint="name another file") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# -- which runs --------------------------------------------------------------------------------------------------------

_Chosen = list[tuple[Source, Run]]


def _once(sources: Sequence[Source]) -> tuple[_Chosen, list[str]]:
    """Return each run with the source that it is taken from, and notes about runs that are there twice."""
    first: dict[str, Source] = {}
    chosen: _Chosen = []
    notes = []
    for source in sources:
        for run in source.samples.runs:
            known = first.setdefault(run.run_id, source)
            if known is source:
                chosen.append((source, run))
            elif _digest(known, run) == _digest(source, run):
                notes.append(f"{source.path}: the run {run.run_id} is in {known.path} as well, and counts once")
            else:
                raise InputError(
                    f"the run {run.run_id} is another one than in {known.path}",
                    place=Place(source.path),
                    hint="one of them is older, or was changed: leave that file out",
                )
    return chosen, notes


def _digest(source: Source, run: Run) -> bytes:
    return hashlib.sha256(b"\n".join(source.lines[run.run_id])).digest()


def _joined(chosen: _Chosen) -> Samples:
    """Return the runs as one set of samples."""
    own: dict[int, set[str]] = {}
    sources: dict[int, Source] = {}
    for source, run in chosen:
        own.setdefault(id(source), set()).add(run.run_id)
        sources[id(source)] = source
    parts = [(sources[key].samples, names) for key, names in own.items()]
    return Samples(
        runs=tuple(run for _, run in chosen),
        samples=tuple(sample for part, names in parts for sample in part.samples if sample.run_id in names),
        failures=tuple(failure for part, names in parts for failure in part.failures if failure.run_id in names),
        done=frozenset(key for part, names in parts for key in part.done if key[0] in names),
        torn=any(part.torn for part, _ in parts),
    )


# -- are they comparable? ----------------------------------------------------------------------------------------------


def _check(chosen: _Chosen) -> None:
    """Raise InputError where worlds, versions or steps differ."""
    (source, run), *others = chosen
    for other_source, other in others:
        for what, ours, theirs in (
            ("world", run.world, other.world),
            ("version of vsim", _version(run), _version(other)),
        ):
            if ours != theirs:
                raise InputError(
                    f"another {what} than in {source.path}: {theirs}, not {ours}",
                    place=Place(other_source.path),
                    hint="merge only runs of one kind: leave the file out, or measure again",
                )
    # One host may have measured some steps in one run and the others in the next.
    steps: dict[tuple[str, ...], dict[str, None]] = {}
    files: dict[tuple[str, ...], dict[str, None]] = {}
    for other_source, other in chosen:
        host = _identity(other)
        steps.setdefault(host, {}).update(dict.fromkeys(_steps(other)))
        files.setdefault(host, {})[other_source.path] = None
    first, *rest = steps
    for host in rest:
        missing = [step for step in steps[first] if step not in steps[host]]
        extra = [step for step in steps[host] if step not in steps[first]]
        if missing or extra:
            ours, theirs = ", ".join(files[first]), ", ".join(files[host])
            wrong = f"it lacks {_some(missing)}" if missing else f"it has {_some(extra)} beyond that"
            raise InputError(
                f"another plan than in {ours}: {wrong}",
                place=Place(theirs),
                hint="all hosts need the same plan: `vsim bench PLAN` with the same file; blocks and seed may differ",
            )


def _some(steps: Sequence[str]) -> str:
    more = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
    return f"the step {steps[0]}{more}"


def _steps(run: Run) -> list[str]:
    """Return the steps of the run's plan as text; how often they were done, and in which order, is no matter."""
    steps = run.plan.get("steps")
    return [json.dumps(step, sort_keys=True) for step in steps] if isinstance(steps, Sequence) else []


def _version(run: Run) -> str:
    return str(run.environment.get("vsim_version", "unknown"))


def _warnings(chosen: _Chosen, samples: Samples) -> Iterable[str]:
    """Yield what the figures must be read with in mind."""
    measured_with: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    for source, run in chosen:
        for what, version in _payload(run).items():
            measured_with.setdefault(what, {}).setdefault(version, {})[source.path] = None
    for (name, architecture), versions in measured_with.items():
        if len(versions) > 1:
            which = "; ".join(f"{version} in {', '.join(files)}" for version, files in versions.items())
            yield f"measured with different builds of {name}{f' for {architecture}' if architecture else ''}: {which}"
    flagged: dict[tuple[str, str], set[str]] = {}
    records: tuple[Sample | Failure, ...] = (*samples.samples, *samples.failures)
    for record in records:
        for flag in {"throttled", "emulated"}.intersection(record.flags):
            flagged.setdefault((record.run_id, flag), set()).add(record.driver)
    for source, run in chosen:
        states = run.environment.get("pi_throttled")
        if states:
            yield f"{source.path}: {_hostname(run)} was slowed down: {', '.join(map(str, states))}"
        if (run.run_id, "throttled") in flagged:
            yield f"{source.path}: samples of {_hostname(run)} were taken while it was throttled"
        emulated = flagged.get((run.run_id, "emulated"))
        if emulated:
            yield f"{source.path}: {', '.join(sorted(emulated))} ran under full emulation"
    files: dict[tuple[str, ...], dict[str, None]] = {}
    for source, run in chosen:
        files.setdefault(_identity(run), {})[source.path] = None
    for host, paths in files.items():
        if len(paths) > 1:
            yield f"{', '.join(paths)}: taken for the same host {host[0]}; give two equal machines names of their own"


def _payload(run: Run) -> dict[tuple[str, str], str]:
    """Return which build of each program was run inside the rungs; the probe is another one on each architecture."""
    environment = run.environment
    found: dict[tuple[str, str], str] = {}
    if "probe_digest" in environment:
        found["the probe", str(environment.get("architecture", ""))] = str(environment["probe_digest"])
    versions = environment.get("versions")
    if isinstance(versions, Mapping):
        found |= {(name, ""): str(versions[name]) for name in _PROGRAMS if name in versions}
    return found


# -- hosts -------------------------------------------------------------------------------------------------------------


def _identity(run: Run) -> tuple[str, ...]:
    return tuple(str(run.environment.get(name, "")) for name in _IDENTITY)


def _hostname(run: Run) -> str:
    return str(run.environment.get("hostname") or run.run_id)


def _hosts(chosen: _Chosen) -> tuple[Host, ...]:
    by_host: dict[tuple[str, ...], _Chosen] = {}
    for source, run in chosen:
        by_host.setdefault(_identity(run), []).append((source, run))
    hosts = []
    names: dict[str, int] = {}
    for own in by_host.values():
        run = own[0][1]
        name = _hostname(run)
        names[name] = names.get(name, 0) + 1
        ids = {each.run_id for _, each in own}
        environment = run.environment
        hosts.append(
            Host(
                name if names[name] == 1 else f"{name} ({names[name]})",
                str(environment.get("pi_model") or environment.get("cpu_model") or environment.get("architecture", "")),
                _whole(environment.get("cpu_cores") or environment.get("cpu_count")),
                _whole(environment.get("memory_bytes")),
                len(own),
                _count((s.run_id for source in _files(own) for s in source.samples.samples), ids),
                _count((f.run_id for source in _files(own) for f in source.samples.failures), ids),
            )
        )
    return tuple(hosts)


def _files(chosen: _Chosen) -> Iterable[Source]:
    return {id(source): source for source, _ in chosen}.values()


def _count(names: Iterable[str], wanted: set[str]) -> int:
    return sum(name in wanted for name in names)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
