"""Other published figures, from measurements that state enough to be simulated, and what the rest don't state.

Each is expressed as a plan (:mod:`vsim.model.plan`) that the engine carries out with the built-in layers on a machine
of the measurement's own (``published.yaml``). Two papers have modules to themselves: :mod:`tests.validation.felter` and
:mod:`tests.validation.nsdi2020`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import simpy
from ruamel.yaml import YAML

from tests.validation.felter import GBIT, Row
from vsim.calibration import Profile, load_profile
from vsim.engine.host import Hardware, Host
from vsim.engine.plans import perform
from vsim.model.plan import DriveCpu, DriveDisk, DriveNetwork, Plan, Start, Step

PROFILE = Path(__file__).with_suffix(".yaml")
KIB = 2**10


@cache
def profile() -> Profile:
    """Return the built-in profile with the machines of the measurements on top."""
    return load_profile(PROFILE)


@cache
def mean(step: Step, stack: str, machine: str, metric: str) -> float:
    """Carry out a plan of one step and return the mean of the samples of one metric."""
    plan = Plan("published", (step,), blocks=1, warmup_blocks=0)
    found = perform(plan, profile(), [stack], machine)
    values = [sample.value for sample in found.samples if sample.metric == metric]
    assert values, found.runs[0].left_out
    return statistics.fmean(values)


def stream_gbit_per_s(stack: str) -> float:
    """Return the Gbit/s of one stream from m5d.metal to an instance on it, with one core for the device's emulation.

    No suite of a plan reaches a guest's own network, so it is what :func:`tests.validation.felter.stream` is.
    """
    described = profile().architecture(f"{stack}@m5d-metal")
    network, size = described.network("virtio"), 100 * GBIT
    env = simpy.Environment()
    host = Host(env, 0, Hardware(described), None)
    moved = host.link_in.submit(size / network.throughput_factor)
    handled = host.cpu.submit(size * network.cpu_core_s_per_byte / host.hardware.speed)
    env.run(until=moved & handled)
    return 100 / float(env.now)


# Disk of m5d.metal and of its guests (Agache et al., Fig. 8-9): what the figure's name says, and the step.
_FIO: Mapping[str, tuple[str, DriveDisk]] = {
    "randread_4k_qd1": ("read 4 KiB, depth 1, IOPS", DriveDisk("random_read", 4 * KIB, 1)),
    "randread_4k_qd32": ("read 4 KiB, depth 32, IOPS", DriveDisk("random_read", 4 * KIB, 32)),
    "randwrite_4k_qd32": ("write 4 KiB, depth 32, IOPS", DriveDisk("random_write", 4 * KIB, 32)),
    "randread_128k_qd32": ("read 128 KiB, depth 32, IOPS", DriveDisk("random_read", 128 * KIB, 32)),
}
# The minimal monitors are the layer `vmm`, which describes Firecracker; QEMU is the hypervisor.
_MONITORS: Mapping[str, tuple[str, str]] = {
    "metal": ("bare metal", "bare-metal"),
    "fc": ("Firecracker", "microvm"),
    "chv": ("Cloud Hypervisor", "microvm"),
    "qemu": ("QEMU", "vm"),
}

# What a layer costs beside another: record, record beside it, what it is, stacks, step, metric, and whether the
# figure is one over the metric.
_RATIOS: tuple[tuple[str, str, str, str, str, Step, str, bool], ...] = (
    ("gvisor_doc_cpu_runsc", "gvisor_doc_cpu_runc", "sysbench, events (gVisor/runc)", "sandboxed-container",
     "container", DriveCpu("user", 100), "cpu_user_s", True),
    ("gvisor_doc_iperf_down_runsc", "gvisor_doc_iperf_down_runc", "download (gVisor/runc)", "sandboxed-container",
     "container", DriveNetwork("bridge"), "network_throughput_bytes_per_s", False),
    ("gvisor_spinup_runsc_kvm", "gvisor_spinup_runc", "start of a container (gVisor/runc)", "sandboxed-container",
     "container", Start(count=200), "startup_s", False),
)  # fmt: skip

# Records without a native one beside them: what is said is itself a ratio.
_SAID: tuple[tuple[str, str, str, str, Step, str], ...] = (
    ("gvisor_paper_factor_syscall", "a system call's time (gVisor/runc)", "sandboxed-container", "container",
     DriveCpu("system_call", 1000), "cpu_system_call_s"),
)  # fmt: skip

# Records that other modules compare, with the raw data that they are quantiles of.
ELSEWHERE: Mapping[str, str] = {
    "felter_*": "above, or left out there",
    "fc_boot_*": "above: the same starts, from the raw data",
    "chv_boot_serial": "above: the same starts, from the raw data",
    "qemu_boot_serial_qboot": "above: the same starts, from the raw data",
    "qemu_boot_haswell_serial": "above: the same starts, from the raw data",
}

# Records that don't state enough to be simulated, and what is missing. The first pattern that fits counts.
LEFT_OUT: Mapping[str, str] = {
    "qemu_boot_serial": "only serial runs have QEMU's standard firmware: one figure, one unknown",
    "fc_spec_boot": "a bound (125 ms), not a measurement; nor is the speed of that machine's cores stated",
    "fc_spec_mem": "a bound (5 MiB for a guest of 128 MiB), not a measurement; the layer's 2.8 MiB keep it",
    "fc_creation_rate": "a rate that is promised, not the most that is possible",
    "lightvm_*": "Xen with a tool stack of its own, and unikernels: no layer describes them",
    "gvisor_import_numpy_*": "how many files and system calls the import takes, and of which kinds",
    "gvisor_paper_factor_malloc": "how the time of an allocation divides into user code, system calls and page faults",
    "gvisor_paper_factor_download": "the link, and the size of what is downloaded",
    "gvisor_paper_factor_open_*": "nothing, but the model only reads and writes open files",
    "gvisor_doc_http_*": "how a request's time divides into user code, system calls and messages",
    "esx_pageshare_*": "which pages of the guests are equal; ESX isn't a layer of the profile either",
    "ksm_52_winxp": "which pages of the guests are equal; merging is off in the profile's layers",
    "sharma_build_*": "what a build does: the packages, the link they come over, the work",
    "mao_startup_*": "what the provider's control plane does, which is most of it, and the hardware",
    "ec2_*": "what the provider's control plane does, which is most of it",
    "slacker_pull_share": "the link to the registry and the disk",
    "slacker_speedup": "a file system that fetches on demand isn't a layer of the profile",
    "slacker_time_*": "the link to the registry and the disk, and what 57 different programs do until they are ready",
    "borg_task_start": "the sizes of the packages, the link and the disk",
    "docker_start_azure_ssd": "nothing, but the layer's start is derived from the same source",
    "docker_start_azure_hdd": "the disk's latency and IOPS",
    "sock_docker_factor": "lean containers aren't a layer of the profile",
    "faas_cold_*": "what the platforms do, and where",
    "specpower_ep_trend": "a trend over a population, not a machine; the two ends lie around the profile's machines",
    "baremetal_fast_provision": "the machine, the image and the link",
    "pi3_boot_stock": "the card, and an order of magnitude instead of a figure",
    "pi0w_net_up": "the card, and what was tuned away",
    "pi4_*_redis": "how a request's time divides into user code, system calls and messages",
}


def records(folder: Path) -> Mapping[str, Mapping[str, object]]:
    """Return all published figures, by identifier."""
    with (folder / "published" / "figures.yaml").open(encoding="utf-8") as file:
        return {record["id"]: record for record in YAML(typ="safe").load(file)}


def rows(folder: Path) -> list[Row]:
    """Return every record that states enough, simulated; those that the simulator misses most come first."""
    return sorted(_rows(records(folder)), key=lambda row: (-abs(round(row.error, 3)), row.name))


def unaccounted(folder: Path) -> set[str]:
    """Return the records kept for validation that are neither compared (here or elsewhere) nor left out."""
    known = records(folder)
    done = {row.name for row in _rows(known)} | {beside for _, beside, *_ in _RATIOS}
    patterns = (*ELSEWHERE, *LEFT_OUT)
    return {
        name
        for name, record in known.items()
        if record["use"] == "validation"
        and name not in done
        and not any(fnmatch(name, pattern) for pattern in patterns)
    }


def left_out(folder: Path) -> list[tuple[str, int, str]]:
    """Return each pattern of records that is left out, how many records it takes, and what is missing."""
    kept = [name for name, record in records(folder).items() if record["use"] == "validation"]
    counts = dict.fromkeys(LEFT_OUT, 0)
    for name in kept:
        pattern = next((pattern for pattern in LEFT_OUT if fnmatch(name, pattern)), None)
        if pattern is not None:
            counts[pattern] += 1
    return [(pattern, counts[pattern], missing) for pattern, missing in LEFT_OUT.items()]


def _rows(known: Mapping[str, Mapping[str, object]]) -> Iterator[Row]:
    def value(name: str) -> float:
        return float(known[name]["value"])  # type: ignore[arg-type]  # these records have one number each

    for place, (what, drive) in _FIO.items():
        for monitor, (title, stack) in _MONITORS.items():
            name = f"nsdi_fio_{place}_{monitor}"
            simulated = mean(drive, stack, "m5d-metal", "disk_iops")
            yield Row(name, f"{what} ({title})", value(name), simulated, fitted=monitor == "metal")
    for monitor in ("loopback", "fc", "chv", "qemu"):
        title, stack = _MONITORS.get(monitor, ("bare metal, loopback", "bare-metal"))
        name = f"nsdi_net_rx1_{monitor}"
        yield Row(
            name, f"one stream, Gbit/s ({title})", value(name), stream_gbit_per_s(stack), fitted=monitor == "loopback"
        )
    for name, beside, what, stack, other, step, metric, inverse in _RATIOS:
        ratio = mean(step, stack, "container-host", metric) / mean(step, other, "container-host", metric)
        yield Row(name, what, value(name) / value(beside), 1 / ratio if inverse else ratio, fitted=False)
    for name, what, stack, other, step, metric in _SAID:
        ratio = mean(step, stack, "container-host", metric) / mean(step, other, "container-host", metric)
        yield Row(name, what, value(name), ratio, fitted=False)
