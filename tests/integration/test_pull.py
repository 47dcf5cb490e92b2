"""Pulls from a registry on loopback with limited bandwidth: measured with the real engine, and simulated.

The model's parameters are fitted to pulls of other images over an unlimited link (:mod:`benchmarks.pulls`); what is
predicted was not part of that.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pulls import Fitted, calibration, client, daemon, images_removed, pull
from benchmarks.registry import Blob, Content, Registry, Throttle, image_of, make_layer, push, registry
from tests.conftest import lacking
from vsim.engine.pull import HostCapacities, Order, simulate_pulls
from vsim.model.image import Image, Puller
from vsim.model.image import Registry as RegistryModel
from vsim.model.quantity import Quantity, Source

pytestmark = pytest.mark.slow

BYTES_PER_S = 4_000_000
TOLERANCE = 0.15
# An attempt fits the parameters and pulls what they predict right after: other programs of the host add to both, if
# they go on as long. Where they don't, another attempt decides.
ATTEMPTS = 5
WARM = 20
# of the size of the images that the profile's parameters are fitted to
SCALE = 0.4


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    import docker.errors
    import requests

    try:
        found = client()
        found.ping()
        daemon()
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        lacking(f"a Docker engine ({error})")
    yield found
    found.close()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    try:
        with registry(tmp_path_factory.mktemp("registry")) as started:
            yield started
    except FileNotFoundError as error:
        lacking(str(error))


SHAPES = {
    "base": (180, 60_000, 0.2),
    "runtime": (60, 60_000, 0.4),
    "tools": (400, 8_000, 0.3),
    "one": (12, 200_000, 0.5),
    "tiny": (1, 99, 0.0),
    "libraries": (25, 300_000, 0.3),
    "two": (120, 10_000, 0.5),
}


@pytest.fixture(scope="module")
def contents() -> dict[str, Content]:
    return {name: Content(name, *shape, seed) for seed, (name, shape) in enumerate(SHAPES.items(), 11)}


def made(contents: dict[str, Content], stamp: str) -> dict[str, list[Blob]]:
    """Return two images that share their first two layers; those of another stamp are others, of the same sizes."""
    layers = {name: content.layer(stamp) for name, content in contents.items()}
    base = [layers["base"], layers["runtime"]]
    return {
        "first": [*base, layers["tools"], layers["one"], layers["tiny"]],
        "second": [*base, layers["libraries"], layers["two"]],
    }


def quantity(value: float) -> Quantity:
    return Quantity("fitted", value, "1", Source("assumed", why="fitted in this test"), value, value)


def predicted(fitted: Fitted, orders: list[Order], cached: tuple[Image, ...] = ()) -> list[float]:
    values = {
        "downloads": 3.0,
        "manifest_round_trips": 0.0,
        "manifest_wait_s": fitted.manifest_wait_s,
        "layer_round_trips": 0.0,
        "receive_core_s_per_byte": fitted.receive_core_s_per_byte,
        "unpack_wait_s": fitted.unpack_wait_s,
        "unpack_core_s": fitted.unpack_core_s,
        "unpack_core_s_per_byte": fitted.unpack_core_s_per_byte,
        "unpack_core_s_per_file": fitted.unpack_core_s_per_file,
        "bytes_per_file": 1.0,
        "write_back_fraction": 1.0,
    }
    puller = Puller("fitted", "Fitted", **{name: quantity(value) for name, value in values.items()})
    source = RegistryModel("throttled", "Throttled", quantity(BYTES_PER_S), quantity(0.0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    host = HostCapacities(float(os.cpu_count() or 1), 1.0, 1e10, 1e10, memory)
    there = [chain for image in cached for chain in image.chains]
    return [one.seconds for one in simulate_pulls(orders, puller, source, host, cached=there)]


class Pulls:
    """Pulls of two images that share layers, each time of layers that the host has never had (see `Calibration`)."""

    def __init__(self, engine: Any, local: Registry, link: Throttle, contents: dict[str, Content]) -> None:
        self.engine = engine
        self.local = local
        self.link = link
        self.contents = contents
        self.pulled: list[str] = []
        self.seen: dict[str, list[float]] = {"cold": [], "after": [], "warm": [], "both": []}

    def _pushed(self, stamp: str) -> tuple[list[str], Image, Image]:
        blobs = made(self.contents, stamp)
        for name, layers in blobs.items():
            push(self.local, f"{name}-{stamp}", layers)
        names = [f"127.0.0.1:{self.link.port}/{name}-{stamp}" for name in blobs]
        self.pulled += names
        first, second = (image_of(name, layers) for name, layers in blobs.items())
        return names, first, second

    def once(self, stamp: str) -> tuple[Image, Image]:
        """Pull one after another, again, and two others at once; check what is transferred; return the images."""
        pid = daemon()
        names, first, second = self._pushed(stamp)
        before = self.link.sent
        self.seen["cold"].append(pull(self.engine, names[0], pid).seconds)
        assert self.link.sent - before == pytest.approx(first.compressed_bytes, rel=0.02)
        before = self.link.sent
        after = pull(self.engine, names[1], pid)
        self.seen["after"].append(after.seconds)
        missing = second.missing(first.chains)
        assert len(after.layers) == len(missing) == 2
        assert self.link.sent - before == pytest.approx(sum(layer.compressed_bytes for layer in missing), rel=0.02)
        self.seen["warm"].extend(pull(self.engine, names[0], pid).seconds for _ in range(WARM))
        self.seen["both"].append(_at_once(self._pushed(f"{stamp}-both")[0], pid))
        return first, second


def test_cold_and_warm_pulls_of_images_that_share_layers(
    engine: Any, local: Registry, contents: dict[str, Content], record_property: Any
) -> None:
    with calibration(engine, local, SCALE) as others, Throttle(local.port, BYTES_PER_S) as link:
        pulls = Pulls(engine, local, link, contents)
        with images_removed(engine, pulls.pulled):
            for attempt in range(ATTEMPTS):
                others.forget()
                pulls.seen = {name: [] for name in pulls.seen}
                fitted = others.turn()
                first, second = pulls.once(f"attempt-{attempt}")
                simulated = {
                    "cold": predicted(fitted, [Order(first)])[0],
                    "after": predicted(fitted, [Order(second)], (first,))[0],
                    "warm": predicted(fitted, [Order(first)], (first,))[0],
                    "both": max(predicted(fitted, [Order(first), Order(second)])),
                }
                measured = {name: min(times) for name, times in pulls.seen.items()}
                if all(measured[name] == pytest.approx(simulated[name], rel=TOLERANCE) for name in measured):
                    break
    for name in measured:
        record_property(name, f"measured {measured[name]:.3f} s, simulated {simulated[name]:.3f} s")
    assert measured == pytest.approx(simulated, rel=TOLERANCE), fitted
    # the limited link counts, and so does unpacking: neither alone would do
    link_s = first.compressed_bytes / BYTES_PER_S
    assert 1.05 * link_s < measured["cold"] < 3 * link_s


def _at_once(references: list[str], pid: int) -> float:
    """Pull images at the same time, each on a connection of its own; return the time of the slowest."""
    times: list[float] = []

    def run(reference: str) -> None:
        engine = client()
        times.append(pull(engine, reference, pid).seconds)
        engine.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in references]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == len(references)
    return max(times)


def test_the_throttle_lets_through_what_it_says(local: Registry) -> None:
    import http.client
    import time

    blob = make_layer("throttled", 100, 80_000, 1.0, 99)
    push(local, "throttled", [blob])
    with Throttle(local.port, BYTES_PER_S) as link:
        connection = http.client.HTTPConnection("127.0.0.1", link.port, timeout=60)
        begin = time.monotonic()
        connection.request("GET", f"/v2/throttled/blobs/{blob.digest}")
        with connection.getresponse() as answer:
            data = answer.read()
        seconds = time.monotonic() - begin
        connection.close()
    assert data == blob.data
    assert len(data) / seconds == pytest.approx(BYTES_PER_S, rel=0.05)


def test_real_sizes_of_an_image_of_the_engine(engine: Any, tmp_path: Path) -> None:
    from benchmarks.builds import base_image
    from vsim.bench.engine_images import read_engine_image
    from vsim.scenario.images import read_stored

    with base_image(engine, "vsim-test-inspect") as name:
        (image,) = read_engine_image(name)
        saved = tmp_path / "saved.tar"
        with saved.open("wb") as file:
            for piece in engine.get_image(name):
                file.write(piece)
        (stored,) = read_stored(saved)
        (packed,) = read_engine_image(name, compress=True)
        history = engine.history(name)
    assert [layer.uncompressed_bytes for layer in image.layers] == [layer.uncompressed_bytes for layer in stored.layers]
    (layer,) = image.layers
    # a program, eleven links to it, a folder, a stamp; the engine counts the content only
    assert layer.files == 14
    assert layer.uncompressed_bytes is not None
    assert history[0]["Size"] < layer.uncompressed_bytes < history[0]["Size"] + 14 * 1536 + 10_240
    assert layer.compressed_bytes is None
    compressed = packed.layers[0].compressed_bytes
    assert compressed is not None
    assert 0.3 < compressed / layer.uncompressed_bytes < 0.8


def test_an_image_that_is_not_there_is_refused(engine: Any) -> None:
    from vsim.bench.engine_images import read_engine_image
    from vsim.errors import InputError

    with pytest.raises(InputError, match="the engine has no image") as caught:
        read_engine_image("vsim-test-nothing:here")
    assert caught.value.hint is not None
    assert "docker images" in caught.value.hint


def test_without_an_engine_there_is_a_hint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from vsim.bench.engine_images import read_engine_image
    from vsim.errors import HostError

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(HostError, match="doesn't answer") as caught:
        read_engine_image("a")
    assert caught.value.hint is not None
    assert "OCI layout" in caught.value.hint
