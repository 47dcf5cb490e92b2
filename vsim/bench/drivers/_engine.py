"""A look at the Docker engine through its socket, without the SDK: whether it answers, and which runtimes it has."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["ask_engine", "engine_socket", "foreign_binaries", "gvisor_flags", "lack_of_engine", "runtime_flags"]

_TIMEOUT_S = 5.0


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(self._path)


def engine_socket() -> str:
    """Return the path of the engine's socket: that of DOCKER_HOST when it is one, else the usual."""
    given = os.environ.get("DOCKER_HOST", "")
    return given.removeprefix("unix://") if given.startswith("unix://") else "/var/run/docker.sock"


def ask_engine(path: str) -> Any:
    """Return the engine's answer to GET `path`. Raises OSError when it doesn't answer."""
    connection = _Connection(engine_socket())
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != 200:
            raise OSError(f"the engine answers {response.status}")
        return json.loads(response.read())
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(str(error)) from None
    finally:
        connection.close()


def lack_of_engine(runtime: str) -> str | None:
    """Return why containers can't be run with `runtime`, or None."""
    try:
        info = ask_engine("/info")
    except FileNotFoundError:
        return "no Docker daemon is running (Debian: apt-get install docker.io)"
    except PermissionError:
        return f"{engine_socket()} may not be used (run as root, or join the group docker)"
    except OSError as error:
        return f"the Docker daemon does not answer: {error}"
    if runtime not in info.get("Runtimes", {}):
        return f"the Docker daemon has no runtime {runtime} (add it to /etc/docker/daemon.json)"
    return None


def runtime_flags(runtime: str) -> tuple[str, ...]:
    """Return what the daemon's configuration says of how it calls gVisor's `runtime`; nothing when it doesn't answer.

    `platform-…` is how its system calls are caught. `host-network-stack`: in every network mode the sockets of its
    instances are those of the Linux kernel, in the network namespace that the engine has made, and not its own.
    """
    try:
        words = ask_engine("/info").get("Runtimes", {}).get(runtime, {}).get("runtimeArgs") or []
    except OSError:
        return ()
    return gvisor_flags(words)


def gvisor_flags(words: Sequence[str]) -> tuple[str, ...]:
    """Return the flags of samples for runsc called with these words. Of an option given twice the last one counts."""
    options = dict(word.lstrip("-").partition("=")[::2] for word in words)
    flags = [f"platform-{options['platform']}"] if "platform" in options else []
    return (*flags, "host-network-stack") if options.get("network") == "host" else tuple(flags)


def foreign_binaries(architecture: str) -> str | None:
    """Return why programs for `architecture` don't run in containers here, or None."""
    try:
        text = Path(f"/proc/sys/fs/binfmt_misc/qemu-{architecture}").read_text()
    except OSError:
        return f"the kernel has no interpreter for {architecture} (Debian: apt-get install qemu-user-static)"
    flags = next((line.partition(":")[2] for line in text.splitlines() if line.startswith("flags")), "")
    if "enabled" not in text.split() or "F" not in flags:
        # Without F the interpreter would be looked for inside the container.
        return f"the interpreter for {architecture} is not registered with the flag F"
    return None
