"""What of a host would spoil measurements: each with its cause and the next command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vsim.bench.environment.metadata import formatted
from vsim.bench.environment.root import Facts

__all__ = ["Spoiler", "find_spoilers"]


@dataclass(frozen=True, slots=True)
class Spoiler:
    """One thing that would spoil measurements. `next_step` is a command or an action; None where there is none."""

    name: str
    cause: str
    next_step: str | None = None


def find_spoilers(facts: Facts) -> tuple[Spoiler, ...]:
    """Return what the facts of an environment record say against measurements on that host, the worst first."""
    return tuple(spoiler for rule in _RULES for spoiler in rule(facts))


def _no_linux(facts: Facts) -> Iterator[Spoiler]:
    # Every Linux that shows its /proc says how long it has been up.
    if "kernel" in facts and "uptime_s" not in facts:
        yield Spoiler(
            "no-proc",
            "nothing can be read from /proc: this isn't Linux, or its files are hidden; vsim measures Linux hosts",
            "run vsim bench on Linux, or in a Linux virtual machine; vsim simulate works anywhere",
        )


def _container(facts: Facts) -> Iterator[Spoiler]:
    if "host_container" in facts:
        yield Spoiler(
            "container",
            f"vsim runs inside a container ({facts['host_container']}): its limits and its storage are measured, too",
            "run vsim on the host itself",
        )


def _docker_desktop(facts: Facts) -> Iterator[Spoiler]:
    if facts.get("docker_desktop"):
        yield Spoiler(
            "docker-desktop",
            "Docker Desktop runs its engine in a hidden virtual machine: its containers are two rungs further up, and "
            "this host's memory and CPU figures don't show them",
            "install Docker Engine (Debian: apt-get install docker.io), then `docker context use default`",
        )


def _virtual(facts: Facts) -> Iterator[Spoiler]:
    if facts.get("host_kind") == "virtual":
        yield Spoiler(
            "virtual-host",
            f"this host is itself a virtual machine ({facts.get('host_hypervisor')}): every rung carries the cost of "
            "the one below it, and neighbours on the same machine show as noise",
            "compare rungs with each other only, and repeat on real hardware",
        )
    steal = facts.get("cpu_steal_fraction")
    if isinstance(steal, float) and steal > 0.01:
        yield Spoiler(
            "steal",
            f"the hypervisor took {formatted('cpu_steal_fraction', steal)} of the CPU time since boot",
            "take more blocks (--blocks), and look at the canary's spread",
        )


def _kvm(facts: Facts) -> Iterator[Spoiler]:
    if facts.get("kvm") == "no-guest-boots":
        yield Spoiler(
            "kvm",
            "KVM is present but no guest boots: virtual machines can only be emulated (qemu-tcg), which says nothing "
            "of hardware virtualization",
            "have nested virtualization switched on in the hypervisor, or measure virtual machines elsewhere",
        )


def _memory_controller(facts: Facts) -> Iterator[Spoiler]:
    if facts.get("cgroup_memory") is False:
        if "pi_model" in facts:
            step = (
                "add cgroup_enable=memory to the end of the line in /boot/firmware/cmdline.txt (before Debian 12: "
                "/boot/cmdline.txt), then reboot"
            )
        else:
            step = "boot without cgroup_disable=memory, or with cgroup_enable=memory"
        yield Spoiler(
            "memory-controller",
            "the memory controller of control groups is off: memory per control group can't be read, and limits on "
            "memory don't hold",
            step,
        )


def _pi(facts: Facts) -> Iterator[Spoiler]:
    states = facts.get("pi_throttled")
    if not isinstance(states, list) or not states:
        return
    words = ", ".join(str(state) for state in states)
    voltage = any("under-voltage" in str(state) for state in states)
    yield Spoiler(
        "pi-throttled",
        f"the Raspberry Pi lowers its clock: {words}",
        "use the official power supply and a short cable, then reboot and run `vcgencmd get_throttled`"
        if voltage
        else "cool it (a fan, a heat sink), then reboot and run `vcgencmd get_throttled`",
    )


def _frequency(facts: Facts) -> Iterator[Spoiler]:
    governors = facts.get("cpu_governors")
    if isinstance(governors, list) and any(each != "performance" for each in governors):
        yield Spoiler(
            "governor",
            f"the CPU's clock follows the load (governor {formatted('cpu_governors', governors)}): short work is "
            "measured at a lower clock than long work",
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        )
    if facts.get("cpu_turbo"):
        file, value = "/sys/devices/system/cpu/cpufreq/boost", 0
        if facts.get("cpu_frequency_driver") in ("intel_pstate", "intel_cpufreq"):
            file, value = "/sys/devices/system/cpu/intel_pstate/no_turbo", 1
        yield Spoiler(
            "turbo",
            "turbo is on: the clock falls as more cores are busy and as the CPU grows warm",
            f"echo {value} | sudo tee {file}",
        )
    count = facts.get("cpu_throttle_count")
    if isinstance(count, int) and count > 0:
        yield Spoiler("heat", f"the CPU was throttled for heat {count} times since boot", "cool it, and let it rest")
    if facts.get("on_battery"):
        yield Spoiler("battery", "the computer runs on its battery, and saves power", "plug it in")


def _load(facts: Facts) -> Iterator[Spoiler]:
    averages, cpus = facts.get("load"), facts.get("cpu_usable", facts.get("cpu_count"))
    latest = averages[0] if isinstance(averages, list) and averages else None
    if isinstance(latest, int | float) and isinstance(cpus, int) and latest > 0.25 * cpus:
        yield Spoiler(
            "load",
            f"other programs keep the host busy: load {latest:g} on {cpus} CPUs",
            "see `top`, end them, and wait a minute",
        )
    used = facts.get("swap_used_bytes")
    if isinstance(used, int) and used > 0:
        yield Spoiler(
            "swap",
            f"{formatted('swap_used_bytes', used)} are swapped out: memory figures would leave them out",
            "sudo swapoff -a && sudo swapon -a",
        )
    if facts.get("ksm"):
        yield Spoiler(
            "ksm",
            "the kernel merges equal pages (KSM): the memory of equal virtual machines shrinks while they run",
            "echo 2 | sudo tee /sys/kernel/mm/ksm/run",
        )


def _disk(facts: Facts) -> Iterator[Spoiler]:
    kind = facts.get("disk_kind")
    named = {
        "sd-card": "an SD card: writes stall for up to seconds, and images load at its speed",
        "rotational": "a rotating disk: seeks hide what the rungs cost",
        "usb": "a USB disk: its bridge limits latency and queue depth",
    }
    if isinstance(kind, str) and kind in named:
        yield Spoiler("disk", f"the root file system is on {named[kind]}", "use an SSD or NVMe for disk figures")
    driver = facts.get("docker_storage_driver")
    if driver in ("vfs", "fuse-overlayfs", "devicemapper"):
        yield Spoiler(
            "storage-driver",
            f"Docker's storage driver is {driver}: starting a container copies or goes through user space",
            'set {"storage-driver": "overlay2"} in /etc/docker/daemon.json and restart Docker',
        )
    if facts.get("docker_rootless"):
        yield Spoiler(
            "rootless",
            "Docker runs rootless: network and storage go through user space",
            "`docker context use default` for the system's engine",
        )


_RULES: tuple[Callable[[Facts], Iterator[Spoiler]], ...] = (
    _no_linux,
    _container,
    _docker_desktop,
    _virtual,
    _kvm,
    _memory_controller,
    _pi,
    _frequency,
    _load,
    _disk,
)
