"""What the probe's own work costs on the host that was measured: quantities that only plans in simulated time take.

A calibration states them under `reference`, in core-seconds of that host's core (`speed` 1), from what it has measured
on the rung `process`. A suite whose quantity isn't stated is left out: nothing else says what its work costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "CLIENT_LATE",
    "DISK_OPERATIONS",
    "LAUNCH",
    "LAUNCHER",
    "MESSAGE",
    "NETWORK",
    "OPERATION",
    "REQUEST",
    "SPREAD",
    "WAKE",
]

# One step of arithmetic, one system call, one page fault, by the work of a plan's `cpu` step.
OPERATION: Mapping[str, str] = MappingProxyType(
    {
        "user": "reference.probe_user_operation_core_s",
        "system_call": "reference.probe_system_call_core_s",
        "page_fault": "reference.probe_page_fault_core_s",
    }
)
# One HTTP answer, without the arithmetic that a plan may ask for.
REQUEST = "reference.probe_request_core_s"
# Before a server that was idle begins with the request that wakes it, beyond the round trip of the network.
WAKE = "reference.probe_wake_s"
# How an answer's time varies around its mean, arithmetic and all: 1, with a distribution.
SPREAD = "reference.probe_service_spread"
# What the harness computes for each start of a wave, one after another, before that start's clock begins.
LAUNCH = "reference.launch_core_s"
# The section in which it does that, and in turns with that whatever it computes for the starts that have begun: it is
# one interpreter, of whose threads one at a time computes.
LAUNCHER = "vsim.launcher"
# How late after the planned moment the harness's client sends a request, which counts in its latency.
CLIENT_LATE = "reference.client_late_s"
# Bytes per second from one process to another over the host's own network.
NETWORK = "reference.probe_network_bytes_per_s"
# One message through what two instances share, by the medium and the side: CPU work, nearly all of it system calls.
MESSAGE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "file": ("reference.probe_file_message_core_s",),
        "sqlite": ("reference.probe_sqlite_write_core_s", "reference.probe_sqlite_read_core_s"),
    }
)
# How many disk operations a transaction waits for, one after another.
DISK_OPERATIONS = "reference.probe_sqlite_disk_operations"
