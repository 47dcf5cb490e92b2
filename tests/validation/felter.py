"""The measurements of Felter et al. (2014), and what the built-in layers make of them on the built-in rack server.

Felter, Ferreira, Rajamony, Rubio, "An Updated Performance Comparison of Virtual Machines and Linux Containers", IBM
RC25482 (2014) / ISPASS 2015. Records of native runs that say something about the rack server are compared as they are;
those of Docker and KVM as ratios to the native run next to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import simpy
from ruamel.yaml import YAML

from vsim.calibration import builtin
from vsim.engine.host import Hardware, Host
from vsim.engine.run import run_replication
from vsim.model.workload import Arrivals, Image, Request, Service, Workload
from vsim.scenario.scenario import Run, Scenario

KIB, MIB, GIB = 2**10, 2**20, 2**30
NATIVE, DOCKER, KVM = "bare-metal@rack-server", "container@rack-server", "vm@rack-server"
GBIT = 1e9 / 8


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure, what the simulator gives for it, and whether the profile took it as an input."""

    name: str
    what: str
    measured: float
    predicted: float
    fitted: bool

    @property
    def error(self) -> float:
        """Predicted over measured, less one."""
        return self.predicted / self.measured - 1


def records(folder: Path) -> Mapping[str, Mapping[str, object]]:
    """Return the paper's records among the published figures, by identifier."""
    with (folder / "published" / "figures.yaml").open(encoding="utf-8") as file:
        listed = YAML(typ="safe").load(file)
    return {record["id"]: record for record in listed if record["id"].startswith("felter_")}


@cache
def response_s(architecture: str, request: Request, at_once: int = 1, path: str = "root", mode: str = "host") -> float:
    """Return the median response time of `at_once` equal requests that arrive together, by a whole replication."""
    arrivals = Arrivals(kind="trace", rate_per_s=1, times_s=(0.0,) * at_once)
    service = Service(
        "felter", 1, GIB, Image("felter", 0.0), request=request, arrivals=arrivals, disk_path=path, network_mode=mode
    )
    scenario = Scenario(
        name="felter",
        title="One experiment of Felter et al.",
        architectures=(architecture,),
        workload=Workload(services=(service,)),
        run=Run(duration_s=1.0, warmup_s=0.0, replications=1),
    )
    profile = builtin()
    return run_replication(profile.architecture(architecture), scenario, profile.site, 0).metrics["latency_p50_s"]


def cpu(architecture: str) -> float:
    """Return the speed of user code, in core-seconds of the bare machine per second."""
    return 100 / response_s(architecture, Request(user_core_s=100, cv=0))


def _operations(depth: int, *, write: bool) -> Request:
    count = 128_000 / depth
    size = count * 4 * KIB
    if write:
        return Request(cv=0, disk_writes=count, disk_write_bytes=size)
    return Request(cv=0, disk_reads=count, disk_read_bytes=size)


def iops(architecture: str, depth: int, *, write: bool = False, path: str = "volume") -> float:
    """Return operations of 4 KiB per second, with `depth` of them under way at a time."""
    return 128_000 / response_s(architecture, _operations(depth, write=write), depth, path)


def operation_us(architecture: str, depth: int) -> float:
    """Return the microseconds that a read of 4 KiB takes with `depth` of them under way."""
    return 1e6 * depth / iops(architecture, depth, write=False)


def sequential(architecture: str, path: str = "volume") -> float:
    """Return the MiB per second read one MiB at a time."""
    return 1000 / response_s(architecture, Request(cv=0, disk_reads=1000, disk_read_bytes=1000 * MIB), 1, path)


def round_trip_us(architecture: str, mode: str = "host") -> float:
    """Return the microseconds of a request and a response of one byte."""
    return 1e6 * response_s(architecture, Request(cv=0, receive_bytes=1, send_bytes=1), 1, "root", mode)


def stream(architecture: str, mode: str = "host") -> float:
    """Return the Gbit/s of one long stream, on a host's link and one of its cores.

    Not as one large request: that would be received as a whole before it is worked on, while in a stream the link and
    the core are busy at the same time.
    """
    described = builtin().architecture(architecture)
    network, size = described.network(mode), 100 * GBIT
    env = simpy.Environment()
    host = Host(env, 0, Hardware(described), None)
    received = host.link_in.submit(size / network.throughput_factor)
    handled = host.cpu.submit(size * network.cpu_core_s_per_byte / host.hardware.speed)
    env.run(until=received & handled)
    return 100 / env.now


def gets(architecture: str, native_per_s: float, mode: str = "host") -> float:
    """Return the GET requests per second of one Redis client that waits for each answer.

    The native rate fixes the work in a request: what is left of its time after the native round trip. It is taken as
    user code: only the network differs between the variants.
    """
    work = 1 / native_per_s - round_trip_us(NATIVE) / 1e6
    request = Request(cv=0, user_core_s=work, receive_bytes=1, send_bytes=1)
    return 1 / response_s(architecture, request, 1, "root", mode)


Measure = Callable[[str], float]

# Machine: record, what it is, the simulator's value. `fitted`: the profile computes the rack server from this record.
_MACHINE: tuple[tuple[str, str, Measure, bool], ...] = (
    ("felter_tcprr_native", "TCP round trip, µs", round_trip_us, True),
    ("felter_udprr_native", "UDP round trip, µs", round_trip_us, False),
    ("felter_nuttcp_native", "TCP stream, Gbit/s", stream, False),
    ("felter_fio_seqread_1m_qd1_native", "read 1 MiB, MiB/s", sequential, True),
    (
        "felter_fio_randread_4k_qd16x8_native",
        "read 4 KiB, depth 128, IOPS",
        partial(iops, depth=128, write=False),
        True,
    ),
    ("felter_fio_randread_4k_qd16_native", "read 4 KiB, depth 16, IOPS", partial(iops, depth=16), False),
    ("felter_fio_lat_randread16_native", "read 4 KiB, depth 16, µs", partial(operation_us, depth=16), True),
    (
        "felter_fio_randwrite_4k_qd16x8_native",
        "write 4 KiB, depth 128, IOPS",
        partial(iops, depth=128, write=True),
        True,
    ),
    ("felter_fio_randwrite_4k_qd16_native", "write 4 KiB, depth 16, IOPS", partial(iops, depth=16, write=True), False),
)

# Layers: record, the native record it is a ratio to, what it is, the architecture, the simulator's measure.
_LAYERS: tuple[tuple[str, str, str, str, Measure], ...] = (
    ("felter_linpack_docker", "felter_linpack_native", "Linpack", DOCKER, cpu),
    ("felter_linpack_kvm_tuned", "felter_linpack_native", "Linpack, pinned, topology shown", KVM, cpu),
    ("felter_linpack_kvm_untuned_paper", "felter_linpack_native", "Linpack, not tuned (paper)", KVM, cpu),
    ("felter_linpack_kvm_untuned_raw", "felter_linpack_native", "Linpack, not tuned (raw log)", KVM, cpu),
    ("felter_pxz_docker", "felter_pxz_native", "LZMA compression", DOCKER, cpu),
    ("felter_pxz_kvm", "felter_pxz_native", "LZMA compression", KVM, cpu),
    ("felter_pxz_kvm_tuned", "felter_pxz_native", "LZMA compression, tuned", KVM, cpu),
    ("felter_stream_triad_docker", "felter_stream_triad_native", "STREAM, two sockets", DOCKER, cpu),
    ("felter_stream_triad_kvm", "felter_stream_triad_native", "STREAM, two sockets", KVM, cpu),
    ("felter_stream_triad_1s_docker", "felter_stream_triad_1s_native", "STREAM, one socket", DOCKER, cpu),
    ("felter_stream_triad_1s_kvm", "felter_stream_triad_1s_native", "STREAM, one socket", KVM, cpu),
    ("felter_gups_1s_docker", "felter_gups_1s_native", "random access, one socket", DOCKER, cpu),
    ("felter_gups_1s_kvm", "felter_gups_1s_native", "random access, one socket", KVM, cpu),
    ("felter_gups_2s_docker", "felter_gups_2s_native", "random access, two sockets", DOCKER, cpu),
    ("felter_gups_2s_kvm", "felter_gups_2s_native", "random access, two sockets", KVM, cpu),
    ("felter_nuttcp_docker_nat", "felter_nuttcp_native", "TCP stream, NAT", DOCKER, partial(stream, mode="published")),
    ("felter_nuttcp_kvm", "felter_nuttcp_native", "TCP stream", KVM, stream),
    ("felter_tcprr_kvm", "felter_tcprr_native", "TCP round trip", KVM, round_trip_us),
    ("felter_udprr_kvm", "felter_udprr_native", "UDP round trip", KVM, round_trip_us),
    ("felter_fio_seqread_1m_qd1_docker_volume", "felter_fio_seqread_1m_qd1_native", "read 1 MiB", DOCKER, sequential),
    ("felter_fio_seqread_1m_qd1_kvm", "felter_fio_seqread_1m_qd1_native", "read 1 MiB", KVM, sequential),
    ("felter_fio_lat_randread16_kvm", "felter_fio_lat_randread16_native", "time of a read, depth 16", KVM,
     partial(operation_us, depth=16)),
    *(
        (
            f"felter_fio_rand{word}_4k_qd{queue}_{variant}",
            f"felter_fio_rand{word}_4k_qd{queue}_native",
            f"{word} 4 KiB, depth {depth}",
            architecture,
            partial(iops, depth=depth, write=word == "write"),
        )
        for word in ("read", "write")
        for queue, depth in (("16", 16), ("16x8", 128))
        for variant, architecture in (("docker_volume", DOCKER), ("kvm", KVM))
    ),
)  # fmt: skip

# One Redis client at a time: variant, architecture, network mode.
_REDIS = (("docker_hostnet", DOCKER, "host"), ("docker_bridge_nat", DOCKER, "published"), ("kvm", KVM, "host"))

# Records that state too little to be simulated, and what is missing.
LEFT_OUT: Mapping[str, str] = {
    "felter_redis_get_*_10c": "one Redis thread is saturated; how its time divides into system calls, which the layers "
    "slow down, and user code isn't stated",
    "felter_mysql_*_10t": "neither the work of a transaction nor its reads, writes and messages are stated",
}
# The denominators of the ratios.
_DENOMINATORS = frozenset(record for _, record, *_ in _LAYERS) | {"felter_redis_get_native_1c"}


def rows(folder: Path) -> list[Row]:
    """Return every record that states enough, simulated; those that the simulator misses most come first."""
    known = records(folder)
    return sorted(_rows(known), key=lambda row: (-abs(round(row.error, 3)), row.name))


def left_out(folder: Path) -> set[str]:
    """Return the records that are neither simulated nor the denominator of one that is."""
    known = records(folder)
    return set(known) - {row.name for row in _rows(known)} - _DENOMINATORS


def _rows(known: Mapping[str, Mapping[str, object]]) -> Iterator[Row]:
    def value(name: str) -> float:
        return float(known[name]["value"])  # type: ignore[arg-type]  # the file's figures of this paper are numbers

    for name, what, measure, fitted in _MACHINE:
        yield Row(name, f"{what} (native)", value(name), measure(NATIVE), fitted)
    for name, native, what, architecture, measure in _LAYERS:
        # behind NAT or not, a variant is compared with the host's own network
        bare = stream if isinstance(measure, partial) and measure.func is stream else measure
        ratio = measure(architecture) / bare(NATIVE)
        yield Row(name, f"{what} ({_label(architecture)}/native)", value(name) / value(native), ratio, fitted=False)
    nat = round_trip_us(DOCKER, "published") / round_trip_us(NATIVE)
    yield Row(
        "felter_tcprr_docker_nat", "TCP round trip, NAT (Docker/native)", value("felter_tcprr_docker_nat"), nat, False
    )
    native = value("felter_redis_get_native_1c")
    for variant, architecture, mode in _REDIS:
        name = f"felter_redis_get_{variant}_1c"
        what = f"Redis, one client, {'NAT' if mode == 'published' else 'no NAT'} ({_label(architecture)}/native)"
        yield Row(
            name, what, value(name) / native, gets(architecture, native, mode) / gets(NATIVE, native), fitted=False
        )


def _label(architecture: str) -> str:
    return {DOCKER: "Docker", KVM: "KVM"}[architecture]
