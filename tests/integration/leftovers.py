"""What a bench could leave behind on a host, as one comparable value."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from vsim.bench import cgroups
from vsim.bench.clean import processes_of
from vsim.bench.paths import runs_dir
from vsim.bench.workspace import is_alive

_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


def leftovers(run_id: str | None = None) -> dict[str, list[str]]:
    """Return everything on this host that carries the mark of a run that doesn't live, or of the run `run_id`.

    Other runs on the same host come and go: what belongs to one that lives is none of the caller's business.
    """
    docker = shutil.which("docker") is not None
    found = {
        "processes": sorted(set(processes_of(run_id).values())),
        "groups": sorted(
            str(path) for root in cgroups.hierarchies().mounts for path in root.glob("**/vsim-*") if path.is_dir()
        ),
        "mounts": [line.split()[4] for line in _lines(Path("/proc/self/mountinfo")) if str(runs_dir()) in line],
        "netns": _names(Path("/run/netns"), "vsim-*"),
        # Their names are too short for the run's: it is in the alias.
        "links": [
            f"{path.name} {line}"
            for path in sorted(Path("/sys/class/net").glob("vsim*"))
            for line in _lines(path / "ifalias")
        ],
        "loops": [line for file in Path("/sys/block").glob("loop*/loop/backing_file") for line in _lines(file)],
        "files": _names(runs_dir(), "*"),
        "temporary": [
            str(path)
            for place in (tempfile.gettempdir(), "/dev/shm")
            for path in Path(place).glob("*")
            if _RUN.search(path.name)
        ],
        "containers": _run("docker", "ps", "-a", "--filter", "label=vsim.run", "--format", _LABEL) if docker else [],
        "images": _images() if docker else [],
        "volumes": _run("docker", "volume", "ls", "--filter", "label=vsim.run", "--format", _LABEL) if docker else [],
        "networks": _run("docker", "network", "ls", "--filter", "label=vsim.run", "--format", _LABEL) if docker else [],
    }
    return {kind: list(_of_concern(names, run_id)) for kind, names in found.items()}


_LABEL = '{{.Label "vsim.run"}}'


def _of_concern(names: Iterable[str], run_id: str | None) -> Iterable[str]:
    for name in names:
        match = _RUN.search(name)
        if match is not None and (match[0] == run_id if run_id is not None else not is_alive(match[0])):
            yield name


def _images() -> list[str]:
    numbers = _run("docker", "images", "--all", "--quiet", "--filter", "label=vsim.run")
    inspect = ("docker", "image", "inspect", "--format", '{{index .Config.Labels "vsim.run"}} {{.Id}} {{.RepoTags}}')
    return _run(*inspect, *dict.fromkeys(numbers)) if numbers else []


def _names(base: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in base.glob(pattern)) if base.is_dir() else []


def _lines(file: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    return []


def _run(*argv: str) -> list[str]:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    return sorted(done.stdout.splitlines())
