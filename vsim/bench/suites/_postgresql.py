"""A PostgreSQL server in an instance of its own, and clients in two others: one puts messages in, one takes them out.

The server keeps its data in a directory of the host that it shares with nobody; it writes through to the disk before it
answers (fsync), as it does unless somebody tells it not to. The empty database is made on the host, once in a run.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from vsim.bench.drivers.interface import Instance, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import discard, silence
from vsim.bench.payload.postgresql import PostgreSQL, collect_postgresql, find_postgresql
from vsim.bench.perform import Report, begin, perform
from vsim.bench.spawn import call
from vsim.bench.suites.interface import Context
from vsim.bench.suites.requests import free_port
from vsim.bench.workspace import Workspace
from vsim.errors import HostError
from vsim.model.plan import Exchange

__all__ = ["SERVER_BYTES", "SERVER_PIDS", "exchange"]

MIB = 2**20
# A server with small settings, a client with many libraries, and room for a sandbox's own threads: gVisor's kernel ends
# with the words "failed to create new OS thread" (Go's, and exit code 2) where it gets too few.
SERVER_BYTES, SERVER_PIDS = 256 * MIB, 256
_CLIENT_BYTES = 128 * MIB
# Where instances see the programs, and the server its data: mount points that every payload has.
_PROGRAMS, _DATA = "/mnt", "/data"
_NOBODY = 65534
_USER = "vsim"
_TABLE = "CREATE TABLE message (id serial PRIMARY KEY, body bytea NOT NULL);\n"
_SETTINGS = (
    "unix_socket_directories=",
    "shared_buffers=16MB",
    "max_connections=10",
    # Not every instance has a /dev/shm.
    "dynamic_shared_memory_type=mmap",
    "huge_pages=off",
)
_READY_S = 20.0


def exchange(
    step: Exchange, context: Context, network: str, directory: Path, timeout_s: float
) -> tuple[Report, Report]:
    """Let one client write the step's messages and then another take them out; return what they report.

    `directory` is an empty one of the host's that everybody may write to. Raises StageError.
    """
    programs = find_postgresql()
    if programs is None:
        raise StageError("create", "PostgreSQL is not installed")
    try:
        postgresql = collect_postgresql(programs)
    except HostError as error:
        raise StageError("create", str(error)) from None
    workspace = context.session.workspace
    template, password = _template(workspace, programs)
    call(("cp", "-a", str(template), str(directory / "cluster")), stage="create", env=workspace.environment())
    write = f"INSERT INTO message (body) VALUES (decode(repeat('00', {step.message_bytes}), 'hex'));\n"
    read = "DELETE FROM message WHERE id = (SELECT min(id) FROM message) RETURNING octet_length(body);\n"
    for name, statement in (("write.sql", write), ("read.sql", read)):
        (directory / name).write_text(statement * step.messages)
        (directory / name).chmod(0o644)
    with _server(context, postgresql, network, directory) as (address, port):
        where = f"host={address} port={port} user={_USER} password={password} dbname=postgres sslmode=disable"

        def run(script: str) -> Report:
            on_host = context.driver.stack == "bare-metal"
            inside = str(directory) if on_host else _DATA
            # No settings of a user's, no headings, the first error ends it.
            words = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", f"{inside}/{script}", where)
            command = postgresql.command("psql", *words, at=None if on_host else _PROGRAMS)
            spec = InstanceSpec(
                arguments=("run", *command),
                memory_bytes=_CLIENT_BYTES,
                pids=SERVER_PIDS,
                network=network,
                binds=_binds(context, postgresql, directory),
            )
            return perform(context, spec, timeout_s=timeout_s, until="exit")

        return run("write.sql"), run("read.sql")


@contextlib.contextmanager
def _server(context: Context, postgresql: PostgreSQL, network: str, directory: Path) -> Iterator[tuple[str, int]]:
    """Run the server in an instance; give the address and port under which other instances reach it."""
    on_host = context.driver.stack == "bare-metal"
    port = free_port()
    listen = "127.0.0.1" if network == "host" else "*"
    cluster = f"{directory if on_host else _DATA}/cluster"
    settings = [word for each in (f"listen_addresses={listen}", *_SETTINGS) for word in ("-c", each)]
    words = ("-D", cluster, "-p", str(port), *settings)
    command = postgresql.command("postgres", *words, at=None if on_host else _PROGRAMS)
    if on_host and os.geteuid() == 0:
        # It doesn't run as root. Nor may it share the host's IPC: killed, it would leave a memory segment there.
        nobody = (f"--setgid={_NOBODY}", f"--setuid={_NOBODY}")
        command = ("/usr/bin/unshare", "--ipc", *nobody, *command)
    spec = InstanceSpec(
        arguments=("run", *command),
        memory_bytes=SERVER_BYTES,
        pids=SERVER_PIDS,
        # Its processes leave the session in which they were started; the group keeps them together.
        accounted=os.geteuid() == 0,
        network=network,
        ports=(port,),
        binds=_binds(context, postgresql, directory),
    )
    instance = begin(context, spec)
    try:
        instance.ends_itself()
        _wait_ready(instance, directory / "cluster/postmaster.pid")
        address = instance.address()
        if address is None:
            raise StageError("work", f"the server has no address on the network {network}")
        yield address, port
    finally:
        discard(context.session, instance)


def _wait_ready(instance: Instance, note: Path) -> None:
    """Wait until the server has written that it is ready, in the last line of its own file (pidfile.h)."""
    end = time.monotonic() + _READY_S
    while time.monotonic() < end and not instance.output.ended:
        with contextlib.suppress(OSError):
            lines = note.read_text().splitlines()
            if len(lines) >= 8 and lines[7].strip() == "ready":
                return
        time.sleep(0.01)
    raise StageError("work", f"the server did not come up: {silence(instance, _READY_S)}")


def _binds(context: Context, postgresql: PostgreSQL, directory: Path) -> dict[Path, str]:
    if context.driver.stack == "bare-metal":
        return {}
    return {postgresql.root: _PROGRAMS, directory: _DATA}


def _template(workspace: Workspace, programs: Path) -> tuple[Path, str]:
    """Return an empty database with its table, and the password of its user; made when it is first asked for."""
    base = workspace.directory("postgresql")
    template, secret = base / "template", base / "password"
    if template.exists():
        return template, secret.read_text()
    draft = base / "draft"
    draft.mkdir(mode=0o700)
    secret.write_text(secrets.token_hex(16))
    if os.geteuid() == 0:
        for path in (draft, secret):
            os.chown(path, _NOBODY, _NOBODY)
    secret.chmod(0o600)
    options = ("--no-locale", "--encoding=UTF8", "--no-sync", f"--username={_USER}")
    # Whoever is on this host could otherwise talk to it. Of what it offers, md5 costs the least for each connection.
    access = (f"--pwfile={secret}", "--auth-local=reject", "--auth-host=md5")
    _as_nobody(workspace, [str(programs / "initdb"), f"--pgdata={draft}", *options, *access])
    with (draft / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 0.0.0.0/0 md5\n")
    _as_nobody(workspace, [str(programs / "postgres"), "--single", "-D", str(draft), "postgres"], _TABLE)
    draft.rename(template)
    return template, secret.read_text()


def _as_nobody(workspace: Workspace, argv: list[str], text: str = "") -> None:
    """Run a program of PostgreSQL's on the host: none of them runs as root. Raises StageError."""
    root = os.geteuid() == 0
    try:
        done = subprocess.run(
            argv,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd="/",
            # The one time zone for which no file is needed: instances don't have the host's.
            env=workspace.environment({"TZ": "GMT"}),
            start_new_session=True,
            user=_NOBODY if root else None,
            group=_NOBODY if root else None,
            extra_groups=[] if root else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StageError("create", f"{argv[0]}: {error}") from None
    if done.returncode != 0:
        raise StageError("create", f"{argv[0]}: {' '.join(done.stderr.split())[-300:]}")
