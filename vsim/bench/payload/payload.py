"""The payload: a root file system with the probe and the workload programs of this host, made once, kept in the cache.

    /probe, /init                      the static probe, for one architecture
    /usr/bin/fio, sysbench, sqlite3    where the host has them, with the libraries they need; never for a foreign CPU
    /etc, /dev, /proc, /sys, /tmp, …   mount points; /data is where an instance that may write does so

It needs no compiler, no registry and no network. Its directory is named by a digest of what went in, so an upgrade of
fio makes a new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vsim.bench.paths import cache_dir
from vsim.errors import HostError

__all__ = [
    "PROGRAMS",
    "Payload",
    "build_payload",
    "digest_of",
    "drafted",
    "host_architecture",
    "libraries_of",
    "probe_digest",
    "probe_path",
    "write_files",
]

# Collected from the host when they are there.
PROGRAMS = ("fio", "sysbench", "sqlite3")
_DIRECTORIES = ("dev", "proc", "sys", "tmp", "etc", "run", "var", "mnt", "usr/bin", "data")
# Where every instance may write that has a file system to write to.
_OPEN = frozenset({"tmp", "data"})
_BIN = Path(__file__).parent / "bin"
# What `uname -m` calls them on different systems.
_ALIASES = {"amd64": "x86_64", "arm64": "aarch64"}


def host_architecture() -> str:
    """Return this host's architecture as the payload calls it: `x86_64`, `aarch64`, or what uname says."""
    machine = platform.machine().lower()
    return _ALIASES.get(machine, machine)


def probe_path(architecture: str) -> Path:
    """Return the probe's file for `architecture`. Raises HostError when there is none."""
    path = _BIN / f"probe-{architecture}"
    if not path.exists():
        raise HostError(
            f"there is no probe for {architecture}",
            hint="vsim measures on x86_64 and aarch64; on a Raspberry Pi use the 64-bit system",
        )
    return path


def probe_digest() -> str:
    """Return what tells this host's probe from other builds of it. Raises HostError when there is none."""
    return hashlib.sha256(probe_path(host_architecture()).read_bytes()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Payload:
    """A finished payload. `programs` maps a program's name to its path inside `root`."""

    architecture: str
    digest: str
    root: Path
    programs: Mapping[str, str] = field(default_factory=dict)

    @property
    def probe(self) -> Path:
        """The probe as a file of the host."""
        return self.root / "probe"

    def copy_to(self, target: Path) -> Path:
        """Copy the root file system to the new directory `target`, for an instance that writes. Raises OSError."""
        shutil.copytree(self.root, target)
        return target


def build_payload(architecture: str | None = None, *, cache: Path | None = None) -> Payload:
    """Return the payload for `architecture` (default: the host's), from the cache when it is there.

    Raises HostError when the cache can't be written or there is no probe for the architecture.
    """
    architecture = architecture or host_architecture()
    native = architecture == host_architecture()
    programs = _find_programs() if native else {}
    files = {"/probe": probe_path(architecture), "/init": probe_path(architecture)}
    for path in programs.values():
        files[str(path)] = path
        files.update(libraries_of(path))
    digest = digest_of(files)
    inside = {name: str(path) for name, path in programs.items()}
    base = (cache or cache_dir()) / "payload"
    root = base / f"{architecture}-{digest}"
    if not root.exists():
        try:
            _write(base, root, files)
        except OSError as error:
            raise HostError(
                f"the payload can't be written to {base}: {error.strerror}",
                hint="make room, or set VSIM_CACHE to a directory of yours",
            ) from None
    return Payload(architecture, digest, root, inside)


def _find_programs() -> dict[str, Path]:
    found = {name: shutil.which(name, path="/usr/bin:/bin:/usr/local/bin") for name in PROGRAMS}
    return {name: Path(path) for name, path in found.items() if path}


def libraries_of(program: Path) -> dict[str, Path]:
    """Return the shared libraries of a program, loader included: path inside -> file of the host."""
    try:
        listing = subprocess.run(["ldd", str(program)], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found: dict[str, Path] = {}
    for line in listing.splitlines():
        # "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)" or "/lib64/ld-linux-x86-64.so.2 (0x…)"
        path = next((word for word in line.split() if word.startswith("/")), None)
        if path and Path(path).exists():
            found[path] = Path(path)
    return found


def digest_of(files: Mapping[str, Path]) -> str:
    """Return what tells these files (path inside -> file of the host) from others, also after an upgrade."""
    digest = hashlib.sha256(" ".join(_DIRECTORIES).encode())
    for inside, path in sorted(files.items()):
        status = path.stat()
        # The probe by its content: a checkout changes its time. The rest by what an upgrade changes.
        what = path.read_bytes() if path.parent == _BIN else f"{status.st_size} {status.st_mtime_ns}".encode()
        digest.update(inside.encode() + b"\0" + what + b"\0")
    return digest.hexdigest()[:12]


def _write(base: Path, root: Path, files: Mapping[str, Path]) -> None:
    with drafted(base, root) as draft:
        for name in _DIRECTORIES:
            (draft / name).mkdir(parents=True, exist_ok=True)
        _write_accounts(draft / "etc")
        write_files(draft, files)


@contextlib.contextmanager
def drafted(base: Path, root: Path) -> Iterator[Path]:
    """Give a directory to fill, which then becomes `root`: another run must never see half of it. Raises OSError."""
    base.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=base))
    try:
        draft.chmod(0o755)
        yield draft
        _make_searchable(path for path in draft.rglob("*") if path.is_dir())
        try:
            os.rename(draft, root)  # noqa: PTH104
        except OSError:
            # Another run was quicker, and has the same files.
            if not root.exists():
                raise
    finally:
        if draft.exists():
            shutil.rmtree(draft, ignore_errors=True)


def write_files(directory: Path, files: Mapping[str, Path]) -> None:
    """Copy files of the host (path inside -> file) to the directory, for everybody to read and run. Raises OSError."""
    for inside, source in files.items():
        target = directory / inside.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755)


def _write_accounts(etc: Path) -> None:
    (etc / "passwd").write_text("root:x:0:0::/:/probe\nnobody:x:65534:65534::/:/probe\n")
    (etc / "group").write_text("root:x:0:\nnogroup:x:65534:\n")


def _make_searchable(directories: Iterable[Path]) -> None:
    """Let any user read them, whatever the umask: the instances run without privileges."""
    for directory in directories:
        directory.chmod(0o1777 if directory.name in _OPEN else 0o755)
