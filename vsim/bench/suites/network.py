"""Network: a round trip of one byte, and bytes per second in one direction, over one mode at a time.

    loopback            within the instance, between two processes
    host                the instance shares the host's network; a client on the host talks to it
    bridge              a client on the host talks to its address on the engine's bridge
    published           … to a port that is published, through the engine's userland proxy or a monitor's own network
    published_no_proxy  … to one that the kernel redirects, without a proxy
    user_defined        two instances on a network of their own

The probe answers and asks on every rung, so the rungs differ in nothing but what lies between. The client's own clock
gives the durations.
"""

from __future__ import annotations

from pathlib import Path

from vsim.bench.drivers.interface import Driver, InstanceSpec
from vsim.bench.errors import StageError
from vsim.bench.perform import Report, perform
from vsim.bench.suites._cost import nothing_runs, slowdown
from vsim.bench.suites.interface import Context, Demand, Suite
from vsim.bench.suites.requests import free_ports
from vsim.bench.visitor import visit
from vsim.model.plan import DriveNetwork, Step

__all__ = ["SUITE"]

# Rather too slow guesses for bare metal: seconds for a round trip, for a byte.
_ROUND_TRIP_S = 60e-6
_BYTE_S = 2e-9


class _Network(Suite):
    name = "network"
    headline = ("network_round_trip_s", "network_throughput_bytes_per_s")

    def run(self, step: Step, context: Context) -> None:
        assert isinstance(step, DriveNetwork)
        report = _within(step, context) if step.mode == "loopback" else _from_outside(step, context)
        flags = (f"network-{step.mode}",)
        context.record.sample("network_round_trip_s", report.duration_s("ping") / step.round_trips, "s", flags=flags)
        context.record.sample(
            "network_throughput_bytes_per_s", step.bytes / report.duration_s("send"), "bytes/s", flags=flags
        )

    def demand(self, step: Step, driver: Driver) -> Demand:
        assert isinstance(step, DriveNetwork)
        instances = 2 if step.mode == "user_defined" else 1
        return Demand(
            memory_bytes=instances * driver.overhead_bytes,
            pids=instances * driver.pids_per_instance,
            seconds=2 * instances * driver.typical_start_s + _work_s(step, driver),
        )

    def lack(self, step: Step, driver: Driver) -> str | None:
        assert isinstance(step, DriveNetwork)
        reason = nothing_runs(driver)
        if reason is None and step.mode not in driver.networks:
            reason = f"it has no network {step.mode}"
        return reason


def _work_s(step: DriveNetwork, driver: Driver) -> float:
    return (step.round_trips * _ROUND_TRIP_S + step.bytes * _BYTE_S) * slowdown(driver, "network")


def _timeout_s(step: DriveNetwork, driver: Driver) -> float:
    return 30.0 + 10 * _work_s(step, driver)


def _client(step: DriveNetwork, echo: tuple[str, int], sink: tuple[str, int]) -> tuple[str, ...]:
    """Return the probe's arguments for talking to an echo and a sink."""
    return (f"ping={echo[0]}:{echo[1]}:{step.round_trips}", f"send={sink[0]}:{sink[1]}:{step.bytes}")


def _within(step: DriveNetwork, context: Context) -> Report:
    # Where the instance shares the host's loopback interface, it shares its ports too.
    echo, sink = free_ports(2)
    talk = _client(step, ("127.0.0.1", echo), ("127.0.0.1", sink))
    spec = InstanceSpec(arguments=("lo", f"echo={echo}", f"sink={sink}", "aside", *talk), network="loopback")
    return perform(context, spec, timeout_s=_timeout_s(step, context.driver))


def _from_outside(step: DriveNetwork, context: Context) -> Report:
    echo, sink = free_ports(2)
    server = context.launch(
        InstanceSpec(arguments=(f"echo={echo}", f"sink={sink}"), network=step.mode, ports=(echo, sink))
    )
    try:
        ends = server.instance.endpoint(echo), server.instance.endpoint(sink)
        if ends[0] is None or ends[1] is None:
            raise StageError("work", f"it can't be reached over the network {step.mode}")
        if step.mode == "published" and context.driver.stack != "vm" and not _proxied(ends[0][1]):
            raise StageError("work", "the port is published without a userland proxy: the engine has it switched off")
        arguments = _client(step, ends[0], ends[1])
        if step.mode == "user_defined":
            spec = InstanceSpec(arguments=arguments, network=step.mode)
            return perform(context, spec, timeout_s=_timeout_s(step, context.driver))
        return visit(context.session.workspace, arguments, timeout_s=_timeout_s(step, context.driver))
    finally:
        context.retire(server)


def _proxied(port: int) -> bool:
    """Return whether a process stands between that port of the host and the container."""
    wanted = (b"-host-port", str(port).encode())
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if wanted[0] in words and wanted[1] in words:
                return True
    return False


SUITE = _Network()
