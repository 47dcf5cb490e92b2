from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from tests.bench.suites import Scripted
from vsim.bench.drivers import InstanceSpec, all_drivers
from vsim.bench.errors import StageError
from vsim.bench.host import Host
from vsim.bench.http_client import Client, Offered
from vsim.bench.suites.requests import SUITE, free_ports
from vsim.model.arrivals import arrival_times
from vsim.model.plan import OfferRequests
from vsim.samples.summary import quantile

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


@contextlib.contextmanager
def server(
    answer: bytes = ANSWER, *, stall_at: int = -1, stall_s: float = 0.0, takes_s: float = 0.0, port: int = 0
) -> Iterator[int]:
    """Answer requests one at a time, after `takes_s` each; stand still for `stall_s` at the request `stall_at`."""
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
                    if takes_s:
                        time.sleep(takes_s)
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


def offer(port: int, times: Sequence[float], *, timeout_s: float = 5.0) -> Offered:
    with Client("127.0.0.1", port, timeout_s=timeout_s) as client:
        return client.offer(times)


def every(seconds: float, count: int) -> list[float]:
    return [number * seconds for number in range(count)]


def test_all_requests_are_answered_at_the_rate() -> None:
    with server() as port, Client("127.0.0.1", port) as client:
        client.warm_up()
        offered = client.offer(every(0.005, 100))
    assert (offered.planned, len(offered.latencies_s), offered.errors) == (100, 100, 0)
    assert offered.achieved_per_s == pytest.approx(200, rel=0.2)
    # Each of them had a connection when it was due: the client answers for all of its lateness.
    assert len(offered.lateness_s) == 100
    assert 0 <= min(offered.lateness_s) <= offered.late_s == max(offered.lateness_s)


def test_a_stall_counts_for_every_request_that_should_have_left_during_it() -> None:
    with server(stall_at=50, stall_s=0.5) as port:
        offered = offer(port, every(0.005, 200))
    # Of 200 requests, 100 were due while nobody answered: their waits are spread evenly over 0 to 0.5 s. A client
    # that waits its turn would have seen one slow request.
    slow = [latency for latency in offered.latencies_s if latency > 0.1]
    assert 70 <= len(slow) <= 110
    assert quantile(offered.latencies_s, 0.99) > 0.4
    assert offered.errors == 0


def test_more_requests_than_connections_wait_without_being_lost() -> None:
    """One server of 10 ms each and 60 requests at once: they are through after 0.6 s, the median after 0.3 s."""
    with server(takes_s=0.01) as port:
        offered = offer(port, [0.0] * 60)
    assert (len(offered.latencies_s), offered.errors) == (60, 0)
    # a host that does other things meanwhile takes longer
    assert 0.6 <= max(offered.latencies_s) < 3
    assert 0.3 <= quantile(offered.latencies_s, 0.5) < 2


def test_a_busy_server_answers_in_order_as_the_recursion_says() -> None:
    """Arrivals by hand, 20 ms of service each: 0, 10, 20 ms wait for the ones before them, 100 ms waits for nobody."""
    with server(takes_s=0.02) as port, Client("127.0.0.1", port) as client:
        client.warm_up()
        offered = client.offer([0.0, 0.01, 0.02, 0.1])
    assert offered.latencies_s == pytest.approx([0.02, 0.03, 0.04, 0.02], abs=0.008)


def test_the_client_says_what_it_costs_itself() -> None:
    with server() as port:
        before = time.thread_time()
        offered = offer(port, every(0.002, 100))
        used = time.thread_time() - before
    assert 0 < offered.cpu_s <= used
    assert offered.busy_fraction == pytest.approx(offered.cpu_s / offered.elapsed_s)


def test_a_client_that_is_held_up_says_so() -> None:
    """Nothing hides it: here the client's own thread does nothing for 0.3 s after its fifth answer."""
    with server() as port, Client("127.0.0.1", port) as client:
        client.warm_up()
        take, taken = client._take, iter(range(1000))

        def hold_up(connection: object) -> bool:
            whole = take(connection)  # type: ignore[arg-type]
            if next(taken) == 5:
                time.sleep(0.3)
            return whole

        client._take = hold_up  # type: ignore[method-assign]
        offered = client.offer(every(0.01, 50))
    assert offered.errors == 0
    assert offered.late_s == pytest.approx(0.29, abs=0.1)
    assert sum(late > 0.005 for late in offered.lateness_s) == pytest.approx(30, abs=5)


def test_what_is_not_answered_is_an_error_and_never_a_latency() -> None:
    with server(b"") as port:
        offered = offer(port, every(0.01, 10), timeout_s=0.5)
    assert (offered.latencies_s, offered.errors) == ([], 10)
    with server(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as port:
        assert offer(port, every(0.01, 10)).errors == 10


def test_silence_is_an_error_after_the_time_limit() -> None:
    with server(stall_at=1, stall_s=1.0) as port:
        offered = offer(port, every(0.01, 5), timeout_s=0.2)
    assert (offered.latencies_s, offered.errors) == ([], 5)
    assert offered.elapsed_s == pytest.approx(0.24, abs=0.1)


def test_nobody_there_is_ten_errors() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert offer(port, every(0.01, 10)).errors == 10


def test_answers_that_come_in_pieces_and_differ_are_read_whole() -> None:
    """The client knows an answer again that is just like the last one; any other is read."""
    answers = iter(
        [ANSWER, ANSWER, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ANSWER[:20], ANSWER[20:] + b"", ANSWER]
    )
    listener = socket.create_server(("127.0.0.1", 0))

    def attend() -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            for answer in answers:
                if answer != ANSWER[20:]:
                    connection.recv(4096)
                else:
                    time.sleep(0.05)
                connection.sendall(answer)

    thread = threading.Thread(target=attend)
    thread.start()
    with listener:
        offered = offer(listener.getsockname()[1], every(0.1, 5))
        thread.join(5)
    assert (len(offered.latencies_s), offered.errors) == (5, 0)
    assert offered.latencies_s[3] > 0.05


def test_no_requests_are_no_offer() -> None:
    with Client("127.0.0.1", 9) as client, pytest.raises(ValueError, match="no requests"):
        client.offer([])


@pytest.mark.parametrize(("q", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_quantiles(q: float, value: float) -> None:
    assert quantile([float(i) for i in range(100, 0, -1)], q) == value


class _Counting(Host):
    """A host whose processors have spent a second more each time that somebody asks."""

    busy = 10.0

    def busy_core_s(self) -> float | None:
        self.busy += 1.0
        return self.busy


def test_a_step_says_rate_latency_failures_and_network() -> None:
    with contextlib.ExitStack() as stack:

        def says(spec: InstanceSpec) -> str:
            stack.enter_context(server(port=spec.ports[0]))
            return "ready\n"

        bench = Scripted(says, host=_Counting())
        SUITE.run(OfferRequests(rate_per_s=100, duration_s=0.2, operations=7), bench.context)
    assert bench.specs[0].arguments[0] == "spin=7"
    assert bench.specs[0].network == "bridge"
    assert set(bench.values) >= {"latency_p50_s", "latency_p99_s", "requests_per_s", "requests_failed"}
    assert bench.values["requests_failed"] == [0.0]
    # 20 requests in one second of the host's processors, less what the client took of it
    (busy,), (rate,) = bench.values["client_busy_fraction"], bench.values["requests_per_s"]
    assert bench.values["request_cpu_core_s"] == [pytest.approx((1.0 - busy * 20 / rate) / 20)]
    assert 0 <= bench.values["client_late_p50_s"][0] <= bench.values["client_late_s"][0]
    assert bench.flags["latency_p50_s"] == {"network-bridge"}
    assert bench.log == ["create", "start", "stop", "remove"]


def test_all_rungs_of_a_block_see_the_same_arrivals(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[float]] = []

    def note(self: Client, times: Sequence[float]) -> Offered:
        seen.append([*times])
        return Offered(len(times), [0.001] * len(times), [*times], elapsed_s=1.0)

    monkeypatch.setattr(Client, "offer", note)
    step = OfferRequests(rate_per_s=100, duration_s=0.2, arrivals="poisson")
    for block in (1, 1, 2):
        bench = Scripted()
        SUITE.run(step, dataclasses.replace(bench.context, seed=5, block=block))
    # Each run warms up first.
    assert seen[1::2] == [arrival_times(step, 5, 1), arrival_times(step, 5, 1), arrival_times(step, 5, 2)]


def test_a_client_that_is_the_narrowest_part_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(self: Client, times: Sequence[float]) -> Offered:
        return Offered(1, [0.001], [0.0], lateness_s=[0.0], cpu_s=0.6, elapsed_s=1.0)

    monkeypatch.setattr(Client, "offer", busy)
    bench = Scripted()
    SUITE.run(OfferRequests(), bench.context)
    assert "client-bound" in bench.flags["latency_p50_s"]
    assert bench.values["client_busy_fraction"] == [0.6]


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


def test_free_ports_are_different_and_nobody_listens_there() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    with contextlib.ExitStack() as stack:
        for port in ports:
            stack.enter_context(socket.create_server(("", port)))
        assert not {*free_ports(50)} & {*ports}
