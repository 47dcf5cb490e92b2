"""The registry: every fact of the environment record, with its unit, how it is written, and what it may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vsim.bench.environment.root import JSON

__all__ = ["METADATA", "Metadata", "formatted"]

Check = Callable[[JSON], bool]
Formatter = Callable[[JSON], str]


@dataclass(frozen=True, slots=True)
class Metadata:
    """One fact. `unit` is "" for what isn't a quantity; `check` says whether a value can be right."""

    name: str
    title: str
    check: Check
    unit: str = ""
    format: Formatter = str


def _text(value: JSON) -> bool:
    return isinstance(value, str) and bool(value)


def _truth(value: JSON) -> bool:
    return isinstance(value, bool)


def _texts(value: JSON) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _by_name(value: JSON) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _count(value: JSON) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _amount(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _fraction(value: JSON) -> bool:
    return _amount(value) and isinstance(value, int | float) and value <= 1


def _amounts(value: JSON) -> bool:
    return isinstance(value, list) and all(_amount(each) for each in value)


def _one_of(*choices: str) -> Check:
    return lambda value: value in choices


def _yes(value: JSON) -> str:
    return "on" if value else "off"


def _bytes(value: JSON) -> str:
    assert isinstance(value, int | float)
    for size, name in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= size:
            return f"{value / size:.3g} {name}" if value / size < 1000 else f"{value / size:.0f} {name}"
    return f"{value:.0f} B"


def _hertz(value: JSON) -> str:
    assert isinstance(value, int | float)
    return f"{value / 1e9:.2f} GHz" if value >= 1e9 else f"{value / 1e6:.0f} MHz"


def _percent(value: JSON) -> str:
    assert isinstance(value, int | float)
    return f"{value:.1%}"


def _seconds(value: JSON) -> str:
    assert isinstance(value, int | float)
    return f"{value:.0f} s"


def _listed(value: JSON) -> str:
    assert isinstance(value, list)
    return ", ".join(str(each) for each in value)


def _mapped(value: JSON) -> str:
    assert isinstance(value, dict)
    return ", ".join(f"{name} {each}" for name, each in value.items())


_ALL = (
    Metadata("vsim_version", "vsim", _text),
    Metadata("python_version", "Python", _text),
    Metadata("hostname", "host name", _text),
    # -- what kind of host
    Metadata("host_kind", "host", _one_of("physical", "virtual", "unknown")),
    Metadata("host_hypervisor", "hypervisor", _text),
    Metadata("host_container", "inside a container of", _text),
    Metadata("host_vendor", "vendor", _text),
    Metadata("host_product", "product", _text),
    Metadata("host_chassis", "chassis", _one_of("laptop", "desktop", "server", "blade", "tablet")),
    Metadata("pi_model", "Raspberry Pi", _text),
    Metadata("pi_throttled", "throttling", _texts, format=_listed),
    # -- processor
    Metadata("architecture", "architecture", _text),
    Metadata("cpu_model", "CPU", _text),
    Metadata("cpu_count", "logical CPUs", _count, "1"),
    Metadata("cpu_cores", "cores", _count, "1"),
    Metadata("cpu_usable", "logical CPUs for this process", _count, "1"),
    Metadata("cpu_hz", "clock now", _amount, "Hz", _hertz),
    Metadata("cpu_max_hz", "highest clock", _amount, "Hz", _hertz),
    Metadata("cpu_flags", "CPU flags", _texts, format=_listed),
    Metadata("cpu_governors", "governor", _texts, format=_listed),
    Metadata("cpu_frequency_driver", "frequency driver", _text),
    Metadata("cpu_turbo", "turbo", _truth, format=_yes),
    Metadata("cpu_smt", "hyper-threading", _truth, format=_yes),
    Metadata("cpu_throttle_count", "thermal throttling since boot", _amount, "1"),
    Metadata("cpu_vulnerabilities", "vulnerabilities", _by_name, format=_mapped),
    # -- memory
    Metadata("memory_bytes", "memory", _count, "bytes", _bytes),
    Metadata("memory_available_bytes", "available memory", _amount, "bytes", _bytes),
    Metadata("page_bytes", "page size", _count, "bytes", _bytes),
    Metadata("swap_bytes", "swap", _amount, "bytes", _bytes),
    Metadata("swap_used_bytes", "swap in use", _amount, "bytes", _bytes),
    Metadata("swap_kinds", "swap on", _texts, format=_listed),
    Metadata("transparent_hugepages", "transparent huge pages", _text),
    Metadata("ksm", "merging of equal pages", _truth, format=_yes),
    # -- disk
    Metadata("disk_device", "disk of the root file system", _text),
    Metadata(
        "disk_kind",
        "disk",
        _one_of("nvme", "ssd", "rotational", "sd-card", "emmc", "usb", "virtio", "hyper-v", "xen", "loop", "other"),
    ),
    Metadata("disk_model", "disk model", _text),
    Metadata("disk_scheduler", "I/O scheduler", _text),
    Metadata("root_file_system", "root file system", _text),
    # -- system
    Metadata("kernel", "Linux", _text),
    Metadata("kernel_parameters", "kernel parameters", _texts, format=" ".join),  # type: ignore[arg-type]
    Metadata("distribution", "distribution", _text),
    Metadata("cgroup_version", "cgroup", _one_of("v1", "v2", "hybrid", "none")),
    Metadata("cgroup_controllers", "cgroup controllers", _texts, format=_listed),
    Metadata("cgroup_memory", "memory controller", _truth, format=_yes),
    Metadata("uptime_s", "up for", _amount, "s", _seconds),
    Metadata("load", "load", _amounts, "1", _listed),
    Metadata("cpu_steal_fraction", "time stolen by the hypervisor", _fraction, "1", _percent),
    Metadata("on_battery", "on battery", _truth, format=_yes),
    # -- virtualization and runtimes
    Metadata("kvm", "KVM", _one_of("absent", "denied", "boots", "no-guest-boots", "untried")),
    Metadata("kvm_detail", "KVM guest", _text),
    Metadata("kvm_instructions_per_s", "instructions of a KVM guest per second", _amount, "1/s"),
    Metadata("versions", "runtimes", _by_name, format=_mapped),
    Metadata("docker_version", "Docker engine", _text),
    Metadata("docker_storage_driver", "storage driver", _text),
    Metadata("docker_cgroup_driver", "Docker's cgroup driver", _text),
    Metadata("docker_runtimes", "Docker's runtimes", _texts, format=_listed),
    Metadata("docker_operating_system", "the engine's system", _text),
    Metadata("docker_kernel", "the engine's kernel", _text),
    Metadata("docker_rootless", "rootless Docker", _truth, format=_yes),
    Metadata("docker_desktop", "Docker Desktop", _truth, format=_yes),
)

METADATA: Mapping[str, Metadata] = {each.name: each for each in _ALL}


def formatted(name: str, value: JSON) -> str:
    """Return a fact as people read it."""
    return METADATA[name].format(value)
