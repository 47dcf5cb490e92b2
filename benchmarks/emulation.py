"""How much longer the work of a build takes under qemu-user than on the processor itself.

    python -m benchmarks.emulation DEBS FILE      DEBS/amd64, DEBS/arm64, DEBS/armhf hold Debian packages

The same versions of the same programs, as Debian builds them for each processor: `busybox-static` and
`python3.11-minimal` with the libraries that it needs (`apt-get download` fetches them). The built-in profile cites the
record of a run (`qemu-user-arm64` and `qemu-user-arm-v7`).
"""

from __future__ import annotations

import datetime
import json
import math
import os
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

REPEAT = 7
# Debian's name -> the platform, the emulator (the program itself where there is none), the program loader
_TARGETS = {
    "amd64": ("linux/amd64", "", "lib64/ld-linux-x86-64.so.2", "x86_64-linux-gnu"),
    "arm64": ("linux/arm64", "qemu-aarch64-static", "", "aarch64-linux-gnu"),
    "armhf": ("linux/arm/v7", "qemu-arm-static", "", "arm-linux-gnueabihf"),
}
_COMPILE = """
import glob, sys
for name in sorted(glob.glob(sys.argv[1] + "/lib/python3.11/*.py"))[:60]:
    compile(open(name, encoding="utf-8").read(), name, "exec")
"""
_LOOP = """
table = {}
for i in range(400000):
    table[str(i % 5000)] = table.get(str(i % 5000), 0) + len("%x" % i)
print(sum(table.values()))
"""


def workloads(root: Path, data: Path) -> dict[str, Sequence[str]]:
    """Return what is run, as arguments after the program: compressing, hashing, a scripting language, compiling."""
    busybox, python = str(root / "bin/busybox"), str(root / "usr/bin/python3.11")
    return {
        "gzip": (busybox, "gzip", "-6", "-c", str(data)),
        "sha256": (busybox, "sha256sum", str(data), str(data)),
        "awk": (busybox, "awk", "BEGIN { for (i = 0; i < 1500000; i++) s += i % 7; print s }"),
        "python-compile": (python, "-S", "-c", _COMPILE, str(root / "usr")),
        "python-loop": (python, "-S", "-c", _LOOP),
    }


def cpu_s(command: Sequence[str], environment: dict[str, str]) -> float:
    """Run the command and return the CPU time that it took, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands(debs: Path, folder: Path, data: Path) -> Iterator[tuple[str, str, Sequence[str], dict[str, str]]]:
    """Yield platform, workload, command and environment of everything that is run."""
    for name, (platform, emulator, loader, triple) in _TARGETS.items():
        root = folder / name
        for package in sorted((debs / name).glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
        environment = {"PATH": "/usr/bin:/bin", "PYTHONHOME": str(root / "usr"), "PYTHONDONTWRITEBYTECODE": "1"}
        for workload, command in workloads(root, data).items():
            if emulator:
                yield platform, workload, (emulator, "-L", str(root), *command), environment
            elif workload.startswith("python"):
                libraries = f"{root}/lib/{triple}:{root}/usr/lib/{triple}"
                yield platform, workload, (str(root / loader), "--library-path", libraries, *command), environment
            else:
                yield platform, workload, command, environment


def _main(debs: str, target: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    seen: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="vsim-emulation-") as name:
        folder = Path(name)
        data = folder / "data"
        numbers = random.Random(1)
        words = [numbers.randbytes(5).hex() for _ in range(3000)]
        data.write_text(" ".join(numbers.choice(words) for _ in range(600_000)), encoding="ascii")
        everything = list(commands(Path(debs), folder, data))
        for _ in range(REPEAT):
            for platform, workload, command, environment in everything:
                seen.setdefault((platform, workload), []).append(cpu_s(command, environment))
    version = subprocess.run(["qemu-aarch64-static", "--version"], capture_output=True, text=True, check=True).stdout
    factors: dict[str, dict[str, float]] = {}
    for (platform, workload), times in seen.items():
        native = statistics.median(seen["linux/amd64", workload])
        factors.setdefault(platform, {})[workload] = statistics.median(times) / native
    del factors["linux/amd64"]
    record = {
        "run": f"emulation-{now:%Y%m%d-%H%M%S}",
        "host": socket.gethostname(),
        "date": f"{now:%Y-%m-%d}",
        "cpu": next(
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "load": os.getloadavg()[0],
        "emulator": version.splitlines()[0],
        "packages": sorted(path.name for path in Path(debs).glob("*/*.deb")),
        "cpu_s": {f"{platform} {workload}": times for (platform, workload), times in seen.items()},
        "factors": factors,
        "geometric_mean": {
            platform: math.exp(statistics.fmean(math.log(value) for value in values.values()))
            for platform, values in factors.items()
        },
    }
    Path(target).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    shown = {key: record[key] for key in ("factors", "geometric_mean")}
    sys.stdout.write(json.dumps(shown, indent=1) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:3])
