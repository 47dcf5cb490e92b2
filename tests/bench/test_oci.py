"""What a bundle asks for, and what a daemon's configuration says of gVisor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vsim.bench.drivers import _engine
from vsim.bench.drivers._engine import gvisor_flags, runtime_flags
from vsim.bench.drivers._oci import bundle_config, with_bridge
from vsim.bench.drivers.interface import InstanceSpec


def namespaces(spec: InstanceSpec, network: Path | None = None) -> dict[str, str | None]:
    config: dict[str, Any] = bundle_config(spec, Path("/root"), "/group", {}, network=network)
    return {each["type"]: each.get("path") for each in config["linux"]["namespaces"]}


def test_every_instance_has_namespaces_of_its_own_but_for_the_host_s_network() -> None:
    kinds = ("pid", "ipc", "uts", "mount")
    assert namespaces(InstanceSpec()) == dict.fromkeys((*kinds, "network"))
    assert namespaces(InstanceSpec(network="host")) == dict.fromkeys(kinds)


def test_on_a_bridge_the_network_namespace_is_the_one_that_was_made() -> None:
    found = namespaces(InstanceSpec(network="bridge"), Path("/run/netns/vsim-1"))
    assert found["network"] == "/run/netns/vsim-1"


def test_a_bridge_is_offered_first_where_ip_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsim.bench.drivers._oci.has_ip", lambda: True)
    assert with_bridge("host", "loopback") == ("bridge", "host", "loopback")
    monkeypatch.setattr("vsim.bench.drivers._oci.has_ip", lambda: False)
    assert with_bridge("host", "loopback") == ("host", "loopback")


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ([], ()),
        (["--platform=ptrace", "--network=host"], ("platform-ptrace", "host-network-stack")),
        (["-platform=systrap", "--network=sandbox"], ("platform-systrap",)),
        (["--network=host", "--network=none", "--debug"], ()),
    ],
)
def test_what_the_words_for_runsc_mean(words: list[str], flags: tuple[str, ...]) -> None:
    assert gvisor_flags(words) == flags


def test_the_daemon_is_asked_how_it_calls_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    # as Docker 20.10 answers
    runtimes = {"runc": {"path": "runc"}, "runsc": {"path": "/usr/bin/runsc", "runtimeArgs": ["--network=host"]}}
    monkeypatch.setattr(_engine, "ask_engine", lambda path: {"Runtimes": runtimes})
    assert runtime_flags("runsc") == ("host-network-stack",)
    assert runtime_flags("runc") == runtime_flags("nothing") == ()

    def silent(path: str) -> None:
        raise OSError("nobody there")

    monkeypatch.setattr(_engine, "ask_engine", silent)
    assert runtime_flags("runsc") == ()
