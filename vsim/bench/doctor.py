"""What this host can measure, and what would spoil it. Asks the drivers themselves: there is no second truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsim.bench.drivers import Driver, all_drivers
from vsim.bench.environment import Facts, Spoiler, find_spoilers, formatted, record_environment

__all__ = ["SCHEMA", "Diagnosis", "Rung", "ask_drivers", "describe_host", "examine"]

SCHEMA = "vsim.doctor/1"

_LIMIT_S = 12.0


@dataclass(frozen=True, slots=True)
class Rung:
    """A driver as this host sees it: `reason` is why it can't be measured, None when it can.

    `packages` are those of its Debian packages that aren't installed here.
    """

    name: str
    stack: str
    reason: str | None
    packages: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The host, its rungs in the order of the ladder, and what would spoil measurements."""

    environment: Facts
    rungs: tuple[Rung, ...]
    spoilers: tuple[Spoiler, ...]

    def to_data(self) -> dict[str, Any]:
        """Return the diagnosis as JSON holds it."""
        return {
            "schema": SCHEMA,
            "host": describe_host(self.environment),
            "rungs": [
                {
                    "name": rung.name,
                    "stack": rung.stack,
                    "measurable": rung.reason is None,
                    "reason": rung.reason,
                    "packages": [*rung.packages],
                    "flags": [*rung.flags],
                }
                for rung in self.rungs
            ],
            "spoilers": [
                {"name": each.name, "cause": each.cause, "next_step": each.next_step} for each in self.spoilers
            ],
            "environment": dict(self.environment),
        }


def examine(
    drivers: Sequence[Driver] | None = None,
    record: Callable[[], Facts] = record_environment,
    *,
    limit_s: float = _LIMIT_S,
) -> Diagnosis:
    """Look at the host and ask every driver, all at the same time, for at most `limit_s` and the record's own limits.

    Starts nothing that outlives the call.
    """
    asked = all_drivers() if drivers is None else drivers
    rungs: list[Rung] = []
    asking = threading.Thread(target=lambda: rungs.extend(ask_drivers(asked, limit_s=limit_s)), daemon=True)
    asking.start()
    facts = record()
    asking.join()
    return Diagnosis(facts, tuple(rungs), find_spoilers(facts))


def ask_drivers(drivers: Sequence[Driver], *, limit_s: float = _LIMIT_S) -> tuple[Rung, ...]:
    """Ask each driver what it lacks; one that doesn't answer within `limit_s`, or breaks, says so as its reason."""
    reasons: dict[int, str | None] = {}

    def ask(number: int, driver: Driver) -> None:
        try:
            reason = driver.lack()
        except Exception as error:  # a broken runtime must not hide the other rungs
            reason = f"it can't be asked: {str(error) or type(error).__name__}"
        if reason is None and driver.detection_only:
            reason = "it is there, but vsim has no way to start it yet"
        reasons[number] = reason

    threads = [
        threading.Thread(target=ask, args=(number, driver), daemon=True) for number, driver in enumerate(drivers)
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + limit_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return tuple(
        Rung(
            driver.name,
            driver.stack,
            reasons.get(number, f"it did not answer within {limit_s:g} s"),
            tuple(package for package in driver.packages if not _installed(package)),
            driver.flags,
        )
        for number, driver in enumerate(drivers)
    )


def _installed(package: str, info: Path = Path("/var/lib/dpkg/info")) -> bool:
    """Return whether dpkg has installed the package; those of a second architecture carry it in the name."""
    return (info / f"{package}.list").exists() or any(info.glob(f"{package}:*.list"))


# -- in words ----------------------------------------------------------------------------------------------------------

_CGROUPS = {
    "v1": "cgroup v1",
    "v2": "cgroup v2",
    "hybrid": "cgroup v1 hybrid (v1 controllers, v2 beside them)",
    "none": "no control groups",
}
_KVM = {
    "absent": "no KVM",
    "denied": "KVM may not be used",
    "boots": "KVM: a guest really boots",
    "no-guest-boots": "KVM present but no guest boots",
    "untried": "KVM present, not tried",
}


def describe_host(facts: Facts) -> list[str]:
    """Return what the host is, a statement each: what kind of host first."""
    lines = [_kind(facts), _list(facts, "cpu_model", "cpu_count", "cpu_max_hz", "memory_bytes", "disk_kind")]
    lines.append(", ".join(str(facts[name]) for name in ("distribution", "kernel", "architecture") if name in facts))
    if "cgroup_version" in facts:
        memory = "" if facts.get("cgroup_memory") else ", memory controller off"
        lines.append(f"{_CGROUPS[str(facts['cgroup_version'])]}{memory}")
    if "kvm" in facts:
        detail = f": {facts['kvm_detail']}" if facts["kvm"] in ("denied", "no-guest-boots", "untried") else ""
        lines.append(f"{_KVM[str(facts['kvm'])]}{detail}")
    if "docker_version" in facts:
        desktop = "Docker Desktop, engine" if facts.get("docker_desktop") else "Docker engine"
        lines.append(f"{desktop} {facts['docker_version']}, storage driver {facts.get('docker_storage_driver')}")
    if isinstance(facts.get("versions"), dict) and facts["versions"]:
        lines.append(formatted("versions", facts["versions"]))
    return [line for line in lines if line]


def _kind(facts: Facts) -> str:
    kind = {
        "virtual": f"virtual machine ({facts.get('host_hypervisor')})",
        "physical": "physical machine",
        "unknown": "physical or virtual: unknown",
    }[str(facts.get("host_kind", "unknown"))]
    product = facts.get("pi_model") or " ".join(
        str(facts[name]) for name in ("host_vendor", "host_product") if name in facts
    )
    if "host_container" in facts:
        kind = f"inside a {facts['host_container']} container on a {kind}"
    return f"{kind}: {product}" if product and facts.get("host_kind") == "physical" else kind


_WORDS: Mapping[str, str] = {
    "cpu_model": "{}",
    "cpu_count": "{} CPUs",
    "cpu_max_hz": "up to {}",
    "memory_bytes": "{} memory",
    "disk_kind": "disk: {}",
}


def _list(facts: Facts, *names: str) -> str:
    words = [_WORDS[name].format(formatted(name, facts[name])) for name in names if name in facts]
    return ", ".join("1 CPU" if word == "1 CPUs" else word for word in words)
