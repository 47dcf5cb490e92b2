"""The doctor: asks the drivers, and says it in 80 columns."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import vsim.bench.doctor
from tests.bench.environment.machines import MACHINES, PI4
from vsim.bench.doctor import Diagnosis, describe_host, examine
from vsim.bench.drivers import Driver, Session
from vsim.bench.environment import Spoiler, record_environment
from vsim.bench.payload import Payload
from vsim.bench.rungs import Rung, _installed, ask_drivers, ladder
from vsim.bench.rungs.trial import read_trials, try_rungs
from vsim.bench.workspace import Workspace
from vsim.cli import cli
from vsim.cli.doctor import text


class _Driver(Driver):
    stack = "container"

    def __init__(self, name: str, reason: str | None, packages: tuple[str, ...] = ()) -> None:
        self.name = name
        self.packages = packages
        self._reason = reason

    def lack(self) -> str | None:
        return self._reason

    def open(self, workspace: Workspace, payload: Payload) -> Session:
        raise AssertionError("the doctor starts nothing")


class _Hanging(_Driver):
    def lack(self) -> str | None:
        threading.Event().wait(30)
        return None


class _Broken(_Driver):
    def lack(self) -> str | None:
        raise FileNotFoundError("no such socket")


def test_the_drivers_own_words_are_the_only_truth() -> None:
    rungs = ask_drivers([_Driver("a", None), _Driver("b", "it needs root", ("no-such-package",))])
    assert rungs == (Rung("a", "container", None), Rung("b", "container", "it needs root", ("no-such-package",)))


def test_a_driver_that_hangs_or_breaks_does_not_keep_the_others() -> None:
    begin = time.monotonic()
    rungs = ask_drivers([_Hanging("slow", None), _Broken("broken", None), _Driver("good", None)], limit_s=0.3)
    assert time.monotonic() - begin < 5
    assert [rung.reason for rung in rungs] == [
        "it did not answer within 0.3 s",
        "it can't be asked: no such socket",
        None,
    ]


def test_a_driver_that_is_only_detected_can_not_be_measured() -> None:
    driver = _Driver("firecracker", None)
    driver.detection_only = True
    (rung,) = ask_drivers([driver])
    assert rung.reason is not None


def test_no_rung_can_be_measured_on_a_system_that_is_not_linux() -> None:
    """And none is asked: the fake here would never answer."""
    (rung,) = ask_drivers([_Hanging("process", None)], system="Darwin")
    assert rung.reason == "vsim measures Linux hosts, and this is Darwin"


def test_the_harness_itself_is_no_rung() -> None:
    names = [driver.name for driver in ladder()]
    assert "null" not in names
    assert names[0] == "process"


def test_what_trials_have_shown_replaces_what_drivers_said(tmp_path: Path) -> None:
    asked: list[tuple[list[str], float]] = []

    def trial(names: Sequence[str], limit_s: float) -> dict[str, str | None]:
        asked.append(([*names], limit_s))
        return {"process": None, "lxc": "it fails when it is tried: start: no cgroups"}

    drivers = [_Driver("process", None), _Driver("lxc", None), _Driver("late", None), _Driver("runc", "no root")]
    found = examine(drivers, lambda: {"host_kind": "unknown"}, trial=trial, every=True)
    assert asked[0][0] == ["process", "lxc", "late"]
    assert 0 < asked[0][1] <= 12
    assert [(rung.name, rung.reason, rung.tried) for rung in found.rungs] == [
        ("process", None, True),
        ("lxc", "it fails when it is tried: start: no cgroups", True),
        ("late", None, False),
        ("runc", "no root", False),
    ]
    assert "container: but there was no time to start it" in click.unstyle(text(found))


def test_only_what_starts_in_a_blink_is_tried_without_being_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    def trial(names: Sequence[str], limit_s: float) -> dict[str, str | None]:
        asked.extend(names)
        return dict.fromkeys(names, "it fails when it is tried: start: no mount for you")

    drivers = [_Driver("lxc", None), _Driver("docker", None)]
    drivers[0].typical_start_s, drivers[1].typical_start_s = 0.2, 0.4
    shown = click.unstyle(text(examine(drivers, lambda: {"host_kind": "unknown"}, trial=trial)))
    assert asked == ["lxc"]
    # The slow one is believed, and nothing says that it was started.
    assert "Can be measured (1)\n  docker" in shown
    assert "no mount for you" in shown


def test_a_trial_that_was_killed_tells_what_hung_from_what_had_no_time() -> None:
    written = (
        '{"name": "lxc", "begun_s": 0.5}\n{"name": "runc", "begun_s": 0.5}\n{"name": "runc", "reason": null}\n'
        '{"name": "crun", "begun_s": 11.0}\n{"name": "qemu-tcg", "begun_s": 0.0}\n{"name": "process'
    )
    # A run waits 10 s for a container and a minute for an emulated machine.
    assert read_trials(written, 12.5) == {"runc": None, "lxc": "it did not come up within 12 s when it was tried"}


def test_who_can_not_start_a_trial_has_tried_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsim.bench.rungs.trial.sys.executable", "/nonexistent/python")
    assert try_rungs(["process"], limit_s=1.0) == {}


def test_packages_that_are_installed_are_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "runc.list").touch()
    (tmp_path / "libc6:arm64.list").touch()
    assert _installed("runc", tmp_path)
    assert _installed("libc6", tmp_path)
    assert not _installed("crun", tmp_path)
    assert not _installed("runc", tmp_path / "not-debian")


def _diagnosis(root: Path) -> Diagnosis:
    drivers = [
        _Driver("process", None),
        _Driver("runc", "runc is not installed (Debian: apt-get install runc)", ("runc",)),
        _Driver("kata", "kata-runtime is not installed", ("no-such-package",)),
        _Driver("evil", "\x1b[2J\x07 a runtime's message\nover two lines " + "and long " * 20),
    ]
    facts = record_environment(PI4.build(root)) | {
        "kvm": "no-guest-boots",
        "kvm_detail": "a guest hangs: it did nothing within 2 s",
        "pi_throttled": ["under-voltage now"],
        "docker_version": "27.1.1",
        "docker_storage_driver": "overlay2",
        "versions": {f"runtime-{number}": "1.2.3" for number in range(12)},
    }
    return examine(drivers, lambda: facts)


def test_the_text_has_80_columns_and_no_control_characters(tmp_path: Path) -> None:
    shown = click.unstyle(text(_diagnosis(tmp_path)))
    assert max(map(len, shown.splitlines())) <= 80
    assert all(c.isprintable() or c == "\n" for c in shown)


def test_what_the_text_says(tmp_path: Path) -> None:
    shown = " ".join(click.unstyle(text(_diagnosis(tmp_path))).split())
    for expected in (
        "physical machine: Raspberry Pi 4 Model B Rev 1.5",
        "cgroup v2, memory controller off",
        "KVM present but no guest boots: a guest hangs",
        "Can be measured (1) process container",
        "runc runc is not installed (Debian: apt-get install runc)",
        "kata kata-runtime is not installed (Debian: apt-get install no-such-package)",
        "the Raspberry Pi lowers its clock: under-voltage now → use the official power supply",
        "governor ondemand",
    ):
        assert expected in shown
    assert shown.count("apt-get install runc") == 1


def test_data_says_the_same(tmp_path: Path) -> None:
    data = _diagnosis(tmp_path).to_data()
    assert data["schema"] == "vsim.doctor/1"
    assert [(rung["name"], rung["measurable"]) for rung in data["rungs"]][:2] == [("process", True), ("runc", False)]
    assert "memory-controller" in [each["name"] for each in data["spoilers"]]
    assert data["environment"]["cpu_model"] == "Cortex-A72"


@pytest.mark.parametrize(
    ("name", "first", "cgroups"),
    [
        ("firecracker", "virtual machine (Firecracker)", "cgroup v1 hybrid (v1 controllers, v2 beside them)"),
        ("server", "physical machine: Dell Inc. PowerEdge R620", "cgroup v2"),
        ("wsl2", "virtual machine (WSL2 (Hyper-V))", "cgroup v2"),
        ("laptop", "physical machine: LENOVO 20W0CTO1WW", "cgroup v2"),
    ],
)
def test_hosts_in_words(name: str, first: str, cgroups: str, tmp_path: Path) -> None:
    lines = describe_host(record_environment(MACHINES[name].build(tmp_path)))
    assert lines[0] == first
    assert cgroups in lines


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diagnosis = Diagnosis({"host_kind": "unknown"}, (), (Spoiler("load", "busy"),))
    monkeypatch.setattr(vsim.bench.doctor, "examine", lambda **_: diagnosis)
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "This host",
        "  machine, physical or virtual (it can't be told)",
        "",
        "Can be measured (0)",
        "  nothing",
        "",
        "Would spoil measurements",
        "  - busy",
    ]
    assert CliRunner().invoke(cli, ["doctor", "--format", "xml"]).exit_code == 2
