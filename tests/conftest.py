"""Fixtures of all tests: reference data and independent programs, where they are there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

PROJECT = Path(__file__).resolve().parents[1]
# These look at the host itself, and what they time or count there is to be nobody else's doing ...
ALONE = ("tests/bench/", "tests/integration/", "docs/bench/")
# ... except these, which ask what comes out and what is left, within limits that a busy host keeps as well. They bear
# other tests beside them, but not one another: each looks for what is left on the host.
ONE_AT_A_TIME = frozenset(
    f"tests/integration/test_{name}.py" for name in ("bench_cli", "drivers", "failures", "kills", "links", "suites")
)
# A cluster of processes is not the host.
BESIDE_ANY = frozenset({"tests/integration/test_dask.py"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs alone; in a worker of several, begin with what takes one of them long."""
    for item in items:
        if item.nodeid.startswith(ALONE) and _file(item.nodeid) not in ONE_AT_A_TIME | BESIDE_ANY:
            item.add_marker(pytest.mark.alone)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _file(item.nodeid) not in ONE_AT_A_TIME)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def piece_of_work(nodeid: str) -> str:
    """Return what goes to one worker in one piece: a file, and those together of which only one may run at a time."""
    return "one at a time" if _file(nodeid) in ONE_AT_A_TIME else _file(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadFileScheduling

    scheduling = LoadFileScheduling(config, log)
    scheduling._split_scope = piece_of_work
    return scheduling


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
