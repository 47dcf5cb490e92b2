"""Requests: latencies by hand where nobody waits, and against queueing theory where many do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.plans.profiles import m, performed, profile, values
from vsim.model.arrivals import arrival_times
from vsim.model.plan import OfferRequests
from vsim.model.queueing import alone_and_queued, stays

REFERENCE = {
    "probe_user_operation_core_s": m(1, "ns"),
    "probe_request_core_s": m(200, "us"),
}


def known(folder: Path, reference: dict[str, Any] | None = None, **cpu: Any) -> Any:
    engine = {
        "boundary": "namespace",
        "network": {"loopback": {}, "bridge": {"latency_s": m(50, "us"), "cpu_core_s_per_message": m(25, "us")}},
        "cpu": {"user_factor": m(2)},
        **cpu,
    }
    host = {"network": {"host": {"latency_s": m(10, "us")}}}
    return profile(folder, {"engine": engine, "host": host}, reference=REFERENCE if reference is None else reference)


def test_a_request_that_does_not_wait_takes_service_and_way(tmp_path: Path) -> None:
    # 100,000 operations of 1 ns at half the speed, 200 µs, two messages of 25 µs; and 50 µs each way
    found = performed(known(tmp_path), OfferRequests(rate_per_s=100, duration_s=1, operations=100_000))
    for name in ("latency_p50_s", "latency_p95_s", "latency_p99_s"):
        assert values(found, name) == pytest.approx([450e-6 + 100e-6])
    # A hundred requests, the last one 0.99 s after the first and answered 0.55 ms later
    assert values(found, "requests_per_s") == pytest.approx([100 / (0.99 + 550e-6)])
    assert values(found, "requests_failed") == [0]
    assert values(found, "request_cpu_core_s") == pytest.approx([450e-6])
    assert {flag for s in found.samples for flag in s.flags} == {"network-bridge"}


def test_a_process_is_reached_over_the_host_s_network(tmp_path: Path) -> None:
    found = performed(known(tmp_path), OfferRequests(operations=0), drivers=("process",))
    assert values(found, "latency_p50_s") == pytest.approx([200e-6 + 2 * 10e-6])
    assert {flag for s in found.samples for flag in s.flags} == {"network-host"}


def test_a_client_that_is_late_is_late_with_each_request(tmp_path: Path) -> None:
    late = known(tmp_path, {**REFERENCE, "client_late_s": m(70, "us")})
    found = performed(late, OfferRequests(operations=0), drivers=("process",))
    assert values(found, "latency_p50_s") == pytest.approx([200e-6 + 20e-6 + 70e-6])
    assert values(found, "client_late_p50_s") == pytest.approx([70e-6])


def test_what_the_layers_leave_of_the_cores_is_what_the_server_has(tmp_path: Path) -> None:
    # Of two cores 1.5 are busy in the background: half a core serves, and a request of 200 µs takes twice as long.
    step = OfferRequests(rate_per_s=100, duration_s=1, operations=0)
    slow = known(tmp_path, cpu={"unit_cores": m(1.5, "cores")}, network={"bridge": {}})
    found = performed(slow, step)
    assert values(found, "latency_p50_s") == pytest.approx([400e-6])
    # 100 requests of 200 µs, and 1.5 cores for 0.99 s and the last 400 µs
    assert values(found, "request_cpu_core_s") == pytest.approx([200e-6 + 1.5 * 0.9904 / 100])


def test_a_network_that_was_measured_comes_before_one_that_was_not(tmp_path: Path) -> None:
    assumed = {"kind": "assumed", "why": "as everywhere"}
    network = {
        "netstack": {"latency_s": {**m(1, "ms"), "low": 0, "high": 1, "source": assumed}},
        "user_defined": {"latency_s": m(1, "ms")},
        "published": {"latency_s": m(2, "ms")},
        "bridge": {"latency_s": m(3, "ms")},
    }

    def latency(**more: Any) -> list[float]:
        known_ = known(tmp_path, network=network, **more)
        return values(performed(known_, OfferRequests(operations=0)), "latency_p50_s")

    assert latency(default_network="netstack") == pytest.approx([200e-6 + 2 * 2e-3])
    assert latency(default_network="bridge") == pytest.approx([200e-6 + 2 * 3e-3])
    del network["published"], network["bridge"]
    assert latency() == pytest.approx([200e-6 + 2 * 1e-3])


def test_requests_queue_for_the_one_thread_until_the_client_gives_up(tmp_path: Path) -> None:
    # Service takes 1 s and ten requests a second come: the n-th (from 0) is answered 1 + 0.9 n s after it came. The
    # client waits until 5 s after the last of the 20, which came at 1.9 s: those answered by 6.9 s count, 6 of them.
    slow = {"probe_request_core_s": m(1, "s")}
    found = performed(
        known(tmp_path, slow), OfferRequests(rate_per_s=10, duration_s=2, operations=0), drivers=("process",)
    )
    assert values(found, "requests_failed") == pytest.approx([14 / 20])
    assert values(found, "requests_per_s") == pytest.approx([6 / 6.9])
    assert values(found, "latency_p99_s") == pytest.approx([1 + 0.9 * 5 + 20e-6])


def test_the_waits_of_random_requests_are_those_of_theory() -> None:
    """M/D/1 and M/G/1 at 80 %: W = λ E[S²] / (2 (1 − ρ)) (Pollaczek–Khinchine)."""
    load, service = 0.8, 1e-3
    step = OfferRequests(rate_per_s=load / service, duration_s=500.0, arrivals="poisson")
    moments = arrival_times(step, 1, 0)
    theory = load * service / (2 * (1 - load))
    assert np.mean(stays(moments, [service] * len(moments))) - service == pytest.approx(theory, rel=0.05)
    # lognormal with cv 0.5: E[S²] = 1.25 E[S]²
    sigma2 = math.log1p(0.25)
    rng = np.random.default_rng(1)
    services = (service * rng.lognormal(-sigma2 / 2, math.sqrt(sigma2), len(moments))).tolist()
    waited = np.mean(stays(moments, services)) - np.mean(services)
    assert waited == pytest.approx(1.25 * theory, rel=0.05)


def test_a_server_that_has_to_wake_up_is_that_of_theory() -> None:
    """M/D/1 with an exceptional first service (Welch, 1964), at 60 % and with half a service to wake up.

    With W the wait of M/D/1, the stay is S + W + (2 w + λ w²) / (2 (1 + λ w)): what waking up adds to the first, and to
    those who come while it lasts and after them.
    """
    load, service, wake = 0.6, 1e-3, 0.5e-3
    rate = load / service
    step = OfferRequests(rate_per_s=rate, duration_s=500.0, arrivals="poisson")
    moments = arrival_times(step, 1, 0)
    waited = load * service / (2 * (1 - load))
    added = (2 * wake + rate * wake**2) / (2 * (1 + rate * wake))
    found = stays(moments, [service] * len(moments), wake)
    assert np.mean(found) == pytest.approx(service + waited + added, rel=0.03)


def test_answers_tell_the_server_s_work_from_the_way_to_it(tmp_path: Path) -> None:
    # 0.45 ms of work, and 0.3 ms of waking up before it if the server is idle; 0.05 ms each way
    waking = {"bridge": {"latency_s": m(50, "us"), "cpu_core_s_per_message": m(25, "us"), "wake_s": m(300, "us")}}
    step = OfferRequests(rate_per_s=400, duration_s=4, operations=100_000, arrivals="poisson")
    found = performed(known(tmp_path, network=waking), step)
    assert values(found, "service_mean_s") == pytest.approx([450e-6])
    assert values(found, "latency_alone_s") == pytest.approx([850e-6])


def test_who_waited_and_who_did_not_by_hand() -> None:
    # Answered at 3, at 5 (due at 1, in the first half of the first), at 12, at 13 (due at 11.5, in the second half);
    # out of order, as answers on several connections may be told.
    alone, queued = alone_and_queued([1.0, 10.0, 0.0, 11.5], [4.0, 2.0, 3.0, 1.5])
    assert (alone, queued) == ([3.0, 2.0], [2.0])


def test_random_requests_of_a_plan_have_the_quantiles_of_theory(tmp_path: Path) -> None:
    """M/D/1: P(W ≤ t) = (1 − ρ) Σ_k (−λ (t − kS))^k e^(λ (t − kS)) / k!, over k ≤ t / S (Erlang, 1909)."""
    load, service = 0.8, 1e-3

    def within(t: float) -> float:
        terms = (
            (load / service * (k * service - t)) ** k * math.exp(load / service * (t - k * service)) / math.factorial(k)
            for k in range(int(t / service) + 1)
        )
        return (1 - load) * sum(terms)

    step = OfferRequests(rate_per_s=load / service, duration_s=100.0, operations=0, arrivals="poisson")
    reference = {"probe_request_core_s": m(service, "s")}
    found = performed(known(tmp_path, reference), step, drivers=("process",), blocks=6)
    for name, q, tolerance in (("latency_p50_s", 0.5, 0.01), ("latency_p95_s", 0.95, 0.005)):
        waited = np.mean(values(found, name)) - service - 20e-6
        assert within(float(waited)) == pytest.approx(q, abs=tolerance)


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    def reason(known: Any, step: OfferRequests, driver: str = "docker") -> str:
        found = performed(known, step, drivers=(driver,))
        assert found.samples == ()
        return found.runs[0].left_out[0].partition(": ")[2]

    some, none = OfferRequests(), OfferRequests(operations=0)
    assert reason(known(tmp_path, {}), none) == "the profile doesn't state reference.probe_request_core_s"
    assert reason(known(tmp_path, {}), some) == "the profile doesn't state reference.probe_user_operation_core_s"
    assert reason(known(tmp_path, cpu={}), some) == "no layer of the stack states its cpu.user_factor"
    lonely = known(tmp_path, network={"loopback": {}})
    assert reason(lonely, none) == "no layer of the stack states a network over which the host reaches an instance"
    # The host's own network doesn't lead into a container.
    assert reason(known(tmp_path, network={}), none).startswith("no layer of the stack states a network")
