"""PostgreSQL from the host, for the instances of one suite: not in the payload, which every instance would carry along.

    usr/lib/postgresql/VERSION/bin/{postgres,psql}, usr/share/postgresql/VERSION/timezonesets
    lib/                       their libraries, and the loader that starts them with these

The directory can stand anywhere: programs are started through the loader, and PostgreSQL finds its own files from where
it stands. It is kept in the cache and named by a digest, as the payload is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsim.bench.paths import cache_dir
from vsim.bench.payload.payload import digest_of, drafted, host_architecture, libraries_of, write_files
from vsim.errors import HostError

__all__ = ["PostgreSQL", "collect_postgresql", "find_postgresql"]

# Where Debian's packages postgresql-15, postgresql-16, … put them.
_INSTALLATIONS = Path("/usr/lib/postgresql")
_PROGRAMS = ("postgres", "psql")


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """What was collected: `root` on the host, and the names in it of the loader and of the programs' directory."""

    root: Path
    loader: str
    programs: str

    def command(self, program: str, *words: str, at: str | None = None) -> Sequence[str]:
        """Return the words that start `program` where the directory is seen as `at` (default: as on the host)."""
        base = at or str(self.root)
        return (f"{base}/{self.loader}", "--library-path", f"{base}/lib", f"{base}/{self.programs}/{program}", *words)


def find_postgresql(base: Path = _INSTALLATIONS) -> Path | None:
    """Return the directory with the programs of the newest PostgreSQL that is installed whole, or None."""
    found = [path / "bin" for path in base.glob("*") if path.name.isdigit()] if base.is_dir() else []
    whole = [path for path in found if all((path / name).is_file() for name in (*_PROGRAMS, "initdb"))]
    return max(whole, key=lambda path: int(path.parent.name), default=None)


def collect_postgresql(programs: Path, *, cache: Path | None = None) -> PostgreSQL:
    """Return the collected PostgreSQL, from the cache when it is there.

    Raises HostError when the cache can't be written or a program's libraries can't be told.
    """
    files: dict[str, Path] = {}
    loader = ""
    for name in _PROGRAMS:
        program = programs / name
        files[str(program)] = program
        for library in libraries_of(program).values():
            files[f"/lib/{library.name}"] = library
            if library.name.startswith("ld-"):
                loader = f"lib/{library.name}"
    if not loader:
        raise HostError(f"the libraries of {programs / _PROGRAMS[0]} can't be told", hint="`ldd` should list them")
    share = Path("/usr/share/postgresql") / programs.parent.name / "timezonesets"
    files.update({str(path): path for path in sorted(share.glob("*")) if path.is_file()})
    base = (cache or cache_dir()) / "payload"
    root = base / f"postgresql-{host_architecture()}-{digest_of(files)}"
    if not root.exists():
        try:
            with drafted(base, root) as draft:
                write_files(draft, files)
                # For modules; the server wants to see the directory, though none of them is needed here.
                (draft / str(programs.parent / "lib").lstrip("/")).mkdir()
        except OSError as error:
            raise HostError(
                f"PostgreSQL can't be copied to {base}: {error.strerror}",
                hint="make room, or set VSIM_CACHE to a directory of yours",
            ) from None
    return PostgreSQL(root, loader, str(programs).lstrip("/"))
