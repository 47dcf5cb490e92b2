"""The statements. Each says what it would take to be true: quantities, thresholds, and why the thresholds are there.

A threshold is a choice, so it has a reason in words; where it is somebody else's, the reason names them:

- Nielsen, Usability Engineering, 1993, chapter 5 (https://www.nngroup.com/articles/response-times-3-important-limits/):
  0.1 s is "about the limit for having the user feel that the system is reacting instantaneously", after Miller,
  Response time in man-computer conversational transactions, AFIPS 1968, whose limits come from experience and not
  from experiments (Butler, CHI '83). It is about a user interface: what a person waits for.
- Seow, Designing and Engineering Time, 2008, by way of Glas, The 20% Guideline, 2009
  (https://learn.microsoft.com/en-us/archive/blogs/edglas/make-your-performance-work-count-the-20-guideline): for
  durations under 30 s, differences of up to 18 % aren't detected; as a rule of thumb, changes of less than 20 % aren't
  noticed.
- Firecracker, SPECIFICATION.md (https://github.com/firecracker-microvm/firecracker): "memory overhead <= 5 MiB" of the
  monitor's threads; "compute-only guest CPU performance is > 95%" of bare metal, an integration test pending.
"""

from __future__ import annotations

from vsim.report.myths.claims import Measured, MemoryShare, NetworkShare, ParameterValue, Value
from vsim.report.myths.judging import Condition, Myth
from vsim.report.myths.pairs import Gap, Ratio

__all__ = ["MYTHS"]

_NOTICED = "as a rule of thumb, less of a change isn't noticed (Seow 2008, as Glas 2009 reports it)"
_WEEK = 7 * 86400.0
_ENGINE = ("container-engine.startup.*",)
_GUEST = ("hypervisor.startup.*", "guest-os.startup.*")
_ENGINE_CPU = ("container-engine.cpu.*_factor",)
_VM_CPU = ("hypervisor.cpu.*_factor",)
_SANDBOX_CPU = ("sandbox-kernel.cpu.*_factor",)

MYTHS: tuple[Myth, ...] = (
    Myth(
        "containers-start-instantly",
        "Containers start instantly.",
        (Condition(Gap("provision_s", "container@*", "bare-metal@*", parameters=_ENGINE), "at most", 0.1),),
        "What the container adds to one start of the application, which takes its own time anywhere: 0.1 s is about "
        "the limit up to which a system feels instantaneous (Nielsen 1993, ch. 5, after Miller 1968: experience, no "
        "experiment).",
    ),
    Myth(
        "vms-take-minutes",
        "Virtual machines take minutes to start.",
        (Condition(Value("startup_p95_s", "vm@*", _GUEST), "at least", 120.0),),
        "Minutes are two or more; the slowest twentieth is asked, which favours the statement.",
    ),
    Myth(
        "vms-start-ten-times-slower",
        "A VM takes ten times as long to start as a container.",
        (Condition(Ratio("startup_p95_s", "vm@*", "container@*"), "at least", 10.0),),
        "The statement says ten; what the application itself needs to start is in both.",
    ),
    Myth(
        "microvms-start-like-containers",
        "A microVM starts as fast as a container.",
        (Condition(Ratio("startup_p95_s", "microvm@*", "container@*"), "at most", 1.2),),
        f"A fifth: {_NOTICED}.",
    ),
    Myth(
        "vms-waste-half-the-memory",
        "VMs waste half the memory.",
        (Condition(MemoryShare("vm@*", ("*.memory.*",)), "at least", 0.5),),
        "The statement says half: what the layers take, over that plus what the application needs.",
    ),
    Myth(
        "containers-weigh-nothing",
        "Containers need no memory of their own.",
        (Condition(MemoryShare("container@*", ("container-engine.memory.*", "host-os.memory.*")), "at most", 0.01),),
        "A hundredth is less than anybody plans with.",
    ),
    Myth(
        "microvms-need-5-mib",
        "A microVM costs 5 MiB of memory.",
        (Condition(Value("memory_overhead_bytes", "microvm@*"), "at most", 5 * 2.0**20),),
        "5 MiB is what Firecracker's specification allows the threads of its monitor; "
        "guest kernel and host come on top.",
    ),
    Myth(
        "nesting-pays-twice",
        "Containers inside VMs pay for both.",
        (Condition(Ratio("memory_overhead_bytes", "container-in-vm@*", "vm@*"), "at least", 1.0),),
        "Who pays for both pays at least as much as for the VM alone.",
    ),
    Myth(
        "containers-as-fast-as-bare-metal",
        "Containers are as fast as bare metal.",
        (
            Condition(
                Gap("cpu_overhead_fraction", "container@*", "bare-metal@*", parameters=_ENGINE_CPU), "at most", 0.05
            ),
            Condition(Ratio("latency_p95_s", "container@*", "bare-metal@*", parameters=_ENGINE_CPU), "at most", 1.2),
        ),
        "CPU: 5 %, as Firecracker's specification promises guests that only compute more than 95 % of bare metal. "
        f"Answers: a fifth; {_NOTICED}.",
    ),
    Myth(
        "vms-are-slow",
        "Virtual machines are slow.",
        (Condition(Ratio("latency_p95_s", "vm@*", "bare-metal@*", parameters=_VM_CPU), "at least", 1.2),),
        f"Slow is what is noticed, a fifth more time: {_NOTICED}.",
    ),
    Myth(
        "sandboxes-halve-the-speed",
        "Sandboxed containers are twice as slow.",
        (
            Condition(
                Ratio("latency_p95_s", "sandboxed-container@*", "container@*", parameters=_SANDBOX_CPU), "at least", 2.0
            ),
        ),
        "The statement says twice.",
    ),
    Myth(
        "docker-is-slower-because-of-nat",
        "Docker is slower because of NAT.",
        (
            Condition(
                NetworkShare("container-engine.network.published.latency_s", "container@*"),
                "at least",
                0.05,
            ),
        ),
        "A published port, there and back, is to be a twentieth of the median latency: less is lost in its spread.",
    ),
    Myth(
        "virtual-disks-halve-io",
        "A virtual disk halves the I/O operations.",
        (Condition(ParameterValue("hypervisor.disk.virtual-disk.iops_factor"), "at most", 0.5),),
        "The statement says half.",
    ),
    Myth(
        "containers-are-ten-times-denser",
        "Ten times as many containers as VMs fit on a machine.",
        (Condition(Ratio("instances_per_host", "container@*", "vm@*"), "at least", 10.0),),
        "The statement says ten.",
    ),
    Myth(
        "virtualization-saves-machines",
        "Virtualization halves the number of machines.",
        (Condition(Ratio("hosts", "vm@*", "bare-metal@*", same_machine=False), "at most", 0.5),),
        "The statement says half; the machines before and after may be different ones, as they were.",
    ),
    Myth(
        "containers-save-machines",
        "Containers need fewer machines than VMs.",
        (Condition(Ratio("hosts", "container@*", "vm@*"), "at most", 0.999),),
        "Fewer is fewer, if only by one in a thousand.",
    ),
    Myth(
        "blades-save-space",
        "Blades halve the rack space.",
        (
            Condition(
                Ratio("rack_units", "bare-metal@blade", "bare-metal@*-server", same_machine=False), "at most", 0.5
            ),
        ),
        "The statement says half.",
    ),
    Myth(
        "blades-save-energy",
        "Blades save energy.",
        (Condition(Ratio("energy_wh", "bare-metal@blade", "bare-metal@*-server", same_machine=False), "at most", 0.9),),
        "A tenth: less is within what a power meter and a warm day change.",
    ),
    Myth(
        "containers-are-cheaper",
        "Containers are cheaper than VMs.",
        (Condition(Ratio("cost_per_month", "container@*", "vm@*"), "at most", 0.9),),
        "A tenth of the bill: less is nobody's reason to move.",
    ),
    Myth(
        "bare-metal-takes-weeks",
        "One more instance takes weeks on bare metal, and seconds in a container.",
        (
            Condition(Value("provision_s", "bare-metal@*"), "at least", _WEEK),
            Condition(Value("provision_s", "container@*"), "at most", 60.0),
        ),
        "Weeks: at least one. Seconds: below a minute.",
    ),
    Myth(
        "eggs-in-one-basket",
        "Consolidation puts all eggs in one basket.",
        (
            Condition(
                Ratio("blast_radius_instances", "container@*", "bare-metal@*", same_machine=False), "at least", 2.0
            ),
        ),
        "One failure is to take down at least twice as many instances as before.",
    ),
    Myth(
        "fewer-machines-fail-less",
        "Fewer machines fail less often, so consolidation makes services more available.",
        (
            Condition(
                Ratio("availability", "container@*", "bare-metal@*", same_machine=False, missing=True), "at most", 0.9
            ),
        ),
        "A tenth less downtime: less doesn't show within years.",
    ),
    Myth(
        "a-pi-cannot-run-containers",
        "A Raspberry Pi can't run containers.",
        (Condition(Value("unplaced", "container@raspberry-pi-*"), "at least", 1.0),),
        "Can't: at least one instance finds no room.",
    ),
    Myth(
        "a-pi-is-too-slow",
        "A Raspberry Pi is too slow to serve anybody.",
        (Condition(Value("slo_fraction", "*@raspberry-pi-*"), "at most", 0.5),),
        "More than every second request comes too late for its own service's objective.",
    ),
    Myth(
        "a-container-starts-like-a-process",
        "A container is just a process, and starts like one.",
        (Condition(Measured("startup_s", "runc", "process"), "at most", 1.2),),
        f"Measured. A fifth: {_NOTICED}.",
    ),
    Myth(
        "docker-is-its-daemon",
        "Most of the time in which Docker starts a container is Docker's own.",
        (Condition(Measured("startup_s", "docker", "runc"), "at least", 2.0),),
        "Measured: most is more than half, so Docker takes at least twice as long as the runtime below it.",
    ),
    Myth(
        "gvisor-starts-slowly",
        "A sandboxed container takes twice as long to start.",
        (Condition(Measured("startup_s", "gvisor", "runc"), "at least", 2.0),),
        "Measured: the statement says twice.",
    ),
)
