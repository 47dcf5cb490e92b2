"""What is read from the files of real machines. The expected values are read off the texts by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.environment.machines import FIRECRACKER, LAPTOP, MACHINES, PI4, PI5, SERVER, WSL2, Machine
from vsim.bench.environment import METADATA, find_spoilers, formatted, record_environment

EXPECTED = {
    "firecracker": {
        "host_kind": "virtual",
        "host_hypervisor": "Firecracker",
        "cpu_model": "AMD EPYC",
        "cpu_count": 2,
        "cpu_cores": 2,
        "cpu_hz": 2_596_130_000,
        "cpu_smt": False,
        "cpu_vulnerabilities": {"spec_store_bypass": "Vulnerable"},
        "memory_bytes": 24684084 * 1024,
        "memory_available_bytes": 24112588 * 1024,
        "swap_bytes": 0,
        "transparent_hugepages": "madvise",
        "ksm": False,
        "disk_device": "vda",
        "disk_kind": "virtio",
        "disk_scheduler": "mq-deadline",
        "root_file_system": "ext4",
        "kernel": "6.18.44-fc",
        "kernel_parameters": ["mitigations=auto,no_guest_host,no_guest_guest", "psi=1"],
        "architecture": "x86_64",
        "distribution": "Debian GNU/Linux 12 (bookworm)",
        "cgroup_version": "hybrid",
        "cgroup_controllers": ["cpu", "hugetlb", "memory", "pids"],
        "cgroup_memory": True,
        "load": [1.31, 1.82, 3.13],
        "uptime_s": 4968.23,
        "cpu_steal_fraction": 0.001,  # 100 of 100 000 ticks
    },
    "pi-4": {
        "host_kind": "physical",
        "pi_model": "Raspberry Pi 4 Model B Rev 1.5",
        "cpu_model": "Cortex-A72",
        "cpu_count": 4,
        "cpu_cores": 4,
        "cpu_hz": 600_000_000,
        "cpu_max_hz": 1_800_000_000,
        "cpu_flags": ["asimd", "cpuid", "crc32", "evtstrm", "fp"],
        "cpu_governors": ["ondemand"],
        "cpu_turbo": False,
        "swap_used_bytes": 256 * 1024,
        "swap_kinds": ["file"],
        "disk_device": "mmcblk0",
        "disk_kind": "sd-card",
        "disk_model": "SC64G",
        "architecture": "aarch64",
        "kernel_parameters": ["cgroup_disable=memory"],
        "cgroup_version": "v2",
        "cgroup_memory": False,
    },
    "pi-5": {
        "host_kind": "physical",
        "pi_model": "Raspberry Pi 5 Model B Rev 1.0",
        "cpu_model": "Cortex-A76",
        "cpu_max_hz": 2_400_000_000,
        "cpu_governors": ["performance"],
        "swap_kinds": ["zram"],
        "swap_used_bytes": 0,
        "disk_device": "nvme0n1",
        "disk_kind": "nvme",
        "disk_model": "WD_BLACK SN770M 500GB",
        "kernel_parameters": ["cgroup_disable=memory", "numa=fake=8", "cgroup_enable=memory"],
        "cgroup_version": "v2",
        "cgroup_memory": True,
    },
    "server": {
        "host_kind": "physical",
        "host_vendor": "Dell Inc.",
        "host_product": "PowerEdge R620",
        "host_chassis": "server",
        "cpu_model": "Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz",
        "cpu_count": 5,
        "cpu_cores": 4,  # two cores in each of two sockets, one of them with both its threads
        "cpu_hz": 2_800_000_000,
        "cpu_smt": True,
        "cpu_turbo": True,
        "ksm": True,
        "disk_device": "sda",
        "disk_kind": "rotational",
        "disk_model": "PERC H710P",
        "kernel_parameters": ["isolcpus=2,3"],
        "cgroup_version": "v2",
        "cgroup_controllers": ["cpu", "cpuset", "hugetlb", "io", "memory", "misc", "pids", "rdma"],
        "cgroup_memory": True,
    },
    "wsl2": {
        "host_kind": "virtual",
        "host_hypervisor": "WSL2 (Hyper-V)",
        "cpu_model": "13th Gen Intel(R) Core(TM) i7-1360P",
        "disk_device": "sdd",
        "disk_kind": "hyper-v",
        "distribution": "Ubuntu 24.04.1 LTS",
        "kernel_parameters": ["nr_cpus=16"],
        "cgroup_version": "v2",
        "cgroup_memory": True,
    },
    "laptop": {
        "host_kind": "physical",
        "host_chassis": "laptop",
        "cpu_count": 8,
        "cpu_cores": 4,
        "cpu_hz": 500_000_000,  # one CPU at 1.2 GHz, seven at 0.4 GHz
        "cpu_max_hz": 4_700_000_000,
        "cpu_governors": ["powersave"],
        "cpu_frequency_driver": "intel_pstate",
        "cpu_turbo": True,
        "cpu_throttle_count": 12,
        "on_battery": True,
        "disk_device": "nvme0n1",
        "disk_kind": "nvme",
        "root_file_system": "btrfs",
        "swap_used_bytes": 262144 * 1024,
        "cgroup_version": "v2",
    },
}


def facts(machine: Machine, root: Path) -> dict[str, object]:
    return dict(record_environment(machine.build(root)))


def spoilers(machine: Machine, root: Path) -> list[str]:
    return [each.name for each in find_spoilers(record_environment(machine.build(root)))]


@pytest.mark.parametrize("name", MACHINES)
def test_the_facts(name: str, tmp_path: Path) -> None:
    found = facts(MACHINES[name], tmp_path)
    assert {key: found.get(key) for key in EXPECTED[name]} == EXPECTED[name]


@pytest.mark.parametrize("name", MACHINES)
def test_every_fact_is_in_the_registry_passes_its_check_and_can_be_written(name: str, tmp_path: Path) -> None:
    found = record_environment(MACHINES[name].build(tmp_path))
    assert json.loads(json.dumps(found)) == found
    for key, value in found.items():
        assert METADATA[key].check(value)
        assert formatted(key, value)


@pytest.mark.parametrize("name", MACHINES)
def test_nothing_that_identifies_a_device_is_recorded(name: str, tmp_path: Path) -> None:
    text = json.dumps(record_environment(MACHINES[name].build(tmp_path)))
    for secret in ("macaddr", "PARTUUID", "root=", "Serial"):
        assert secret not in text


def test_marks_of_a_container_are_remains_in_the_first_pid_namespace(tmp_path: Path) -> None:
    assert "host_container" not in facts(FIRECRACKER, tmp_path)


def test_marks_of_a_container_count_in_any_other(tmp_path: Path) -> None:
    inside = Machine(FIRECRACKER.files, FIRECRACKER.blocks, pid_namespace="pid:[4026532511]")
    found = facts(inside, tmp_path)
    assert found["host_container"] == "docker"
    assert found["host_kind"] == "virtual"


def test_wsl_is_a_virtual_machine_and_no_container(tmp_path: Path) -> None:
    assert "host_container" not in facts(WSL2, tmp_path)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (FIRECRACKER, ["virtual-host", "load"]),
        (PI4, ["memory-controller", "governor", "swap", "disk"]),
        (PI5, []),
        (SERVER, ["turbo", "ksm", "disk"]),
        (WSL2, ["virtual-host"]),
        (LAPTOP, ["governor", "turbo", "heat", "battery", "load", "swap"]),
    ],
)
def test_what_would_spoil_measurements(machine: Machine, expected: list[str], tmp_path: Path) -> None:
    assert spoilers(machine, tmp_path) == expected


def test_the_pi_is_told_how_to_switch_its_memory_controller_on(tmp_path: Path) -> None:
    found = find_spoilers(record_environment(PI4.build(tmp_path)))
    (step,) = [each.next_step for each in found if each.name == "memory-controller"]
    assert step is not None
    assert "cgroup_enable=memory" in step
    assert "/boot/firmware/cmdline.txt" in step


def test_turbo_is_switched_off_where_its_driver_listens(tmp_path: Path) -> None:
    steps = {}
    for name, machine in (("server", SERVER), ("laptop", LAPTOP)):
        found = find_spoilers(record_environment(machine.build(tmp_path / name)))
        steps[name] = next(each.next_step for each in found if each.name == "turbo")
    assert steps["server"] == "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
    assert steps["laptop"] == "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"


def test_an_empty_root_gives_an_empty_record(tmp_path: Path) -> None:
    found = record_environment(tmp_path)
    assert found == {"host_kind": "unknown"}
    assert find_spoilers(found) == ()


def test_a_host_without_proc_is_told_that_it_is_no_linux() -> None:
    """What the process itself knows on macOS."""
    (spoiler,) = find_spoilers({"host_kind": "unknown", "kernel": "Darwin 23.6.0", "architecture": "arm64"})
    assert spoiler.name == "no-proc"


def test_files_of_an_unknown_form_cost_only_their_own_facts(tmp_path: Path) -> None:
    broken = dict(PI5.files) | {
        "proc/loadavg": "none of your business\n",
        "proc/stat": "cpu  a b c d e f g h\n",
        "proc/meminfo": "MemTotal: lots\n",
        "proc/self/mountinfo": "\x00\xff garbage - \n- -\n",
    }
    found = facts(Machine(broken), tmp_path)
    assert found["cpu_model"] == "Cortex-A76"
    assert not {"load", "memory_bytes", "cgroup_version", "root_file_system"} & set(found)


@pytest.mark.parametrize(
    ("files", "kind", "hypervisor"),
    [
        ({"vendor": "QEMU", "product": "Standard PC (Q35 + ICH9, 2009)"}, "virtual", "QEMU"),
        ({"vendor": "Microsoft Corporation", "product": "Virtual Machine"}, "virtual", "Hyper-V"),
        ({"vendor": "VMware, Inc.", "product": "VMware Virtual Platform"}, "virtual", "VMware"),
        ({"vendor": "innotek GmbH", "product": "VirtualBox"}, "virtual", "VirtualBox"),
        ({"vendor": "Amazon EC2", "product": "c6g.large"}, "virtual", "Amazon EC2"),
        ({"vendor": "Amazon EC2", "product": "c6g.metal"}, "physical", None),
        ({"vendor": "Hetzner", "product": "vServer"}, "virtual", "Hetzner Cloud"),
        ({"vendor": "Ampere(R)", "product": "Mt. Jade Platform"}, "physical", None),
    ],
)
def test_arm_hosts_are_told_apart_by_dmi(
    files: dict[str, str], kind: str, hypervisor: str | None, tmp_path: Path
) -> None:
    """There is no hypervisor flag on ARM."""
    found = facts(
        Machine(
            {
                "proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\n",
                "sys/class/dmi/id/sys_vendor": files["vendor"],
                "sys/class/dmi/id/product_name": files["product"],
            }
        ),
        tmp_path,
    )
    assert found["host_kind"] == kind
    assert found.get("host_hypervisor") == hypervisor
    assert found["cpu_model"] == "Neoverse-N1"


def test_the_hypervisor_flag_decides_on_x86(tmp_path: Path) -> None:
    """A cloud's bare metal has the cloud's DMI and no flag."""
    metal = dict(SERVER.files) | {
        "sys/class/dmi/id/sys_vendor": "Amazon EC2",
        "sys/class/dmi/id/product_name": "m5.metal",
    }
    assert facts(Machine(metal), tmp_path)["host_kind"] == "physical"


def test_the_documentation_lists_every_fact_with_its_unit() -> None:
    page = (Path(__file__).parents[3] / "docs/bench/doctor.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{each.name}` | {each.title} | {each.unit or '–'} |" for each in METADATA.values()]
