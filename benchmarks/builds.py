"""What building an image costs beside its commands: Docker Engine's classic builder, and BuildKit as the engine has it.

    python -m benchmarks.builds FILE      builds made-up images on a local base; writes what was seen

The built-in profile cites the record of a run (`classic-builder` and `buildkit`). The integration test times its builds
the same way. The classic builder's steps are timed by its messages. BuildKit prints tenths of a second, so that what is
small is the difference between builds with and without many steps of a kind.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "BuildKitBuild",
    "TimedStep",
    "base_image",
    "buildkit_build",
    "buildkit_client",
    "cache_removed",
    "timed_build",
    "untag",
]

_STEP = re.compile(r"^Step (\d+)/(\d+) : (.*)")
REPEAT = 5
COUNT = 8
BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class TimedStep:
    """A step of a build: its number, its text, whether it came from the cache, and how long it took in seconds."""

    number: int
    text: str
    cached: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class BuildKitBuild:
    """A build with BuildKit: how long it took in seconds, and what it printed with ``--progress=plain``."""

    seconds: float
    log: str

    def steps(self) -> dict[tuple[str, str], bool]:
        """Return the steps after FROM, as the stage's name (empty where there is one stage) and the text: which ran."""
        names: dict[str, tuple[str, str]] = {}
        ran: dict[tuple[str, str], bool] = {}
        for line in self.log.splitlines():
            if match := re.match(r"#(\d+) \[(.*?) ?\d+/\d+\] (.*)", line):
                names[match[1]] = (match[2], " ".join(match[3].split()))
            elif match := re.match(r"#(\d+) (DONE|CACHED)", line):
                name = names.get(match[1])
                if name is not None and not name[1].startswith("FROM "):
                    ran[name] = match[2] == "DONE"
        return ran

    def done_s(self, text: str) -> float:
        """Return the seconds of what is called `text`, as printed: in tenths."""
        lines = (re.match(r"#(\d+) (.*)", line) for line in self.log.splitlines())
        number = next(match[1] for match in lines if match and text in match[2])
        return max(float(one) for one in re.findall(rf"^#{number} DONE (\d+\.\d+)s", self.log, re.MULTILINE))


@contextmanager
def base_image(engine: Any, name: str, *, stamp: str = "") -> Iterator[str]:
    """Yield the name of an image made here of a static busybox; nothing of one stamp is in the cache for another one.

    What the classic builder has built on it is removed with it. Raises FileNotFoundError where there is no busybox.
    """
    program = shutil.which("busybox")
    if program is None:
        raise FileNotFoundError("there is no static busybox (Debian: busybox-static)")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(program, "bin/busybox")
        for applet in ("sh", "cat", "cp", "echo", "ls", "mkdir", "sha256sum", "sleep", "true", "dd", "wc"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
        archive.addfile(tarfile.TarInfo(f"stamp-{stamp}"))
    engine.import_image_from_data(buffer.getvalue(), repository=name, tag="latest", changes=["ENV PATH=/bin"])
    identity = engine.inspect_image(name)["Id"]
    try:
        yield name
    finally:
        # the classic builder keeps the stages that no tag names: remove whatever was built on the base
        _remove_built_on(engine, identity)
        engine.remove_image(identity, force=True)


def _remove_built_on(engine: Any, identity: str) -> None:
    """Remove the images that were built on the image `identity`, those first that no other one was built on."""
    import docker.errors

    for _ in range(200):
        images = engine.images(all=True)
        parents = {image["Id"]: image["ParentId"] for image in images}
        ours = [one for one in parents if one != identity and _descends(one, identity, parents)]
        leaves = [one for one in ours if one not in parents.values()]
        if not leaves:
            break
        for leaf in leaves:
            try:
                engine.remove_image(leaf, force=True)
            except docker.errors.ImageNotFound:
                continue  # it went with another one


def _descends(image: str, ancestor: str, parents: dict[str, str]) -> bool:
    while image in parents:
        image = parents[image]
        if image == ancestor:
            return True
    return False


def timed_build(
    engine: Any, folder: Path, tag: str, *, dockerfile: str = "Dockerfile", **options: Any
) -> list[TimedStep]:
    """Build `folder` with the classic builder and return its steps; number 0 is the context being sent."""
    begin = time.monotonic()
    steps: list[TimedStep] = []
    number, text, cached, since = 0, "context", False, begin
    for message in engine.build(path=str(folder), dockerfile=dockerfile, tag=tag, decode=True, rm=True, **options):
        assert "error" not in message, message["error"]
        now = time.monotonic()
        for line in message.get("stream", "").splitlines():
            match = _STEP.match(line)
            if match:
                steps.append(TimedStep(number, text, cached, now - since))
                number, text, cached, since = int(match[1]), match[3], False, now
            elif "---> Using cache" in line:
                cached = True
    steps.append(TimedStep(number, text, cached, time.monotonic() - since))
    return steps


# -- BuildKit ----------------------------------------------------------------------------------------------------------


def buildkit_client() -> str:
    """Return the path of a Docker client that can use BuildKit: Debian's has it built in, others need a plugin.

    Raises FileNotFoundError where there is none.
    """
    for folder in os.get_exec_path():
        program = str(Path(folder) / "docker")
        if os.access(program, os.X_OK):
            asked = subprocess.run([program, "build", "--help"], env=_buildkit(), capture_output=True, check=False)
            if asked.returncode == 0 and b"--progress" in asked.stdout:
                return program
    raise FileNotFoundError("there is no Docker client that has BuildKit (Debian: docker.io)")


def buildkit_build(program: str, folder: Path, tag: str, *options: str) -> BuildKitBuild:
    """Build `folder` with BuildKit and return what was seen. Raises CalledProcessError when it is refused or fails."""
    begin = time.monotonic()
    done = subprocess.run(
        [program, "build", "--progress=plain", "--tag", tag, *options, str(folder)],
        env=_buildkit(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return BuildKitBuild(time.monotonic() - begin, done.stdout)


def _buildkit() -> dict[str, str]:
    return {**os.environ, "DOCKER_BUILDKIT": "1"}


@contextmanager
def cache_removed(engine: Any) -> Iterator[None]:
    """Remove what BuildKit has cached in the meantime, and nothing that was there before."""
    before = {record["ID"] for record in _cache(engine)}
    try:
        yield
    finally:
        for _ in range(50):
            # what others are made of goes when they are gone
            ours = [record["ID"] for record in _cache(engine) if record["ID"] not in before and not record["InUse"]]
            if not ours or not any(_pruned(engine, one) for one in ours):
                break


def _cache(engine: Any) -> list[dict[str, Any]]:
    return engine.df().get("BuildCache") or []


def _pruned(engine: Any, record: str) -> bool:
    return bool(engine.prune_builds(filters={"id": record}, all=True).get("CachesDeleted"))


# -- measuring ---------------------------------------------------------------------------------------------------------


def _large(path: Path) -> None:
    with path.open("wb") as large:
        for _ in range(BYTES // 1_000_000):
            large.write(os.urandom(1_000_000))


def classic_costs(engine: Any, base: str, folder: Path, repeat: int) -> dict[str, list[float]]:
    """Return what the classic builder takes for each kind of step, in seconds, `repeat` times."""
    small = folder / "small"
    small.mkdir()
    (small / "Dockerfile").write_text(f"FROM {base}\n", encoding="ascii")
    large = folder / "large"
    large.mkdir()
    (large / "small").write_text("x", encoding="ascii")
    _large(large / "large")
    lines = [f"FROM {base}", *(f"ENV V{i}={i}" for i in range(COUNT)), *(f"RUN true {i}" for i in range(COUNT))]
    lines += [*(f"COPY small /small{i}" for i in range(COUNT)), "COPY large /large"]
    (large / "Dockerfile").write_text("\n".join(lines) + "\n", encoding="ascii")
    seen: dict[str, list[float]] = {name: [] for name in ("build", "context", "step", "run", "copy", "copy_large")}
    for number in range(repeat):
        tag = f"vsim-builds-{number}"
        seen["build"].append(sum(step.seconds for step in timed_build(engine, small, f"{tag}-small")))
        steps = timed_build(engine, large, tag, nocache=True)
        engine.remove_image(f"{tag}:latest", force=True)
        engine.remove_image(f"{tag}-small:latest", noprune=True)
        seen["context"].append(steps[0].seconds)
        for kind, keyword in (("step", "ENV"), ("run", "RUN"), ("copy", "COPY small")):
            seen[kind].append(statistics.median(s.seconds for s in steps if s.text.startswith(keyword)))
        seen["copy_large"].append(steps[-1].seconds)
    return seen


def buildkit_costs(engine: Any, base: str, folder: Path, repeat: int) -> dict[str, list[float]]:
    """Return the same for BuildKit; what many steps take more than none is divided by their number."""
    program = buildkit_client()
    kinds: dict[str, Callable[[int], str]] = {
        "build": lambda i: "",
        "step": lambda i: f"ENV V{i}={i}\n",
        "run": lambda i: f"RUN true {i}\n",
        "copy": lambda i: f"COPY small /small{i}\n",
        "copy_large": lambda i: "COPY large /large\n" if i == 0 else "",
    }
    for kind, line in kinds.items():
        (folder / kind).mkdir()
        (folder / kind / "small").write_text("x", encoding="ascii")
        text = f"FROM {base}\n" + "".join(line(i) for i in range(COUNT))
        (folder / kind / "Dockerfile").write_text(text, encoding="ascii")
    seen: dict[str, list[float]] = {name: [] for name in (*kinds, "context")}
    tags = [f"vsim-builds-{kind.replace('_', '-')}" for kind in kinds]
    try:
        for _ in range(repeat):
            _large(folder / "copy_large" / "large")
            builds = {
                kind: buildkit_build(program, folder / kind, tag, *(["--no-cache"] if kind != "build" else []))
                for kind, tag in zip(kinds, tags, strict=True)
            }
            nothing = builds["build"].seconds
            seen["build"].append(nothing)
            for kind in ("step", "run", "copy"):
                seen[kind].append(max(0.0, builds[kind].seconds - nothing) / COUNT)
            seen["context"].append(builds["copy_large"].done_s("[internal] load build context"))
            seen["copy_large"].append(builds["copy_large"].done_s("COPY large /large"))
    finally:
        for tag in tags:
            untag(engine, tag)
    return seen


def untag(engine: Any, tag: str) -> None:
    """Remove an image by its name, if there is one."""
    import docker.errors

    try:
        engine.remove_image(f"{tag}:latest", force=True)
    except docker.errors.ImageNotFound:
        return


def costs(seen: dict[str, list[float]]) -> dict[str, float]:
    """Return the model's parameters from what was seen: medians, in base units."""
    middle = {kind: statistics.median(values) for kind, values in seen.items()}
    return {
        "build_s": middle["build"],
        "context_bytes_per_s": BYTES / middle["context"],
        "step_s": middle["step"],
        "copy_s": middle["copy"],
        "copy_bytes_per_s": BYTES / (middle["copy_large"] - middle["copy"]),
        "run_s": middle["run"],
    }


def _main(target: str) -> None:
    from benchmarks.pulls import client

    engine = client()
    now = datetime.datetime.now(datetime.UTC)
    load = os.getloadavg()[0]
    seen = {}
    with tempfile.TemporaryDirectory(prefix="vsim-builds-") as name, base_image(engine, "vsim-builds-base") as base:
        for builder, measure in (("classic", classic_costs), ("buildkit", buildkit_costs)):
            folder = Path(name) / builder
            folder.mkdir()
            with cache_removed(engine):
                seen[builder] = measure(engine, base, folder, REPEAT)
    record = {
        "run": f"builds-{now:%Y%m%d-%H%M%S}",
        "host": socket.gethostname(),
        "date": f"{now:%Y-%m-%d}",
        "load": load,
        "engine": engine.version()["Version"],
        "bytes": BYTES,
        "seen_s": seen,
        "costs": {builder: costs(values) for builder, values in seen.items()},
    }
    Path(target).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(record["costs"], indent=1) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1])
