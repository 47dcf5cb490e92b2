"""From samples to a profile that loads, explains itself and simulates."""

from __future__ import annotations

import dataclasses

import pytest

from tests.calibration.fitting.made import Rung, environment, joined, starts, table_samples
from vsim.bench.drivers import all_drivers
from vsim.calibration.fitting import Calibration, Search, fit, machine_name
from vsim.calibration.fitting.rungs import BELOW
from vsim.calibration.profile_file import builtin
from vsim.engine.plans import perform
from vsim.model.plan import Plan, Start
from vsim.model.quantity import value_of
from vsim.samples.records import Samples

QUICK = Search(rounds=(1,), starts=200)
PROCESS = Rung(0.002, 0.004, cv=0.05)
DOCKER = Rung(0.08, 0.1, parallelism=1.6, cv=0.1)
LOCKED = Rung(0.05, 0.12, section_core_s=0.06, cv=0.1)


@pytest.fixture(scope="module")
def samples() -> Samples:
    return starts({"process": PROCESS, "docker": DOCKER, "lxc": LOCKED, "null": Rung(0, 1e-6)}, launch_core_s=0.0005)


@pytest.fixture(scope="module")
def found(samples: Samples) -> Calibration:
    return fit(samples, search=QUICK)


def test_the_profile_has_the_host_and_the_rungs(found: Calibration) -> None:
    profile = found.profile
    machine = profile.machines["box-1"]
    assert (machine.cores.value, machine.core_speed.value, machine.memory_bytes.value) == (2, 1, 8 * 2**30)
    assert machine.offers == {"x86-64"}
    assert found.report.architectures == ["process@box-1", "docker@box-1", "lxc@box-1"]
    for name in found.report.architectures:
        profile.architecture(name)
    layers = [layer.name for layer in profile.stacks["docker"].layers]
    assert layers == ["measured-host", "docker", "measured-process"]
    assert [layer.name for layer in profile.stacks["process"].layers] == ["measured-host", "measured-process"]
    assert profile.warnings == ()


def test_what_was_put_in_is_found(found: Calibration) -> None:
    fitted = found.report.fitted
    for name, expected in (
        ("measured-process.startup.exec.cpu_core_s", PROCESS.cpu_core_s),
        ("measured-process.startup.exec.wait_s", PROCESS.wait_s),
        # beyond a process
        ("docker.startup.bring-up.cpu_core_s", DOCKER.cpu_core_s - PROCESS.cpu_core_s),
        ("docker.startup.bring-up.wait_s", DOCKER.wait_s - PROCESS.wait_s),
        ("docker.startup.bring-up.parallelism", 1.6),
        ("lxc.startup.serialised.cpu_core_s", 0.06),
        ("lxc.startup.bring-up.cpu_core_s", 0.06 - PROCESS.cpu_core_s),
    ):
        assert fitted[name].value == pytest.approx(expected, rel=0.15), name
        assert fitted[name].low <= expected <= fitted[name].high, name
    assert found.profile.layers["lxc"].startup[0].section == "lxc-start"


def test_every_fitted_quantity_says_where_it_comes_from(found: Calibration) -> None:
    for name, estimate in found.report.fitted.items():
        quantity = found.profile.quantities[name]
        assert quantity.value == pytest.approx(estimate.value, rel=1e-9)
        assert (quantity.low, quantity.high) == pytest.approx((estimate.low, estimate.high), rel=1e-9)
        source = quantity.source
        assert (source.kind, source.run, source.host, source.date) == ("measured", "r1", "Box 1", "2026-03-02")
        assert source.n == estimate.n


def test_what_varies_is_in_the_profile(found: Calibration) -> None:
    wait = found.profile.quantities["docker.startup.bring-up.wait_s"].distribution
    assert wait is not None
    assert wait.cv == pytest.approx(0.1, rel=0.3)
    assert found.profile.quantities["docker.startup.bring-up.cpu_core_s"].distribution is None


def test_the_lower_source_keeps_what_was_not_measured(found: Calibration) -> None:
    profile = found.profile
    (bring_up,) = (stage for stage in profile.layers["docker"].startup if stage.per == "unit")
    assert bring_up.name == "bring-up"
    # its image, its daemon, its memory: the built-in engine's
    engine = profile.layers["container-engine"]
    assert value_of(profile.layers["docker"].memory.unit_bytes) == value_of(engine.memory.unit_bytes)
    assert [s.name for s in profile.layers["docker"].startup if s.per != "unit"] == [
        s.name for s in engine.startup if s.per != "unit"
    ]
    assert any("box-1" in each.what and "rack-server" in each.why for each in found.report.left_out)


def test_the_harness_is_known_from_the_rung_in_which_nothing_runs(found: Calibration) -> None:
    # one every 0.5 ms, and what is left of the last one
    launch = found.report.fitted["reference.launch_core_s"]
    assert (launch.value, launch.n) == (pytest.approx(0.0005, rel=0.01), 8)
    assert not any("harness" in each.what for each in found.report.left_out)


def test_the_ladder(found: Calibration) -> None:
    rungs = {rung.driver: rung for rung in found.report.ladder}
    assert list(rungs) == ["process", "docker", "lxc"]
    # alone: 0.08 + 0.1 / 1.6 = 0.1425 s, and 0.05 + 0.12 = 0.17 s; a process 0.006 s
    assert rungs["docker"].alone_s[0] == pytest.approx(0.1425, rel=0.05)
    assert rungs["docker"].beyond_process_s is not None
    assert rungs["docker"].beyond_process_s[0] == pytest.approx(0.1365, rel=0.05)
    assert rungs["process"].beyond_process_s is None
    assert (rungs["lxc"].below, rungs["lxc"].beyond_below_s) == (None, None)


def test_one_concurrency_tells_work_from_waiting_by_the_account() -> None:
    found = fit(starts({"process": PROCESS, "docker": DOCKER}, levels=(1,)), search=QUICK)
    assert found.report.fitted["docker.startup.bring-up.cpu_core_s"].value == pytest.approx(0.096, rel=0.05)
    assert "docker.startup.bring-up.parallelism" not in found.report.fitted
    reasons = {each.what: each.why for each in found.report.left_out}
    assert "several" in reasons["docker, parallelism, sections and turns of a start"]


def test_without_an_account_one_concurrency_tells_nothing(samples: Samples) -> None:
    alone = [s for s in samples.samples if s.concurrency == 1 and s.metric != "startup_cpu_core_s"]
    found = fit(dataclasses.replace(samples, samples=tuple(alone)), search=QUICK)
    reasons = {each.what: each.why for each in found.report.left_out}
    assert "don't tell work from waiting" in reasons["docker, start-up"]
    # the built-in engine's stages stay
    names = [stage.name for stage in found.profile.layers["docker"].startup]
    assert names == [stage.name for stage in found.profile.layers["container-engine"].startup]


def test_without_an_account_several_concurrencies_do(samples: Samples) -> None:
    kept = [s for s in samples.samples if s.metric != "startup_cpu_core_s"]
    found = fit(dataclasses.replace(samples, samples=tuple(kept)), search=QUICK, drivers=["lxc"])
    work = found.report.fitted["lxc.startup.bring-up.cpu_core_s"]
    assert work.low <= 0.06 - 0.004 <= work.high


def test_starts_several_at_a_time_only_are_left_out(samples: Samples) -> None:
    kept = [s for s in samples.samples if s.concurrency > 1]
    found = fit(dataclasses.replace(samples, samples=tuple(kept)), search=QUICK)
    reasons = {each.what: each.why for each in found.report.left_out}
    assert "2 and 4 at once only" in reasons["docker, start-up"]


def test_cold_starts_are_another_matter(samples: Samples) -> None:
    cold = table_samples(
        {("docker", "startup_s", 0): [[5.0]] * 8}, [Start(count=1, cold=True)], flags=["cold"], run_id="r2"
    )
    both = fit(joined(samples, cold), search=QUICK, drivers=["docker"])
    alone = fit(samples, search=QUICK, drivers=["docker"])
    name = "docker.startup.bring-up.cpu_core_s"
    assert both.report.fitted[name].value == alone.report.fitted[name].value


def test_the_same_samples_make_the_same_profile(samples: Samples, found: Calibration) -> None:
    assert fit(samples, search=QUICK).text == found.text


def test_a_name_of_ones_own(samples: Samples) -> None:
    found = fit(samples, search=QUICK, drivers=["docker"], name="My Box")
    assert found.report.architectures == ["process@my-box", "docker@my-box"]
    assert machine_name(samples.runs[0]) == "box-1"


def test_a_raspberry_pi_is_like_the_one_that_is_known(samples: Samples) -> None:
    facts = environment(pi_model="Raspberry Pi 4 Model B Rev 1.4", architecture="aarch64", kvm="boots")
    pi = dataclasses.replace(samples, runs=(dataclasses.replace(samples.runs[0], environment=facts),))
    found = fit(pi, search=QUICK, drivers=["process"])
    machine = found.profile.machines["box-1"]
    assert machine.title == "Box 1 (Raspberry Pi 4 Model B Rev 1.4)"
    assert machine.offers == {"aarch64", "hardware-virtualization", "nested-paging"}
    assert machine.power_w.points == found.profile.machines["raspberry-pi-4"].power_w.points


@pytest.mark.parametrize("name", ["container@laptop", "container-in-vm@rack-server"])
def test_samples_of_a_built_in_architecture(name: str) -> None:
    """Its stack and its machine are there already: the profile found changes them."""
    stack, _, machine = name.partition("@")
    plan = Plan("starts", (Start(count=4, concurrency=1),), blocks=3, warmup_blocks=0)
    found = fit(perform(plan, builtin(), [stack], machine), simulated=True, search=QUICK)
    assert found.report.architectures == [name]
    assert found.profile.architecture(name).stack.layers[1].name == stack
    assert found.profile.machines[machine].price == builtin().machines[machine].price


def test_the_rung_below_is_the_one_that_the_drivers_name() -> None:
    below = {driver.name: driver.below for driver in all_drivers() if driver.below is not None}
    assert {name: BELOW.get(name) for name in below} == below
