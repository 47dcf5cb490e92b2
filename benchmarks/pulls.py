"""How Docker Engine pulls: each phase timed by its own progress messages, and the parameters of the model fitted to it.

    python -m benchmarks.pulls FILE      pulls made-up images from a registry on loopback; writes what came out

The built-in profile cites the record of a run (`docker-pull`). The integration test fits the same parameters to pulls
on its own host and predicts others with them.
"""

from __future__ import annotations

import datetime
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.registry import Blob, Content, Registry, Throttle, push, registry

__all__ = [
    "Calibration",
    "Fitted",
    "LayerTimes",
    "PullTimes",
    "calibration",
    "client",
    "daemon",
    "fit",
    "images_removed",
    "pull",
]

REPEAT = 8
WARM = 3
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class LayerTimes:
    """When a layer's download began and was complete and when it was unpacked, in seconds from the pull's begin."""

    digest: str
    begin_s: float
    downloaded_s: float
    unpacked_s: float


@dataclass(frozen=True, slots=True)
class PullTimes:
    """A pull as seen: how long it took, when the manifest was there, the daemon's CPU time, its layers in order."""

    seconds: float
    manifest_s: float
    cpu_s: float
    download_cpu_s: float
    layers: tuple[LayerTimes, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The model's parameters on this host, in base units; `residual` is the fit's median relative error."""

    manifest_wait_s: float
    receive_core_s_per_byte: float
    unpack_wait_s: float
    unpack_core_s: float
    unpack_core_s_per_byte: float
    unpack_core_s_per_file: float
    residual: float


def client() -> Any:
    """Return a client of the local engine. Raises OSError or DockerException when it doesn't answer."""
    import docker

    return docker.APIClient(version="auto", timeout=600)


def daemon() -> int:
    """Return the process id of dockerd."""
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text() == "dockerd\n":
                return int(path.parent.name)
        except OSError:
            continue
    raise ProcessLookupError("there is no dockerd")


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process and of its children that have ended, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def pull(engine: Any, reference: str, pid: int) -> PullTimes:
    """Pull an image and return its times."""
    before, begin = cpu_s(pid), time.monotonic()
    first: dict[str, float] = {}
    complete: dict[str, float] = {}
    done: dict[str, float] = {}
    order: list[str] = []
    manifest = downloaded_cpu = 0.0
    for message in engine.pull(reference, tag="latest", stream=True, decode=True):
        now = time.monotonic() - begin
        assert "error" not in message, message
        layer, status = message.get("id", ""), message.get("status", "")
        if status == "Pulling fs layer":
            order.append(layer)
            manifest = manifest or now
        elif status == "Downloading":
            first.setdefault(layer, now)
        elif status == "Download complete":
            complete[layer] = now
            downloaded_cpu = cpu_s(pid) - before
        elif status == "Pull complete":
            done[layer] = now
    seconds = time.monotonic() - begin
    layers = tuple(LayerTimes(one, first.get(one, manifest), complete.get(one, manifest), done[one]) for one in order)
    return PullTimes(seconds, manifest or seconds, cpu_s(pid) - before, downloaded_cpu, layers)


@contextmanager
def images_removed(engine: Any, references: Sequence[str]) -> Iterator[None]:
    """Remove the images when done, whatever happened."""
    import docker.errors

    try:
        yield
    finally:
        for reference in references:
            try:
                engine.remove_image(f"{reference}:latest", force=True)
            except docker.errors.APIError:
                continue


def contents_to_fit(scale: float = 1.0) -> dict[str, list[Content]]:
    """Return what images of one layer hold that differ in size and number of files, and one of ten tiny layers.

    `scale` multiplies the number of files: smaller images take less time and give less exact parameters.
    """
    shapes = {
        "small": (20, 50_000, 0.3),
        "large": (60, 1_000_000, 0.3),
        "text": (60, 1_000_000, 0.0),
        "noise": (30, 1_000_000, 1.0),
        "files": (4000, 1_000, 0.3),
        "mixed": (1500, 16_000, 0.3),
    }
    contents = {
        name: [Content(name, max(1, round(files * scale)), size, noise, seed)]
        for seed, (name, (files, size, noise)) in enumerate(shapes.items())
    }
    contents["tiny"] = [Content(f"tiny{i}", 1, 100, 0.0, 100 + i) for i in range(10)]
    return contents


def fit(images: dict[str, list[Blob]], pulls: dict[str, list[PullTimes]], warm: Sequence[PullTimes]) -> Fitted:
    """Return the parameters that explain `pulls`, one or more of each of `images`, without a limit of bandwidth.

    `warm` are pulls of images that were there: what they take is the manifest.
    """
    rows: list[tuple[float, float, float]] = []
    seen: list[float] = []
    for name, blobs in images.items():
        for number, blob in enumerate(blobs):
            times = []
            for one in pulls[name]:
                layer = one.layers[number]
                below = one.layers[number - 1].unpacked_s if number else 0.0
                times.append(layer.unpacked_s - max(layer.downloaded_s, below))
            rows.append((1.0, float(blob.layer.uncompressed_bytes), float(blob.layer.files or 0)))
            # the least: other programs of the host only ever add to it
            seen.append(min(times))
    matrix, values = np.array(rows), np.array(seen)
    # every layer counts by its relative error; no parameter is negative
    weights = 1 / values
    solution = np.linalg.lstsq(matrix * weights[:, None], values * weights, rcond=None)[0].clip(min=0)
    errors = np.abs(matrix @ solution / values - 1)
    tiny = pulls["tiny"]
    per_layer = float(solution[0])
    cpu = min(per_layer, min([one.cpu_s for one in tiny]) / len(images["tiny"]))
    noise = images["noise"][0].layer.compressed_bytes
    return Fitted(
        manifest_wait_s=min(one.seconds for one in warm),
        receive_core_s_per_byte=min([one.download_cpu_s for one in pulls["noise"]]) / noise,
        unpack_wait_s=per_layer - cpu,
        unpack_core_s=cpu,
        unpack_core_s_per_byte=float(solution[1]),
        unpack_core_s_per_file=float(solution[2]),
        residual=float(np.median(errors)),
    )


class Calibration:
    """Pulls of images of all kinds of layers over an unlimited link, to fit the model's parameters to.

    Every pull is of layers of its own, and all are removed at the end: ext4 doesn't give out an inode again that was
    freed in the last minutes, and who creates files after many were removed waits for its search for others.
    """

    def __init__(self, engine: Any, target: Registry, scale: float = 1.0) -> None:
        self._engine = engine
        self._target = target
        self._contents = contents_to_fit(scale)
        self._turn = 0
        self.pulls: dict[str, list[PullTimes]] = {}
        self.warm: list[PullTimes] = []
        self.images: dict[str, list[Blob]] = {}
        self.pulled: list[str] = []

    def forget(self) -> None:
        """Leave what was seen so far out of what the parameters are fitted to."""
        self.pulls.clear()
        self.warm.clear()

    def turn(self) -> Fitted:
        """Pull an image of each kind once more, cold and warm; return the parameters that explain all pulls so far."""
        pid = daemon()
        with Throttle(self._target.port, 1e10) as link:
            for name, contents in self._contents.items():
                image = f"fit-{name}-{self._turn}"
                blobs = [content.layer(f"{image}-{number}") for number, content in enumerate(contents)]
                push(self._target, image, blobs)
                self.images[name] = blobs
                self.pulled.append(f"127.0.0.1:{link.port}/{image}")
                self.pulls.setdefault(name, []).append(pull(self._engine, self.pulled[-1], pid))
                self.warm.extend(pull(self._engine, self.pulled[-1], pid) for _ in range(WARM))
        self._turn += 1
        return fit(self.images, self.pulls, self.warm)


@contextmanager
def calibration(engine: Any, target: Registry, scale: float = 1.0) -> Iterator[Calibration]:
    """Yield a calibration, and remove at the end what it has pulled."""
    started = Calibration(engine, target, scale)
    with images_removed(engine, started.pulled):
        yield started


def _main(target: str) -> None:
    engine = client()
    now = datetime.datetime.now(datetime.UTC)
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="vsim-pulls-") as folder,
        registry(Path(folder)) as started,
        calibration(engine, started) as measured,
    ):
        for _ in range(REPEAT):
            fitted = measured.turn()
    version = engine.version()
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "",
    )
    record = {
        "run": f"pulls-{now:%Y%m%d-%H%M%S}",
        "host": socket.gethostname(),
        "date": f"{now:%Y-%m-%d}",
        "cpu": model,
        "cores": os.cpu_count(),
        "load": load,
        "engine": version["Version"],
        "storage_driver": engine.info()["Driver"],
        "images": {
            name: [(b.layer.compressed_bytes, b.layer.uncompressed_bytes, b.layer.files) for b in blobs]
            for name, blobs in measured.images.items()
        },
        "pulls": {name: [asdict(one) for one in many] for name, many in measured.pulls.items()},
        "warm_s": [one.seconds for one in measured.warm],
        "fitted": asdict(fitted),
    }
    Path(target).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(record["fitted"], indent=1) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1])
