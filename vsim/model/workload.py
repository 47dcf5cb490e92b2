"""What is asked of the machines: services with requests, lists of jobs, recorded demands.

All CPU demands are core-seconds of the reference core on bare metal; stacks and machines change them, not the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Arrivals", "DemandSeries", "Image", "Job", "Request", "Service", "Workload"]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How requests arrive at a service: `rate_per_s` on average.

    `bursty` alternates between two states with exponential lengths (a Markov-modulated Poisson process): in a burst,
    which lasts `burst_s` on average and takes the part `burst_share` of the time, requests come `burst_factor` times as
    fast as outside. `trace` repeats the recorded `times_s` (sorted, from 0) with the period `period_s`.
    """

    kind: Literal["constant", "poisson", "bursty", "trace"]
    rate_per_s: float
    burst_factor: float = 10.0
    burst_share: float = 0.1
    burst_s: float = 5.0
    times_s: tuple[float, ...] = ()
    period_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """What one request demands, on average.

    `cv` is the coefficient of variation of its CPU work (lognormal; 0: constant). CPU work is in core-seconds,
    split by kind. Disk operations are counted and sized; network bytes are per request.
    """

    user_core_s: float = 0.0
    system_call_core_s: float = 0.0
    page_fault_core_s: float = 0.0
    cv: float = 1.0
    disk_reads: float = 0.0
    disk_read_bytes: float = 0.0
    disk_writes: float = 0.0
    disk_write_bytes: float = 0.0
    receive_bytes: float = 0.0
    send_bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Image:
    """A service's image: its name (equal names are one image) and the bytes that a host has to fetch for it."""

    name: str
    bytes: float


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its replicas.

    `memory_bytes` is what one replica keeps resident, on average over replicas with the coefficient of variation
    `memory_cv`; the part `shareable` of it is file-backed and equal for all replicas of the service (program
    text, libraries). `memory_touched` is the part of it in use; the rest is reserved only. `cpu_cores` is what
    placement reserves for a replica and `cpu_limit_cores` the most it can use (None: the machine's cores).
    `startup_*` is the application's own start: CPU work, waiting and bytes read until it is ready. `needs` replicas
    must be up for the service to count as available. Each request to it calls the services `calls`, one after another.
    """

    name: str
    replicas: int
    memory_bytes: float
    image: Image
    memory_cv: float = 0.0
    memory_touched: float = 1.0
    shareable: float = 0.0
    cpu_cores: float = 0.0
    cpu_limit_cores: float | None = None
    startup_core_s: float = 0.0
    startup_wait_s: float = 0.0
    startup_read_bytes: float = 0.0
    request: Request | None = None
    arrivals: Arrivals | None = None
    slo_s: float | None = None
    disk_path: str = "root"
    network_mode: str = "bridge"
    needs: int = 1
    requires: frozenset[str] = frozenset()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """An explicit job: it arrives at `arrival_s` at host number `host` and needs `demand_core_s` on one core."""

    host: int
    arrival_s: float
    demand_core_s: float


@dataclass(frozen=True, slots=True)
class DemandSeries:
    """A recorded demand: what one instance used in each interval of `interval_s`.

    `cpu_cores[i]` is in reference cores, `memory_bytes[i]` in bytes (empty: not recorded); both have one entry per
    interval. `provisioned_*` is what the instance was given.
    """

    name: str
    interval_s: float
    cpu_cores: Sequence[float]
    memory_bytes: Sequence[float] = ()
    provisioned_cores: float | None = None
    provisioned_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """Everything that is asked of the machines in one scenario. At least one of the three is not empty."""

    services: tuple[Service, ...] = ()
    jobs: Sequence[Job] = ()
    demands: tuple[DemandSeries, ...] = field(default=())
