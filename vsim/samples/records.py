"""Samples: JSON Lines that both worlds write, one record a line, append-only, flushed one by one.

    {"record": "run", "schema": "vsim.samples/1", "run_id": …, "world": "real", "plan": {…}, "environment": {…}}
    {"record": "sample", "metric": "startup_s", "value": 0.0012, "unit": "s", …}
    {"record": "failure", "stage": "start", "message": …, …}        a failure is a record, never a zero
    {"record": "done", "block": 0, "step": 1, "driver": "runc", …}  this step is complete: `resume` goes on after it
    {"record": "resume", …}  the run went on here: what is above and belongs to no complete step is void

A file may hold several runs, one after another or merged: records find their run by `run_id`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import json
import math
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, TypeVar, get_type_hints

from vsim.errors import HostError, InputError, Place

__all__ = [
    "SCHEMA",
    "Done",
    "Failure",
    "Record",
    "Resume",
    "Run",
    "Sample",
    "SampleWriter",
    "Samples",
    "read_samples",
]

SCHEMA = "vsim.samples/1"

# A run record with its environment has some ten kilobytes.
_LONGEST_LINE = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Run:
    """The first record of a run: which world, which plan, on which host. `started` is UTC, ISO 8601.

    `left_out` says in words which steps were left out with which drivers, and why.
    """

    record: ClassVar[str] = "run"
    run_id: str
    world: Literal["real", "simulated"]
    started: str
    plan: Mapping[str, Any]
    environment: Mapping[str, Any]
    seed: int
    drivers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True)
class Sample:
    """One value. `t` is seconds since the run started; `order` the place of the step within its block.

    `instance` numbers the instances of a step from 0; None is for values of the step or the host as a whole. `step` is
    the number of the plan's step, -1 for what belongs to the block itself (the canary). Flags say what the value must
    not be compared with: `warmup`, `cold`, `emulated`, ….
    """

    record: ClassVar[str] = "sample"
    run_id: str
    block: int
    order: int
    stack: str
    driver: str
    suite: str
    metric: str
    value: float
    unit: str
    concurrency: int
    instance: int | None
    t: float
    flags: tuple[str, ...] = ()
    step: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, in which stage of which instance."""

    record: ClassVar[str] = "failure"
    run_id: str
    block: int
    order: int
    stack: str
    driver: str
    suite: str
    stage: str
    message: str
    concurrency: int
    instance: int | None
    t: float
    flags: tuple[str, ...] = ()
    step: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The step `step` of `block` is complete for `driver`, with whatever failures were recorded."""

    record: ClassVar[str] = "done"
    run_id: str
    block: int
    step: int
    driver: str
    t: float


@dataclass(frozen=True, slots=True)
class Resume:
    """An interrupted run went on: samples and failures above, of steps without `done`, were measured again."""

    record: ClassVar[str] = "resume"
    run_id: str
    t: float


Record = Run | Sample | Failure | Done | Resume
Key = tuple[str, int, int, str]
_KINDS: Mapping[str, type[Record]] = MappingProxyType(
    {kind.record: kind for kind in (Run, Sample, Failure, Done, Resume)}
)


class SampleWriter:
    """Appends records to a file; each is in the kernel's hands when :meth:`write` returns."""

    def __init__(self, path: Path | str, *, resume: bool = False) -> None:
        self.path = Path(path)
        self._failed: str | None = None
        try:
            if resume:
                _mend(self.path)
            # Unbuffered: nothing waits in this process, and a full disk shows at the record that it refuses.
            self._file = self.path.open("ab" if resume else "xb", buffering=0)
        except FileExistsError:
            raise InputError(
                f"{self.path} is there already",
                hint="name another file with --out, or add --resume to go on with the run in it",
            ) from None
        except OSError as error:
            raise InputError(f"{self.path} can't be written: {error.strerror or error}") from None

    def write(self, record: Record) -> None:
        """Append one record and flush it, or leave the file as it was.

        Raises HostError when the disk is full or fails, and again at every record after that: the file stays whole.
        """
        if self._failed is None:
            data = (to_line(record) + "\n").encode()
            written = 0
            try:
                while written < len(data):
                    written += self._file.write(data[written:])
                return
            except OSError as error:
                self._failed = error.strerror or str(error)
                self._take_back(written)
        raise HostError(
            f"{self.path} can't be written: {self._failed}",
            hint="the samples so far are kept: make room, and --resume goes on with the run",
        )

    def _take_back(self, written: int) -> None:
        """Cut off what was written of a record; pipes and devices can't be, and hold no file to resume."""
        with contextlib.suppress(OSError):
            if written:
                os.ftruncate(self._file.fileno(), os.fstat(self._file.fileno()).st_size - written)

    def close(self) -> None:
        """Close the file; the records survive a crash of the host from here on."""
        if not self._file.closed:
            # Pipes and devices can't be synchronized.
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _mend(path: Path) -> None:
    """Make the file end with a whole line: a line that was torn by a crash was never a record."""
    with path.open("rb+") as file:
        size = os.fstat(file.fileno()).st_size
        start = max(0, size - _LONGEST_LINE)
        file.seek(start)
        tail = file.read(size - start)
        if not tail or tail.endswith(b"\n"):
            return
        last = tail.rfind(b"\n") + 1
        try:
            json.loads(tail[last:])
        except ValueError:
            file.truncate(start + last)
        else:
            file.seek(0, os.SEEK_END)
            file.write(b"\n")


def to_line(record: Record) -> str:
    """Return the record as one line of JSON, without the newline."""
    values = {"record": record.record, **{f.name: getattr(record, f.name) for f in dataclasses.fields(record)}}
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# -- reading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Samples:
    """What a file of samples holds, in its order, without what a resume made void.

    `torn` says that the last line was cut off by a crash (and left out).
    """

    runs: tuple[Run, ...]
    samples: tuple[Sample, ...]
    failures: tuple[Failure, ...]
    done: frozenset[Key] = field(default_factory=frozenset)
    torn: bool = False

    def run(self, run_id: str) -> Run:
        """Return the record of that run. Raises KeyError."""
        for run in self.runs:
            if run.run_id == run_id:
                return run
        raise KeyError(run_id)


def read_samples(path: Path | str) -> Samples:
    """Read a file of samples, compressed by gzip if its name ends in `.gz`.

    Raises InputError naming file and line for anything that isn't a record.

    A last line without its newline that isn't JSON is what a crash leaves: it is left out, not an error.
    """
    file = Path(path)
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(
            "this file isn't what gzip makes, or it was cut off",
            place=Place(str(path)),
            hint="a file of samples that isn't compressed has a name without .gz",
        ) from None
    except FileNotFoundError:
        raise InputError("there is no such file", place=Place(str(path))) from None
    except OSError as error:
        raise InputError(f"this file can't be read: {error.strerror}", place=Place(str(path))) from None
    lines = data.split(b"\n")
    whole = lines.pop() == b""
    if not whole:
        lines.append(data[data.rfind(b"\n") + 1 :])
    records: list[Record] = []
    torn = False
    known: set[str] = set()
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        last = number == len(lines) and not whole
        try:
            record = _parse(raw, str(path), number)
        except InputError:
            if last:
                torn = True
                break
            raise
        if isinstance(record, Run):
            known.add(record.run_id)
        elif record.run_id not in known:
            raise InputError(
                f"this record belongs to the run {record.run_id!r}, which no line above has begun",
                place=Place(str(path), number, 1, raw.decode("utf-8", "replace")),
                hint='the first record of a run has `"record": "run"`',
            )
        records.append(record)
    if not records:
        raise InputError("there are no samples in this file", place=Place(str(path)))
    return _collect(records, torn)


def _collect(records: Iterable[Record], torn: bool) -> Samples:
    runs: list[Run] = []
    values: list[Sample | Failure] = []
    done: set[Key] = set()
    for record in records:
        match record:
            case Run():
                runs.append(record)
            case Done():
                done.add(_key(record))
            case Resume():
                run_id = record.run_id
                values = [v for v in values if v.run_id != run_id or _key(v) in done]
            case _:
                values.append(record)
    return Samples(
        runs=tuple(runs),
        samples=tuple(v for v in values if isinstance(v, Sample)),
        failures=tuple(v for v in values if isinstance(v, Failure)),
        done=frozenset(done),
        torn=torn,
    )


def _key(record: Sample | Failure | Done) -> Key:
    return (record.run_id, record.block, record.step, record.driver)


def _parse(raw: bytes, path: str, number: int) -> Record:
    text = raw.decode("utf-8", "replace")

    def wrong(message: str, column: int = 1, hint: str | None = None) -> InputError:
        return InputError(message, place=Place(path, number, column, text), hint=hint)

    try:
        values = json.loads(raw)
    except json.JSONDecodeError as error:
        raise wrong(f"this isn't JSON: {error.msg}", error.colno) from None
    except (UnicodeDecodeError, RecursionError):
        raise wrong("this isn't JSON in UTF-8") from None
    if not isinstance(values, dict):
        raise wrong("a record is an object with keys, in braces")
    kind = values.pop("record", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise wrong(f"{kind!r} is no kind of record", hint=f"`record` is one of {', '.join(_KINDS)}")
    cls = _KINDS[kind]
    if cls is Run and values.get("schema") != SCHEMA:
        raise wrong(f"the schema {values.get('schema')!r} is not known here", hint=f"this version reads {SCHEMA}")
    return _build(cls, values, wrong)


_AnyRecord = TypeVar("_AnyRecord", bound=Record)


def _build(cls: type[_AnyRecord], values: dict[str, Any], wrong: Callable[[str], InputError]) -> _AnyRecord:
    given: dict[str, Any] = {}
    for spec in dataclasses.fields(cls):
        if spec.name not in values:
            if spec.default is dataclasses.MISSING:
                raise wrong(f"a {cls.record} record needs `{spec.name}`")
            continue
        value = values.pop(spec.name)
        check = _CHECKS[_types(cls)[spec.name]]
        if not check(value):
            raise wrong(f"`{spec.name}` can't be {json.dumps(value)[:60]}")
        given[spec.name] = tuple(value) if isinstance(value, list) else value
    # Keys that a later version adds are no reason to refuse the rest.
    return cls(**given)


_HINTS: dict[type, dict[str, str]] = {}


def _types(cls: type) -> dict[str, str]:
    if cls not in _HINTS:
        _HINTS[cls] = {name: _type_name(hint) for name, hint in get_type_hints(cls).items()}
    return _HINTS[cls]


def _type_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_CHECKS: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "str": lambda value: isinstance(value, str),
        "int": _is_whole,
        "float": _is_number,
        "int | None": lambda value: value is None or _is_whole(value),
        "tuple[str, ...]": _is_words,
        "typing.Literal['real', 'simulated']": lambda value: value in ("real", "simulated"),
        "collections.abc.Mapping[str, typing.Any]": lambda value: isinstance(value, dict),
    }
)
