"""What shares what and who reaches whom, against counts worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.calibration import builtin
from vsim.calibration.catalogue import load_compose
from vsim.experiment.layout import Layout, Reach, layout, paths, reach
from vsim.scenario.scenario import Scenario

# six instances, small enough for one machine of any kind
FILE = """\
services:
  web: {image: nginx, depends_on: [api], ports: ["80:80"], deploy: {replicas: 3}, networks: [front]}
  api: {image: node, depends_on: [db, log], networks: [front, back], privileged: true}
  db: {image: redis, networks: [back]}
  log: {image: busybox, networks: [apart]}
networks: {front: , back: , apart: }
"""


def scenario(tmp_path: Path, text: str = FILE) -> Scenario:
    path = tmp_path / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    return load_compose(path)


def placed(read: Scenario, name: str) -> Layout:
    return layout(read, builtin().architecture(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # a machine for each of them
        ("bare-metal@tower-server", Reach(1, None, 1, None, 1, 1, 1)),
        # six blades in one enclosure, whose midplane has no spare
        ("bare-metal@blade", Reach(1, None, 1, 6, 1, 6, 1)),
        # one machine, six guests: an escape from a guest's kernel lands in the hypervisor, and so at all of them
        ("vm@rack-server", Reach(1, 6, 6, None, 6, 6, 1)),
        ("vm@blade", Reach(1, 6, 6, 6, 6, 6, 1)),
        # one kernel for all six
        ("container@rack-server", Reach(6, None, 6, None, 6, 6, 6)),
        # one guest for all six
        ("container-in-vm@rack-server", Reach(6, 6, 6, None, 6, 6, 6)),
    ],
)
def test_reach(tmp_path: Path, name: str, expected: Reach) -> None:
    read = scenario(tmp_path)
    assert reach(placed(read, name), read.privileged) == expected


def test_guests_of_eight_containers_each_bound_an_escape(tmp_path: Path) -> None:
    read = scenario(tmp_path, "services: {a: {image: busybox, deploy: {replicas: 20}}}\n")
    one = placed(read, "container-in-vm@rack-server")
    # 8 + 8 + 4
    assert [len(guest) for host in one.hosts for guest in host.guests] == [8, 8, 4]
    assert reach(one) == Reach(8, 20, 20, None, 8, 20, None)


def test_a_sandbox_has_a_kernel_of_its_own(tmp_path: Path) -> None:
    read = scenario(tmp_path, "services: {a: {image: busybox, deploy: {replicas: 3}}}\n")
    assert reach(placed(read, "sandboxed-container@rack-server")) == Reach(1, None, 3, None, 3, 3, None)


def test_ways_on_one_kernel(tmp_path: Path) -> None:
    read = scenario(tmp_path)
    ways = {(w.connection.of, w.connection.to): w for w in paths(read, placed(read, "container@rack-server"))}
    assert {key: way.mode for key, way in ways.items()} == {
        ("web", "api"): "bridge",
        ("api", "db"): "bridge",
        ("api", "log"): None,
    }
    assert ways["api", "log"].why == "they share no network"
    # 5 µs is the bridge's cost in the built-in profile; both are on one
    assert ways["api", "db"].latency_s == pytest.approx(5e-6)
    assert ways["api", "db"].bytes_per_s is None


@pytest.mark.parametrize(
    ("name", "expected"),
    # what is in one guest doesn't pass the guest's own device; a sandbox's network stack (20 µs) is passed at both ends
    [("container-in-vm@rack-server", 5e-6), ("sandboxed-container@rack-server", 5e-6 + 2 * 20e-6)],
)
def test_ways_over_one_bridge(tmp_path: Path, name: str, expected: float) -> None:
    read = scenario(tmp_path, "services: {a: {image: nginx, depends_on: [b]}, b: {image: redis}}\n")
    (way,) = paths(read, placed(read, name))
    assert (way.where, way.mode) == ("kernel", "bridge")
    assert way.latency_s == pytest.approx(expected)


def test_ways_between_machines_that_have_no_containers(tmp_path: Path) -> None:
    read = scenario(tmp_path)
    machine = builtin().machines["tower-server"]
    for way in paths(read, placed(read, "bare-metal@tower-server")):
        # the network of the house: processes add nothing to the link
        assert (way.where, way.mode) == ("hosts", "network")
        assert way.latency_s == machine.link.latency_s.value
        assert way.bytes_per_s == machine.link.bytes_per_s.value


def test_ways_between_guests_pass_two_virtual_devices(tmp_path: Path) -> None:
    read = scenario(tmp_path)
    virtio = builtin().quantities["hypervisor.network.virtio.latency_s"].value
    for way in paths(read, placed(read, "vm@rack-server")):
        assert (way.where, way.mode, way.bytes_per_s) == ("host", "network", None)
        assert way.latency_s == pytest.approx(2 * virtio)


APART = """\
services:
  web: {{image: nginx, depends_on: [db], x-vsim: {{memory: 60 GiB}}}}
  db: {{image: redis, {ports} x-vsim: {{memory: 60 GiB}}}}
networks: {{default: {{driver: {driver}}}}}
"""


@pytest.mark.parametrize(
    ("ports", "driver", "mode"),
    [("", "bridge", None), ("", "overlay", "overlay"), ("ports: ['6379:6379'],", "bridge", "published")],
)
def test_containers_on_two_hosts(tmp_path: Path, ports: str, driver: str, mode: str | None) -> None:
    read = scenario(tmp_path, APART.format(ports=ports, driver=driver))
    one = placed(read, "container@rack-server")
    assert len(one.hosts) == 2  # of 96 GiB: both don't fit on one
    (way,) = paths(read, one)
    assert (way.where, way.mode) == ("hosts", mode)
    machine = builtin().machines["rack-server"]
    if mode is None:
        assert way.why == "they are on different hosts, without an overlay network or a published port"
    elif mode == "overlay":
        # 25 µs for the overlay, on top of the link
        assert way.latency_s == pytest.approx(25e-6 + machine.link.latency_s.value)
        assert way.bytes_per_s == pytest.approx(0.8 * machine.link.bytes_per_s.value)
    else:
        # a bridge on one side (5 µs, 98 %), a published port on the other (12 µs, 95 %)
        assert way.latency_s == pytest.approx(17e-6 + machine.link.latency_s.value)
        assert way.bytes_per_s == pytest.approx(0.98 * 0.95 * machine.link.bytes_per_s.value)
