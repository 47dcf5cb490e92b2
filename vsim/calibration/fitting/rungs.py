"""What the rungs of the ladder are in a profile: the layers that stand for them, and what those take over."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vsim.calibration.fitting.selection import Selected
from vsim.calibration.fitting.sheet import Estimate, Sheet
from vsim.calibration.profile_file import builtin

__all__ = ["BELOW", "HOST", "PROCESS", "describe", "layer_of", "put_harness", "without_unit_stages"]

# The layers of a measured host and of a plain process on it.
HOST, PROCESS = "measured-host", "measured-process"
# What a rung's layer takes over where nothing was measured: the engines and sandboxes that the lower source knows.
_LIKE: Mapping[str, str] = MappingProxyType(
    {
        "process": "process",
        "docker": "container-engine",
        "docker-crun": "container-engine",
        "docker-arm64": "container-engine",
        "gvisor": "sandbox-kernel",
        "docker-runsc": "sandbox-kernel",
    }
)
# What separates instances, by the stack that the harness says a rung stands for.
_BOUNDARY: Mapping[str, str] = MappingProxyType(
    {"container": "namespace", "sandboxed-container": "sandbox-kernel", "vm": "hypervisor", "microvm": "hypervisor"}
)
# The rung that each is compared with, as the harness's drivers say themselves (a test compares the two).
BELOW: Mapping[str, str] = MappingProxyType(
    {
        "namespace": "process",
        "bubblewrap": "namespace",
        "systemd-nspawn": "namespace",
        "lxc": "namespace",
        "crun": "bubblewrap",
        "runc": "crun",
        "gvisor": "runc",
        "podman": "runc",
        "docker": "runc",
        "docker-crun": "crun",
        "docker-runsc": "gvisor",
        "docker-arm64": "docker",
        "uml": "process",
        "qemu-kvm": "process",
        "qemu-tcg": "uml",
        "firecracker": "qemu-kvm",
        "kata": "qemu-kvm",
    }
)
_MACHINE = "rack-server"
_PI = {"Raspberry Pi 4": "raspberry-pi-4", "Raspberry Pi 5": "raspberry-pi-5"}


def layer_of(driver: str) -> str:
    """Return the name of the layer that stands for a rung."""
    return PROCESS if driver == "process" else driver


def describe(sheet: Sheet, selected: Selected) -> None:
    """Put the machine, the host's layer, and a layer and a stack for each rung."""
    _machine(sheet, selected)
    sheet.put(("layers", HOST, "like"), "host-os")
    sheet.put(("layers", HOST, "title"), f"Operating system of {selected.host.hostname}")
    has_process = "process" in selected.drivers
    for driver in selected.drivers:
        stack = next(sample.stack for sample in selected.samples if sample.driver == driver)
        _layer(sheet, driver, stack)
        above = [PROCESS] if has_process and driver != "process" else []
        sheet.put(("stacks", driver, "title"), f"{driver}, as measured on {selected.host.hostname}")
        sheet.put(("stacks", driver, "layers"), [HOST, layer_of(driver), *above])
        known = builtin().stacks.get(driver)
        if known is not None and known.guest_size is not None:
            # A stack of the same name is simulated with guests of several instances; here each is its own.
            sheet.put(("stacks", driver, "guest_size"), None)


def _machine(sheet: Sheet, selected: Selected) -> None:
    host = selected.host
    path = ("machines", host.name)
    model = str(host.environment.get("pi_model") or "")
    like = next((name for text, name in _PI.items() if model.startswith(text)), _MACHINE)
    if host.name in builtin().machines:
        # Samples of a simulation: the machine is there, and keeps what isn't measured on it.
        like = host.name
    else:
        sheet.put((*path, "like"), like)
    sheet.put((*path, "title"), f"{host.hostname} ({model or host.environment.get('cpu_model') or 'unknown CPU'})")
    sheet.put((*path, "offers"), _offers(host.environment))
    sheet.put((*path, "cores"), Estimate(host.cores, host.cores, host.cores, "cores", 1))
    why = (
        "By definition: what was measured on this machine is in core-seconds of its own core. Layers that were "
        "measured elsewhere are taken as if its core were the reference core."
    )
    sheet.put((*path, "core_speed"), Estimate(1, 1, 1, "1", 1, assumed=why))
    if host.memory_bytes:
        size = float(host.memory_bytes)
        sheet.put((*path, "memory_bytes"), Estimate(size, size, size, "bytes", 1))
    sheet.leave_out(
        f"{host.name}: disk, link, power, price, failures",
        f"as those of {like}, where no suite of these samples has measured them",
    )


def _offers(environment: Mapping[str, object]) -> list[str]:
    """Return what layers may require of the machine: its architecture, and virtualization where a guest boots."""
    architecture = {"x86_64": "x86-64", "amd64": "x86-64", "arm64": "aarch64"}
    found = str(environment.get("architecture") or "x86_64")
    offers = [architecture.get(found, found)]
    return ["hardware-virtualization", "nested-paging", *offers] if environment.get("kvm") == "boots" else offers


def _layer(sheet: Sheet, driver: str, stack: str) -> None:
    path = ("layers", layer_of(driver))
    sheet.put((*path, "title"), "Process" if driver == "process" else driver)
    like = _LIKE.get(driver)
    if like is None:
        sheet.put((*path, "boundary"), _BOUNDARY.get(stack, "process"))
        return
    known = builtin().layers[like]
    sheet.put((*path, "like"), like)
    if known.requires:
        # It ran: whatever it needs is there.
        sheet.put((*path, "requires"), [])
    if known.opens_guest:
        # Its start is measured as a whole: a guest within it is a part of that.
        sheet.put((*path, "opens_guest"), False)


def put_harness(sheet: Sheet, driver: str, section: str, turns: int, turn_core_s: Estimate) -> None:
    """Put a layer of its own for what the harness computes for each start of a rung, and have it in that rung's stack.

    Each turn is a stage: whoever waits for the harness comes in between. Rungs above don't have it: theirs is in what
    was measured of them.
    """
    name = f"{driver}-harness"
    sheet.put(("layers", name, "title"), f"Harness, as it starts {driver}")
    sheet.put(("layers", name, "boundary"), "none")
    for number in range(1, turns + 1):
        sheet.put(("layers", name, "startup", f"turn-{number}", "section"), section)
        sheet.put(("layers", name, "startup", f"turn-{number}", "cpu_core_s"), turn_core_s)
    host, *others = sheet.tree["stacks"][driver]["layers"]
    sheet.put(("stacks", driver, "layers"), [host, name, *others])


def without_unit_stages(sheet: Sheet, driver: str) -> None:
    """Take out the stages that the lower source has for each start: what was fitted stands for all of them."""
    like = _LIKE.get(driver)
    for stage in builtin().layers[like].startup if like else ():
        if stage.per == "unit":
            sheet.put(("layers", layer_of(driver), "startup", stage.name), None)
