"""Exchange: messages from one instance to another, in seconds for one message.

    http     asked for one by one over a network that both are on, on one connection that stays open
    file     written to a file on a bind mount that both have; the reader answers through another file, and both look
             again without a pause, as a pause would be what is measured
    sqlite   put into a shared database, each message a transaction of its own, and then taken out in the same way by
             the other instance: stored and forwarded, safe on the disk in between
    postgresql  the same with a database server, in a third instance that both reach over the network

What the first two do is faster and what the databases do is more: a message survives the death of both sides.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import discard
from vsim.bench.payload import host_architecture
from vsim.bench.payload.postgresql import find_postgresql
from vsim.bench.perform import Report, begin, finish, perform
from vsim.bench.suites import _postgresql
from vsim.bench.suites._cost import nothing_runs, slowdown
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.bench.suites.requests import free_port
from vsim.model.plan import Exchange, Step

__all__ = ["SUITE"]

MIB = 2**20
_INSIDE = "/data"
_PROGRAMS = {"sqlite": "sqlite3", "postgresql": "PostgreSQL"}
_TABLE = "CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB NOT NULL)"
# Rather too slow guesses for bare metal, for one message.
_MESSAGE_S = {"http": 0.2e-3, "file": 0.1e-3, "sqlite": 3e-3, "postgresql": 3e-3}
# To make a database server ready: the empty database, once in a run, and its copy.
_SERVER_S = 1.5
_CLUSTER_BYTES = 100 * MIB


class _Exchange(Suite):
    name = "exchange"
    headline = ("exchange_s", "exchange_write_s", "exchange_read_s")

    def run(self, step: Step, context: Context) -> None:
        assert isinstance(step, Exchange)
        values = {"http": _http, "file": _file, "sqlite": _sqlite, "postgresql": _server}[step.over](step, context)
        for metric, seconds in values.items():
            context.record.sample(metric, seconds / step.messages, "s", flags=(f"over-{step.over}",))

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, Exchange)
        served = step.over == "postgresql"
        return Demand(
            memory_bytes=2 * (driver.overhead_bytes + 64 * MIB) + served * _postgresql.SERVER_BYTES,
            pids=2 * driver.pids_per_instance + served * _postgresql.SERVER_PIDS,
            disk_bytes=4 * step.messages * step.message_bytes + (_CLUSTER_BYTES if served else 16 * MIB),
            seconds=(6 if served else 4) * driver.typical_start_s + served * _SERVER_S + _work_s(step, driver),
        )

    def lack(self, step: Step, driver: Driver) -> str | None:
        assert isinstance(step, Exchange)
        reason = nothing_runs(driver)
        if reason is not None:
            return reason
        if step.over in ("http", "postgresql") and _network(driver) is None:
            return "two of its instances have no network in common"
        if step.over == "http":
            return None
        if "binds" not in driver.capabilities:
            return "two of its instances can't share a directory"
        if step.over in _PROGRAMS and driver.architecture not in (None, host_architecture()):
            return f"the host's {_PROGRAMS[step.over]} is for another processor"
        if step.over == "sqlite" and shutil.which("sqlite3", path="/usr/bin:/bin:/usr/local/bin") is None:
            return "sqlite3 is not installed (Debian: apt-get install sqlite3)"
        if step.over == "postgresql" and find_postgresql() is None:
            return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        if step.over == "postgresql" and driver.root_inside:
            return "programs in it run as root, though without its privileges: PostgreSQL refuses to"
        return None


def _work_s(step: Exchange, driver: Driver) -> float:
    return step.messages * _MESSAGE_S.get(step.over, 0.0) * slowdown(driver, "network")


def _timeout_s(step: Exchange, driver: Driver) -> float:
    return 30.0 + 10 * _work_s(step, driver)


def _network(driver: Driver) -> str | None:
    """Return the network over which two instances of this driver reach each other."""
    return next((mode for mode in ("user_defined", "host") if mode in driver.networks), None)


def _http(step: Exchange, context: Context) -> dict[str, float]:
    network, port = _network(context.driver), free_port()
    server = context.launch(
        InstanceSpec(arguments=(f"body={step.message_bytes}", f"http={port}"), network=network, ports=(port,))
    )
    try:
        address = server.instance.address()
        if address is None:
            raise StageError("work", f"the other instance has no address on the network {network}")
        spec = InstanceSpec(arguments=(f"get={address}:{port}:{step.messages}",), network=network)
        report = perform(context, spec, timeout_s=_timeout_s(step, context.driver))
        return {"exchange_s": report.duration_s("get")}
    finally:
        context.retire(server)


def _file(step: Exchange, context: Context) -> dict[str, float]:
    with _directory(context) as directory:
        inside, binds = _shared(context, directory)
        what = f"{step.messages}:{step.message_bytes}:{inside}"
        sides = [InstanceSpec(arguments=(f"pass={side}:{what}",), binds=binds) for side in (0, 1)]
        reports = _together(context, sides, _timeout_s(step, context.driver))
        return {"exchange_s": reports[0].duration_s("pass")}


def _together(context: Context, specs: Sequence[InstanceSpec], timeout_s: float) -> list[Report]:
    """Let instances do their work at the same time, and remove them; return their reports in the same order."""
    with contextlib.ExitStack() as stack:
        instances = []
        for spec in specs:
            instance = begin(context, spec)
            stack.callback(discard, context.session, instance)
            instances.append(instance)
        return [finish(instance, timeout_s) for instance in instances]


def _sqlite(step: Exchange, context: Context) -> dict[str, float]:
    program = context.session.payload.programs.get("sqlite3")
    if program is None:
        raise StageError("create", "there is no sqlite3 in the payload")
    with _directory(context) as directory:
        inside, binds = _shared(context, directory)
        _prepare(directory, step)

        def run(script: str) -> Report:
            words = ("run", program, "-batch", "-bail", f"{inside}/messages.db", f".read {inside}/{script}")
            spec = InstanceSpec(arguments=words, binds=binds)
            return perform(context, spec, timeout_s=_timeout_s(step, context.driver), until="exit")

        return _stored(step, run("write.sql"), run("read.sql"))


def _server(step: Exchange, context: Context) -> dict[str, float]:
    network = _network(context.driver)
    assert network is not None
    with _directory(context) as directory:
        written, taken = _postgresql.exchange(step, context, network, directory, _timeout_s(step, context.driver))
    return _stored(step, written, taken)


def _stored(step: Exchange, written: Report, taken: Report) -> dict[str, float]:
    """Return the durations, if every message came out as long as it was put in. Raises StageError."""
    arrived = sum(line.strip() == str(step.message_bytes) for line in taken.lines)
    if arrived != step.messages:
        raise StageError("work", f"{arrived} of {step.messages} messages arrived")
    write_s, read_s = written.duration_s("run"), taken.duration_s("run")
    return {"exchange_s": write_s + read_s, "exchange_write_s": write_s, "exchange_read_s": read_s}


def _prepare(directory: Path, step: Exchange) -> None:
    """Make an empty database and the two scripts. Each statement is a transaction of its own."""
    import sqlite3

    database = directory / "messages.db"
    connection = sqlite3.connect(database)
    try:
        connection.execute(_TABLE)
        connection.commit()
    finally:
        connection.close()
    database.chmod(0o666)
    write = f"INSERT INTO message (body) VALUES (zeroblob({step.message_bytes}));\n"
    read = "DELETE FROM message WHERE id = (SELECT min(id) FROM message) RETURNING length(body);\n"
    for name, statement in (("write.sql", write), ("read.sql", read)):
        (directory / name).write_text(statement * step.messages)
        (directory / name).chmod(0o644)


def _shared(context: Context, directory: Path) -> tuple[str, dict[Path, str]]:
    """Return where the instances see the host's directory, and the binds that make them."""
    if context.driver.stack == "bare-metal":
        return str(directory), {}
    return _INSIDE, {directory: _INSIDE}


@contextlib.contextmanager
def _directory(context: Context) -> Iterator[Path]:
    workspace = context.session.workspace
    directory = workspace.directory(workspace.name("exchange"))
    directory.chmod(0o1777)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


SUITE = _Exchange()
