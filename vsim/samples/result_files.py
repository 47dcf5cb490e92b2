"""A result's directory: ``result.json`` and the tidy tables, written as a whole or not at all.

The files are made in a hidden directory beside the target and moved there in one step. An earlier result is replaced;
anything else that stands in the way is left alone.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsim.errors import HostError, InputError, Place
from vsim.samples.result import SCHEMA, Result
from vsim.samples.tables import TABLES, require_parquet, tables, to_csv, write_parquet

__all__ = ["check_target", "read_result", "write_result"]

_NAMES = {"result.json", *(f"{name}.{ending}" for name in TABLES for ending in ("csv", "parquet"))}


def write_result(result: Result, directory: str | os.PathLike[str], *, parquet: bool = False) -> Path:
    """Write `result` to `directory` and return it; with `parquet` the tables are written in that form as well.

    Raises InputError when `directory` is something else than a result, and HostError when it can't be written or
    pyarrow is missing. Whatever goes wrong or interrupts, no half-written result is left behind.
    """
    target = check_target(directory, parquet=parquet)
    with _io_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            # Made private by mkdtemp; a result is as readable as any other file of the user's.
            fresh = scratch / "result"
            fresh.mkdir()
            (fresh / "result.json").write_text(result.to_json(), encoding="utf-8")
            for name, table in tables(result).items():
                (fresh / f"{name}.csv").write_text(to_csv(table), encoding="utf-8")
                if parquet:
                    write_parquet(table, fresh / f"{name}.parquet")
            _put(fresh, target, scratch / "earlier")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def check_target(directory: str | os.PathLike[str], *, parquet: bool = False) -> Path:
    """Return the absolute path of `directory` if a result can go there; call it before a long run.

    It can when nothing is there, an empty directory, or a result without files of others in it. Raises InputError
    otherwise, and HostError when nothing may be written there, or `parquet` is asked for and can't be written.
    """
    if parquet:
        require_parquet()
    target = Path(directory).resolve()
    with _io_errors(target):
        _check_parent(target)
        if not target.exists():
            return target
        if not target.is_dir():
            raise InputError(f"{directory} is a file", hint="name a directory for --out")
        names = {entry.name for entry in target.iterdir()}
        if names and not (names >= {"result.json"} and _schema(target / "result.json") == SCHEMA):
            raise InputError(
                f"{directory} is not empty and not a result of vsim", hint="name another directory for --out"
            )
        if names - _NAMES:
            raise InputError(
                f"{directory} holds a result, but also {', '.join(sorted(names - _NAMES)[:3])}",
                hint="move those files, or name another directory for --out",
            )
    return target


def read_result(path: str | os.PathLike[str]) -> Result:
    """Return the result in the directory (or the ``result.json``) `path`. Raises InputError when there is none."""
    file = Path(path)
    if file.is_dir():
        file = file / "result.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        lines = error.doc.splitlines()
        text = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
        raise InputError(f"not JSON: {error.msg}", place=Place(str(file), error.lineno, error.colno, text)) from None
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise InputError(f"can't read a result: {reason}", place=Place(str(file))) from None
    try:
        return Result.from_dict(content)
    except InputError as error:
        raise InputError(error.message, place=Place(str(file)), hint=error.hint) from None


def _check_parent(target: Path) -> None:
    """Raise OSError when the directory that `target` is made in can't be written to, or is none."""
    parent = next(parent for parent in target.parents if parent.exists())
    reason = errno.ENOTDIR if not parent.is_dir() else errno.EACCES
    if reason == errno.ENOTDIR or not os.access(parent, os.W_OK | os.X_OK):
        raise OSError(reason, os.strerror(reason))


def _put(fresh: Path, target: Path, earlier: Path) -> None:
    """Move `fresh` to `target`; an earlier result goes out of the way first, and back if the move fails."""
    try:
        if target.exists():
            target.rename(earlier)
        fresh.rename(target)
    except BaseException:
        if earlier.exists() and not target.exists():
            earlier.rename(target)
        raise


def _schema(file: Path) -> object:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content.get("schema") if isinstance(content, dict) else None


@contextmanager
def _io_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError(
            f"can't write to {target}: {error.strerror or error}", hint="name another directory for --out"
        ) from None
