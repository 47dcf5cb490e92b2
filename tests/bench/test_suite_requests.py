from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.bench.suites import Scripted
from vsim.bench.drivers import InstanceSpec, all_drivers
from vsim.bench.errors import StageError
from vsim.bench.http_client import offer, quantile
from vsim.bench.suites.requests import SUITE
from vsim.model.plan import OfferRequests

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


@contextlib.contextmanager
def server(answer: bytes = ANSWER, *, stall_at: int = -1, stall_s: float = 0.0, port: int = 0) -> Iterator[int]:
    """Answer requests one at a time; stand still for `stall_s` before the request number `stall_at`."""
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    listener.settimeout(5)
    one_at_a_time = threading.Lock()
    seen = 0

    def attend(connection: socket.socket) -> None:
        nonlocal seen
        with connection, contextlib.suppress(OSError):
            while connection.recv(4096):
                with one_at_a_time:
                    seen += 1
                    if seen == stall_at:
                        time.sleep(stall_s)
                    if answer:
                        connection.sendall(answer)
                if not answer:
                    return

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=attend, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        # close() alone doesn't wake the thread
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(6)


def test_all_requests_are_answered_at_the_rate() -> None:
    with server() as port:
        offered = offer("127.0.0.1", port, rate_per_s=200, duration_s=0.5)
    assert (offered.planned, len(offered.latencies_s), offered.errors) == (100, 100, 0)
    assert offered.achieved_per_s == pytest.approx(200, rel=0.2)


def test_a_stall_counts_for_every_request_that_should_have_left_during_it() -> None:
    with server(stall_at=50, stall_s=0.5) as port:
        offered = offer("127.0.0.1", port, rate_per_s=200, duration_s=1.0)
    # Of 200 requests, 100 were due while nobody answered: their waits are spread evenly over 0 to 0.5 s. A client
    # that waits its turn would have seen one slow request.
    slow = [latency for latency in offered.latencies_s if latency > 0.1]
    assert 70 <= len(slow) <= 110
    assert quantile(offered.latencies_s, 0.99) > 0.4
    assert offered.errors == 0


def test_what_is_not_answered_is_an_error_and_never_a_latency() -> None:
    with server(b"") as port:
        offered = offer("127.0.0.1", port, rate_per_s=100, duration_s=0.1, timeout_s=0.5)
    assert (offered.latencies_s, offered.errors) == ([], 10)
    with server(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as port:
        assert offer("127.0.0.1", port, rate_per_s=100, duration_s=0.1).errors == 10


def test_nobody_there_is_ten_errors() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert offer("127.0.0.1", port, rate_per_s=100, duration_s=0.1).errors == 10


@pytest.mark.parametrize(("q", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_quantiles(q: float, value: float) -> None:
    assert quantile([float(i) for i in range(100, 0, -1)], q) == value


def test_a_step_says_rate_latency_failures_and_network() -> None:
    with contextlib.ExitStack() as stack:

        def says(spec: InstanceSpec) -> str:
            stack.enter_context(server(port=spec.ports[0]))
            return "ready\n"

        bench = Scripted(says)
        SUITE.run(OfferRequests(rate_per_s=100, duration_s=0.2, operations=7), bench.context)
    assert bench.specs[0].arguments[0] == "spin=7"
    assert bench.specs[0].network == "bridge"
    assert set(bench.values) >= {"latency_p50_s", "latency_p99_s", "requests_per_s", "requests_failed"}
    assert bench.values["requests_failed"] == [0.0]
    assert bench.flags["latency_p50_s"] == {"network-bridge"}
    assert bench.log == ["create", "start", "stop", "remove"]


def test_a_service_that_never_answers_is_a_failure_and_nothing_stays() -> None:
    bench = Scripted()
    with pytest.raises(StageError, match="none of 1 requests"):
        SUITE.run(OfferRequests(rate_per_s=10, duration_s=0.1), bench.context)
    assert bench.values == {}
    assert bench.alive == 0


def test_who_has_no_network_says_so() -> None:
    drivers = {driver.name: driver for driver in all_drivers()}
    step = OfferRequests()
    assert SUITE.lack(step, drivers["docker"]) is None
    assert SUITE.lack(step, drivers["null"]) is not None
    assert SUITE.demand(step, drivers["docker"]).seconds > 3
