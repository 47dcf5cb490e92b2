"""Processor, memory, disk and power, from /proc and /sys."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from vsim.bench.environment.root import JSON, Facts, Root

__all__ = ["collect_disk", "collect_memory", "collect_power", "collect_processor", "colon_separated"]

_CPU = "sys/devices/system/cpu"

# Implementer and part of the ARM cores that are met most, from the kernel's arch/arm64/include/asm/cputype.h.
_ARM_PARTS = {
    ("0x41", "0xb76"): "ARM1176",
    ("0x41", "0xc07"): "Cortex-A7",
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd05"): "Cortex-A55",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x41", "0xd49"): "Neoverse-N2",
    ("0x41", "0xd4f"): "Neoverse-V2",
    ("0xc0", "0xac3"): "Ampere-1",
    ("0x61", "0x000"): "Apple (virtualized)",
}


def colon_separated(lines: Iterable[str]) -> dict[str, str]:
    """Return the fields of `name : value` lines; of equal names the first."""
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    return fields


def collect_processor(root: Root) -> Facts:
    """Return what the processors are, and at which clock they may run."""
    blocks = [colon_separated(block.splitlines()) for block in (root.text("proc/cpuinfo") or "").split("\n\n")]
    processors = [block for block in blocks if "processor" in block]
    facts: Facts = {}
    if processors:
        first = processors[0]
        facts["cpu_count"] = len(processors)
        if all("core id" in each for each in processors):
            facts["cpu_cores"] = len({(each.get("physical id"), each["core id"]) for each in processors})
        else:
            facts["cpu_cores"] = _cores_by_topology(root) or len(processors)
        # "model name" is "ARMv7 Processor rev 3 (v7l)" on 32-bit ARM: the part says more.
        arm = [(each.get("CPU implementer"), each.get("CPU part")) for each in processors]
        names = dict.fromkeys(_ARM_PARTS[part] for part in arm if part in _ARM_PARTS)
        model = " + ".join(names) or first.get("model name") or first.get("cpu model") or first.get("Processor")
        if model:
            facts["cpu_model"] = " ".join(model.split())
        flags = first.get("flags") or first.get("Features")
        if flags:
            facts["cpu_flags"] = [*sorted(flags.split())]
        clocks = [float(each["cpu MHz"]) for each in processors if _is_number(each.get("cpu MHz"))]
        if clocks:
            facts["cpu_hz"] = round(sum(clocks) / len(clocks) * 1e6)
    facts |= _frequency(root)
    names_of = root.names(f"{_CPU}/vulnerabilities")
    states = {name: root.text(f"{_CPU}/vulnerabilities/{name}") or "" for name in names_of}
    affected: dict[str, JSON] = {name: state for name, state in states.items() if state not in ("", "Not affected")}
    if affected:
        facts["cpu_vulnerabilities"] = affected
    return facts


def _is_number(text: str | None) -> bool:
    return text is not None and re.fullmatch(r"\d+(\.\d+)?", text) is not None


def _cpus(root: Root) -> list[str]:
    return [name for name in root.names(_CPU) if re.fullmatch(r"cpu\d+", name)]


def _cores_by_topology(root: Root) -> int | None:
    siblings = {root.text(f"{_CPU}/{cpu}/topology/thread_siblings_list") for cpu in _cpus(root)} - {None}
    return len(siblings) or None


def _frequency(root: Root) -> Facts:
    facts: Facts = {}
    governors = {root.text(f"{_CPU}/{cpu}/cpufreq/scaling_governor") for cpu in _cpus(root)}
    known = sorted(each for each in governors if each)
    if known:
        facts["cpu_governors"] = [*known]
    driver = root.text(f"{_CPU}/cpu0/cpufreq/scaling_driver")
    if driver:
        facts["cpu_frequency_driver"] = driver
    highest = [root.number(f"{_CPU}/{cpu}/cpufreq/cpuinfo_max_freq") for cpu in _cpus(root)]
    if any(highest):
        facts["cpu_max_hz"] = max(each for each in highest if each is not None) * 1000
    current = [root.number(f"{_CPU}/{cpu}/cpufreq/scaling_cur_freq") for cpu in _cpus(root)]
    read = [each for each in current if each is not None]
    if read:
        facts["cpu_hz"] = round(sum(read) / len(read)) * 1000
    no_turbo, boost = root.number(f"{_CPU}/intel_pstate/no_turbo"), root.number(f"{_CPU}/cpufreq/boost")
    if no_turbo is not None:
        facts["cpu_turbo"] = no_turbo == 0
    elif boost is not None:
        facts["cpu_turbo"] = boost == 1
    smt = root.number(f"{_CPU}/smt/active")
    if smt is not None:
        facts["cpu_smt"] = smt == 1
    counts = [root.number(f"{_CPU}/{cpu}/thermal_throttle/package_throttle_count") for cpu in _cpus(root)]
    throttled = [each for each in counts if each is not None]
    if throttled:
        facts["cpu_throttle_count"] = max(throttled)
    return facts


def collect_memory(root: Root) -> Facts:
    """Return memory, swap, and what the kernel does to save memory."""
    facts: Facts = {}
    sizes = {
        name: int(value.split()[0]) * 1024
        for name, value in colon_separated(root.lines("proc/meminfo")).items()
        if re.fullmatch(r"\d+ kB", value)
    }
    for name, key in (("memory_bytes", "MemTotal"), ("memory_available_bytes", "MemAvailable")):
        if key in sizes:
            facts[name] = sizes[key]
    if "SwapTotal" in sizes:
        facts["swap_bytes"] = sizes["SwapTotal"]
        facts["swap_used_bytes"] = sizes["SwapTotal"] - sizes.get("SwapFree", 0)
    swaps = [line.split() for line in root.lines("proc/swaps")[1:]]
    kinds = dict.fromkeys(_swap_kind(words) for words in swaps if len(words) >= 2)
    if kinds:
        facts["swap_kinds"] = [*kinds]
    huge = re.search(r"\[(\w+)\]", root.text("sys/kernel/mm/transparent_hugepage/enabled") or "")
    if huge:
        facts["transparent_hugepages"] = huge[1]
    ksm = root.number("sys/kernel/mm/ksm/run")
    if ksm is not None:
        facts["ksm"] = ksm == 1
    return facts


def _swap_kind(words: list[str]) -> str:
    return "zram" if words[0].startswith("/dev/zram") else words[1]


def collect_disk(root: Root) -> Facts:
    """Return which disk the root file system lies on, and of what kind it is."""
    mount = _root_mount(root)
    if mount is None:
        return {}
    number, kind, source = mount
    facts: Facts = {"root_file_system": kind}
    device = _device(root, number, source)
    if device is None:
        return facts
    name = os.path.basename(device)  # noqa: PTH119
    facts["disk_device"] = name
    facts["disk_kind"] = _disk_kind(root, device)
    base = f"sys/class/block/{name}"
    model = root.text(f"{base}/device/model") or root.text(f"{base}/device/name")
    if model:
        facts["disk_model"] = model
    scheduler = root.text(f"{base}/queue/scheduler") or ""
    chosen = re.search(r"\[([\w-]+)\]", scheduler)
    if chosen or scheduler:
        facts["disk_scheduler"] = chosen[1] if chosen else scheduler
    return facts


def _root_mount(root: Root) -> tuple[str, str, str] | None:
    """Return device number, file system and source of what is mounted on / last."""
    found = None
    for line in root.lines("proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        words, rest = before.split(), after.split()
        if len(words) > 4 and words[4] == "/" and len(rest) > 1:
            found = (words[2], rest[0], rest[1])
    return found


def _device(root: Root, number: str, source: str) -> str | None:
    """Return where in /sys/devices the whole disk is described, below whatever maps or divides it."""
    path = root.link(f"sys/dev/block/{number}")
    if path is None and source.startswith("/dev/"):
        # btrfs gives its own number, and its device as the source.
        path = root.link(f"sys/class/block/{source.removeprefix('/dev/')}")
    for _ in range(8):
        if path is None:
            return None
        name = os.path.basename(path)  # noqa: PTH119
        below = root.names(f"sys/class/block/{name}/slaves")
        if below:
            path = root.link(f"sys/class/block/{below[0]}") or below[0]
        elif root.exists(f"sys/class/block/{name}/partition"):
            path = os.path.dirname(path)  # noqa: PTH120
        else:
            return path
    return None


def _disk_kind(root: Root, device: str) -> str:
    name = os.path.basename(device)  # noqa: PTH119
    base = f"sys/class/block/{name}"
    if name.startswith("mmcblk"):
        return "sd-card" if root.text(f"{base}/device/type") == "SD" else "emmc"
    # The last two: Hyper-V, and WSL2 with it, hang their SCSI disks on the bus of the virtual machine.
    for beginning, word, kind in (
        ("nvme", "", "nvme"),
        ("vd", "", "virtio"),
        ("xvd", "", "xen"),
        ("loop", "", "loop"),
        ("sd", "/virtio", "virtio"),
        ("sd", "/usb", "usb"),
        ("sd", "/VMBUS:", "hyper-v"),
        ("sd", "/MSFT1000:", "hyper-v"),
    ):
        if name.startswith(beginning) and word in device:
            return kind
    rotational = root.number(f"{base}/queue/rotational")
    if name.startswith("sd") and rotational is not None:
        return "rotational" if rotational else "ssd"
    return "other"


def collect_power(root: Root) -> Facts:
    """Return whether a computer with a battery runs on it."""
    base = "sys/class/power_supply"
    supplies = {name: root.text(f"{base}/{name}/type") for name in root.names(base)}
    if "Battery" not in supplies.values():
        return {}
    mains = [root.number(f"{base}/{name}/online") for name, kind in supplies.items() if kind in ("Mains", "USB")]
    return {"on_battery": 1 not in mains} if mains else {}
