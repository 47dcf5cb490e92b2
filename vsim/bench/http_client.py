"""An open-loop HTTP client: requests leave at the moments that were planned, whether or not answers have come.

A request's latency counts from the moment when it *should* have left. A client that waits for the answer before it
asks again, or counts from the moment when it got round to asking, leaves out just the requests that a slow server
delays (coordinated omission). One thread with a selector: it sleeps until something is to be done.
"""

from __future__ import annotations

import math
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Offered", "offer", "quantile"]

_REQUEST = b"GET / HTTP/1.1\r\nHost: vsim\r\n\r\n"
# As many as the probe holds, with some to spare for those that just closed.
_MOST_CONNECTIONS = 256


@dataclass(slots=True)
class Offered:
    """What became of the requests: the latencies of those answered, in seconds, and how many were not.

    `late_s` is how far behind its plan the client itself was at most: it says what the latencies are worth.
    """

    planned: int = 0
    latencies_s: list[float] = field(default_factory=list)
    errors: int = 0
    late_s: float = 0.0
    elapsed_s: float = 0.0

    @property
    def achieved_per_s(self) -> float:
        """Answers per second, from the first planned moment to the last answer."""
        return len(self.latencies_s) / self.elapsed_s if self.elapsed_s > 0 else 0.0


class _Connection:
    """One connection with at most one request under way, and when that one should have left."""

    def __init__(self, at: tuple[str, int]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.socket.connect_ex(at)
        self.connected = False
        self.due = 0.0
        self.received = b""

    def send(self) -> None:
        self.socket.sendall(_REQUEST)

    def take(self) -> bool:
        """Read what is there; return whether the answer is complete. Raises OSError for one that can't be used."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError("closed before the answer was complete")
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 200 "):
            raise OSError("an answer other than 200")
        size = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        if len(body) < size:
            return False
        self.received = b""
        return True


def offer(address: str, port: int, *, rate_per_s: float, duration_s: float, timeout_s: float = 5.0) -> Offered:
    """Offer requests at a constant rate for `duration_s`, then wait up to `timeout_s` for the answers still missing."""
    begin = time.monotonic() + 0.01
    planned = max(1, round(rate_per_s * duration_s))
    client = _Client((address, port), [begin + i / rate_per_s for i in range(planned)], timeout_s)
    try:
        return client.run()
    finally:
        client.close()


class _Client:
    def __init__(self, at: tuple[str, int], moments: Sequence[float], timeout_s: float) -> None:
        self._at = at
        self._moments = moments
        self._end = moments[-1] + timeout_s
        # Not epoll, which sleeps in whole milliseconds: more than many an answer takes.
        self._selector = selectors.SelectSelector()
        self._idle: list[_Connection] = []
        self._open = 0
        # due, but every connection is busy: the wait is part of their latency
        self._waiting: deque[float] = deque()
        self._result = Offered(planned=len(moments))

    def run(self) -> Offered:
        result = self._result
        sent = 0
        while len(result.latencies_s) + result.errors < result.planned:
            now = time.monotonic()
            if now > self._end:
                result.errors = result.planned - len(result.latencies_s)
                break
            while sent < len(self._moments) and self._moments[sent] <= now:
                result.late_s = max(result.late_s, now - self._moments[sent])
                self._dispatch(self._moments[sent])
                sent += 1
            until = self._moments[sent] if sent < len(self._moments) else self._end
            for key, events in self._selector.select(max(0.0, until - time.monotonic())):
                self._serve(key.data, events)
        result.elapsed_s = time.monotonic() - self._moments[0]
        return result

    def _dispatch(self, due: float) -> None:
        if self._idle:
            self._ask(self._idle.pop(), due)
        elif self._open < _MOST_CONNECTIONS:
            connection = _Connection(self._at)
            connection.due = due
            self._open += 1
            self._selector.register(connection.socket, selectors.EVENT_WRITE, connection)
        else:
            self._waiting.append(due)

    def _ask(self, connection: _Connection, due: float) -> None:
        connection.due = due
        try:
            connection.send()
        except OSError:
            self._fail(connection)

    def _serve(self, connection: _Connection, events: int) -> None:
        try:
            if not connection.connected:
                error = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, "connect")
                connection.connected = True
                self._selector.modify(connection.socket, selectors.EVENT_READ, connection)
                connection.send()
                return
            if not connection.take():
                return
        except OSError:
            self._fail(connection)
            return
        self._result.latencies_s.append(time.monotonic() - connection.due)
        if self._waiting:
            self._ask(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def _fail(self, connection: _Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self._open -= 1
        if connection in self._idle:
            # The server closed a connection on which nothing was asked: no request is lost.
            self._idle.remove(connection)
        else:
            self._result.errors += 1
        if self._waiting:
            self._dispatch(self._waiting.popleft())

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.data.socket.close()
        self._selector.close()


def quantile(values: Sequence[float], q: float) -> float:
    """Return the smallest value that at least the fraction `q` don't exceed. Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]
