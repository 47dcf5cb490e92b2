"""Plans that users write, in YAML.

    # vsim bench PLAN, and vsim simulate PLAN
    schema: vsim.plan/1
    name: two rungs of memory
    blocks: 5
    time_limit: 10 min
    steps:
      - {suite: startup, count: 8, concurrency: 4}
      - {suite: memory, count: 40, touch: 16 MiB}

Keys are those of :mod:`vsim.model.plan`, without the unit at their end: sizes and times carry their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from vsim.model import plan as model
from vsim.model.plan import Plan
from vsim.scenario.document import Document, read_document, validate
from vsim.scenario.fields import Bytes, Fraction, Part, PositiveTime, Rate, Whole

__all__ = ["SCHEMA", "PlanFile", "plan_of", "read_plan"]

SCHEMA = "vsim.plan/1"
MIB = 2**20

_Count = Annotated[int, Field(ge=1, le=100_000)]
_Many = Annotated[int, Field(ge=1, le=10**12)]


class StartFile(Part):
    """Start instances, several at a time."""

    suite: Literal["startup"]
    count: _Count = 8
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 1
    cold: bool = False

    def step(self) -> model.Step:
        """Return the step of the plan."""
        return model.Start(count=self.count, concurrency=self.concurrency, cold=self.cold)


class HoldMemoryFile(Part):
    """Keep equal instances and weigh them."""

    suite: Literal["memory"]
    count: _Count = 8
    touch: Bytes = 0.0
    points: Annotated[int, Field(ge=2, le=1000)] = 5

    def step(self) -> model.Step:
        """Return the step of the plan."""
        return model.HoldMemory(count=self.count, touch_bytes=int(self.touch), points=self.points)


class DriveCpuFile(Part):
    """Do one kind of work."""

    suite: Literal["cpu"]
    work: Literal["user", "system_call", "page_fault"] = "user"
    operations: _Many = 100_000_000

    def step(self) -> model.Step:
        """Return the step of the plan."""
        return model.DriveCpu(work=self.work, operations=self.operations)


class DriveDiskFile(Part):
    """Drive disk I/O."""

    suite: Literal["disk"]
    pattern: Literal["read", "write", "random_read", "random_write"] = "random_read"
    block: Bytes = 4096.0
    depth: Annotated[int, Field(ge=1, le=1024)] = 1
    path: Literal["root", "bind", "volume"] = "root"
    size: Bytes = 64.0 * MIB
    duration: PositiveTime = 2.0

    def step(self) -> model.Step:
        """Return the step of the plan."""
        return model.DriveDisk(
            pattern=self.pattern,
            block_bytes=int(self.block),
            depth=self.depth,
            path=self.path,
            size_bytes=int(self.size),
            duration_s=self.duration,
        )


class DriveNetworkFile(Part):
    """Measure one way through the network."""

    suite: Literal["network"]
    mode: Literal["loopback", "host", "bridge", "published", "published_no_proxy", "user_defined"] = "loopback"
    round_trips: _Many = 2000
    bytes: Bytes = 256.0 * MIB

    def step(self) -> model.Step:
        """Return the step of the plan."""
        return model.DriveNetwork(mode=self.mode, round_trips=self.round_trips, bytes=int(self.bytes))


class ExchangeFile(Part):
    """Pass messages between two instances."""

    suite: Literal["exchange"]
    over: Literal["http", "file", "sqlite", "postgresql"] = "http"
    messages: _Many = 500
    message: Bytes = 1024.0

    def step(self) -> model.Step:
        """Return the step of the plan."""
        return model.Exchange(over=self.over, messages=self.messages, message_bytes=int(self.message))


class DensityFile(Part):
    """Add instances until a limit."""

    suite: Literal["density"]
    limit: _Count = 200
    touch: Bytes = 0.0
    reserve: Fraction = 0.25
    slowest_start: PositiveTime = 10.0

    def step(self) -> model.Step:
        """Return the step of the plan."""
        return model.Density(
            limit=self.limit,
            touch_bytes=int(self.touch),
            reserve=self.reserve,
            slowest_start_s=self.slowest_start,
        )


class OfferRequestsFile(Part):
    """Offer requests at a rate."""

    suite: Literal["requests"]
    rate: Rate = 200.0
    duration: PositiveTime = 3.0
    operations: Whole = 100_000
    arrivals: Literal["constant", "poisson"] = "constant"

    def step(self) -> model.Step:
        """Return the step of the plan."""
        return model.OfferRequests(
            rate_per_s=self.rate,
            duration_s=self.duration,
            operations=self.operations,
            arrivals=self.arrivals,
        )


StepFile = Annotated[
    StartFile
    | HoldMemoryFile
    | DriveCpuFile
    | DriveDiskFile
    | DriveNetworkFile
    | ExchangeFile
    | DensityFile
    | OfferRequestsFile,
    Field(discriminator="suite"),
]


class PlanFile(Part):
    """A plan: its steps, how often, within which bounds."""

    schema_: Annotated[Literal["vsim.plan/1"], Field(alias="schema")]
    name: str = "plan"
    steps: Annotated[list[StepFile], Field(min_length=1, max_length=1000)]
    blocks: _Count = 10
    warmup_blocks: Annotated[int, Field(ge=0, le=100)] = 1
    seed: Whole = 1
    memory_fraction: Fraction = 0.5
    time_limit: PositiveTime = 3600.0


def read_plan(path: str | Path) -> Plan:
    """Read a plan. Raises InputError with file, line and column for whatever is wrong in it."""
    return plan_of(read_document(path))


def plan_of(document: Document) -> Plan:
    """Return the plan that a document states. Raises InputError, with the place, for whatever is wrong in it."""
    file = validate(document, PlanFile)
    return Plan(
        name=file.name,
        steps=tuple(step.step() for step in file.steps),
        blocks=file.blocks,
        warmup_blocks=file.warmup_blocks,
        seed=file.seed,
        memory_fraction=file.memory_fraction,
        time_limit_s=file.time_limit,
    )
