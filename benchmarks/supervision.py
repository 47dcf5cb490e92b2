"""What Docker Engine takes to run a command in a container, to stop one and to remove it: wall time and CPU time.

    python -m benchmarks.supervision FILE      starts containers of a local image; writes what was seen

The built-in profile cites the record of a run (`supervision`). A command is run as a health check
runs it.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import platform
import shutil
import socket
import statistics
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["shell_image"]

REPEAT = 12
COMMANDS = 5
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Taken:
    """What something took: seconds of time, and of the CPU time of the engine's processes and of what they ran."""

    wall_s: float
    cpu_core_s: float


@contextlib.contextmanager
def shell_image(engine: Any, name: str) -> Iterator[str]:
    """Yield the name of an image with a shell: a static busybox. Raises FileNotFoundError where there is none."""
    program = shutil.which("busybox")
    if program is None:
        raise FileNotFoundError("a static busybox (Debian: busybox-static)")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(program, "bin/busybox")
        for applet in ("sh", "sleep", "test", "true"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    engine.import_image_from_data(buffer.getvalue(), repository=name, tag="latest", changes=["ENV PATH=/bin"])
    try:
        yield name
    finally:
        engine.remove_image(name, force=True)


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process and of its children that have ended, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def processes(name: str) -> list[int]:
    """Return the numbers of the processes of that name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().strip() == name:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def parent(pid: int) -> int:
    """Return the number of the parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def taken(call: Callable[[], Any], pids: list[int]) -> Taken:
    """Make a call and return what it took; a process of `pids` that ends meanwhile isn't counted."""

    def spent() -> dict[int, float]:
        found = {}
        for pid in pids:
            try:
                found[pid] = cpu_s(pid)
            except OSError:
                continue
        return found

    before, begin = spent(), time.monotonic()
    call()
    wall, after = time.monotonic() - begin, spent()
    return Taken(wall, sum(after[pid] - before[pid] for pid in after))


def once(engine: Any, image: str) -> dict[str, Taken]:
    """Run commands in a container, stop it and remove it; return what each of these took, of a command on average."""
    made = engine.create_container(image, command=["sleep", "1000"], healthcheck={"test": ["NONE"]})["Id"]
    engine.start(made)
    daemons = [*processes("dockerd"), *processes("containerd")]
    shim = parent(engine.inspect_container(made)["State"]["Pid"])

    def commands() -> None:
        for _ in range(COMMANDS):
            run = engine.exec_create(made, ["sh", "-c", "true"])["Id"]
            engine.exec_start(run)

    many = taken(commands, [*daemons, shim])
    return {
        "command": Taken(many.wall_s / COMMANDS, many.cpu_core_s / COMMANDS),
        # SIGKILL at once: how long an application takes to end is none of the engine's costs
        "stop": taken(lambda: engine.stop(made, timeout=0), daemons),
        "remove": taken(lambda: engine.remove_container(made, v=True), daemons),
    }


def main(target: str) -> None:
    import docker

    engine = docker.APIClient(version="auto", timeout=60)
    now = datetime.datetime.now(datetime.UTC)
    with shell_image(engine, "vsim-supervision") as image:
        seen = [once(engine, image) for _ in range(REPEAT)]
    # lower quartiles: other programs of the host only ever add to it
    record = {
        "run": f"supervision-{now:%Y%m%d-%H%M%S}",
        "host": socket.gethostname(),
        "date": f"{now:%Y-%m-%d}",
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "engine": engine.version()["Version"],
        "repeat": REPEAT,
        "lower_quartiles": {
            what: {
                "wall_s": round(statistics.quantiles([one[what].wall_s for one in seen])[0], 5),
                "cpu_core_s": round(statistics.quantiles([one[what].cpu_core_s for one in seen])[0], 5),
            }
            for what in seen[0]
        },
        "seen": {
            what: [[round(one[what].wall_s, 5), round(one[what].cpu_core_s, 5)] for one in seen] for what in seen[0]
        },
    }
    Path(target).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
