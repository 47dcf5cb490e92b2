"""A guest's first file system: the probe as /init and the devices that it talks through, as a cpio archive.

Written by hand and not by cpio: device nodes then need no privileges, and the archive is the same byte for byte.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from vsim.bench.payload.payload import Payload

__all__ = ["initramfs", "write_initramfs"]

_DIRECTORIES = ("dev", "proc", "sys", "tmp", "root", "run")
# name, major, minor: there before the guest mounts anything, so that the first write is the first thing it does
_DEVICES = (
    ("dev/console", 5, 1),
    ("dev/null", 1, 3),
    ("dev/tty1", 4, 1),
    ("dev/ttyS0", 4, 64),
    ("dev/ttyAMA0", 204, 64),
    ("dev/hvc0", 229, 0),
)


def write_initramfs(payload: Payload, target: Path, *, files: Iterable[tuple[str, Path]] = ()) -> None:
    """Write the archive to `target`, with `files` (path inside, file of the host) besides. Raises OSError."""
    target.write_bytes(initramfs(payload.probe.read_bytes(), [(name, path.read_bytes()) for name, path in files]))


def initramfs(probe: bytes, files: Iterable[tuple[str, bytes]] = ()) -> bytes:
    """Return the archive in the format `newc`."""
    entries: list[tuple[str, int, bytes, tuple[int, int]]] = [
        (name, stat.S_IFDIR | 0o755, b"", (0, 0)) for name in _DIRECTORIES
    ]
    entries += [(name, stat.S_IFCHR | 0o600, b"", (major, minor)) for name, major, minor in _DEVICES]
    made = set(_DIRECTORIES)
    for name, data in (("init", probe), ("probe", probe), *files):
        path = name.strip("/")
        for parent in reversed(Path(path).parents):
            if str(parent) not in (".", *made):
                made.add(str(parent))
                entries.append((str(parent), stat.S_IFDIR | 0o755, b"", (0, 0)))
        entries.append((path, stat.S_IFREG | 0o755, data, (0, 0)))
    out = bytearray()
    for number, (name, mode, data, device) in enumerate(entries, start=1):
        _append(out, number, name, mode, data, device)
    _append(out, 0, "TRAILER!!!", 0, b"", (0, 0))
    return bytes(out)


def _append(out: bytearray, number: int, name: str, mode: int, data: bytes, device: tuple[int, int]) -> None:
    raw = name.encode() + b"\0"
    # number, mode, uid, gid, links, time, size, device of the file (2), device it is (2), length of the name, checksum
    header = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
    out += b"070701" + b"".join(b"%08x" % value for value in header) + raw
    out += b"\0" * (-len(out) % 4)
    out += data
    out += b"\0" * (-len(out) % 4)
