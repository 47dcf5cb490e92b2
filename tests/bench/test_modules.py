from __future__ import annotations

from pathlib import Path

from vsim.bench.drivers._modules import load_order, network_modules

# From Debian's 6.1.0-56-cloud-amd64: a file, and what it needs, the deepest last.
DEPENDENCIES = """\
kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko
kernel/net/core/failover.ko:
kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko kernel/virtio.ko
kernel/virtio.ko:
kernel/virtio_pci.ko: kernel/virtio.ko
"""


def test_what_is_needed_is_loaded_first_and_once() -> None:
    assert load_order(DEPENDENCIES, ("virtio_pci", "virtio_net")) == (
        "kernel/virtio.ko",
        "kernel/virtio_pci.ko",
        "kernel/net/core/failover.ko",
        "kernel/drivers/net/net_failover.ko",
        "kernel/drivers/net/virtio_net.ko",
    )


def test_without_one_of_them_there_is_no_network() -> None:
    assert load_order(DEPENDENCIES, ("virtio_pci", "e1000")) == ()


def test_only_modules_that_the_probe_can_load_count(tmp_path: Path) -> None:
    root = tmp_path / "6.1"
    root.mkdir()
    kernel = Path("/boot/vmlinuz-6.1")
    assert network_modules(None) == network_modules(kernel, tmp_path) == ()
    (root / "modules.dep").write_text("a/virtio_pci.ko:\na/virtio_net.ko: a/virtio_pci.ko\n")
    assert network_modules(kernel, tmp_path) == ()
    (root / "a").mkdir()
    for name in ("virtio_pci", "virtio_net"):
        (root / f"a/{name}.ko").touch()
    assert network_modules(kernel, tmp_path) == (root / "a/virtio_pci.ko", root / "a/virtio_net.ko")
    (root / "modules.dep").write_text("a/virtio_pci.ko.xz:\na/virtio_net.ko.xz: a/virtio_pci.ko.xz\n")
    assert network_modules(kernel, tmp_path) == ()
