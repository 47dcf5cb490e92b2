"""The modules that a guest's kernel needs for a virtio network card, in the order in which they are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["load_order", "network_modules"]

_WANTED = ("virtio_pci", "virtio_net")


def network_modules(kernel: Path | None, base: Path = Path("/lib/modules")) -> tuple[Path, ...]:
    """Return the files of the modules for the kernel `vmlinuz-VERSION`; none when they can't be had.

    A kernel that has the card built in needs none and isn't told apart: it is said to have no network.
    """
    if kernel is None:
        return ()
    root = base / kernel.name.removeprefix("vmlinuz-")
    try:
        names = load_order((root / "modules.dep").read_text(encoding="utf-8"), _WANTED)
    except OSError:
        return ()
    # The probe loads modules as they are: it doesn't unpack them.
    paths = tuple(root / name for name in names)
    return paths if all(path.suffix == ".ko" and path.is_file() for path in paths) else ()


def load_order(dependencies: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the files to load for the modules `wanted`, by the text of a modules.dep; none when one is missing."""
    needs: dict[str, list[str]] = {}
    for line in dependencies.splitlines():
        file, _, rest = line.partition(":")
        needs[file.rpartition("/")[2].partition(".")[0]] = [*reversed(rest.split()), file]
    if any(name not in needs for name in wanted):
        return ()
    return tuple(dict.fromkeys(file for name in wanted for file in needs[name]))
