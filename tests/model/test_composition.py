"""How costs compose along each of the six stacks, by layers of round numbers and values worked out by hand."""

from __future__ import annotations

import math

import pytest

from tests.engine.toys import layer, q, toy_machine
from vsim.model.layer import CpuCost, DiskCost, Failure, MemoryCost, NetworkCost, Stage
from vsim.model.stack import Architecture, LayerFailure, PathCost, Stack

HOST_OS = layer(
    "host-os",
    offers=frozenset({"devices", "kernel-modules", "host-network"}),
    startup=(Stage("boot", per="environment", cpu_core_s=q(6)),),
    memory=MemoryCost(environment_bytes=q(300)),
    cpu=CpuCost(environment_cores=q(0.5)),
    failure=Failure(per_year=q(1), kills="environment"),
)
PROCESS = layer(
    "process",
    boundary="process",
    startup=(Stage("fetch", per="image", image_pull=q(1)), Stage("exec", cpu_core_s=q(0.001))),
    memory=MemoryCost(unit_bytes=q(4), unit_shared=q(0.5), unit_fraction=q(0.01), sharing=q(1)),
)
HYPERVISOR = layer(
    "hypervisor",
    opens_guest=True,
    boundary="hypervisor",
    requires=frozenset({"vt"}),
    offers=frozenset({"live-migration", "foreign-kernel", "devices"}),
    startup=(
        Stage("boot", per="environment", cpu_core_s=q(7)),
        Stage("fetch", per="image", pull_bytes=q(1000)),
        Stage("create", wait_s=q(1)),
    ),
    memory=MemoryCost(environment_bytes=q(400), unit_bytes=q(100), unit_fraction=q(0.02), sharing=q(0)),
    cpu=CpuCost(
        user_factor=q(1.5),
        system_call_factor=q(1.25),
        page_fault_factor=q(2),
        environment_cores=q(1),
        unit_cores=q(0.25),
    ),
    default_disk="virtual",
    disk={"virtual": DiskCost(latency_s=q(0.25), iops_factor=q(0.5), throughput_factor=q(0.5))},
    default_network="virtio",
    network={"virtio": NetworkCost(latency_s=q(0.125), throughput_factor=q(0.5), cpu_core_s_per_byte=q(2))},
    failure=Failure(per_year=q(2), kills="environment"),
    max_units=q(50),
)
GUEST_OS = layer(
    "guest-os",
    startup=(Stage("boot", per="environment", cpu_core_s=q(4)),),
    memory=MemoryCost(environment_bytes=q(110)),
    cpu=CpuCost(environment_cores=q(0.125)),
    failure=Failure(per_year=q(3), kills="environment"),
)
VMM = layer(
    "vmm",
    opens_guest=True,
    boundary="hypervisor",
    offers=frozenset({"snapshot", "foreign-kernel"}),
    startup=(Stage("create", cpu_core_s=q(0.02)),),
    memory=MemoryCost(unit_bytes=q(3), sharing=q(0)),
    cpu=CpuCost(user_factor=q(1.25)),
    failure=Failure(per_year=q(5), kills="unit"),
)
GUEST_KERNEL = layer(
    "guest-kernel",
    startup=(Stage("boot", per="environment", cpu_core_s=q(0.1)),),
    memory=MemoryCost(environment_bytes=q(29)),
)
ENGINE = layer(
    "engine",
    boundary="namespace",
    offers=frozenset({"devices", "host-network", "live-migration"}),
    startup=(
        Stage("daemon", per="environment", wait_s=q(2)),
        Stage("create", cpu_core_s=q(0.2)),
        Stage("namespaces", cpu_core_s=q(0.01), section="netns"),
    ),
    memory=MemoryCost(environment_bytes=q(150), unit_bytes=q(8), sharing=q(0.75)),
    cpu=CpuCost(system_call_factor=q(1.5), environment_cores=q(0.25), unit_cores=q(0.0625)),
    default_disk="root",
    disk={"root": DiskCost(latency_s=q(0.5), iops_factor=q(0.25)), "volume": DiskCost(latency_s=q(0))},
    default_network="bridge",
    network={
        "bridge": NetworkCost(latency_s=q(0.5), throughput_factor=q(0.5), cpu_core_s_per_byte=q(1)),
        "host": NetworkCost(latency_s=q(0)),
    },
    failure=Failure(per_year=q(4), kills="environment", repair_s=q(10)),
    max_units=q(20),
)
SANDBOX = layer(
    "sandbox",
    boundary="sandbox-kernel",
    startup=(Stage("sentry", cpu_core_s=q(0.08)),),
    memory=MemoryCost(unit_bytes=q(20), unit_shared=q(0.25), sharing=q(0.5)),
    cpu=CpuCost(system_call_factor=q(3), page_fault_factor=q(2)),
    default_disk="root",
    disk={"root": DiskCost(latency_s=q(1), iops_factor=q(0.5))},
    failure=Failure(per_year=q(6), kills="unit"),
)
STACKS = {
    "bare-metal": (HOST_OS, PROCESS),
    "vm": (HYPERVISOR, GUEST_OS, PROCESS),
    "microvm": (HOST_OS, VMM, GUEST_KERNEL, PROCESS),
    "container": (HOST_OS, ENGINE, PROCESS),
    "sandboxed-container": (HOST_OS, ENGINE, SANDBOX, PROCESS),
    "container-in-vm": (HYPERVISOR, GUEST_OS, ENGINE, PROCESS),
}
MACHINE = toy_machine(offers=frozenset({"vt"}), startup=(Stage("power-on", per="environment", wait_s=q(30)),))


def composed(name: str, guest_size: int | None = 8) -> Architecture:
    size = q(guest_size) if name == "container-in-vm" and guest_size is not None else None
    return Architecture(Stack(name, name, STACKS[name], size), MACHINE)


def stages(found: object) -> list[str]:
    return [f"{of.layer}.{of.stage.name}" for of in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "host", "guest", "unit", "host_image", "guest_image"),
    [
        ("bare-metal", ["host-os.boot"], [], ["process.exec"], ["process.fetch"], []),
        (
            "vm",
            ["hypervisor.boot"],
            ["hypervisor.create", "guest-os.boot"],
            ["process.exec"],
            ["hypervisor.fetch"],
            ["process.fetch"],
        ),
        (
            "microvm",
            ["host-os.boot"],
            ["vmm.create", "guest-kernel.boot"],
            ["process.exec"],
            [],
            ["process.fetch"],
        ),
        (
            "container",
            ["host-os.boot", "engine.daemon"],
            [],
            ["engine.create", "engine.namespaces", "process.exec"],
            ["process.fetch"],
            [],
        ),
        (
            "sandboxed-container",
            ["host-os.boot", "engine.daemon"],
            [],
            ["engine.create", "engine.namespaces", "sandbox.sentry", "process.exec"],
            ["process.fetch"],
            [],
        ),
        (
            "container-in-vm",
            ["hypervisor.boot"],
            ["hypervisor.create", "guest-os.boot", "engine.daemon"],
            ["engine.create", "engine.namespaces", "process.exec"],
            ["hypervisor.fetch"],
            ["process.fetch"],
        ),
    ],
)
def test_stages_run_from_the_machine_upwards_each_where_it_belongs(
    name: str, host: list[str], guest: list[str], unit: list[str], host_image: list[str], guest_image: list[str]
) -> None:
    architecture = composed(name)
    assert stages(architecture.host_stages) == ["box.power-on", *host]
    assert stages(architecture.guest_stages) == guest
    assert stages(architecture.unit_stages) == unit
    assert stages(architecture.host_image_stages) == host_image
    assert stages(architecture.guest_image_stages) == guest_image


@pytest.mark.parametrize(
    ("name", "host", "guest", "instance", "fraction"),
    [
        ("bare-metal", 300, 0, 4, 0.01),
        ("vm", 400, 100 + 110, 4, 0.03),
        ("microvm", 300, 3 + 29, 4, 0.01),
        ("container", 300 + 150, 0, 8 + 4, 0.01),
        ("sandboxed-container", 300 + 150, 0, 8 + 20 + 4, 0.01),
        # the engine's daemons are in every guest
        ("container-in-vm", 400, 100 + 110 + 150, 8 + 4, 0.03),
    ],
)
def test_memory_adds_up_per_host_per_guest_and_per_instance(
    name: str, host: float, guest: float, instance: float, fraction: float
) -> None:
    architecture = composed(name)
    assert architecture.host_memory_bytes == host
    assert architecture.guest_memory_bytes == guest
    assert architecture.instance_memory_bytes == instance
    assert architecture.memory_fraction == pytest.approx(fraction)


@pytest.mark.parametrize(
    ("name", "sharing", "instance_shared"),
    [
        ("bare-metal", 1.0, 2),  # half of the process' 4 bytes
        ("vm", 0.0, 2),
        ("microvm", 0.0, 2),
        ("container", 0.75, 2),
        ("sandboxed-container", 0.75 * 0.5, 2 + 5),  # and a quarter of the sandbox's 20
        ("container-in-vm", 0.0, 2),
    ],
)
def test_sharing_multiplies_so_that_a_guest_ends_it(name: str, sharing: float, instance_shared: float) -> None:
    architecture = composed(name)
    assert architecture.sharing == sharing
    assert architecture.instance_shared_bytes == instance_shared
    assert architecture.guest_shared_bytes == 0


@pytest.mark.parametrize(
    ("name", "user", "system_call", "page_fault"),
    [
        ("bare-metal", 1.0, 1.0, 1.0),
        ("vm", 1.5, 1.25, 2.0),
        ("microvm", 1.25, 1.0, 1.0),
        ("container", 1.0, 1.5, 1.0),
        ("sandboxed-container", 1.0, 1.5 * 3, 2.0),
        ("container-in-vm", 1.5, 1.25 * 1.5, 2.0),
    ],
)
def test_slowdowns_multiply(name: str, user: float, system_call: float, page_fault: float) -> None:
    cpu = composed(name).cpu
    assert (cpu.user, cpu.system_call, cpu.page_fault) == (user, system_call, page_fault)


@pytest.mark.parametrize(
    ("name", "host", "guest", "instance"),
    [
        ("bare-metal", 0.5, 0, 0),
        ("vm", 1, 0.25 + 0.125, 0),
        ("container", 0.5 + 0.25, 0, 0.0625),
        ("container-in-vm", 1, 0.25 + 0.125 + 0.25, 0.0625),
    ],
)
def test_cores_kept_busy_add_up(name: str, host: float, guest: float, instance: float) -> None:
    architecture = composed(name)
    assert (architecture.host_cores, architecture.guest_cores, architecture.instance_cores) == (host, guest, instance)


@pytest.mark.parametrize(
    ("name", "path", "cost"),
    [
        ("bare-metal", "root", PathCost(0.0, 1.0, 1.0)),
        # a path that the hypervisor doesn't know is on its virtual disk
        ("vm", "root", PathCost(0.25, 0.5, 0.5)),
        ("container", "root", PathCost(0.5, 1.0, 0.25)),
        ("container", "volume", PathCost(0.0, 1.0, 1.0)),
        # the engine's path as asked for; the sandbox, which doesn't state it, charges its default
        ("sandboxed-container", "volume", PathCost(1.0, 1.0, 0.5)),
        ("container-in-vm", "root", PathCost(0.75, 0.5, 0.125)),
        ("container-in-vm", "volume", PathCost(0.25, 0.5, 0.5)),
    ],
)
def test_disk_latencies_add_and_factors_multiply(name: str, path: str, cost: PathCost) -> None:
    assert composed(name).disk(path) == cost


@pytest.mark.parametrize(
    ("name", "mode", "cost"),
    [
        ("bare-metal", "bridge", PathCost(0.0, 1.0)),
        ("vm", "bridge", PathCost(0.125, 0.5, cpu_core_s_per_byte=2)),
        ("container", "bridge", PathCost(0.5, 0.5, cpu_core_s_per_byte=1)),
        ("container", "host", PathCost(0.0, 1.0)),
        ("container-in-vm", "bridge", PathCost(0.625, 0.25, cpu_core_s_per_byte=3)),
        ("container-in-vm", "host", PathCost(0.125, 0.5, cpu_core_s_per_byte=2)),
    ],
)
def test_network_latencies_add_and_factors_multiply(name: str, mode: str, cost: PathCost) -> None:
    assert composed(name).network(mode) == cost


@pytest.mark.parametrize(
    ("name", "boundary"),
    [
        ("bare-metal", "process"),
        ("vm", "hypervisor"),
        ("microvm", "hypervisor"),
        ("container", "namespace"),
        ("sandboxed-container", "sandbox-kernel"),
        # two containers may be in one guest: the hypervisor is not between them
        ("container-in-vm", "namespace"),
    ],
)
def test_the_weakest_boundary_between_two_instances_counts(name: str, boundary: str) -> None:
    assert composed(name).boundary == boundary


def test_one_container_per_guest_is_behind_the_hypervisor() -> None:
    assert composed("container-in-vm", guest_size=None).boundary == "hypervisor"
    assert composed("container-in-vm", guest_size=1).boundary == "hypervisor"


@pytest.mark.parametrize(
    ("name", "guests", "per_environment"),
    [
        ("bare-metal", math.inf, math.inf),
        ("vm", 50, math.inf),
        ("microvm", math.inf, math.inf),
        ("container", math.inf, 20),
        ("sandboxed-container", math.inf, 20),
        ("container-in-vm", 50, 20),
    ],
)
def test_the_tightest_limit_counts_where_it_applies(name: str, guests: float, per_environment: float) -> None:
    architecture = composed(name)
    assert architecture.max_guests == guests
    assert architecture.max_instances_per_environment == per_environment


@pytest.mark.parametrize(
    ("name", "capabilities"),
    [
        ("bare-metal", {"devices", "kernel-modules", "host-network"}),
        ("vm", {"live-migration", "foreign-kernel", "devices"}),
        # what the host's system keeps for itself doesn't limit a guest
        ("microvm", {"snapshot", "foreign-kernel"}),
        # the host's system doesn't migrate, so its containers don't either
        ("container", {"devices", "host-network"}),
        ("sandboxed-container", {"devices", "host-network"}),
        ("container-in-vm", {"live-migration", "devices"}),
    ],
)
def test_capabilities_intersect_within_the_kernel_that_offers_them(name: str, capabilities: set[str]) -> None:
    assert composed(name).capabilities == capabilities


HOST = LayerFailure("host-os", 1, "host", 0)
HYPERVISOR_DOWN = LayerFailure("hypervisor", 2, "host", 0)
GUEST_DOWN = LayerFailure("guest-os", 3, "guest", 0)


@pytest.mark.parametrize(
    ("name", "failures"),
    [
        ("bare-metal", [HOST]),
        ("vm", [HYPERVISOR_DOWN, GUEST_DOWN]),
        ("microvm", [HOST, LayerFailure("vmm", 5, "guest", 0)]),
        ("container", [HOST, LayerFailure("engine", 4, "host", 10)]),
        (
            "sandboxed-container",
            [HOST, LayerFailure("engine", 4, "host", 10), LayerFailure("sandbox", 6, "instance", 0)],
        ),
        ("container-in-vm", [HYPERVISOR_DOWN, GUEST_DOWN, LayerFailure("engine", 4, "guest", 10)]),
    ],
)
def test_a_failure_takes_down_what_runs_in_its_environment(name: str, failures: list[LayerFailure]) -> None:
    assert list(composed(name).failures) == failures


def test_a_machine_that_lacks_something_is_named_with_what_it_lacks() -> None:
    with pytest.raises(ValueError, match=r"box doesn't offer vt, which the layer hypervisor of the stack vm requires"):
        Architecture(Stack("vm", "VM", STACKS["vm"]), toy_machine())


def test_a_guest_within_a_guest_is_refused() -> None:
    with pytest.raises(ValueError, match="hypervisor and vmm both open a guest"):
        Stack("nested", "Nested", (HYPERVISOR, GUEST_OS, VMM, PROCESS))


def test_a_default_path_must_be_one_that_the_layer_states() -> None:
    with pytest.raises(ValueError, match="default_disk is 'root', whose cost the layer doesn't state"):
        layer("odd", default_disk="root")


def test_the_size_of_a_guest_needs_a_guest() -> None:
    with pytest.raises(ValueError, match="guest_size is for stacks with a layer that opens a guest"):
        Stack("container", "Container", STACKS["container"], q(4))
