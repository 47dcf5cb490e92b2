"""Requests to services: open-loop arrivals, and the way of each request through the machine.

A request travels to the host, is received, waits for a worker of its instance if the instance has a CPU limit, reads,
computes, writes, calls other services one after another, and its answer travels back. It contends for the link, the
disk and the cores with all else. A call goes the same way, over the network between the two instances; while it waits
for the answer, a request holds neither a core nor a worker.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import simpy

from vsim.engine.between import Path, Where, path, where
from vsim.engine.cluster import Cluster
from vsim.engine.host import Hardware, Host
from vsim.engine.instance import Instance
from vsim.engine.script import Script, Steps
from vsim.engine.service import ServiceState
from vsim.engine.timer import call_later
from vsim.engine.variates import lognormal, stream
from vsim.model.stack import Architecture
from vsim.model.workload import Arrivals, Request, Service
from vsim.scenario.calls import Called, call_tree

__all__ = ["Offered", "Way", "arrival_times", "way_of"]

_Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def arrival_times(arrivals: Arrivals, end_s: float, rng: np.random.Generator) -> _Floats:
    """Return the times, sorted and from 0 to `end_s`, at which requests arrive.

    Raises ValueError for bursts without length or share: time would stand still between them.
    """
    if arrivals.kind == "trace":
        return _repeated(arrivals, end_s)
    if arrivals.kind == "constant":
        # the first one after one interval: at time 0 nothing has been asked yet
        n = int(end_s * arrivals.rate_per_s)
        return np.arange(1, n + 1) / arrivals.rate_per_s
    if arrivals.kind == "poisson":
        return _poisson(arrivals.rate_per_s, 0.0, end_s, rng)
    # A two-state Markov-modulated Poisson process with the asked mean rate:
    # rate = share × factor × calm + (1 − share) × calm
    share = arrivals.burst_share
    if not (arrivals.burst_s > 0 and 0 < share < 1):
        raise ValueError(f"bursts last some time and take a part of it, not {arrivals.burst_s} s and {share}")
    calm = arrivals.rate_per_s / (share * arrivals.burst_factor + 1 - share)
    mean_calm_s = arrivals.burst_s * (1 - share) / share
    pieces, time, burst = [], 0.0, bool(rng.random() < share)
    while time < end_s:
        length = rng.exponential(arrivals.burst_s if burst else mean_calm_s)
        stop = min(end_s, time + length)
        pieces.append(_poisson(calm * (arrivals.burst_factor if burst else 1.0), time, stop, rng))
        time, burst = stop, not burst
    return np.concatenate(pieces)


def _poisson(rate_per_s: float, start_s: float, end_s: float, rng: np.random.Generator) -> _Floats:
    """Return the points of a Poisson process: their number first, then where they lie, uniform and sorted."""
    n = int(rng.poisson(rate_per_s * (end_s - start_s)))
    points: _Floats = np.sort(rng.uniform(start_s, end_s, n))
    return points


def _repeated(arrivals: Arrivals, end_s: float) -> _Floats:
    times = np.asarray(arrivals.times_s, dtype=np.float64)
    if len(times) == 0 or arrivals.period_s <= 0:
        return times[times < end_s]
    rounds = int(end_s / arrivals.period_s) + 1
    shifted = (times[None, :] + arrivals.period_s * np.arange(rounds)[:, None]).ravel()
    inside: _Floats = shifted[shifted < end_s]
    return inside


@dataclass(frozen=True, slots=True)
class Way:
    """What a request of one service costs on one architecture, in this machine's terms, before random factors."""

    latency_s: float
    receive_bytes: float
    read_s: float
    read_latency_s: float
    cpu_core_s: float
    fixed_core_s: float
    write_s: float
    write_latency_s: float
    send_bytes: float
    bare_core_s: float
    workers: int | None
    cap: float


def way_of(
    architecture: Architecture, service: Service, request: Request, hardware: Hardware, calls: Sequence[Request] = ()
) -> Way:
    """Return what `request` costs `service`; each of the `calls` that it makes is two more messages at its end."""
    network, disk = architecture.network(service.network_mode), architecture.disk(service.disk_path)
    factor = architecture.cpu
    work = (
        request.user_core_s * factor.user
        + request.system_call_core_s * factor.system_call
        + request.page_fault_core_s * factor.page_fault
    )
    bare = request.user_core_s + request.system_call_core_s + request.page_fault_core_s
    moved = sum(one.receive_bytes + one.send_bytes for one in (request, *calls))
    latency_s = hardware.disk_latency_s + disk.latency_s
    limit = service.cpu_limit_cores
    workers = None if limit is None else max(1, -int(-limit // 1))
    return Way(
        latency_s=2 * (hardware.link_latency_s + network.latency_s),
        receive_bytes=request.receive_bytes / network.throughput_factor,
        # An operation keeps the device busy for its share of the IOPS, or of the throughput if that takes longer.
        read_s=max(
            request.disk_reads / (hardware.disk_iops * disk.iops_factor),
            request.disk_read_bytes / (hardware.disk_read_bytes_per_s * disk.throughput_factor),
        ),
        read_latency_s=request.disk_reads * latency_s,
        cpu_core_s=work / hardware.speed,
        # the request and its answer are two messages
        fixed_core_s=(moved * network.cpu_core_s_per_byte + 2 * (1 + len(calls)) * network.cpu_core_s_per_message)
        / hardware.speed,
        write_s=max(
            request.disk_writes / (hardware.disk_write_iops * disk.iops_factor),
            request.disk_write_bytes / (hardware.disk_write_bytes_per_s * disk.throughput_factor),
        ),
        write_latency_s=request.disk_writes * latency_s,
        send_bytes=request.send_bytes / network.throughput_factor,
        bare_core_s=bare / hardware.speed,
        workers=workers,
        # so that all workers together stay within the limit
        cap=1.0 if limit is None or workers is None else min(1.0, limit / workers),
    )


class _Asked:
    """A service that is asked, from outside or by another one: its replicas, what a request costs it, whom it calls."""

    __slots__ = ("_architecture", "_connection", "_paths", "calls", "factors", "state", "way")

    def __init__(
        self, cluster: Cluster, state: ServiceState, called: Called, number: int, rng: np.random.Generator
    ) -> None:
        """Draw the CPU work of `number` requests to it, and then of what they call, in order."""
        self.state = state
        request = called.request
        self.factors: list[float] = lognormal(rng, request.cv, number).tolist() if request.cv else [1.0] * number
        requests = [one.request for one in called.calls]
        self.way = way_of(cluster.architecture, state.service, request, cluster.hardware, requests)
        self._architecture = cluster.architecture
        self._connection = called.connection
        self._paths: dict[Where, Path] = {}
        self.calls: tuple[_Asked, ...] = ()

    def path(self, caller: Instance, instance: Instance) -> Path:
        """Return the way from `caller` to one of this service's replicas."""
        apart = where(caller, instance, self._architecture)
        found = self._paths.get(apart)
        if found is None:
            found = self._paths[apart] = path(self._connection, apart, self._architecture)
        return found


class _UnansweredError(Exception):
    """A call that nobody answers: no replica is up, or none can be reached."""


class Offered:
    """The requests offered to one service from now on, and what became of those that arrive in the window.

    The window is [`warmup_s`, `warmup_s` + `duration_s`) after the start. `latencies_s` holds the response time of each
    counted request that was answered. A request is lost when a service that it calls doesn't answer. Nothing else is:
    `submitted` = `done` + `failed` + in flight, at any time.
    """

    def __init__(self, cluster: Cluster, state: ServiceState, request: Request, arrivals: Arrivals) -> None:
        run, service = cluster.scenario.run, state.service
        seed = run.seed
        self._cluster = cluster
        self._env = cluster.env
        self._state = state
        self._start = cluster.env.now
        self._from = self._start + run.warmup_s
        self._until = self._from + run.duration_s
        end = run.warmup_s + run.duration_s
        rng = stream(seed, cluster.replication, "arrivals", state.index)
        self._times: list[float] = (self._start + arrival_times(arrivals, end, rng)).tolist()
        tree = call_tree(service, cluster.scenario)
        self._asked = self._prepare(cluster, tree, stream(seed, cluster.replication, "demands", state.index))
        self._way = self._asked.way
        self._next = 0
        self.latencies_s = array("d")
        self.counted = 0
        self.in_time = 0
        self.submitted = 0
        self.done = 0
        self.failed = 0
        self.finished_in_window = 0
        self.work_core_s = 0.0
        self.bare_core_s = 0.0
        if self._times:
            call_later(self._env, self._times[0] - self._start, self._arrive)

    def _prepare(self, cluster: Cluster, called: Called, rng: np.random.Generator) -> _Asked:
        state = next(one for one in cluster.services if one.service.name == called.service.name)
        asked = _Asked(cluster, state, called, len(self._times), rng)
        asked.calls = tuple(self._prepare(cluster, one, rng) for one in called.calls)
        return asked

    @property
    def in_flight(self) -> int:
        """Requests that have arrived and are neither answered nor lost."""
        return self.submitted - self.done - self.failed

    def _arrive(self, _: simpy.Event) -> None:
        index = self._next
        self._next = following = index + 1
        now = self._env.now
        if following < len(self._times):
            call_later(self._env, max(0.0, self._times[following] - now), self._arrive)
        self.submitted += 1
        counted = now >= self._from
        self.counted += counted
        instance = self._state.next_up()
        if instance is None:
            self.failed += 1
            return
        script = Script()
        script.run(self._steps(script, instance, now, index, counted))

    def _steps(self, script: Script, instance: Instance, arrived: float, index: int, counted: bool) -> Steps:
        way, env, host, asked = self._way, self._env, instance.host, self._asked
        assert host is not None
        requests = instance.requests
        if requests is None:
            requests = instance.requests = {}
        requests[script] = None
        answered = False
        try:
            if way.latency_s:
                yield simpy.Timeout(env, way.latency_s), None
            if way.receive_bytes:
                yield host.link_in.submit(way.receive_bytes), host.link_in
            if way.workers is None:
                yield from self._work(host, way, asked.factors[index])
            else:
                yield from self._with_worker(instance, host, way, asked.factors[index])
            for one in asked.calls:
                yield from self._call(script, one, instance, index)
            if way.send_bytes:
                yield host.link_out.submit(way.send_bytes), host.link_out
            answered = True
        except _UnansweredError:
            return
        finally:
            del requests[script]
            if answered:
                self._answered(arrived, counted)
            else:
                self.failed += 1

    def _call(self, script: Script, asked: _Asked, caller: Instance, index: int) -> Steps:
        """Ask a replica of another service, and wait for its answer.

        Between two hosts the bytes pass the link of the one that is asked; within a host they pass none. Raises
        _UnansweredError when there is no replica, or no way to it; the whole request is lost then.
        """
        instance = asked.state.next_up()
        if instance is None:
            raise _UnansweredError
        between = asked.path(caller, instance)
        if between.mode is None:
            raise _UnansweredError
        way, host = asked.way, instance.host
        assert host is not None
        apart = between.where == "hosts"
        requests = instance.requests
        if requests is None:
            requests = instance.requests = {}
        requests[script] = None
        try:
            if between.latency_s:
                # there and back
                yield simpy.Timeout(self._env, 2 * between.latency_s), None
            if apart and way.receive_bytes:
                yield host.link_in.submit(way.receive_bytes), host.link_in
            if way.workers is None:
                yield from self._work(host, way, asked.factors[index])
            else:
                yield from self._with_worker(instance, host, way, asked.factors[index])
            for one in asked.calls:
                yield from self._call(script, one, instance, index)
            if apart and way.send_bytes:
                yield host.link_out.submit(way.send_bytes), host.link_out
        finally:
            del requests[script]

    def _with_worker(self, instance: Instance, host: Host, way: Way, factor: float) -> Steps:
        """Do the work when one of the instance's workers is free: first come, first served."""
        turn: simpy.Event | None = None
        assert way.workers is not None
        if instance.busy_workers < way.workers:
            instance.busy_workers += 1
        else:
            turn = simpy.Event(self._env)
            if instance.queue is None:
                instance.queue = deque()
            instance.queue.append(turn)
        try:
            if turn is not None:
                yield turn, None
            yield from self._work(host, way, factor)
        finally:
            queue = instance.queue
            if turn is not None and not turn.triggered:
                assert queue is not None
                queue.remove(turn)
            elif queue:
                queue.popleft().succeed()
            else:
                instance.busy_workers -= 1

    def _work(self, host: Host, way: Way, factor: float) -> Steps:
        if way.read_s or way.read_latency_s:
            yield from self._operate(host, way.read_s, way.read_latency_s)
        work = way.cpu_core_s * factor + way.fixed_core_s
        if work:
            yield host.cpu.submit(work, cap=way.cap), host.cpu
            self.work_core_s += work
            self.bare_core_s += way.bare_core_s * factor
        if way.write_s or way.write_latency_s:
            yield from self._operate(host, way.write_s, way.write_latency_s)

    def _operate(self, host: Host, busy_s: float, latency_s: float) -> Steps:
        """Use the disk: the time that it is kept busy, and what is left of the latency after that."""
        if busy_s:
            yield host.disk.submit(busy_s), host.disk
        if latency_s > busy_s:
            yield simpy.Timeout(self._env, latency_s - busy_s), None

    def _answered(self, arrived: float, counted: bool) -> None:
        now = self._env.now
        self.done += 1
        if self._from <= now < self._until:
            self.finished_in_window += 1
        if counted:
            latency = now - arrived
            self.latencies_s.append(latency)
            slo = self._state.service.slo_s
            if slo is None or latency <= slo:
                self.in_time += 1
