"""What programs and daemons say, as they said it: versions, the Docker engine, the Pi's firmware."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.bench.environment import Root, find_spoilers
from vsim.bench.environment.commands import ask, docker_facts, version_in
from vsim.bench.environment.raspberry import Throttling, collect_throttling, throttled_states, throttling_facts


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev\ngo: go1.19.8\n", "1.1.5+ds1"),
        ("crun version 1.8.1\ncommit: f8a096be060b22ccd3d5f3ebe44108517fbf6c30\n", "1.8.1"),
        ("podman version 4.3.1\n", "4.3.1"),
        ("containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1\n", "1.6.20~ds1"),
        ("bubblewrap 0.8.0\n", "0.8.0"),
        ("systemd 252 (252.39-1~deb12u1)\n+PAM +AUDIT\n", "252"),
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\n", "7.2.22"),
        ("unshare from util-linux 2.38.1\n", "2.38.1"),
        ("runsc version release-20240807.0\nspec: 1.1.0-rc.1\n", "20240807.0"),
        ("runsc version 0.0~20221219.0\nspec: 1.0.2\n", "0.0~20221219.0"),
        ("Firecracker v1.9.1\n", "1.9.1"),
        ("fio-3.33\n", "3.33"),
        ("6.1.176\n", "6.1.176"),
        ("Usage: something\n", None),
        ("", None),
    ],
)
def test_versions(text: str, version: str | None) -> None:
    assert version_in(text) == version


def test_a_program_that_hangs_fails_or_is_missing_says_nothing(tmp_path: Path) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 30\n")
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\necho 1.2.3\nexit 3\n")
    for path in (hanging, failing):
        path.chmod(0o755)
    assert ask([str(hanging)], limit_s=0.3) is None
    assert ask([str(failing)]) is None
    assert ask([str(tmp_path / "missing")]) is None


def test_an_engine_on_the_host() -> None:
    info = {
        "ServerVersion": "20.10.24+dfsg1",
        "Driver": "overlay2",
        "CgroupDriver": "cgroupfs",
        "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
        "KernelVersion": "6.1.0-28-amd64",
        "Runtimes": {"runsc": {"path": "/usr/bin/runsc"}, "runc": {"path": "runc"}},
        "SecurityOptions": ["name=seccomp,profile=default"],
    }
    facts = docker_facts(info, {"Platform": {"Name": ""}})
    assert facts["docker_storage_driver"] == "overlay2"
    assert facts["docker_runtimes"] == ["runc", "runsc"]
    assert facts["docker_desktop"] is False
    assert facts["docker_rootless"] is False
    assert find_spoilers(facts) == ()


def test_docker_desktop_hides_a_virtual_machine() -> None:
    info = {
        "ServerVersion": "27.1.1",
        "Driver": "overlay2",
        "OperatingSystem": "Docker Desktop",
        "KernelVersion": "6.10.0-linuxkit",
        "SecurityOptions": ["name=seccomp,profile=unconfined", "name=cgroupns"],
    }
    facts = docker_facts(info, {"Platform": {"Name": "Docker Desktop 4.33.0 (160616)"}})
    assert facts["docker_desktop"] is True
    (spoiler,) = find_spoilers(facts)
    assert "hidden virtual machine" in spoiler.cause


def test_an_engine_without_root_and_with_a_slow_storage_driver() -> None:
    facts = docker_facts({"Driver": "fuse-overlayfs", "SecurityOptions": ["name=seccomp", "name=rootless"]})
    assert {each.name for each in find_spoilers(facts)} == {"storage-driver", "rootless"}


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("throttled=0x0\n", []),
        # 0x50005 = bits 0, 2, 16, 18
        (
            "throttled=0x50005\n",
            ["under-voltage now", "throttled now", "under-voltage since boot", "throttled since boot"],
        ),
        # 0xe0008 = bits 3, 17, 18, 19
        (
            "throttled=0xe0008",
            [
                "soft temperature limit now",
                "clock capped since boot",
                "throttled since boot",
                "soft temperature limit since boot",
            ],
        ),
        ("VCHI initialization failed", None),
        ("", None),
    ],
)
def test_throttling(text: str, states: list[str] | None) -> None:
    assert throttled_states(text) == states


def test_under_voltage_asks_for_a_power_supply_and_heat_for_a_fan() -> None:
    (power,) = find_spoilers(throttling_facts("throttled=0x50005"))
    (heat,) = find_spoilers(throttling_facts("throttled=0x80008"))
    assert power.next_step is not None
    assert "power supply" in power.next_step
    assert heat.next_step is not None
    assert "fan" in heat.next_step


@pytest.mark.parametrize(
    ("answers", "found", "now"),
    [
        # what was there at the begin is in the run's record; heat comes and goes between two looks (bits 3 and 19)
        (
            ["throttled=0x10000", "throttled=0x10000", "throttled=0x90000", "throttled=0x90000"],
            [(), ("soft temperature limit since boot",), ()],
            [(), (), ()],
        ),
        # under-voltage (bits 0 and 16) goes on over a step, and has ended after the next one
        (
            ["throttled=0x0", "throttled=0x10001", "throttled=0x10001", "throttled=0x10000"],
            [("under-voltage now", "under-voltage since boot"), ("under-voltage now",), ()],
            [("under-voltage now",), ("under-voltage now",), ()],
        ),
        # one answer that fails says nothing
        (
            ["throttled=0x0", "VCHI initialization failed", "throttled=0x4"],
            [(), ("throttled now",)],
            [(), ("throttled now",)],
        ),
    ],
)
def test_a_clock_that_is_lowered_while_a_run_goes_on(
    answers: list[str], found: list[tuple[str, ...]], now: list[tuple[str, ...]]
) -> None:
    following = iter(answers)
    throttling = Throttling(lambda: next(following))
    looks = [(throttling.look(), throttling.now) for _ in found]
    assert looks == list(zip(found, now, strict=True))


def test_a_host_without_that_firmware_is_asked_once() -> None:
    asked = []
    throttling = Throttling(lambda: asked.append(1))
    assert [throttling.look() for _ in range(3)] == [()] * 3
    assert len(asked) == 1


def test_a_zero_in_the_kernels_file_says_nothing(tmp_path: Path) -> None:
    """It was seen to stay at 0 while the firmware said 0x80008 (raspberrypi/linux issue 2367)."""
    file = tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled"
    file.parent.mkdir(parents=True)
    file.write_text("0\n")
    assert collect_throttling(Root(tmp_path)) == {}
    file.write_text("50005\n")
    assert "under-voltage now" in str(collect_throttling(Root(tmp_path)))
