"""From a validated file to the scenario that the engine runs: base units, and the files that it names read in."""

from __future__ import annotations

from pathlib import Path

from vsim.errors import InputError
from vsim.model.workload import Arrivals, DemandSeries, Image, Request, Service, Workload
from vsim.scenario.document import Document
from vsim.scenario.file import FleetFile, RunFile, ScenarioFile
from vsim.scenario.jobs import read_arrivals, read_jobs
from vsim.scenario.scenario import Fleet, Incident, Precision, Reliability, Run, Scenario, Start
from vsim.scenario.sweeping import sweep_of
from vsim.scenario.synthetic import generate
from vsim.scenario.traces import TraceDefaults, read_traces
from vsim.scenario.workload_file import ArrivalsFile, ImageFile, RequestFile, ServiceFile
from vsim.scenario.written import Written

__all__ = ["build"]

# What is simulated without a `run:`. With recorded demands there is nothing to warm up, and their length is the window.
DURATION_S = 60.0
WARMUP_S = 10.0
# A replication of so many requests takes about ten minutes: more is taken to be a slip.
MOST_REQUESTS = 20_000_000
MOST_BURSTS = 1_000_000
MOST_INTERVALS = 1_000_000
MOST_VALUES = 100_000_000  # of all recorded demands over the window: 0.8 GB


def build(document: Document, file: ScenarioFile, name: str, folder: Path, trace: str | Path | None = None) -> Scenario:
    """Return the scenario; paths in the file are relative to `folder`, and `trace` replaces its recorded demands.

    Raises InputError, with its place, for whatever in the files that it names can't be used.
    """
    demands = _demands(document, file, folder, trace)
    run = _run(file.run, demands)
    services = tuple(_service(document, name, service, folder) for name, service in file.services.items())
    _check_requests(document, services, run)
    _check_intervals(document, demands, run)
    jobs = () if file.jobs is None else read_jobs(_path(document, ("jobs",), file.jobs, folder))
    return Scenario(
        name=name,
        title=file.title or name,
        architectures=tuple(
            Written(name, document.place(("architectures", number))) for number, name in enumerate(file.architectures)
        ),
        workload=Workload(services, jobs, demands),
        fleet=_fleet(file.fleet),
        start=Start(file.start.concurrency, file.start.hosts_up, file.start.images),
        run=run,
        incidents=tuple(
            Incident(Written(one.what, document.place(("incidents", number, "what"))), one.at, one.count, one.repair)
            for number, one in enumerate(file.incidents)
        ),
        reliability=Reliability(file.reliability.years),
        sweep=sweep_of(document, file),
        stateful=frozenset(service.name for service in services if service.disk_path == "volume"),
    )


def _path(document: Document, loc: tuple[str | int, ...], written: str, folder: Path) -> Path:
    if "\0" in written:
        raise document.error(loc, "a path can't hold a NUL character", hint="remove the escape")
    path = folder / Path(written)
    if not path.exists():
        raise document.error(loc, f"there is no file {str(path)!r}", hint="a path is relative to the scenario's folder")
    return path


def _fleet(file: FleetFile) -> Fleet:
    return Fleet(
        hosts=file.hosts,
        min_hosts=file.min_hosts,
        placement=file.placement,
        isolation=file.isolation,
        cpu_overcommit=file.cpu_overcommit,
        memory_overcommit=file.memory_overcommit,
        beyond_memory=file.beyond_memory,
        reserve=file.reserve,
        recovery=file.recovery,
    )


def _run(file: RunFile, demands: tuple[DemandSeries, ...]) -> Run:
    recorded_s = max((series.interval_s * len(series.cpu_cores) for series in demands), default=None)
    precision = file.precision
    return Run(
        duration_s=file.duration or recorded_s or DURATION_S,
        warmup_s=file.warmup if file.warmup is not None else 0.0 if demands else WARMUP_S,
        replications=None if file.replications == "auto" else file.replications,
        seed=file.seed,
        precision=Precision(precision.relative, tuple(precision.metrics), precision.minimum, precision.maximum),
    )


# -- workload ----------------------------------------------------------------------------------------------------------


def _service(document: Document, name: str, file: ServiceFile, folder: Path) -> Service:
    loc = ("services", name)
    image = file.image if isinstance(file.image, ImageFile) else ImageFile(size=file.image)
    return Service(
        name=Written(name, document.key_place(loc)),
        replicas=file.replicas,
        memory_bytes=file.memory,
        image=Image(image.name or name, image.size),
        memory_cv=file.memory_cv,
        memory_touched=file.memory_touched,
        shareable=file.shareable,
        cpu_cores=file.cpu,
        cpu_limit_cores=file.cpu_limit,
        startup_core_s=file.startup.cpu,
        startup_wait_s=file.startup.wait,
        startup_read_bytes=file.startup.read,
        request=None if file.request is None else _request(file.request),
        arrivals=None if file.arrivals is None else _arrivals(document, (*loc, "arrivals"), file.arrivals, folder),
        slo_s=file.slo,
        disk_path=file.disk_path,
        network_mode=file.network_mode,
        needs=file.needs or 1,
        requires=frozenset(file.requires),
    )


def _request(file: RequestFile) -> Request:
    return Request(
        user_core_s=file.user,
        system_call_core_s=file.system_calls,
        page_fault_core_s=file.page_faults,
        cv=file.cv,
        disk_reads=file.disk_reads,
        disk_read_bytes=file.disk_read,
        disk_writes=file.disk_writes,
        disk_write_bytes=file.disk_write,
        receive_bytes=file.receive,
        send_bytes=file.send,
    )


def _arrivals(document: Document, loc: tuple[str | int, ...], file: ArrivalsFile, folder: Path) -> Arrivals:
    if file.kind == "trace":
        assert file.trace is not None
        return read_arrivals(_path(document, (*loc, "trace"), file.trace, folder), file.period)
    assert file.rate is not None
    if file.kind != "bursty":
        return Arrivals(file.kind, file.rate)
    default = Arrivals(file.kind, file.rate)
    return Arrivals(
        file.kind,
        file.rate,
        burst_factor=file.burst_factor or default.burst_factor,
        burst_share=file.burst_share or default.burst_share,
        burst_s=file.burst_length or default.burst_s,
    )


def _check_requests(document: Document, services: tuple[Service, ...], run: Run) -> None:
    total, length_s = 0.0, run.duration_s + run.warmup_s
    for service in services:
        arrivals = service.arrivals
        if arrivals is None:
            continue
        total += arrivals.rate_per_s * length_s
        if arrivals.kind == "bursty" and length_s * arrivals.burst_share / arrivals.burst_s > MOST_BURSTS:
            raise document.error(
                ("services", service.name, "arrivals", "burst_length"),
                f"more than {MOST_BURSTS:,} bursts in one replication",
                hint="a longer `burst_length`, or a shorter `run.duration`",
            )
        if total > MOST_REQUESTS:
            raise document.error(
                ("services", service.name, "arrivals"),
                f"{total:.3g} requests in one replication are more than {MOST_REQUESTS:,}",
                hint="a shorter `run.duration`, or a lower rate",
            )


def _check_intervals(document: Document, demands: tuple[DemandSeries, ...], run: Run) -> None:
    intervals = run.duration_s / min((series.interval_s for series in demands), default=run.duration_s)
    if intervals > MOST_INTERVALS or intervals * len(demands) > MOST_VALUES:
        raise document.error(
            ("demands",),
            f"{intervals:,.0f} intervals of {len(demands):,} instances are too many",
            hint="a shorter `run.duration`, or a trace with longer intervals",
            key=True,
        )


def _demands(
    document: Document, file: ScenarioFile, folder: Path, trace: str | Path | None
) -> tuple[DemandSeries, ...]:
    demands = file.demands
    if demands is None:
        if trace is not None:
            raise InputError(
                "this scenario has no recorded demands that a trace could replace",
                place=document.place(),
                hint="use the preset consolidation, or add `demands:`",
            )
        return ()
    if trace is None and demands.generated is not None:
        return generate(demands.generated, Written("generated", document.key_place(("demands", "generated"))))
    defaults = TraceDefaults(demands.cores, demands.memory, demands.interval)
    if trace is not None:
        return read_traces(Path(trace), "auto", defaults, demands.core_speed)
    assert demands.trace is not None
    path = _path(document, ("demands", "trace"), demands.trace, folder)
    return read_traces(path, demands.format, defaults, demands.core_speed)
