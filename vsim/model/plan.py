"""Plans: what is done to a host, real or simulated, in which sizes.

A plan is a list of steps. Each step belongs to one suite (its `suite`), says how much of what is done, and means the
same in both worlds. Sizes are chosen so that a block of a step takes seconds, not minutes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, TypeVar

__all__ = [
    "ANSWER_TIMEOUT_S",
    "ENOUGH_QUEUED",
    "STEPS",
    "SUITES",
    "WEIGHINGS",
    "WEIGHING_PAUSE_S",
    "Density",
    "DriveCpu",
    "DriveDisk",
    "DriveNetwork",
    "Exchange",
    "HoldMemory",
    "OfferRequests",
    "Plan",
    "Start",
    "Step",
    "in_order",
    "preset",
]

MIB = 2**20

# The host's available memory is read so often, after a pause each, and the median taken: it has to settle.
WEIGHINGS = 3
WEIGHING_PAUSE_S = 0.02

# Requests that aren't answered so long after the last one has left count as failed.
ANSWER_TIMEOUT_S = 5.0
# Of fewer requests than this that waited for another, or that didn't, no mean is told.
ENOUGH_QUEUED = 5

# A ramp may take so long for each instance of its limit: what it can't reach in that time is not worth waiting for.
_RAMP_PER_INSTANCE_S = 0.3
_LEAST_RAMP_S = 2.0
# On the way to the limit of a ramp the host is weighed so often.
_RAMP_POINTS = 10

_Work = TypeVar("_Work")


@dataclass(frozen=True, slots=True)
class Start:
    """Start `count` instances, `concurrency` at a time, then stop and remove them in the same waves.

    `cold` drops the host's page cache before each wave: everything is read from the disk again.
    """

    suite: ClassVar[str] = "startup"
    count: int = 8
    concurrency: int = 1
    cold: bool = False

    def waves(self) -> Iterator[range]:
        """Yield the numbers of the instances that are asked for at once, wave by wave."""
        for first in range(0, self.count, self.concurrency):
            yield range(first, min(first + self.concurrency, self.count))


@dataclass(frozen=True, slots=True)
class HoldMemory:
    """Keep up to `count` equal instances, each having touched `touch_bytes`, and weigh them at `points` counts."""

    suite: ClassVar[str] = "memory"
    count: int = 8
    touch_bytes: int = 0
    points: int = 5

    def counts(self) -> list[int]:
        """Return the numbers of instances at which to weigh: 0, `count`, and evenly between, at most `points`."""
        steps = max(1, min(self.points - 1, self.count))
        return sorted({round(self.count * i / steps) for i in range(steps + 1)})


@dataclass(frozen=True, slots=True)
class DriveCpu:
    """Do `operations` of one kind of work (steps of arithmetic, system calls, page faults) in one instance."""

    suite: ClassVar[str] = "cpu"
    work: Literal["user", "system_call", "page_fault"] = "user"
    operations: int = 100_000_000


@dataclass(frozen=True, slots=True)
class DriveDisk:
    """Drive `pattern` I/O of `block_bytes` at queue depth `depth` on `path` for `duration_s`."""

    suite: ClassVar[str] = "disk"
    pattern: Literal["read", "write", "random_read", "random_write"] = "random_read"
    block_bytes: int = 4096
    depth: int = 1
    path: Literal["root", "bind", "volume"] = "root"
    size_bytes: int = 64 * MIB
    duration_s: float = 2.0


@dataclass(frozen=True, slots=True)
class DriveNetwork:
    """Measure one network `mode`: `round_trips` of one byte, then `bytes` in one direction."""

    suite: ClassVar[str] = "network"
    mode: Literal["loopback", "host", "bridge", "published", "published_no_proxy", "user_defined"] = "loopback"
    round_trips: int = 2000
    bytes: int = 256 * MIB


@dataclass(frozen=True, slots=True)
class Exchange:
    """Pass `messages` from one instance to another `over` HTTP, a shared file or a shared database."""

    suite: ClassVar[str] = "exchange"
    over: Literal["http", "file", "sqlite", "postgresql"] = "http"
    messages: int = 500
    message_bytes: int = 1024


@dataclass(frozen=True, slots=True)
class Density:
    """Add instances until `limit` of them run or the host has less than `reserve` (a fraction) of a resource left."""

    suite: ClassVar[str] = "density"
    limit: int = 200
    touch_bytes: int = 0
    reserve: float = 0.25
    slowest_start_s: float = 10.0

    @property
    def time_s(self) -> float:
        """After so many seconds the ramp is not gone on with."""
        return max(_LEAST_RAMP_S, _RAMP_PER_INSTANCE_S * self.limit)

    def weighs_at(self, count: int) -> bool:
        """Return whether the host's memory is weighed with `count` instances: some ten times, and at the limit."""
        return count % max(1, self.limit // _RAMP_POINTS) == 0 or count == self.limit


@dataclass(frozen=True, slots=True)
class OfferRequests:
    """Offer HTTP requests to one instance at `rate_per_s` for `duration_s`, timed from the intended moment.

    `operations` is the steps of arithmetic that each request costs. `arrivals` says how the moments are spread: evenly,
    or independently of each other, as those of many users are (:func:`vsim.model.arrivals.arrival_times`).
    """

    suite: ClassVar[str] = "requests"
    rate_per_s: float = 200.0
    duration_s: float = 3.0
    operations: int = 100_000
    arrivals: Literal["constant", "poisson"] = "constant"


Step = Start | HoldMemory | DriveCpu | DriveDisk | DriveNetwork | Exchange | Density | OfferRequests

STEPS: Mapping[str, type[Step]] = MappingProxyType(
    {
        step.suite: step
        for step in (Start, HoldMemory, DriveCpu, DriveDisk, DriveNetwork, Exchange, Density, OfferRequests)
    }
)
SUITES: tuple[str, ...] = tuple(STEPS)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps, how often, and within which bounds.

    Each of `blocks` blocks runs every step on every rung once, in random order that `seed` fixes; `warmup_blocks`
    more come first and are marked. `memory_fraction` of the memory that is available at the start is the most that
    the instances of one step may need together; `time_limit_s` is the longest that the run may take.
    """

    name: str
    steps: tuple[Step, ...]
    blocks: int = 10
    warmup_blocks: int = 1
    seed: int = 1
    memory_fraction: float = 0.5
    time_limit_s: float = 3600.0

    @property
    def all_blocks(self) -> int:
        """How many blocks there are with the warm-up."""
        return self.blocks + self.warmup_blocks


def in_order(plan: Plan, block: int, number: int, work: Sequence[_Work]) -> list[_Work]:
    """Return `work`, what there is to do for step `number`, in the order that it has in `block`.

    It is drawn anew for each block and step, from the plan's seed, the block and the step alone: a run that is resumed
    goes on in the order that it would have had.
    """
    found = list(work)
    # A string seeds the generator the same way in every Python version, whatever the hash seed.
    random.Random(f"{plan.seed}/{block}/{number}").shuffle(found)
    return found


_FULL: Mapping[str, tuple[Step, ...]] = MappingProxyType(
    {
        "startup": (
            Start(count=4, concurrency=1),
            Start(count=8, concurrency=4),
            Start(count=1, concurrency=1, cold=True),
        ),
        "memory": (HoldMemory(count=8), HoldMemory(count=8, touch_bytes=16 * MIB)),
        "cpu": (
            DriveCpu(work="user", operations=200_000_000),
            DriveCpu(work="system_call", operations=200_000),
            DriveCpu(work="page_fault", operations=100_000),
        ),
        "disk": tuple(
            step
            for path in ("root", "bind", "volume")
            for step in (
                DriveDisk(pattern="read", block_bytes=MIB, depth=8, path=path),
                DriveDisk(pattern="write", block_bytes=MIB, depth=8, path=path),
                DriveDisk(pattern="random_read", depth=1, path=path),
                DriveDisk(pattern="random_write", depth=1, path=path),
                DriveDisk(pattern="random_read", depth=32, path=path),
                DriveDisk(pattern="random_write", depth=32, path=path),
            )
        ),
        "network": tuple(
            DriveNetwork(mode=mode)
            for mode in ("loopback", "host", "bridge", "published", "published_no_proxy", "user_defined")
        ),
        "exchange": tuple(Exchange(over=over) for over in ("http", "file", "sqlite", "postgresql")),
        "density": (Density(),),
        "requests": (OfferRequests(rate_per_s=100.0), OfferRequests(rate_per_s=400.0)),
    }
)
_QUICK: Mapping[str, tuple[Step, ...]] = MappingProxyType(
    {
        # With a dozen rungs, three starts each a block are what a class-room minute has room for.
        "startup": (Start(count=1, concurrency=1),),
        "memory": (HoldMemory(count=2, touch_bytes=8 * MIB, points=2),),
        "cpu": (
            DriveCpu(work="user", operations=20_000_000),
            DriveCpu(work="system_call", operations=10_000),
            DriveCpu(work="page_fault", operations=5_000),
        ),
        "disk": (
            DriveDisk(pattern="random_read", size_bytes=16 * MIB, duration_s=0.5),
            DriveDisk(pattern="write", block_bytes=MIB, depth=8, size_bytes=16 * MIB, duration_s=0.5),
        ),
        "network": (
            DriveNetwork(mode="loopback", round_trips=500, bytes=16 * MIB),
            DriveNetwork(mode="bridge", round_trips=500, bytes=16 * MIB),
        ),
        "exchange": (Exchange(over="http", messages=100),),
        "density": (Density(limit=4),),
        "requests": (OfferRequests(rate_per_s=200.0, duration_s=0.5),),
    }
)


def preset(suites: tuple[str, ...], *, quick: bool = False) -> Plan:
    """Return the plan that measures `suites`, in full or in a class-room minute. Raises KeyError for other names."""
    sizes = _QUICK if quick else _FULL
    steps = tuple(step for suite in suites for step in sizes[suite])
    name = f"{'+'.join(suites)}{' (quick)' if quick else ''}"
    if quick:
        return Plan(name=name, steps=steps, blocks=3, warmup_blocks=1, time_limit_s=160.0)
    return Plan(name=name, steps=steps)
