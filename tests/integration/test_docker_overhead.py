"""What the harness itself adds to a Docker start: the driver against the same calls made raw on the engine's socket."""

from __future__ import annotations

import http.client
import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from tests.integration.test_drivers import need, payloads, workspace
from vsim.bench.drivers import all_drivers
from vsim.bench.drivers._engine import engine_socket
from vsim.bench.drivers.docker import LABEL
from vsim.bench.drivers.interface import InstanceSpec
from vsim.bench.lifecycle import launch, retire
from vsim.bench.workspace import Workspace

__all__ = ["workspace"]

DOCKER = next(driver for driver in all_drivers() if driver.name == "docker")
PAIRS = 40
MOST = 1.05


class Connection(http.client.HTTPConnection):
    """HTTP over the engine's socket, from Python's standard library."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(engine_socket()))


class Raw:
    """The four calls of a start, spelled out: create, attach, start, read."""

    def __init__(self, image: str, workspace: Workspace, spec: InstanceSpec) -> None:
        self._kept = Connection("localhost")
        self._kept.connect()
        self._name = f"{workspace.label}-raw"
        self._body = json.dumps(
            {
                "Image": image,
                "Cmd": list(spec.arguments),
                "Labels": {LABEL: workspace.run_id},
                "Env": [f"{name}={value}" for name, value in workspace.environment().items()],
                "User": "65534:65534",
                "HostConfig": {
                    "Runtime": "runc",
                    "Memory": spec.memory_bytes,
                    "MemorySwap": spec.memory_bytes,
                    "PidsLimit": spec.pids,
                    "CapDrop": ["ALL"],
                    "SecurityOpt": ["no-new-privileges"],
                    "ReadonlyRootfs": True,
                    "NetworkMode": "none",
                    "LogConfig": {"Type": "none", "Config": {}},
                },
            }
        ).encode()

    def start_s(self, inspected: list[dict[str, Any]]) -> float:
        """Return the time from asking for a container to its first byte, and have the engine describe it."""
        begin = time.monotonic()
        self._call("POST", f"/containers/create?name={self._name}", self._body)
        attached = Connection("localhost")
        attached.connect()
        try:
            attached.putrequest("POST", f"/v1.41/containers/{self._name}/attach?stdout=1&stderr=1&stream=1")
            attached.putheader("Connection", "Upgrade")
            attached.putheader("Upgrade", "tcp")
            attached.endheaders()
            head = b""
            while b"\r\n\r\n" not in head:
                head += attached.sock.recv(1)
            assert b" 101 " in head.splitlines()[0]
            self._call("POST", f"/containers/{self._name}/start")
            assert attached.sock.recv(65536)
            took = time.monotonic() - begin
            inspected.append(json.loads(self._call("GET", f"/containers/{self._name}/json")))
        finally:
            attached.close()
            self._call("DELETE", f"/containers/{self._name}?force=1&v=1")
        return took

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self._kept.request(method, f"/v1.41{path}", body, {"Content-Type": "application/json"})
        answer = self._kept.getresponse()
        said = answer.read()
        assert answer.status < 300, said
        return said

    def close(self) -> None:
        self._kept.close()


@pytest.fixture
def ours_and_raw(workspace: Workspace) -> Iterator[Any]:
    """A function that makes a number of pairs of starts, in random order within each, and returns seconds (n, 2)."""
    need(DOCKER)
    session = DOCKER.open(workspace, payloads(None))
    spec = InstanceSpec()
    described: list[list[dict[str, Any]]] = [[], []]

    def driver_s() -> float:
        launched = launch(session, spec, timeout_s=30, clock=time.monotonic)
        described[0].append(session.client.inspect_container(launched.instance.name))  # type: ignore[attr-defined]
        retire(session, launched.instance, clock=time.monotonic)
        return launched.startup_s

    try:
        with closing(Raw(session.image, workspace, spec)) as raw:  # type: ignore[attr-defined]

            def pairs(n: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
                rng = random.Random(seed)
                found = []
                for _ in range(n):
                    order = rng.sample((0, 1), 2)
                    took = [0.0, 0.0]
                    for which in order:
                        took[which] = raw.start_s(described[1]) if which else driver_s()
                    found.append(took)
                return np.array(found)

            yield pairs, described
    finally:
        session.close()


def ratio(seconds: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float, float]:
    """Return the median of the paired ratios and its 95 % bootstrap interval."""
    ratios = seconds[:, 0] / seconds[:, 1]
    drawn = np.random.default_rng(1).choice(ratios, size=(4000, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return float(np.median(ratios)), float(low), float(high)


def test_the_driver_adds_at_most_a_twentieth(ours_and_raw: Any, record_property: Any) -> None:
    pairs, described = ours_and_raw
    pairs(2, seed=0)  # warm
    seconds = pairs(PAIRS, seed=1)
    if ratio(seconds)[0] > MOST:  # a second, larger sample decides
        seconds = pairs(4 * PAIRS, seed=2)
    value, low, high = ratio(seconds)
    said = f"{value:.3f} ({low:.3f} to {high:.3f}), {len(seconds)} pairs; raw {np.median(seconds[:, 1]):.4f} s"
    record_property("driver over raw calls", said)
    assert value <= MOST, said
    # it was the same container that both asked for
    ours, raw = (each[-1] for each in described)
    for key in ("Runtime", "Memory", "PidsLimit", "CapDrop", "SecurityOpt", "ReadonlyRootfs", "NetworkMode"):
        assert ours["HostConfig"][key] == raw["HostConfig"][key]
    assert ours["Config"]["User"] == raw["Config"]["User"]
    assert sorted(ours["Config"]["Env"]) == sorted(raw["Config"]["Env"])
