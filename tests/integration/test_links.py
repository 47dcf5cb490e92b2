"""Networks made by ip: the host reaches the instances, nothing leads further, and nothing of them stays."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.leftovers import leftovers
from vsim.bench.clean import clean
from vsim.bench.drivers import InstanceSpec, find_driver
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import launch, retire
from vsim.bench.links import Bridge, has_ip, interface_name
from vsim.bench.payload import build_payload
from vsim.bench.workspace import Workspace, new_run_id

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces"),
    pytest.mark.skipif(not has_ip(), reason="ip (iproute2) is not installed"),
]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    before = leftovers()
    with Workspace(new_run_id()) as made:
        yield made
    assert leftovers() == before


def inside(name: str, *words: str) -> str:
    return subprocess.run(["ip", "-netns", name, *words], capture_output=True, text=True, check=True).stdout


def links_of(workspace: Workspace) -> list[str]:
    """Return the aliases of the run's interfaces on the host."""
    aliases = [(path / "ifalias").read_text().strip() for path in Path("/sys/class/net").glob("vsim*")]
    return sorted(alias for alias in aliases if alias.startswith(workspace.label))


def test_instances_have_addresses_of_one_network_that_leads_nowhere(workspace: Workspace) -> None:
    bridge = Bridge(workspace, "runc")
    try:
        names = [workspace.name("runc") for _ in range(2)]
        (first, one), (second, two) = (bridge.attach(name) for name in names)
        assert (first.name, second.name) == tuple(names)
        assert one != two
        for address in (one, two):
            assert ipaddress.ip_address(address) in ipaddress.ip_network("198.18.0.0/15")
        for name, address in zip(names, (one, two), strict=True):
            # Two interfaces, one route: to the neighbours.
            assert [line.split()[1].partition("@")[0] for line in inside(name, "-o", "link").splitlines()] == [
                "lo:",
                "eth0",
            ]
            (route,) = inside(name, "-4", "route").splitlines()
            assert route.split()[0] == str(ipaddress.ip_network(f"{address}/24", strict=False))
            way = subprocess.run(["ip", "route", "get", address], capture_output=True, text=True, check=True).stdout
            assert interface_name(f"{workspace.label}-runc") in way
        assert links_of(workspace) == sorted([f"{workspace.label}-runc", *names])
        bridge.detach(names[0])
        bridge.detach(names[0])
        assert links_of(workspace) == sorted([f"{workspace.label}-runc", names[1]])
        assert not first.exists()
        # What is free again is given again.
        third = workspace.name("runc")
        assert bridge.attach(third)[1] == one
    finally:
        bridge.close()
    assert links_of(workspace) == []
    assert not list(Path("/run/netns").glob(f"{workspace.label}*"))


def test_two_sessions_get_networks_of_their_own(workspace: Workspace) -> None:
    bridges = [Bridge(workspace, driver) for driver in ("runc", "crun", "gvisor")]
    try:
        addresses = [bridge.attach(workspace.name(str(number)))[1] for number, bridge in enumerate(bridges)]
    finally:
        for bridge in bridges:
            bridge.close()
    assert len({ipaddress.ip_network(f"{address}/24", strict=False) for address in addresses}) == 3


def test_what_fails_half_way_is_taken_back(workspace: Workspace) -> None:
    bridge = Bridge(workspace, "runc")
    name = workspace.name("runc")
    # Somebody else has a device of the name that this instance's would get.
    subprocess.run(["ip", "link", "add", interface_name(name), "type", "bridge"], check=True)
    try:
        with pytest.raises(StageError, match=r"ip: .*File exists"):
            bridge.attach(name)
        assert not Path("/run/netns", name).exists()
    finally:
        subprocess.run(["ip", "link", "delete", interface_name(name)], check=False, capture_output=True)
        bridge.close()
    assert links_of(workspace) == []


def test_what_a_crashed_run_leaves_is_found_and_removed_and_a_living_one_keeps_its_own(workspace: Workspace) -> None:
    living = Bridge(workspace, "runc")
    name = workspace.name("runc")
    try:
        living.attach(name)
        # A run that is killed has no time to close anything: its locks go, its objects stay.
        dead = Workspace(new_run_id())
        gone = dead.name("gvisor")
        Bridge(dead, "gvisor").attach(gone)
        dead.close()
        left = leftovers(dead.run_id)
        assert [len(left["links"]), len(left["netns"])] == [2, 1]
        removed = clean()
        assert f"interface {interface_name(gone)} ({gone})" in removed
        assert f"network namespace {gone}" in removed
        assert not any(leftovers(dead.run_id).values())
        assert links_of(workspace) == sorted([f"{workspace.label}-runc", name])
        assert Path("/run/netns", name).exists()
    finally:
        living.close()


@pytest.mark.parametrize(("name", "own_stack"), [("runc", False), ("crun", False), ("gvisor", True)])
def test_who_answers_on_the_bridge(name: str, own_stack: bool, workspace: Workspace) -> None:
    """The kernel under runc and crun; gVisor's own stack has taken the address away from the kernel."""
    driver = find_driver(name)
    reason = driver.lack()
    if reason is not None:
        if os.environ.get("VSIM_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with driver.open(workspace, build_payload()) as session:
        spec = InstanceSpec(arguments=("http=8080",), network="bridge")
        launched = launch(session, spec, timeout_s=driver.start_timeout_s, clock=time.monotonic)
        endpoint = launched.instance.endpoint(8080)
        assert endpoint is not None
        with socket.create_connection(endpoint, timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            assert connection.recv(4096).endswith(b"ok\n")
        addresses = inside(launched.instance.name, "-4", "-o", "addr", "show", "dev", "eth0")
        retire(session, launched.instance, clock=time.monotonic)
        assert links_of(workspace) == [f"{workspace.label}-{name}"]
    assert (endpoint[0] not in addresses) == own_stack
    assert links_of(workspace) == []


def test_without_the_right_to_it_the_reason_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "environment", lambda: {"PATH": "/nonexistent"})
    with pytest.raises(StageError, match="ip: "):
        Bridge(workspace, "runc").attach(workspace.name("runc"))
