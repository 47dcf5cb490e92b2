"""A private mount namespace for runtimes that stumble over something of the host's: a process keeps it alive.

A runtime is started in it by the launcher, which is one more system call of its own; nothing on the host changes.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from vsim.bench.drivers._spawned import launcher
from vsim.bench.errors import StageError
from vsim.bench.payload import Payload
from vsim.bench.spawn import end_process, spawn
from vsim.bench.workspace import Workspace

__all__ = ["PrivateMounts"]


class PrivateMounts:
    """The namespace after `change`, a line for the shell, has been carried out in it; "$1" in it is `path`.

    What the host mounts later shows in it, and nothing the other way round. Raises StageError when it can't be made.
    """

    def __init__(self, workspace: Workspace, payload: Payload, change: str, path: str) -> None:
        self._probe = payload.probe
        # The path is an argument of the script, not a part of it.
        self._holder = spawn(
            [
                *("/usr/bin/unshare", "--mount", "--propagation=slave"),
                *("/bin/sh", "-c", f'{change} && exec "$2"', "sh", path, str(payload.probe)),
            ],
            stage="open",
            env=workspace.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stderr is not None
        # The probe's first line: the change has been made.
        if not self._holder.stdout.readline():
            message = self._holder.stderr.read().decode("utf-8", "replace").strip()
            self.close()
            raise StageError("open", f"no private mount namespace: {message}")

    def launcher(self) -> list[str]:
        """Return the words to put before a command so that it runs in the namespace."""
        return launcher(self._probe, None, mount_namespace=Path(f"/proc/{self._holder.pid}/ns/mnt"))

    def close(self) -> None:
        """Let go of the namespace: it ends with the last process in it."""
        end_process(self._holder)
