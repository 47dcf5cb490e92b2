"""The workload as a scenario file states it: services, and recorded or generated demands."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vsim.scenario.fields import (
    Bytes,
    Cores,
    Count,
    Fraction,
    Mean,
    Name,
    Part,
    PositiveTime,
    Rate,
    Ratio,
    Time,
    Whole,
    Work,
)
from vsim.scenario.validation import Refused

__all__ = ["ArrivalsFile", "DemandsFile", "GeneratedFile", "ImageFile", "RequestFile", "ServiceFile", "StartupFile"]


class ImageFile(Part):
    """What a host has to have before a replica starts there. Services with an image of the same name share it."""

    name: Annotated[Name | None, Field(description="Default: the name of the service.")] = None
    size: Annotated[Bytes, Field(description="What a host fetches.")]


class StartupFile(Part):
    """What the application itself does from its first instruction until it is ready."""

    cpu: Annotated[Work, Field(description="CPU work, on one core.")] = 0.0
    wait: Annotated[Time, Field(description="Waiting for something else.")] = 0.0
    read: Annotated[Bytes, Field(description="Bytes read from the disk.")] = 0.0


class RequestFile(Part):
    """What one request demands on average, on bare metal; the CPU work is of one core of the reference machine."""

    user: Annotated[Work, Field(description="CPU work in user code.")] = 0.0
    system_calls: Annotated[Work, Field(description="CPU work in system calls.")] = 0.0
    page_faults: Annotated[Work, Field(description="CPU work in page faults.")] = 0.0
    cv: Annotated[
        Mean, Field(description="Coefficient of variation of the CPU work (lognormal); 0: always the same.")
    ] = 1.0
    disk_reads: Annotated[Mean, Field(description="Read operations.")] = 0.0
    disk_read: Annotated[Bytes, Field(description="Bytes read from the disk, all operations together.")] = 0.0
    disk_writes: Annotated[Mean, Field(description="Write operations.")] = 0.0
    disk_write: Annotated[Bytes, Field(description="Bytes written to the disk, all operations together.")] = 0.0
    receive: Annotated[Bytes, Field(description="Bytes of the request.")] = 0.0
    send: Annotated[Bytes, Field(description="Bytes of the answer.")] = 0.0

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not any(value for name, value in self if name != "cv"):
            raise Refused("a request that demands nothing", hint="state some CPU work: `user: 5 ms`")
        return self


class ArrivalsFile(Part):
    """How requests arrive at the service, whatever becomes of those before them (an open loop)."""

    kind: Annotated[
        Literal["constant", "poisson", "bursty", "trace"],
        Field(description="Evenly, independently, in bursts (a Markov-modulated Poisson process), or as recorded."),
    ] = "poisson"
    rate: Annotated[Rate | None, Field(description="Requests per second on average, for the whole service.")] = None
    burst_factor: Annotated[
        Ratio | None, Field(description="bursty: how many times as fast in a burst as outside. Default: 10.")
    ] = None
    burst_share: Annotated[Fraction | None, Field(description="bursty: the part of the time. Default: 10 %.")] = None
    burst_length: Annotated[PositiveTime | None, Field(description="bursty: mean length of a burst. Default: 5 s.")] = (
        None
    )
    trace: Annotated[
        str | None, Field(min_length=1, description="trace: a file with one arrival a line, in seconds from the start.")
    ] = None
    period: Annotated[
        PositiveTime | None, Field(description="trace: after how long it repeats. Default: its last arrival.")
    ] = None

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        needed = "trace" if self.kind == "trace" else "rate"
        if getattr(self, needed) is None:
            raise Refused(f"arrivals of the kind {self.kind} need `{needed}`", hint=f"add `{needed}:`")
        for name in ("burst_factor", "burst_share", "burst_length"):
            if getattr(self, name) is not None and self.kind != "bursty":
                self._misplaced(name, "bursty")
        for name in ("trace", "period"):
            if getattr(self, name) is not None and self.kind != "trace":
                self._misplaced(name, "trace")
        if self.kind == "trace" and self.rate is not None:
            raise Refused("a trace has a rate of its own", hint="remove `rate`", loc=("rate",), key=True)
        if self.burst_share is not None and not 0 < self.burst_share < 1:
            raise Refused("`burst_share` must be more than 0 and less than 1", loc=("burst_share",))
        return self

    def _misplaced(self, name: str, kind: str) -> None:
        raise Refused(
            f"`{name}` goes with `kind: {kind}`, not with {self.kind}", hint="remove it", loc=(name,), key=True
        )


class ServiceFile(Part):
    """A service: equal replicas of one application."""

    replicas: Annotated[Count, Field(description="How many instances run.")] = 1
    image: Annotated[Bytes | ImageFile, Field(description="Its size, or its name and size.")]
    memory: Annotated[Bytes, Field(description="What one replica keeps resident, on average.")]
    memory_cv: Annotated[
        Mean, Field(description="Coefficient of variation of the memory over replicas (lognormal).")
    ] = 0.0
    memory_touched: Annotated[
        Fraction, Field(description="The part of the memory in use; the rest is only reserved.")
    ] = 1.0
    shareable: Annotated[
        Fraction, Field(description="The part of the memory that is file-backed and equal in all replicas.")
    ] = 0.0
    cpu: Annotated[Cores, Field(description="Reference cores that placement reserves for a replica.")] = 0.0
    cpu_limit: Annotated[
        Cores | None,
        Field(description="The most cores that a replica uses, and so how many requests it works on at once."),
    ] = None
    startup: Annotated[StartupFile, Field(description="The application's own start.")] = StartupFile()
    request: Annotated[RequestFile | None, Field(description="What one request demands.")] = None
    arrivals: Annotated[ArrivalsFile | None, Field(description="How requests arrive.")] = None
    slo: Annotated[
        PositiveTime | None, Field(description="The service level objective: an answer within this time.")
    ] = None
    disk_path: Annotated[
        Literal["root", "volume", "bind"],
        Field(description="Where it reads and writes: the image's file system, or past it."),
    ] = "root"
    network_mode: Annotated[
        Literal["bridge", "host", "published", "overlay"], Field(description="How containers are on the network.")
    ] = "bridge"
    needs: Annotated[
        Count | None, Field(description="Replicas that must be up for the service to count as available. Default: 1.")
    ] = None
    requires: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="Capabilities that the architecture must offer (`live-migration`, …).",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.needs is not None and self.needs > self.replicas:
            raise Refused(f"{self.needs} replicas are needed, but there are {self.replicas}", loc=("needs",))
        if self.memory <= 0:
            raise Refused("an application needs some memory", loc=("memory",), hint="write `512 MiB` or `1.5 GB`")
        if self.cpu_limit is not None and self.cpu > self.cpu_limit:
            raise Refused(
                f"{self.cpu:g} cores are reserved, but the limit is {self.cpu_limit:g}",
                loc=("cpu",),
                hint="raise `cpu_limit`",
            )
        if self.cpu_limit == 0:
            raise Refused("`cpu_limit` must be more than 0", loc=("cpu_limit",), hint="without a limit, leave it out")
        if self.request is None and self.arrivals is not None:
            raise Refused("`arrivals` goes with `request`", loc=("arrivals",), key=True, hint="add `request:`")
        if self.slo is not None and self.request is None:
            raise Refused("without requests nothing can be late", loc=("slo",), key=True, hint="add `request:`")
        return self


class GeneratedFile(Part):
    """Demands made up from a few numbers: a mean that differs between instances, a daily wave, noise with a memory."""

    instances: Annotated[int, Field(ge=1, le=20_000, description="How many instances.")]
    length: Annotated[PositiveTime, Field(description="How much time is covered.")] = 86400.0
    interval: Annotated[PositiveTime, Field(description="The length of an interval.")] = 300.0
    cores: Annotated[
        list[Annotated[int, Field(ge=1, le=1024)]],
        Field(min_length=1, max_length=100, description="Sizes that instances have, all equally often."),
    ]
    memory_per_core: Annotated[Bytes, Field(description="What an instance is given for each of its cores.")]
    memory_used: Annotated[Fraction, Field(description="The part of it in use, on average.")] = 0.5
    mean: Annotated[Fraction, Field(description="CPU utilisation of the average instance, of all its cores.")]
    spread: Annotated[Mean, Field(description="Coefficient of variation of the mean over instances (lognormal).")] = 1.0
    daily: Annotated[Fraction, Field(description="Amplitude of the daily wave, of the instance's mean.")] = 0.3
    noise: Annotated[Mean, Field(description="Coefficient of variation of the noise on top (lognormal).")] = 0.5
    memory_of_noise: Annotated[
        PositiveTime, Field(description="After how long the noise has forgotten itself (1/e).")
    ] = 1800.0
    seed: Annotated[Whole, Field(description="The same seed makes the same demands.")] = 1

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        steps = self.length / self.interval
        if steps > 100_000:
            raise Refused("more than 100,000 intervals", loc=("interval",), hint="a longer `interval`")
        if steps * self.instances > 5_000_000:
            raise Refused(
                "more than 5 million values", loc=("instances",), hint="a longer `interval`, or fewer instances"
            )
        if self.length < self.interval:
            raise Refused("the length is less than one interval", loc=("length",))
        return self


class DemandsFile(Part):
    """Recorded demands: one instance per file of a trace, with what it used in each interval."""

    trace: Annotated[str | None, Field(min_length=1, description="A file, or a folder of files.")] = None
    format: Annotated[
        Literal["auto", "bitbrains", "planetlab"], Field(description="auto: told by the first line of each file.")
    ] = "auto"
    generated: Annotated[GeneratedFile | None, Field(description="Instead of a trace.")] = None
    cores: Annotated[Count, Field(description="Cores of an instance, where the trace doesn't say (PlanetLab).")] = 1
    memory: Annotated[Bytes, Field(description="Memory of an instance, where the trace doesn't say (PlanetLab).")] = (
        2.0**30
    )
    interval: Annotated[PositiveTime, Field(description="Where the trace doesn't say (PlanetLab).")] = 300.0
    core_speed: Annotated[
        Ratio, Field(description="The speed of a core of the machines in the trace, in reference cores.")
    ] = 1.0

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.trace is None) == (self.generated is None):
            raise Refused("demands come from a `trace`, or are `generated`", hint="state one of the two")
        return self
