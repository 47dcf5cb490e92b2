"""Runs the command as a user does: in a process of its own."""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cli.server import MOST_BYTES

__all__ = ["SMALL", "environment", "new_vsim", "vsim"]

# A comparison that takes a fraction of a second, with requests, random sizes and failures in it.
SMALL = """\
schema: vsim.scenario/1
title: A small comparison
architectures: [vm@rack-server, container@rack-server]
services:
  web:
    replicas: 4
    image: 50 MB
    memory: 300 MiB
    memory_cv: 0.2
    shareable: 20 %
    request: {user: 5 ms, system_calls: 1 ms, send: 10 kB}
    arrivals: {kind: poisson, rate: 40/s}
    slo: 50 ms
run: {duration: 2 s, warmup: 0.5 s, replications: 3}
reliability: {years: 1}
"""
_PROJECT = Path(__file__).parents[2]


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a terminal 80 columns wide."""
    return {**os.environ, "COLUMNS": "80", **changes}


def new_vsim(
    *arguments: object, cwd: Path | None = None, timeout: float = 120, **changes: str
) -> subprocess.CompletedProcess[bytes]:
    """Run ``vsim`` with `arguments` and the environment variables `changes` in a new Python, as a shell does."""
    return subprocess.run(
        [sys.executable, "-m", "vsim", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=cwd,
        env=environment(**changes),
        timeout=timeout,
        check=False,
    )


def vsim(
    *arguments: object, cwd: Path | None = None, timeout: float = 120, **changes: str
) -> subprocess.CompletedProcess[bytes]:
    """Do the same in a process that is forked from one in which ``vsim`` is loaded: in a tenth of the time.

    With variables that Python reads when it starts (``PYTHON…``) there is a new one.
    """
    if any(name.startswith("PYTHON") for name in changes):
        return new_vsim(*arguments, cwd=cwd, timeout=timeout, **changes)
    words = tuple(map(str, arguments))
    request = json.dumps([words, environment(**changes), str(cwd or Path.cwd())]).encode()
    assert len(request) < MOST_BYTES
    server = _server()
    with (
        Path(os.devnull).open("rb") as stdin,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        streams = (stdin, stdout, stderr)
        socket.send_fds(server, [request], [stream.fileno() for stream in streams])
        pid = _number(server)
        server.settimeout(timeout)
        try:
            code = _number(server)
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            server.settimeout(None)
            _number(server)
            raise subprocess.TimeoutExpired(["vsim", *words], timeout) from None
        finally:
            server.settimeout(None)
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(["vsim", *words], code, stdout.read(), stderr.read())


@functools.cache
def _server() -> socket.socket:
    """Start the server of processes for the rest of this one's life; return the connection to it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.server", str(its.fileno())],
            cwd=_PROJECT,
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


def _number(server: socket.socket) -> int:
    """Return the next number that the server says. A packet is an answer."""
    said = server.recv(100)
    assert said, "the server of processes is gone"
    return int(said)
