"""Whether the host is a real machine, a virtual one, or the inside of a container."""

from __future__ import annotations

import re

from vsim.bench.environment.root import Facts, Root

__all__ = ["collect_host"]

_DMI = "sys/class/dmi/id"

# The beginnings of DMI's vendor and product names, as hypervisors and clouds give them.
_DMI_NAMES = (
    ("Google Compute Engine", "Google Compute Engine"),
    ("Amazon EC2", "Amazon EC2"),
    ("Microsoft Corporation Virtual Machine", "Hyper-V"),
    ("VMware", "VMware"),
    ("VMW", "VMware"),
    ("innotek GmbH", "VirtualBox"),
    ("VirtualBox", "VirtualBox"),
    ("Oracle Corporation VirtualBox", "VirtualBox"),
    ("Xen", "Xen"),
    ("Parallels", "Parallels"),
    ("BHYVE", "bhyve"),
    ("Apple Virtualization", "Apple Virtualization"),
    ("KubeVirt", "KubeVirt"),
    ("OpenStack", "OpenStack"),
    ("DigitalOcean", "DigitalOcean"),
    ("Hetzner vServer", "Hetzner Cloud"),
    ("Red Hat KVM", "KVM"),
    ("KVM", "KVM"),
    ("Bochs", "Bochs"),
    ("QEMU", "QEMU"),
)

# SMBIOS 3.7, table 17: the types of enclosure that are met.
_CHASSIS = {
    **dict.fromkeys((3, 4, 5, 6, 7, 13, 15, 16, 24, 35, 36), "desktop"),
    **dict.fromkeys((8, 9, 10, 14, 31), "laptop"),
    **dict.fromkeys((11, 30, 32), "tablet"),
    **dict.fromkeys((17, 23), "server"),
    **dict.fromkeys((28, 29), "blade"),
}

# The kernel gives its first PID namespace this number, always (PROC_PID_INIT_INO).
_FIRST_PID_NAMESPACE = "pid:[4026531836]"


def collect_host(root: Root) -> Facts:
    """Return what kind of host this is: by the CPU's hypervisor flag where it has one, else by DMI or device tree."""
    facts: Facts = {}
    vendor, product = root.text(f"{_DMI}/sys_vendor"), root.text(f"{_DMI}/product_name")
    for name, text in (("host_vendor", vendor), ("host_product", product)):
        if text:
            facts[name] = text
    chassis = _CHASSIS.get(root.number(f"{_DMI}/chassis_type") or 0)
    model = root.text("proc/device-tree/model") or root.text("sys/firmware/devicetree/base/model")
    if model and "Raspberry Pi" in model:
        facts["pi_model"] = model
    container = _container(root)
    if container:
        facts["host_container"] = container

    hypervisor = _hypervisor(root, f"{vendor or ''} {product or ''}".strip())
    flags = re.search(r"^flags\s*:(.*)$", root.text("proc/cpuinfo") or "", re.MULTILINE)
    if flags is not None:
        virtual = "hypervisor" in flags[1].split()
    else:
        virtual = hypervisor is not None and not (product or "").endswith(".metal")
    if virtual:
        facts["host_kind"] = "virtual"
        facts["host_hypervisor"] = hypervisor or "unknown"
    else:
        facts["host_kind"] = "physical" if flags is not None or vendor or model else "unknown"
        if chassis:
            facts["host_chassis"] = chassis
    return facts


def _hypervisor(root: Root, dmi: str) -> str | None:
    """Return the hypervisor's name as far as the guest can tell."""
    release = root.text("proc/sys/kernel/osrelease") or ""
    if re.search(r"microsoft|WSL", release, re.IGNORECASE):
        # WSL1 says 4.4.0-19041-Microsoft, and is no Linux kernel at all.
        return "WSL1" if release.endswith("-Microsoft") else "WSL2 (Hyper-V)"
    if "linuxkit" in release:
        return "Docker Desktop (LinuxKit)"
    # Firecracker has no DMI, but signs its ACPI tables.
    if (root.data("sys/firmware/acpi/tables/DSDT") or b"")[10:16] == b"FIRECK":
        return "Firecracker"
    for beginning, name in _DMI_NAMES:
        if dmi.startswith(beginning) or f" {beginning}" in dmi:
            return name
    kind = root.text("sys/hypervisor/type")
    if kind == "xen":
        return "Xen"
    tree = root.text("proc/device-tree/hypervisor/compatible") or root.text("proc/device-tree/compatible") or ""
    if "linux,dummy-virt" in tree:
        return "QEMU"
    return "Xen" if "xen," in tree else None


def _container(root: Root) -> str | None:
    """Return which runtime's container this is the inside of, or None.

    The marks alone don't tell: a virtual machine whose disk was made from a Docker image has them, too. In the
    kernel's first PID namespace they are only remains.
    """
    if "gVisor" in (root.text("proc/version") or ""):
        return "gVisor"
    if root.link("proc/self/ns/pid") == _FIRST_PID_NAMESPACE:
        return None
    name = root.text("run/systemd/container")
    if name and name != "wsl":
        return name
    if root.exists("run/.containerenv"):
        return "podman"
    if root.exists(".dockerenv"):
        return "docker"
    environment = re.search(r"(?:^|\0)container=(\w[\w-]*)", root.text("proc/1/environ") or "")
    if environment:
        return environment[1]
    groups = re.search(r"/(docker|lxc|kubepods|libpod|machine)\b", root.text("proc/1/cgroup") or "")
    return groups[1] if groups else None
