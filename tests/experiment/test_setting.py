"""Values set by hand: where they go, in which units, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from vsim.calibration import builtin
from vsim.calibration.catalogue import load_compose, with_catalogue
from vsim.errors import InputError
from vsim.experiment.setting import apply, read_setting
from vsim.scenario import load_scenario
from vsim.scenario.scenario import Scenario, Sweep


def changed(*texts: str, scenario: Scenario | None = None) -> Scenario:
    read = load_scenario("evolution") if scenario is None else scenario
    return apply(read, builtin(), dict(read_setting(text, read, builtin()) for text in texts))[0]


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("services.web.replicas=48", "services.web.replicas", 48),
        # names and units of the file become those of the model
        ("services.web.memory=512 MiB", "services.web.memory_bytes", 512 * 2**20),
        ("services.web.memory_bytes = 1e9", "services.web.memory_bytes", 1e9),
        ("services.web.slo=200 ms", "services.web.slo_s", 0.2),
        ("services.web.request.user=4 ms", "services.web.request.user_core_s", 0.004),
        ("services.web.arrivals.rate=120/min", "services.web.arrivals.rate_per_s", 2.0),
        ("services.web.shareable=25 %", "services.web.shareable", 0.25),
        ("run.duration=1 min", "run.duration_s", 60.0),
        ("reliability.years=6 months", "reliability.years", 0.5),
        ("start.images=cold", "start.images", "cold"),
        ("start.concurrency=null", "start.concurrency", None),
        ("rack-server.memory_bytes=64 GiB", "rack-server.memory_bytes", 64 * 2**30),
        ("rack-server.cores=8", "rack-server.cores", 8),
    ],
)
def test_settings_are_read(text: str, path: str, value: object) -> None:
    assert read_setting(text, load_scenario("evolution"), builtin()) == (path, pytest.approx(value))


def test_they_are_set_in_the_scenario_and_in_the_profile() -> None:
    read = load_scenario("evolution")
    scenario, profile = apply(read, builtin(), {"services.web.replicas": 48, "rack-server.cores": 8})
    assert scenario.workload.services[0].replicas == 48
    assert scenario.workload.services[1:] == read.workload.services[1:]
    assert profile.quantities["rack-server.cores"].value == 8
    assert apply(read, builtin(), {})[0] == read


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("services.web.replicas", "sets nothing", "write PATH=VALUE"),
        ("=3", "sets nothing", "write PATH=VALUE"),
        ("services.wbe.replicas=3", "there is no 'wbe'", "did you mean 'web'?"),
        ("services.web.memory=3 s", "'s' measures a time", "units allowed"),
        ("rack-server.core=8", "neither in the scenario nor in the profile", "did you mean 'rack-server.cores'?"),
        ("start.images=tepid", "can't be 'tepid'", "cold"),
        ("services.web.replicas=12", "needs 23 replicas, and would have 12", "services.web.needs"),
        ("services.web.replicas=-1", "zero or more", None),
    ],
)
def test_what_is_refused(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as caught:
        changed(text)
    assert message in caught.value.message
    if hint:
        assert hint in (caught.value.hint or "")


def test_a_sweep_goes_on_without_what_is_set() -> None:
    sweep = Sweep({"services.web.replicas": (1, 2), "fleet.hosts": (3, 4)})
    read = dataclasses.replace(load_scenario("evolution"), sweep=sweep)
    assert changed("services.web.replicas=30", scenario=read).sweep == Sweep({"fleet.hosts": (3, 4)})
    assert changed("services.web.replicas=30", "fleet.hosts=3", scenario=read).sweep is None


def test_what_is_set_is_not_taken_from_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services: {db: {image: postgres}}\n", encoding="utf-8")
    read = load_compose(path)
    stated = with_catalogue(read, builtin()).workload.services[0]
    mine = changed("services.db.image=1 GB", scenario=read)
    filled = with_catalogue(mine, builtin()).workload.services[0]
    assert stated.image.bytes != 1e9
    assert filled.image.bytes == 1e9
    assert filled.memory_bytes == stated.memory_bytes
