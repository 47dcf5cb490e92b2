"""What a scenario file says becomes what the engine runs, in base units."""

from __future__ import annotations

import contextlib
import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.experiment.paths import has_path, replace_path
from vsim.experiment.sweep import expand
from vsim.model.workload import Arrivals, Image, Request
from vsim.scenario import load_scenario, presets
from vsim.scenario.scenario import Fleet, Incident, Precision, Reliability, Run, Start
from vsim.scenario.written import Written, located, place_of

EVERYTHING = """\
schema: vsim.scenario/1
title: Everything that can be stated
architectures: [vm@blade, container@rack-server]
services:
  web:
    replicas: 3
    image: {name: nginx, size: 50 MB}
    memory: 512 MiB
    memory_cv: 0.2
    memory_touched: 80 %
    shareable: 25 %
    cpu: 0.5 cores
    cpu_limit: 2
    startup: {cpu: 400 ms, wait: 1 s, read: 20 MB}
    request:
      user: 4 ms
      system_calls: 500 us
      page_faults: 0.1 ms
      cv: 0.5
      disk_reads: 2
      disk_read: 8 KiB
      disk_writes: 1
      disk_write: 4 KiB
      receive: 1 kB
      send: 20 kB
    arrivals: {kind: bursty, rate: 3000/min, burst_factor: 4, burst_share: 0.2, burst_length: 3 s}
    slo: 0.2
    disk_path: volume
    network_mode: host
    needs: 2
    requires: [live-migration]
fleet:
  hosts: 4
  min_hosts: 2
  placement: spread
  isolation: hypervisor
  cpu_overcommit: 2
  memory_overcommit: 150 %
  beyond_memory: killed
  reserve: p95
  recovery: reschedule
start: {concurrency: 5, hosts_up: none, images: cold}
run:
  duration: 2 min
  warmup: 5
  replications: auto
  seed: 7
  precision: {relative: 2 %, metrics: [hosts], minimum: 3, maximum: 30}
incidents:
  - {what: psu, at: 1 min, count: 2, repair: 2 h}
  - {what: machine, at: 0}
sweep:
  mode: list
  parameters:
    services.web.memory: [256 MiB, 1 GiB]
    guest-os.memory.environment_bytes: [1, 2.5]
"""


def load(tmp_path: Path, text: str):  # type: ignore[no-untyped-def]
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


def test_every_key_in_base_units(tmp_path: Path) -> None:
    scenario = load(tmp_path, EVERYTHING)
    assert scenario.name == "scenario"
    assert scenario.title == "Everything that can be stated"
    assert scenario.architectures == ("vm@blade", "container@rack-server")
    (web,) = scenario.workload.services
    assert (web.name, web.replicas, web.image, web.needs) == ("web", 3, Image("nginx", 50e6), 2)
    assert (web.memory_bytes, web.memory_cv, web.memory_touched, web.shareable) == (2.0**29, 0.2, 0.8, 0.25)
    assert (web.cpu_cores, web.cpu_limit_cores) == (0.5, 2)
    assert (web.startup_core_s, web.startup_wait_s, web.startup_read_bytes) == (0.4, 1, 20e6)
    assert web.request == Request(
        user_core_s=0.004,
        system_call_core_s=0.0005,
        page_fault_core_s=0.0001,
        cv=0.5,
        disk_reads=2,
        disk_read_bytes=8192,
        disk_writes=1,
        disk_write_bytes=4096,
        receive_bytes=1000,
        send_bytes=20000,
    )
    assert web.arrivals == Arrivals("bursty", 50, burst_factor=4, burst_share=0.2, burst_s=3)
    assert (web.slo_s, web.disk_path, web.network_mode) == (0.2, "volume", "host")
    assert web.requires == {"live-migration"}
    assert scenario.fleet == Fleet(4, 2, "spread", "hypervisor", 2, 1.5, "killed", "p95", "reschedule")
    assert scenario.start == Start(5, "none", "cold")
    assert scenario.run == Run(120, 5, None, 7, Precision(0.02, ("hosts",), 3, 30))
    assert scenario.incidents == (Incident("psu", 60, 2, 7200), Incident("machine", 0, 1, None))
    assert scenario.sweep is not None
    assert scenario.sweep.mode == "list"
    assert scenario.sweep.parameters == {
        "services.web.memory_bytes": (2.0**28, 2.0**30),
        "guest-os.memory.environment_bytes": (1.0, 2.5),
    }


def test_what_is_left_out_has_the_defaults_of_the_model(tmp_path: Path) -> None:
    text = "schema: vsim.scenario/1\narchitectures: [vm@blade]\nservices: {web: {image: 50 MB, memory: 1 MiB}}\n"
    scenario = load(tmp_path, text)
    assert scenario.title == "scenario"
    assert scenario.workload.services[0].image == Image("web", 50e6)
    assert (scenario.fleet, scenario.start, scenario.run) == (Fleet(), Start(), Run())
    assert (scenario.reliability, scenario.incidents, scenario.sweep) == (Reliability(), (), None)


def test_yaml_1_2_keeps_words_and_times_as_they_are(tmp_path: Path) -> None:
    text = "schema: vsim.scenario/1\ntitle: {}\narchitectures: [a@b]\nservices: {{no: {{image: 1, memory: 1}}}}\n"
    assert load(tmp_path, text.format("22:22")).title == "22:22"
    assert load(tmp_path, text.format("on")).workload.services[0].name == "no"


# -- places ------------------------------------------------------------------------------------------------------------


def test_names_know_where_they_were_written(tmp_path: Path) -> None:
    scenario = load(tmp_path, EVERYTHING)
    lines = EVERYTHING.splitlines()
    names = [
        *scenario.architectures,
        scenario.workload.services[0].name,
        scenario.incidents[0].what,
        *scenario.sweep.parameters,
    ]
    written = [*names[:4], "services.web.memory", names[5]]
    for name, text in zip(names, written, strict=True):
        place = place_of(name)
        assert place is not None
        assert place.line is not None
        assert place.column is not None
        assert lines[place.line - 1][place.column - 1 :].startswith(text)


def test_an_error_about_a_name_gets_its_place(tmp_path: Path) -> None:
    name = load(tmp_path, EVERYTHING).architectures[1]
    with pytest.raises(InputError) as caught, located(name):
        raise InputError("no such stack")
    assert caught.value.place == place_of(name)
    with pytest.raises(InputError) as caught, located("from a flag"):
        raise InputError("no such stack")
    assert caught.value.place is None


def test_written_names_are_plain_text_to_everybody_else(tmp_path: Path) -> None:
    scenario = load(tmp_path, EVERYTHING)
    again = pickle.loads(pickle.dumps(scenario))
    assert again == scenario
    assert place_of(again.architectures[0]) == place_of(scenario.architectures[0])
    assert isinstance(again.architectures[0], Written)
    assert {again.architectures[0]: 1}["vm@blade"] == 1


# -- sweeps ------------------------------------------------------------------------------------------------------------

# a path in the file, a value there, and what the engine's field of it becomes
SWEEPABLE = [
    ("services.web.replicas", 5, 5),
    ("services.web.image", "1 GB", 1e9),
    ("services.web.image.size", "1 GB", 1e9),
    ("services.web.memory", "1 GiB", 2.0**30),
    ("services.web.memory_cv", 0.5, 0.5),
    ("services.web.cpu", "1 core", 1.0),
    ("services.web.cpu_limit", 4, 4.0),
    ("services.web.startup.cpu", "2 s", 2.0),
    ("services.web.startup.wait", "2 s", 2.0),
    ("services.web.startup.read", "1 MB", 1e6),
    ("services.web.request.user", "1 ms", 0.001),
    ("services.web.request.system_calls", "1 ms", 0.001),
    ("services.web.request.page_faults", "1 ms", 0.001),
    ("services.web.request.disk_read", "1 kB", 1000.0),
    ("services.web.request.disk_write", "1 kB", 1000.0),
    ("services.web.request.disk_reads", 3, 3.0),
    ("services.web.request.receive", "1 kB", 1000.0),
    ("services.web.request.send", "1 kB", 1000.0),
    ("services.web.arrivals.rate", "120/min", 2.0),
    ("services.web.arrivals.burst_factor", 3, 3.0),
    ("services.web.arrivals.burst_share", "50 %", 0.5),
    ("services.web.arrivals.burst_length", "1 min", 60.0),
    ("services.web.slo", "1 s", 1.0),
    ("services.web.disk_path", "bind", "bind"),
    ("services.web.needs", 1, 1),
    ("fleet.hosts", 9, 9),
    ("fleet.placement", "best-fit", "best-fit"),
    ("fleet.memory_overcommit", "200 %", 2.0),
    ("start.concurrency", 1, 1),
    ("start.images", "warm", "warm"),
    ("run.duration", "5 min", 300.0),
    ("run.warmup", "1 min", 60.0),
    ("run.replications", "auto", None),
    ("run.replications", 3, 3),
    ("run.seed", 4, 4),
    ("architectures", ["a@b", "c@d"], ("a@b", "c@d")),
]


@pytest.mark.parametrize(("path", "value", "meant"), SWEEPABLE)
def test_swept_paths_lead_to_the_engines_fields(tmp_path: Path, path: str, value: object, meant: object) -> None:
    head = EVERYTHING.partition("sweep:")[0]
    scenario = load(
        tmp_path, f"{head}sweep: {{parameters: {{{path}: [{str(value) if value else ''}]}}}}\n".replace("'", "")
    )
    assert scenario.sweep is not None
    ((target, values),) = scenario.sweep.parameters.items()
    assert values == (meant,)
    assert has_path(scenario, target)
    changed = replace_path(scenario, target, values[0])
    found: object = changed.workload.services[0] if target.startswith("services.web.") else changed
    for part in target.removeprefix("services.web.").split("."):
        found = getattr(found, part)
    assert found == meant
    assert len(expand(scenario, None)) == 1  # type: ignore[arg-type]  # no parameter of the profile is swept


def test_a_swept_service_may_have_dots_in_its_name(tmp_path: Path) -> None:
    text = (
        "schema: vsim.scenario/1\narchitectures: [a@b]\nservices:\n  web.v1: {image: 1, memory: 1}\n"
        "  web: {image: 1, memory: 1}\nsweep: {parameters: {services.web.v1.replicas: [2]}}\n"
    )
    scenario = load(tmp_path, text)
    assert list(scenario.sweep.parameters) == ["services.web.v1.replicas"]


# -- presets -----------------------------------------------------------------------------------------------------------


def test_presets() -> None:
    assert presets() == (
        "blade-failure",
        "consolidation",
        "evolution",
        "pi-classroom",
        "same-hardware",
        "startup-storm",
    )


@pytest.mark.parametrize("name", presets())
def test_preset(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.title != name
    assert len(scenario.architectures) >= 3


@pytest.mark.parametrize("name", presets())
def test_every_architecture_of_a_preset_exists(name: str) -> None:
    from vsim.calibration import builtin

    scenario, profile = load_scenario(name), builtin()
    for architecture in scenario.architectures:
        assert profile.architecture(architecture).name == architecture


def test_the_default_fits_wherever_its_stacks_make_sense() -> None:
    from vsim.calibration import builtin
    from vsim.engine.run import run_replication

    scenario, profile = load_scenario("evolution"), builtin()
    services = tuple(dataclasses.replace(s, request=None, arrivals=None) for s in scenario.workload.services)
    scenario = dataclasses.replace(
        scenario, workload=dataclasses.replace(scenario.workload, services=services), reliability=Reliability()
    )
    tried = 0
    for name in [f"{stack}@{machine}" for stack in profile.stacks for machine in profile.machines]:
        with contextlib.suppress(InputError):
            architecture = profile.architecture(name)
            assert run_replication(architecture, scenario, profile.site, 0).metrics["unplaced"] == 0
            tried += 1
    assert tried >= 30


def test_a_preset_comes_before_a_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evolution").write_text(
        "schema: vsim.scenario/1\ntitle: Mine\narchitectures: [a@b]\nservices: {web: {image: 1, memory: 1}}\n",
        encoding="utf-8",
    )
    assert load_scenario("evolution").title != "Mine"
    assert load_scenario("./evolution").title == "Mine"
    assert load_scenario(Path("evolution")).title == "Mine"


def test_importing_the_package_loads_no_parser() -> None:
    heavy = ("ruamel", "pydantic", "numpy", "simpy")
    code = f"import sys, vsim, vsim.scenario; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
