from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.suites import Scripted
from vsim.bench.drivers import InstanceSpec, all_drivers
from vsim.bench.errors import StageError
from vsim.bench.suites import exchange
from vsim.bench.suites.exchange import SUITE
from vsim.bench.workspace import Workspace
from vsim.model.plan import Exchange


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("VSIM_STATE", str(tmp_path))
    with Workspace("20260101-000000-abcd") as workspace:
        yield workspace


def test_over_http_one_instance_asks_the_other() -> None:
    def says(spec: InstanceSpec) -> str:
        return "begin get\nend get 50000000\nready\n" if spec.arguments[0].startswith("get=") else "ready\n"

    bench = Scripted(says)
    SUITE.run(Exchange(over="http", messages=500, message_bytes=1000), bench.context)
    assert bench.values == {"exchange_s": [100e-6]}
    assert bench.flags["exchange_s"] == {"over-http"}
    assert bench.specs[0].arguments[0] == "body=1000"
    assert {spec.network for spec in bench.specs} == {"user_defined"}
    assert bench.alive == 0


def test_over_a_file_both_sides_share_a_directory(workspace: Workspace) -> None:
    bench = Scripted("begin pass\nend pass 5000000\nready\n", workspace=workspace)
    SUITE.run(Exchange(over="file", messages=500, message_bytes=64), bench.context)
    assert bench.values == {"exchange_s": [10e-6]}
    assert [spec.arguments for spec in bench.specs] == [("pass=0:500:64:/data",), ("pass=1:500:64:/data",)]
    assert bench.specs[0].binds == bench.specs[1].binds
    assert not any(directory.exists() for directory in bench.specs[0].binds)
    assert bench.alive == 0


def test_when_one_side_fails_both_are_removed(workspace: Workspace) -> None:
    def says(spec: InstanceSpec) -> str:
        return "begin pass\n" if spec.arguments[0].startswith("pass=0") else "error pread 5\n"

    bench = Scripted(says, workspace=workspace)
    sides = [InstanceSpec(arguments=(f"pass={side}:5:64:/data",)) for side in (0, 1)]
    # one of them waits for ever, until the time limit
    with pytest.raises(StageError, match="work") as caught:
        exchange._together(bench.context, sides, 0.05)
    assert caught.value.stage == "work"
    assert bench.alive == 0


def sqlite_in(spec: InstanceSpec, *, lose: int = 0) -> str:
    """Do what sqlite3 would, on the host's side of the bind, and say what it and the probe would."""
    directory = next(iter(spec.binds))
    script = (directory / spec.arguments[-1].rpartition("/")[2]).read_text().splitlines()
    connection = sqlite3.connect(directory / "messages.db", isolation_level=None)
    rows = [row for line in script[lose:] for row in connection.execute(line)]
    connection.close()
    return "\n".join(["begin run", *(str(row[0]) for row in rows), "end run 1000000000", "exit 0", ""])


def test_over_a_database_each_message_is_put_in_and_taken_out(workspace: Workspace) -> None:
    bench = Scripted(sqlite_in, workspace=workspace)
    payload = dataclasses.replace(bench.session.payload, programs={"sqlite3": "/usr/bin/sqlite3"})
    bench.session.payload = payload
    SUITE.run(Exchange(over="sqlite", messages=50, message_bytes=64), bench.context)
    assert bench.values == {"exchange_s": [0.04], "exchange_write_s": [0.02], "exchange_read_s": [0.02]}
    assert bench.alive == 0


def test_a_message_that_is_lost_is_a_failure(workspace: Workspace) -> None:
    bench = Scripted(lambda spec: sqlite_in(spec, lose=1), workspace=workspace)
    bench.session.payload = dataclasses.replace(bench.session.payload, programs={"sqlite3": "/usr/bin/sqlite3"})
    with pytest.raises(StageError, match="49 of 50 messages arrived"):
        SUITE.run(Exchange(over="sqlite", messages=50, message_bytes=64), bench.context)
    assert bench.values == {}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("docker", None),
        ("process", None),
        ("gvisor", "no network in common"),
        ("lxc", "can't share a directory"),
        ("systemd-nspawn", "PostgreSQL refuses to"),
        ("bubblewrap", "PostgreSQL refuses to"),
        ("docker-arm64", "the host's PostgreSQL is for another processor"),
    ],
)
def test_a_database_server_is_left_out_with_the_reason(
    name: str, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drivers = {driver.name: driver for driver in all_drivers()}
    monkeypatch.setattr(exchange, "find_postgresql", lambda: Path("/usr/lib/postgresql/15/bin"))
    monkeypatch.setattr(exchange, "host_architecture", lambda: "x86_64")
    found = SUITE.lack(Exchange(over="postgresql"), drivers[name])
    assert (found is None) if reason is None else reason in str(found)


def test_without_postgresql_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    drivers = {driver.name: driver for driver in all_drivers()}
    monkeypatch.setattr(exchange, "find_postgresql", lambda: None)
    found = SUITE.lack(Exchange(over="postgresql"), drivers["docker"])
    assert found == "PostgreSQL is not installed (Debian: apt-get install postgresql)"


def test_who_can_not_says_why() -> None:
    drivers = {driver.name: driver for driver in all_drivers()}
    assert SUITE.lack(Exchange(over="http"), drivers["docker"]) is None
    assert "network" in str(SUITE.lack(Exchange(over="http"), drivers["uml"]))
    assert "directory" in str(SUITE.lack(Exchange(over="file"), drivers["namespace"]))
    assert SUITE.lack(Exchange(), drivers["null"]) is not None
    assert SUITE.demand(Exchange(over="postgresql"), drivers["docker"]).seconds > 0
