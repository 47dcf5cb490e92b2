"""The probe's server and the client together are the queue of the textbook: one server, first come, first served."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from vsim.bench.http_client import Client
from vsim.bench.payload import host_architecture, probe_path
from vsim.bench.suites.requests import free_port

PROBE = str(probe_path(host_architecture()))
REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@contextlib.contextmanager
def probe(operations: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    process = subprocess.Popen([PROBE, f"spin={operations}", f"http={port}"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert [process.stdout.readline(), process.stdout.readline()] == [b"vsim 1\n", b"ready\n"]
        yield process, port
    finally:
        process.kill()
        process.communicate()


def operations_for(seconds: float) -> int:
    """Return as many steps of arithmetic as take so long on this host."""
    done = subprocess.run([PROBE, "cpu=user:20000000", "exit"], capture_output=True, text=True, check=True)
    took = next(int(line.split()[2]) for line in done.stdout.splitlines() if line.startswith("end user")) / 1e9
    return round(20_000_000 * seconds / took)


def test_answers_come_in_the_order_of_the_requests() -> None:
    """Whatever the order in which the connections were made, and although others still have something to say.

    They come 50 ms apart, so that a host with much else to do still sees one after the other.
    """
    with probe(operations_for(0.05)) as (_, port), contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(8)]
        for connection in connections:
            # Until it is answered, a connection may not have been taken in yet.
            connection.sendall(REQUEST)
            assert connection.recv(4096).endswith(b"ok\n")
        order = [3, 0, 7, 1, 6, 2, 5, 4]
        for number in order:
            connections[number].sendall(REQUEST)
            time.sleep(0.001)
        done: list[int] = []
        while len(done) < 16:
            ready, _, _ = select.select(connections, [], [], 10)
            assert ready, done
            for connection in ready:
                assert connection.recv(4096).endswith(b"ok\n")
                number = connections.index(connection)
                if number not in done:
                    # Behind those that wait already.
                    connection.sendall(REQUEST)
                done.append(number)
    assert done == order + order


def test_many_requests_on_many_connections_are_all_answered_and_all_connections_closed() -> None:
    with probe(100) as (process, port):
        before = _sockets(process.pid)
        with Client("127.0.0.1", port) as client:
            client.warm_up()
            offered = client.offer([0.0005 * number for number in range(400)])
            assert _sockets(process.pid) == before + 32
        assert (len(offered.latencies_s), offered.errors) == (400, 0)
        # One that closes right after its request has been answered is let go of as well.
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(REQUEST)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(4096).endswith(b"ok\n")
            assert connection.recv(4096) == b""
        end = time.monotonic() + 5
        while _sockets(process.pid) != before and time.monotonic() < end:
            time.sleep(0.01)
        assert _sockets(process.pid) == before


def _sockets(pid: int) -> int:
    return sum("socket:" in os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir())  # noqa: PTH115
