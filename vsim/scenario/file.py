"""The scenario file, ``schema: vsim.scenario/1``, as a pydantic model."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from vsim.model.layer import Boundary
from vsim.samples.metrics import METRICS
from vsim.scenario.fields import Count, Fraction, Name, Part, PositiveTime, Ratio, Time, Whole, Years
from vsim.scenario.validation import Refused, did_you_mean, listed, shown
from vsim.scenario.workload_file import DemandsFile, ServiceFile

__all__ = ["SCHEMA", "ScenarioFile"]

SCHEMA = "vsim.scenario/1"

MAX_POINTS = 10_000


def _schema(value: object) -> object:
    if value != SCHEMA:
        raise Refused(f"the schema {shown(value)} is not known", hint=f"write `schema: {SCHEMA}`")
    return value


class FleetFile(Part):
    """The machines, and how instances are put on them."""

    hosts: Annotated[Count | None, Field(description="How many machines there are. Default: as many as needed.")] = None
    min_hosts: Annotated[Count, Field(description="Without `hosts`: at least so many.")] = 1
    placement: Annotated[
        Literal["first-fit", "best-fit", "spread"],
        Field(description="The first host with room, the one with least memory left, or the one with most."),
    ] = "first-fit"
    isolation: Annotated[
        Boundary, Field(description="Instances share a host only if the stack separates them by this or better.")
    ] = "none"
    cpu_overcommit: Annotated[Ratio, Field(description="How many times its cores a host may promise.")] = 1.0
    memory_overcommit: Annotated[Ratio, Field(description="How many times its memory a host may promise.")] = 1.0
    beyond_memory: Annotated[
        Literal["refused", "killed"],
        Field(description="What happens when more memory is used than there is: no start, or the largest is killed."),
    ] = "refused"
    reserve: Annotated[
        Literal["provisioned", "peak", "p95", "mean"], Field(description="What recorded demands reserve.")
    ] = "peak"
    recovery: Annotated[
        Literal["in-place", "reschedule"],
        Field(description="Where instances start again after a failure: there once it is repaired, or elsewhere."),
    ] = "in-place"


class StartFile(Part):
    """How the instances are started at the beginning."""

    concurrency: Annotated[Count | None, Field(description="How many at a time per host. Default: all at once.")] = None
    hosts_up: Annotated[
        Literal["all", "shared", "none"],
        Field(description="Which hosts already run; shared: those for several instances, not those for a single one."),
    ] = "all"
    images: Annotated[Literal["cold", "warm"], Field(description="Whether images have to be fetched.")] = "warm"


def _metric(name: str) -> str:
    if name not in METRICS:
        raise Refused(
            f"there is no metric {shown(name)}", hint=did_you_mean(name, METRICS) or f"it is {listed(METRICS)}"
        )
    return name


Metric = Annotated[str, AfterValidator(_metric), Field(json_schema_extra={"enum": list(METRICS)})]


class PrecisionFile(Part):
    """When `replications: auto` stops."""

    relative: Annotated[Fraction, Field(description="Half width of the interval, as a part of the value.")] = 0.05
    metrics: list[Metric] = Field(
        default_factory=list, max_length=50, description="Of these metrics. Default: the headline ones."
    )
    minimum: Annotated[int, Field(ge=2, le=10_000, description="Replications at least.")] = 5
    maximum: Annotated[int, Field(ge=2, le=10_000, description="Replications at most.")] = 200


class RunFile(Part):
    """How long and how often."""

    duration: Annotated[
        PositiveTime | None,
        Field(description="The measured window. Default: 1 min; with recorded demands, their length."),
    ] = None
    warmup: Annotated[
        Time | None,
        Field(description="What is simulated before it, uncounted. Default: 10 s; with recorded demands 0."),
    ] = None
    replications: Annotated[
        Annotated[int, Field(ge=1, le=10_000)] | Literal["auto"],
        Field(description="How often, or `auto`: until the intervals are narrow enough."),
    ] = 10
    seed: Annotated[Whole, Field(description="Of all random draws.")] = 1
    precision: Annotated[PrecisionFile, Field(description="When `replications: auto` stops.")] = PrecisionFile()


class IncidentFile(Part):
    """Something that is broken on purpose."""

    what: Annotated[
        Name,
        Field(description="`machine`, `chassis`, a part of one (`psu`, `midplane`, …), or a layer (`hypervisor`, …)."),
    ]
    at: Annotated[Time, Field(description="When, in the measured window.")]
    count: Annotated[Count, Field(description="How many at once.")] = 1
    repair: Annotated[Time | None, Field(description="How long the repair takes. Default: the profile's time.")] = None


class ReliabilityFile(Part):
    """Random failures, in a run of their own without requests."""

    years: Annotated[Years, Field(description="How many years are simulated in each replication.")] = 0.0


class SweepFile(Part):
    """Values to run the scenario at."""

    mode: Annotated[
        Literal["grid", "list"], Field(description="Every combination, or the first values, the second ones, …")
    ] = "grid"
    parameters: Annotated[
        dict[str, Annotated[list[object], Field(min_length=1, max_length=1000)]],
        Field(
            min_length=1,
            max_length=10,
            description="A path in this file (`services.web.replicas`) or a parameter of the profile, and its values.",
        ),
    ]


class ScenarioFile(Part):
    """A scenario: a workload, and the architectures that it is compared on."""

    schema_: Annotated[
        Literal["vsim.scenario/1"],
        BeforeValidator(_schema),
        Field(alias="schema", description="The format of the file."),
    ]
    title: Annotated[str, Field(max_length=200, description="One line. Default: the file's name.")] = ""
    architectures: Annotated[
        list[Annotated[str, Field(max_length=200)]],
        Field(min_length=1, max_length=100, description="STACK@MACHINE: `container@rack-server`, …"),
    ]
    services: dict[Name, ServiceFile] = Field(
        default_factory=dict,
        max_length=10_000,
        description="Services by name.",
        json_schema_extra={"additionalProperties": False},
    )
    jobs: Annotated[
        str | None, Field(min_length=1, description="A CSV file of jobs: host,arrival_s,demand_core_s.")
    ] = None
    demands: Annotated[DemandsFile | None, Field(description="Recorded demands.")] = None
    fleet: Annotated[FleetFile, Field(description="The machines.")] = FleetFile()
    start: Annotated[StartFile, Field(description="How instances start.")] = StartFile()
    run: Annotated[RunFile, Field(description="How long and how often.")] = RunFile()
    incidents: list[IncidentFile] = Field(
        default_factory=list, max_length=1000, description="What is broken on purpose."
    )
    reliability: Annotated[ReliabilityFile, Field(description="Random failures.")] = ReliabilityFile()
    sweep: Annotated[SweepFile | None, Field(description="Values to run it at.")] = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        self._check_architectures()
        if not self.services and self.jobs is None and self.demands is None:
            raise Refused(
                "there is nothing to run",
                hint="state `services:`, `jobs:` or `demands:`",
                loc=("services",) if "services" in self.model_fields_set else (),
            )
        requests = next((name for name, service in self.services.items() if service.request is not None), None)
        if self.demands is not None and (requests is not None or self.jobs is not None):
            # the two would not contend with each other, so that both would look better than they are
            raise Refused(
                "recorded demands can't be mixed with requests or jobs",
                hint="make two scenarios of it",
                loc=("demands",),
                key=True,
            )
        if self.incidents and self.reliability.years > 0:
            raise Refused(
                "incidents and random failures can't be in one run: availability would be that of neither",
                hint="remove `incidents` or `reliability`",
                loc=("incidents",),
                key=True,
            )
        if self.run.precision.minimum > self.run.precision.maximum:
            raise Refused("the minimum is more than the maximum", loc=("run", "precision", "minimum"))
        if self.run.duration is not None:
            for number, incident in enumerate(self.incidents):
                if incident.at >= self.run.duration:
                    raise Refused(
                        f"it happens after the end of the window of {self.run.duration:g} s",
                        loc=("incidents", number, "at"),
                    )
        return self

    def _check_architectures(self) -> None:
        for number, name in enumerate(self.architectures):
            stack, at, machine = name.partition("@")
            if not (stack and at and machine) or "@" in machine:
                raise Refused(
                    f"{shown(name)} is not an architecture",
                    hint="write STACK@MACHINE, for example container@rack-server",
                    loc=("architectures", number),
                )
            if name in self.architectures[:number]:
                raise Refused(f"{name} is there twice", hint="remove one", loc=("architectures", number))
