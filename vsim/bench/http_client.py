"""An open-loop HTTP client: requests leave at the moments that were planned, whether or not answers have come.

A request's latency counts from the moment when it *should* have left. A client that waits for the answer before it
asks again, or counts from the moment when it got round to asking, leaves out just the requests that a slow server
delays (coordinated omission).

One thread that sleeps until something is to be done. It takes processor time from the host that it measures, and an
answer that comes while it is busy waits; so it says how busy it was and how late, and a step of which the client was
the narrowest part can be told.
"""

from __future__ import annotations

import contextlib
import gc
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vsim.bench.timer import Timer

__all__ = ["Client", "Offered"]

_REQUEST = b"GET / HTTP/1.1\r\nHost: vsim\r\n\r\n"
# Far more than a server holds that keeps up with its load; for one that doesn't, the others wait here.
_CONNECTIONS = 32
# Between the call and the first moment: the loop runs by then.
_LEAD_S = 0.005


@dataclass(slots=True)
class Offered:
    """What became of the requests: the latencies of those answered, in seconds, and how many were not.

    `lateness_s` is how far behind its plan the client was with each request, in seconds, except those for which there
    was no connection yet: they wait for the server. `cpu_s` is the processor time of the client's thread; it includes
    what the kernel does on its account to send and to receive. `elapsed_s` counts from the first planned moment to the
    last answer. `due_s` are the planned moments of those that were answered, on the monotonic clock, in the order of
    `latencies_s`.
    """

    planned: int = 0
    latencies_s: list[float] = field(default_factory=list)
    due_s: list[float] = field(default_factory=list)
    errors: int = 0
    lateness_s: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    elapsed_s: float = 0.0

    @property
    def achieved_per_s(self) -> float:
        """Answers per second, from the first planned moment to the last answer."""
        return len(self.latencies_s) / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def late_s(self) -> float:
        """How far behind its plan the client was at most, in seconds."""
        return max(self.lateness_s, default=0.0)

    @property
    def busy_fraction(self) -> float:
        """Which part of the time the client's thread computed: near 1, it is the client that is measured."""
        return self.cpu_s / self.elapsed_s if self.elapsed_s > 0 else 0.0


class _Connection:
    """One connection with at most one request under way, and when that one should have left."""

    __slots__ = ("connected", "due", "received", "socket")

    def __init__(self, at: tuple[str, int], due: float) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.socket.connect_ex(at)
        self.connected = False
        self.due = due
        self.received = b""


class Client:
    """Connections to one server; with `with`, they are closed at the end.

    Requests that aren't answered `timeout_s` after the last one was due count as errors.
    """

    def __init__(self, address: str, port: int, *, timeout_s: float = 5.0) -> None:
        self._at = (address, port)
        self._timeout_s = timeout_s
        self._timer = Timer()
        self._poll = select.epoll()
        self._poll.register(self._timer.descriptor, select.EPOLLIN)
        self._open: dict[int, _Connection] = {}
        self._idle: list[_Connection] = []
        # due, but every connection is busy: the wait is part of their latency
        self._waiting: deque[float] = deque()
        # The last whole answer: another one just like it needs no reading.
        self._answer = b""
        self._result = Offered()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open."""
        for connection in self._open.values():
            connection.socket.close()
        self._open.clear()
        self._poll.close()
        self._timer.close()

    def warm_up(self) -> None:
        """Open every connection and use it once: no handshake and no cold path falls into what is measured."""
        self.offer([0.0] * _CONNECTIONS)

    def offer(self, times: Sequence[float]) -> Offered:
        """Offer a request at each of the `times`, in seconds from now and ascending, and wait for the answers.

        Raises ValueError for no times.
        """
        if not times:
            raise ValueError("no requests to offer")
        self._result = Offered(planned=len(times))
        begin = time.monotonic() + _LEAD_S
        with _no_collection():
            before = time.thread_time()
            self._run([begin + each for each in times])
            self._result.cpu_s = time.thread_time() - before
        return self._result

    def _run(self, moments: Sequence[float]) -> None:
        result, clock = self._result, time.monotonic
        sent, planned, end = 0, len(moments), moments[-1] + self._timeout_s
        while len(result.latencies_s) + result.errors < planned:
            now = clock()
            if now > end:
                self._give_up()
                break
            while sent < planned and moments[sent] <= now:
                self._dispatch(moments[sent])
                sent += 1
                now = clock()
            self._timer.set(moments[sent] if sent < planned else end)
            for descriptor, _ in self._poll.poll():
                connection = self._open.get(descriptor)
                if connection is not None:
                    self._serve(connection)
        result.elapsed_s = clock() - moments[0]

    def _give_up(self) -> None:
        """Count what is missing as errors, and close its connections: what still comes on them answers nobody."""
        self._result.errors = self._result.planned - len(self._result.latencies_s)
        self._waiting.clear()
        idle = {id(connection) for connection in self._idle}
        for connection in list(self._open.values()):
            if id(connection) not in idle:
                self._drop(connection)

    def _dispatch(self, due: float) -> None:
        """Send a request that is due, now or as soon as there is a connection for it."""
        if self._idle:
            self._ask(self._idle.pop(), due)
            self._result.lateness_s.append(time.monotonic() - due)
        elif len(self._open) < _CONNECTIONS:
            connection = _Connection(self._at, due)
            self._open[connection.socket.fileno()] = connection
            self._poll.register(connection.socket.fileno(), select.EPOLLOUT)
        else:
            self._waiting.append(due)

    def _ask(self, connection: _Connection, due: float) -> None:
        connection.due = due
        try:
            connection.socket.send(_REQUEST)
        except OSError:
            self._fail(connection)

    def _serve(self, connection: _Connection) -> None:
        """Do what there is to do on a connection: it was established, an answer came, or it ended."""
        try:
            if not connection.connected:
                error = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, "connect")
                connection.connected = True
                self._poll.modify(connection.socket.fileno(), select.EPOLLIN)
                connection.socket.send(_REQUEST)
                return
            if not self._take(connection):
                return
        except OSError:
            self._fail(connection)
            return
        self._result.latencies_s.append(time.monotonic() - connection.due)
        self._result.due_s.append(connection.due)
        if self._waiting:
            self._ask(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def _take(self, connection: _Connection) -> bool:
        """Read what is there; return whether the answer is complete. Raises OSError for one that can't be used."""
        data = connection.socket.recv(65536)
        if data == self._answer and data and not connection.received:
            return True
        if not data:
            raise ConnectionResetError("closed before the answer was complete")
        connection.received += data
        if not _is_whole(connection.received):
            return False
        self._answer, connection.received = connection.received, b""
        return True

    def _fail(self, connection: _Connection) -> None:
        if connection in self._idle:
            # The server closed a connection on which nothing was asked: no request is lost.
            self._idle.remove(connection)
        else:
            self._result.errors += 1
        self._drop(connection)
        if self._waiting:
            self._dispatch(self._waiting.popleft())

    def _drop(self, connection: _Connection) -> None:
        self._poll.unregister(connection.socket.fileno())
        del self._open[connection.socket.fileno()]
        connection.socket.close()


def _is_whole(answer: bytes) -> bool:
    """Return whether the answer is complete. Raises OSError for another one than 200."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError("an answer other than 200")
    size = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return len(body) >= size


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python's garbage collector away: it would stop the client for milliseconds at any moment."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
