"""What a bench could leave behind on a host, as one comparable value."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from vsim.bench.clean import processes_of
from vsim.bench.paths import runs_dir


def leftovers() -> dict[str, list[str]]:
    """Return everything on this host that carries a run's mark."""
    found = {
        "processes": sorted(set(processes_of(None).values())),
        "groups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("**/vsim-*") if path.is_dir()),
        "mounts": [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(runs_dir()) in line],
        "files": sorted(path.name for path in runs_dir().iterdir()) if runs_dir().is_dir() else [],
        "netns": sorted(path.name for path in Path("/run/netns").glob("vsim-*")),
    }
    if shutil.which("docker"):
        for kind, command in (("containers", ["ps", "-aq"]), ("images", ["images", "-q"])):
            with contextlib.suppress(subprocess.SubprocessError):
                found[kind] = _lines("docker", *command, "--filter", "label=vsim.run")
    return found


def _lines(*argv: str) -> list[str]:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    return sorted(done.stdout.split())
