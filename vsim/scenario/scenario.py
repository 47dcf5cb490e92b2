"""A scenario: a workload, the architectures to compare on it, and how the comparison is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsim.model.layer import Boundary
from vsim.model.workload import Workload

__all__ = [
    "Catalogued",
    "Connection",
    "Fleet",
    "Incident",
    "Precision",
    "Reliability",
    "Run",
    "Scenario",
    "Start",
    "Sweep",
]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The machines and how instances are put on them.

    `hosts` is their number; None adds machines as they are needed, at least `min_hosts` of them. Two instances share a
    host only when the stack separates them by `isolation` or better. `cpu_overcommit` and `memory_overcommit` multiply
    what placement may promise; `beyond_memory` says what happens when more is used than there is: the start is
    `refused`, or an instance is `killed` (out of memory). Recorded demands reserve the CPU that `reserve` says: what
    was provisioned, their peak, their 95th percentile or their mean. After a failure instances start again `in-place`,
    or are `reschedule`d to another host that has room.
    """

    hosts: int | None = None
    min_hosts: int = 1
    placement: Literal["first-fit", "best-fit", "spread"] = "first-fit"
    isolation: Boundary = "none"
    cpu_overcommit: float = 1.0
    memory_overcommit: float = 1.0
    beyond_memory: Literal["refused", "killed"] = "refused"
    reserve: Literal["provisioned", "peak", "p95", "mean"] = "peak"
    recovery: Literal["in-place", "reschedule"] = "in-place"


@dataclass(frozen=True, slots=True)
class Start:
    """How the instances are started: `concurrency` at a time per host (None: all at once).

    `hosts_up` says which hosts already run: `all`, `none`, or `shared` (hosts that carry several instances run anyway;
    a host for one instance alone boots with it). `images` says whether a host has them: `cold` pulls, `warm` doesn't.
    """

    concurrency: int | None = None
    hosts_up: Literal["all", "shared", "none"] = "all"
    images: Literal["cold", "warm"] = "warm"


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that the scenario breaks on purpose at `at_s` of the measured window.

    `what` is `machine`, `chassis`, a part of a chassis (`psu`, …) or a layer's name; `count` of them fail at once, and
    are repaired after `repair_s` (None: the profile's repair time).
    """

    what: str
    at_s: float
    count: int = 1
    repair_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether random failures are simulated, and over how many years of simulated time per replication."""

    years: float = 0.0


@dataclass(frozen=True, slots=True)
class Precision:
    """`--replications auto`: run until the interval's half width is at most `relative` of the value, within bounds."""

    relative: float = 0.05
    metrics: tuple[str, ...] = ()
    minimum: int = 5
    maximum: int = 200


@dataclass(frozen=True, slots=True)
class Run:
    """How long and how often: the window measured (after `warmup_s`), replications (None: auto), and the seed."""

    duration_s: float = 60.0
    warmup_s: float = 10.0
    replications: int | None = 10
    seed: int = 1
    precision: Precision = Precision()


@dataclass(frozen=True, slots=True)
class Sweep:
    """Values to run the scenario at.

    `parameters` maps a path, in the scenario (``services.web.replicas``) or in the profile
    (``guest-os.memory.unit_bytes``), to its values; `mode` is `grid` (every combination) or `list` (value by value).
    """

    parameters: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    mode: Literal["grid", "list"] = "grid"


@dataclass(frozen=True, slots=True)
class Catalogued:
    """A field of a service (`memory_bytes`, `image.bytes`, …) that isn't stated: the profile's `quantity` gives it.

    `memory_touched` is that quantity over the service's `memory_bytes`, at most 1.
    """

    service: str
    field: str
    quantity: str


@dataclass(frozen=True, slots=True)
class Connection:
    """A service that calls another one by its name, and what they have in common on the network.

    `networks` says what joins them where both are in containers on one kernel (`joined`), or whatever the host
    (`overlay`); `published` that the other one is reached through a port of its host as well.
    """

    of: str
    to: str
    networks: Literal["none", "joined", "overlay"] = "joined"
    published: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the user asked for, validated. `architectures` are names of the form STACK@MACHINE.

    `catalogued` lists what comes from the profile's catalogue of images (:mod:`vsim.calibration.catalogue` puts the
    values in); `notes` are sentences about how the scenario was read, for people. `connections` says which
    services call each other, `privileged` names those whose containers keep the host's rights, `stateful` those that
    keep data, of which a second replica would need a copy.
    """

    name: str
    title: str
    architectures: tuple[str, ...]
    workload: Workload
    fleet: Fleet = Fleet()
    start: Start = Start()
    run: Run = Run()
    incidents: tuple[Incident, ...] = ()
    reliability: Reliability = Reliability()
    sweep: Sweep | None = None
    catalogued: tuple[Catalogued, ...] = ()
    notes: tuple[str, ...] = ()
    connections: tuple[Connection, ...] = ()
    privileged: frozenset[str] = frozenset()
    stateful: frozenset[str] = frozenset()
