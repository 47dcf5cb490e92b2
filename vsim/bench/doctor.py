"""What this host can measure, and what would spoil it. Asks the drivers themselves: there is no second truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsim.bench.drivers import Driver
from vsim.bench.environment import Facts, Spoiler, find_spoilers, formatted, record_environment
from vsim.bench.rungs import Rung, ask_drivers, ladder, with_trials

__all__ = ["SCHEMA", "Diagnosis", "describe_host", "examine", "try_rungs"]

SCHEMA = "vsim.doctor/1"

_LIMIT_S = 12.0
# Asking, trying and cleaning up together stay below 20 s.
_TRIAL_LIMIT_S, _ALL_LIMIT_S = 12.0, 15.0
# What starts as quickly is tried even if nobody asks for it.
_QUICK_S = 0.2

Trial = Callable[[Sequence[str], float], Mapping[str, str | None]]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The host, its rungs in the order of the ladder, and what would spoil measurements.

    `tried` says whether every rung was to be started, and not only the quick ones.
    """

    environment: Facts
    rungs: tuple[Rung, ...]
    spoilers: tuple[Spoiler, ...]
    tried: bool = False

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
                    "tried": rung.tried,
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
    trial: Trial | None = None,
    every: bool = False,
    limit_s: float = _LIMIT_S,
) -> Diagnosis:
    """Look at the host and ask every driver, all at the same time, for at most `limit_s` and the record's own limits.

    With `trial` (:func:`try_rungs`), rungs that say they can be measured are started once: those that start in a blink,
    with `every` the others too. A kernel that refuses a namespace, a mount or a control group shows in no other way.
    Nothing of it outlives the call.
    """
    begin = time.monotonic()
    asked = ladder() if drivers is None else drivers
    answers: list[Rung] = []
    asking = threading.Thread(target=lambda: answers.extend(ask_drivers(asked, limit_s=limit_s)), daemon=True)
    asking.start()
    facts = record()
    asking.join()
    rungs = tuple(answers)
    quick = {driver.name for driver in asked if every or driver.typical_start_s <= _QUICK_S}
    able = [rung.name for rung in rungs if rung.reason is None and rung.name in quick]
    if trial is not None and able:
        left_s = min(_TRIAL_LIMIT_S, _ALL_LIMIT_S - (time.monotonic() - begin))
        rungs = with_trials(rungs, trial(able, max(1.0, left_s)))
    return Diagnosis(facts, rungs, find_spoilers(facts), tried=trial is not None and every)


def try_rungs(names: Sequence[str], limit_s: float) -> Mapping[str, str | None]:
    """Start an instance on each of these rungs; return why it failed, None where it worked."""
    from vsim.bench.rungs import trial

    return trial.try_rungs(names, limit_s=limit_s)


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
        "unknown": "machine, physical or virtual (it can't be told)",
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
