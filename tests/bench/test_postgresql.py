"""PostgreSQL as it is taken along: found, collected once, and able to run from wherever it stands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from vsim.bench.payload.postgresql import collect_postgresql, find_postgresql
from vsim.errors import HostError


def install(base: Path, version: str, *programs: str) -> Path:
    directory = base / version / "bin"
    directory.mkdir(parents=True)
    for name in programs:
        (directory / name).write_text("#!/bin/sh\n")
    return directory


def test_the_newest_that_is_whole_is_taken(tmp_path: Path) -> None:
    install(tmp_path, "9", "postgres", "psql", "initdb")
    newest = install(tmp_path, "15", "postgres", "psql", "initdb")
    install(tmp_path, "16", "psql")
    install(tmp_path, "extras", "postgres", "psql", "initdb")
    assert find_postgresql(tmp_path) == newest
    assert find_postgresql(tmp_path / "nothing") is None


def test_programs_whose_libraries_can_not_be_told_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="can't be told"):
        collect_postgresql(install(tmp_path, "15", "postgres", "psql", "initdb"), cache=tmp_path)


def test_a_cache_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "payload").write_text("a file where a directory should be")
    with pytest.raises(HostError, match="can't be copied"):
        collect_postgresql(_installed(), cache=tmp_path)


def test_it_is_collected_once_and_runs_from_there(tmp_path: Path) -> None:
    """In a root file system that has nothing else: with its own loader and libraries."""
    programs = _installed()
    found = collect_postgresql(programs, cache=tmp_path)
    assert collect_postgresql(programs, cache=tmp_path) == found
    assert [path.name for path in (tmp_path / "payload").iterdir()] == [found.root.name]
    version = programs.parent.name
    for program in ("postgres", "psql"):
        words = found.command(program, "--version")
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        assert f"(PostgreSQL) {version}." in done.stdout
    # What is mapped is what was collected, and nothing of the host's.
    listed = subprocess.run(
        [str(found.root / found.loader), "--library-path", f"{found.root}/lib", "--list", found.command("psql")[3]],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    ).stdout
    # "libz.so.1 => /…/lib/libz.so.1 (0x…)", and for the loader itself its usual place before the arrow
    paths = [line.split(" => ")[1].split()[0] for line in listed.splitlines() if " => " in line]
    assert paths
    assert all(path.startswith(str(found.root)) for path in paths)


def _installed() -> Path:
    programs = find_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return programs
