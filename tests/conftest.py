"""Fixtures of all tests: reference data and independent programs, where they are there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

PROJECT = Path(__file__).resolve().parents[1]


def lacking(what: str) -> NoReturn:
    """Skip because the host lacks `what`; fail instead where VSIM_REQUIRE_ALL=1 says that it should have it."""
    if os.environ.get("VSIM_REQUIRE_ALL") == "1":
        pytest.fail(f"VSIM_REQUIRE_ALL=1, but this host lacks {what}", pytrace=False)
    pytest.skip(f"this host lacks {what}")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of published figures and raw data: VSIM_REFERENCE_DATA, or ../shared/data."""
    folder = Path(os.environ.get("VSIM_REFERENCE_DATA") or PROJECT.parent / "shared" / "data")
    if not folder.is_dir():
        lacking(f"the reference data (VSIM_REFERENCE_DATA, looked in {folder})")
    return folder


@pytest.fixture(scope="session")
def simgrid_replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that replays a job list on SimGrid, compiled for this session from VSIM_REFERENCE_PEERS."""
    folder = Path(os.environ.get("VSIM_REFERENCE_PEERS") or PROJECT.parent / "shared" / "peers")
    source = folder / "simgrid_replay.cpp"
    if not source.is_file():
        lacking(f"the source of the SimGrid peer (VSIM_REFERENCE_PEERS, looked for {source})")
    compiler = shutil.which("g++")
    if compiler is None:
        lacking("g++ (Debian: g++)")
    program = tmp_path_factory.mktemp("simgrid") / "simgrid_replay"
    built = subprocess.run(
        [compiler, "-O2", "-std=c++17", str(source), "-o", str(program), "-lsimgrid"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "simgrid/s4u.hpp: No such file" in built.stderr or "cannot find -lsimgrid" in built.stderr:
        lacking("SimGrid's headers and library (Debian: libsimgrid-dev)")
    if built.returncode:
        pytest.fail(f"{source} doesn't compile:\n{built.stderr}", pytrace=False)
    return program
