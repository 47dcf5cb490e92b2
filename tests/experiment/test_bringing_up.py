"""Bringing applications up on the architectures of the profile: runs, intervals, parameters, and reference files."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from tests.scenario.compose.test_reference_files import COUNTED, ON
from vsim.calibration import builtin
from vsim.calibration.catalogue import Application, load_application
from vsim.errors import InputError
from vsim.experiment.bringing_up import bring_up, parameters_of

FILE = """\
services:
  web: {image: nginx, depends_on: {db: {condition: service_healthy}}}
  db: {image: redis, healthcheck: {test: x, interval: 2s}}
"""


def application(tmp_path: Path, *on: str, text: str = FILE) -> Application:
    path = tmp_path / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    read = load_application(path)
    return dataclasses.replace(read, scenario=dataclasses.replace(read.scenario, architectures=on))


def test_the_run_in_the_middle_is_shown(tmp_path: Path) -> None:
    (one,) = bring_up(application(tmp_path, "container@rack-server"), builtin(), replications=5)
    assert one.up is not None
    assert one.up.low is not None
    assert one.up.high is not None
    assert one.shown.up_s is not None
    assert one.up.low <= one.up.mean <= one.up.high
    assert (one.runs, one.failed, one.up.n) == (5, 0, 5)
    # db isn't healthy before its first check, and web looks for that twice a second
    ends = {row.service: row.end_s or 0.0 for row in one.shown.up}
    starts = {row.service: row.started_s or 0.0 for row in one.shown.up}
    assert ends["db"] >= starts["db"] + 2
    assert 0 < starts["web"] - ends["db"] < 2.5


def test_the_parameters_are_those_that_are_used(tmp_path: Path) -> None:
    read = application(tmp_path, "vm@rack-server", "container@rack-server").scenario
    names = [quantity.name for quantity in parameters_of(read, builtin())]
    assert len(names) == len(set(names))
    assert {"compose.poll_s", "redis.startup_core_s", "guest-os.stop.shutdown.wait_s"} <= set(names)
    assert "vmm.remove.destroy.cpu_core_s" not in names
    # they move the answer: an engine that takes five seconds for each check makes it so much later
    slow = builtin().with_value("container-engine.probe.exec.cpu_core_s", 5.0)
    fast = application(tmp_path, "container@rack-server")
    assert _mean(fast, slow) > _mean(fast, builtin()) + 3.5


def _mean(application: Application, profile: object) -> float:
    (one,) = bring_up(application, profile, replications=9)  # type: ignore[arg-type]
    assert one.up is not None
    return one.up.mean


@pytest.mark.parametrize(
    ("on", "message"),
    [((), "no architecture to bring it up on"), (("container@toaster",), "there is no machine 'toaster'")],
)
def test_refused(on: tuple[str, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        bring_up(application(tmp_path, *on), builtin())


@pytest.mark.parametrize("name", COUNTED)
def test_the_twenty_files_come_up_on_five_architectures(name: str, reference_data: Path) -> None:
    begin = time.process_time()
    read = load_application(reference_data / "compose" / f"{name}.yaml")
    scenario = dataclasses.replace(read.scenario, architectures=ON)
    found = bring_up(dataclasses.replace(read, scenario=scenario), builtin(), replications=2)
    assert time.process_time() - begin < 5
    assert [one.architecture for one in found] == list(ON)
    for one in found:
        assert one.failed == 0, one.failure
        assert {row.service for row in one.shown.up} == set(read.launches)
        # a dependency is started before what depends on it
        started = {row.service: row.started_s or 0.0 for row in one.shown.up}
        for launch in read.launches.values():
            assert all(started[before.service] <= started[launch.service] for before in launch.after)
