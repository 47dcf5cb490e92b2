"""The drivers: every module here with a tuple DRIVERS. Adding a driver is adding a module."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from vsim.bench.drivers.interface import Driver, Instance, InstanceSpec, Session

__all__ = ["Driver", "Instance", "InstanceSpec", "Session", "all_drivers", "find_driver"]

# From the bottom of the ladder to the top; those not named here come last, by name.
_ORDER = (
    "null",
    "process",
    "namespace",
    "bubblewrap",
    "systemd-nspawn",
    "lxc",
    "crun",
    "runc",
    "gvisor",
    "podman",
    "docker",
    "docker-crun",
    "docker-runsc",
    "docker-arm64",
    "uml",
    "qemu-kvm",
    "qemu-tcg",
    "firecracker",
    "kata",
)


@functools.cache
def all_drivers() -> tuple[Driver, ...]:
    """Return every driver that there is, whether or not this host can run it, in the order of the ladder."""
    found: list[Driver] = []
    for module in pkgutil.iter_modules(__path__):
        found.extend(getattr(importlib.import_module(f"{__name__}.{module.name}"), "DRIVERS", ()))
    order = {name: place for place, name in enumerate(_ORDER)}
    return tuple(sorted(found, key=lambda driver: (order.get(driver.name, len(order)), driver.name)))


def find_driver(name: str) -> Driver:
    """Return the driver called `name`. Raises KeyError."""
    for driver in all_drivers():
        if driver.name == name:
            return driver
    raise KeyError(name)
