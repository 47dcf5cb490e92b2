"""Kernel, distribution, control groups and load, from /proc, /sys and /etc."""

from __future__ import annotations

import re
import shlex

from vsim.bench.cgroups import hierarchies
from vsim.bench.environment.root import Facts, Root

__all__ = ["collect_cgroups", "collect_kernel", "collect_load"]

# Parameters that change what is measured. The others stay out of the record: they name disks, hardware addresses
# and, at times, secrets.
_TELLING = re.compile(
    r"(mitigations|cgroup_\w+|systemd\.unified_cgroup_hierarchy|isolcpus|nohz_full|rcu_nocbs|nosmt|maxcpus|nr_cpus|mem|"
    r"intel_pstate|amd_pstate|cpufreq\.\w+|idle|intel_idle\.\w+|processor\.max_cstate|transparent_hugepage|numa|"
    r"spectre_v2|nopti|pti|swapaccount|psi|preempt|clocksource|tsc)(=|$)"
)


def collect_kernel(root: Root) -> Facts:
    """Return kernel, distribution, architecture and the host's name."""
    facts: Facts = {}
    for name, file in (("kernel", "osrelease"), ("hostname", "hostname"), ("architecture", "arch")):
        text = root.text(f"proc/sys/kernel/{file}")
        if text:
            facts[name] = text
    telling = [word for word in (root.text("proc/cmdline") or "").split() if _TELLING.match(word)]
    if telling:
        facts["kernel_parameters"] = [*telling]
    release = root.text("etc/os-release") or root.text("usr/lib/os-release") or ""
    pretty = re.search(r"^PRETTY_NAME=(.+)$", release, re.MULTILINE)
    if pretty:
        try:
            facts["distribution"] = " ".join(shlex.split(pretty[1]))
        except ValueError:
            facts["distribution"] = pretty[1].strip("\"'")
    return facts


def collect_cgroups(root: Root) -> Facts:
    """Return the version of control groups and the controllers that work."""
    mountinfo = root.text("proc/self/mountinfo")
    if mountinfo is None:
        return {}
    found = hierarchies(mountinfo)
    unified = [line.split()[4] for line in mountinfo.splitlines() if line.partition(" - ")[2].startswith("cgroup2 ")]
    controllers = set(found.by_controller)
    if unified:
        # /proc/cgroups can't be asked: newer kernels list the controllers of v1 only.
        controllers.update((root.text(f"{unified[0].strip('/')}/cgroup.controllers") or "").split())
    # A hierarchy without controllers, `name=systemd`, only keeps processes apart.
    has_v1 = any(not name.startswith("name=") and "=" not in name for name in found.by_controller)
    version = ("hybrid" if unified else "v1") if has_v1 else ("v2" if unified else "none")
    names = sorted(name for name in controllers if re.fullmatch(r"[a-z_]+", name) and name not in _OPTIONS)
    return {
        "cgroup_version": version,
        "cgroup_controllers": [*names],
        "cgroup_memory": "memory" in names,
    }


# Mount options that stand where the names of controllers do.
_OPTIONS = ("rw", "ro", "xattr", "noprefix", "clone_children", "nsdelegate", "memory_recursiveprot")


def collect_load(root: Root) -> Facts:
    """Return how busy the host is, and how much time its hypervisor took from it since it was booted."""
    facts: Facts = {}
    averages = (root.text("proc/loadavg") or "").split()
    if len(averages) >= 3:
        facts["load"] = [float(word) for word in averages[:3]]
    uptime = (root.text("proc/uptime") or "").split()
    if uptime:
        facts["uptime_s"] = float(uptime[0])
    for line in root.lines("proc/stat"):
        if line.startswith("cpu "):
            # user nice system idle iowait irq softirq steal; guest time is part of user time
            ticks = [int(word) for word in line.split()[1:9]]
            if len(ticks) == 8 and any(ticks):
                facts["cpu_steal_fraction"] = round(ticks[7] / sum(ticks), 6)
    return facts
