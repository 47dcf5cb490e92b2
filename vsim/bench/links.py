"""Networks of the harness's own: a bridge on the host, and a namespace with one end of a veth pair for each instance.

What a container engine builds, without its routes and its rules for address translation: nothing leads out of this
host. The host has the first address of the network and reaches the instances at theirs. All is made by ip(8), lives in
the kernel alone and is named after the run: a namespace by its name, an interface, whose names are short, by its alias.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import re
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from vsim.bench.errors import StageError
from vsim.bench.workspace import Workspace, is_alive, unmount_below

__all__ = ["Bridge", "has_ip", "interface_name", "remove_strays"]

# Reserved for benchmarks of network devices (RFC 2544, appendix C.2.2): no host has a business there.
_RANGE = ipaddress.IPv4Network("198.18.0.0/15")
_NAMESPACES = Path("/run/netns")
_INTERFACES = Path("/sys/class/net")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OWNER = re.compile(r"^vsim-(\d{8}-\d{6}-[0-9a-f]{4})")
_TIMEOUT_S = 20.0


def has_ip() -> bool:
    """Return whether ip(8), of the Debian package iproute2, is installed."""
    return shutil.which("ip", path=_PATH) is not None


def interface_name(name: str) -> str:
    """Return the name of the host's interface for the object `name`: at most 15 characters, as the kernel wants it."""
    return f"vsim{hashlib.sha256(name.encode()).hexdigest()[:10]}"


class Bridge:
    """The network of one session, made when the first instance is attached to it."""

    def __init__(self, workspace: Workspace, driver: str) -> None:
        self._workspace = workspace
        self._name = f"{workspace.label}-{driver}"
        self._network: ipaddress.IPv4Network | None = None
        self._addresses: dict[str, ipaddress.IPv4Address] = {}
        # Instances are made by several threads.
        self._lock = threading.Lock()

    def attach(self, name: str) -> tuple[Path, str]:
        """Make a namespace for the instance `name`; return its file and the instance's address. Raises StageError.

        The interface in it is eth0; from there it reaches the host and its other instances, nobody else.
        """
        with self._lock:
            network = self._network or self._make()
            taken = set(self._addresses.values())
            # The first one is the host's.
            address = next((each for each in list(network.hosts())[1:] if each not in taken), None)
            if address is None:
                raise StageError("create", f"the network {network} has no address left")
            self._addresses[name] = address
            link = interface_name(name)
            try:
                self._ip(
                    f"netns add {name}",
                    f"link add {link} type veth peer name eth0 netns {name}",
                    f"link set {link} alias {name}",
                    f"link set {link} addrgenmode none",
                    f"link set {link} master {interface_name(self._name)} up",
                )
                self._ip(
                    "link set lo up",
                    "link set eth0 addrgenmode none",
                    f"addr add {address}/{network.prefixlen} dev eth0",
                    "link set eth0 up",
                    namespace=name,
                )
            except BaseException:
                self._detach(name)
                raise
        return _NAMESPACES / name, str(address)

    def detach(self, name: str) -> None:
        """Remove what :meth:`attach` has made for the instance; of an unknown one there is nothing."""
        with self._lock:
            self._detach(name)

    def _detach(self, name: str) -> None:
        if name in self._addresses:
            _remove(interface_name(name), name)
            del self._addresses[name]

    def close(self) -> None:
        """Remove the network and what is left of its instances."""
        with self._lock:
            for name in list(self._addresses):
                self._detach(name)
            if self._network is not None:
                _remove(interface_name(self._name), None)
                self._network = None

    def _make(self) -> ipaddress.IPv4Network:
        """Make the bridge, with the first address of a network that nobody on this host uses yet."""
        networks = list(_RANGE.subnets(new_prefix=24))
        used = self._ip_output("-4", "-oneline", "address", "show")
        first = int(hashlib.sha256(self._name.encode()).hexdigest(), 16) % len(networks)
        turned = networks[first:] + networks[:first]
        network = next((each for each in turned if f" {str(each[0])[:-1]}" not in used), None)
        if network is None:
            raise StageError("create", f"every network in {_RANGE} is in use")
        link = interface_name(self._name)
        try:
            self._ip(
                f"link add {link} type bridge",
                f"link set {link} alias {self._name}",
                f"link set {link} addrgenmode none",
                f"addr add {network[1]}/{network.prefixlen} dev {link}",
                f"link set {link} up",
            )
        except BaseException:
            _remove(link, None)
            raise
        self._network = network
        return network

    def _ip(self, *lines: str, namespace: str | None = None) -> None:
        """Let one ip process carry the lines out, in their order."""
        words = ["-netns", namespace] if namespace is not None else []
        _ip([*words, "-batch", "-"], self._workspace.environment(), text="\n".join(lines) + "\n")

    def _ip_output(self, *words: str) -> str:
        return _ip(words, self._workspace.environment())


def _ip(words: Sequence[str], env: dict[str, str], text: str = "") -> str:
    """Run ip with these words and this input; its message becomes that of the StageError it raises."""
    try:
        done = subprocess.run(
            ["ip", *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            env=env,
            # A Ctrl-C at the terminal must not stop it half way.
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StageError("create", f"ip: {error}") from None
    if done.returncode != 0:
        raise StageError("create", f"ip: {' '.join(done.stderr.split())[:300]}")
    return done.stdout


def _remove(link: str | None, namespace: str | None) -> None:
    """Remove an interface, with its other end, and a namespace, where they exist."""
    env = {"PATH": _PATH, "LC_ALL": "C.UTF-8"}
    if link is not None and (_INTERFACES / link).exists():
        with contextlib.suppress(StageError):
            _ip(["link", "delete", link], env)
    if namespace is not None:
        path = _NAMESPACES / namespace
        unmount_below(path)
        with contextlib.suppress(OSError):
            path.unlink()


def remove_strays() -> list[str]:
    """Remove interfaces and namespaces of runs that don't live any more; return what was removed, one line each."""
    removed: list[str] = []
    for path in sorted(_INTERFACES.glob("vsim*")) if _INTERFACES.is_dir() else []:
        alias = ""
        with contextlib.suppress(OSError):
            alias = (path / "ifalias").read_text().strip()
        owner = _OWNER.match(alias)
        if owner is not None and not is_alive(owner[1]):
            _remove(path.name, None)
            if not path.exists():
                removed.append(f"interface {path.name} ({alias})")
    for path in sorted(_NAMESPACES.glob("vsim-*")) if _NAMESPACES.is_dir() else []:
        owner = _OWNER.match(path.name)
        if owner is not None and not is_alive(owner[1]):
            _remove(None, path.name)
            removed.append(f"network namespace {path.name}")
    return removed
