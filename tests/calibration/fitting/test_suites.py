"""Memory, CPU, disk, network and requests: by hand, and from samples of a simulation whose profile is known."""

from __future__ import annotations

import dataclasses

import pytest

from tests.calibration.fitting.made import joined, table_samples
from vsim.calibration.fitting import Calibration, fit
from vsim.calibration.profile_file import profile_of_text
from vsim.engine.plans import perform
from vsim.model.plan import Density, DriveCpu, DriveDisk, DriveNetwork, HoldMemory, OfferRequests, Plan, Start, Step
from vsim.samples.records import Samples

MIB = 2**20
GIVEN = "source: {kind: assumed, why: given by the test}"


def quantity(value: float, unit: str, more: str = "") -> str:
    return f'{{value: {value:.12g}, unit: "{unit}", low: {value:.12g}, high: {value:.12g}{more}, {GIVEN}}}'


# What the samples of the simulation are made of; the calibration is to find it again.
TRUTH = f"""
schema: vsim.profile/1
reference:
  probe_user_operation_core_s: {quantity(2e-9, "core-s", ", distribution: {family: lognormal, cv: 0.03}")}
  probe_system_call_core_s: {quantity(1e-7, "core-s", ", distribution: {family: lognormal, cv: 0.03}")}
  probe_page_fault_core_s: {quantity(4e-7, "core-s", ", distribution: {family: lognormal, cv: 0.03}")}
  probe_request_core_s: {quantity(1e-3, "core-s")}
  probe_service_spread: {quantity(1.0, "1", ", distribution: {family: lognormal, cv: 0.2}")}
  probe_wake_s: {quantity(1e-4, "s")}
  probe_network_bytes_per_s: {quantity(3e9, "bytes/s", ", distribution: {family: lognormal, cv: 0.03}")}
  client_late_s: {quantity(1e-4, "s")}
layers:
  box-os:
    title: Box
    network: {{host: {{latency_s: {quantity(2e-5, "s")}}}}}
    default_network: host
  box-process:
    title: Process
    boundary: process
    startup: {{exec: {{cpu_core_s: {quantity(1e-3, "core-s")}}}}}
    memory: {{unit_bytes: {quantity(0.5 * MIB, "bytes")}}}
  docker:
    title: Docker
    boundary: namespace
    startup: {{run: {{cpu_core_s: {quantity(0.1, "core-s")}, growth: {quantity(0.004, "1")}}}}}
    memory: {{unit_bytes: {quantity(3 * MIB, "bytes")}}}
    cpu:
      user_factor: {quantity(1.05, "1")}
      system_call_factor: {quantity(1.5, "1")}
      page_fault_factor: {quantity(1.2, "1")}
    disk:
      root:
        latency_s: {quantity(4e-5, "s")}
        iops_factor: {quantity(0.8, "1")}
        throughput_factor: {quantity(0.9, "1")}
    default_network: bridge
    network:
      bridge:
        latency_s: {quantity(1e-5, "s")}
        throughput_factor: {quantity(0.7, "1")}
        cpu_core_s_per_message: {quantity(1e-4, "core-s")}
        wake_s: {quantity(3e-4, "s")}
stacks:
  process: {{title: Process, layers: [box-os, box-process]}}
  docker: {{title: Docker, layers: [box-os, docker, box-process]}}
machines:
  box:
    like: rack-server
    title: Box
    cores: {quantity(2, "cores")}
    disk:
      read_bytes_per_s: {quantity(1e9, "bytes/s")}
      write_bytes_per_s: {quantity(5e8, "bytes/s")}
      iops: {quantity(1e5, "1/s")}
      latency_s: {quantity(1e-4, "s", ", distribution: {family: lognormal, cv: 0.05}")}
"""

STEPS: tuple[Step, ...] = (
    Start(count=4, concurrency=1),
    HoldMemory(count=8),
    Density(limit=20),
    DriveCpu("user", 1_000_000),
    DriveCpu("system_call", 10_000),
    DriveCpu("page_fault", 10_000),
    DriveDisk("read", MIB, 8),
    DriveDisk("write", MIB, 8),
    DriveDisk("random_read", 4096, 1),
    DriveDisk("random_read", 4096, 32),
    DriveNetwork("host"),
    DriveNetwork("bridge"),
    OfferRequests(60.0, 10.0, 0, "poisson"),
    OfferRequests(60.0, 6.0, 1_000_000, "poisson"),
)


@pytest.fixture(scope="module")
def simulated() -> Samples:
    profile = profile_of_text(TRUTH, "truth")
    samples = perform(Plan("all suites", STEPS, blocks=6, warmup_blocks=1), profile, ["process", "docker"], "box")
    # As the harness names the stacks of these two.
    stacks = {"process": "bare-metal", "docker": "container"}
    return dataclasses.replace(
        samples, samples=tuple(dataclasses.replace(s, stack=stacks[s.driver]) for s in samples.samples)
    )


@pytest.fixture(scope="module")
def found(simulated: Samples) -> Calibration:
    return fit(simulated, simulated=True)


@pytest.mark.parametrize(
    ("name", "truth", "within"),
    [
        ("reference.probe_user_operation_core_s", 2e-9, 0.05),
        ("reference.probe_system_call_core_s", 1e-7, 0.05),
        ("reference.probe_page_fault_core_s", 4e-7, 0.05),
        ("docker.cpu.user_factor", 1.05, 0.05),
        ("docker.cpu.system_call_factor", 1.5, 0.05),
        ("docker.cpu.page_fault_factor", 1.2, 0.05),
        ("measured-process.memory.unit_bytes", 0.5 * MIB, 1e-6),
        ("docker.memory.unit_bytes", 3 * MIB, 1e-6),
        ("box.disk.read_bytes_per_s", 1e9, 0.01),
        ("box.disk.write_bytes_per_s", 5e8, 0.01),
        ("box.disk.iops", 1e5, 0.01),
        ("box.disk.latency_s", 1e-4, 0.03),
        ("docker.disk.root.latency_s", 4e-5, 0.05),
        ("docker.disk.root.iops_factor", 0.8, 0.02),
        ("docker.disk.root.throughput_factor", 0.9, 0.02),
        ("measured-host.network.host.latency_s", 2e-5, 0.01),
        ("docker.network.bridge.latency_s", 1e-5, 0.01),
        ("docker.network.bridge.throughput_factor", 0.7, 0.05),
        ("reference.probe_network_bytes_per_s", 3e9, 0.05),
        ("reference.client_late_s", 1e-4, 1e-6),
        ("reference.probe_request_core_s", 1e-3, 0.05),
        ("docker.network.bridge.cpu_core_s_per_message", 1e-4, 0.2),
        ("reference.probe_wake_s", 1e-4, 0.4),
        ("docker.network.bridge.wake_s", 3e-4, 0.2),
        ("docker.startup.bring-up.growth", 0.004, 0.05),
    ],
)
def test_what_was_put_in_is_found(found: Calibration, name: str, truth: float, within: float) -> None:
    estimate = found.report.fitted[name]
    assert estimate.value == pytest.approx(truth, rel=within)
    assert estimate.low <= estimate.value <= estimate.high
    assert found.profile.quantities[name].source.kind == "measured"


def test_what_is_simulated_with_the_profile_found_is_as_was_measured(found: Calibration, simulated: Samples) -> None:
    """The loop: once more with what was found, and the requests' median is the same to a percent."""
    again = perform(Plan("again", STEPS[-2:], blocks=6, warmup_blocks=1), found.profile, ["process", "docker"], "box")

    def median(samples: Samples, driver: str, operations: int) -> float:
        runs = {run.run_id: run.plan["steps"] for run in samples.runs}
        values = [
            s.value
            for s in samples.samples
            if (s.driver, s.metric) == (driver, "latency_p50_s")
            and runs[s.run_id][s.step].get("operations") == operations
        ]
        return sum(values) / len(values)

    for driver in ("process", "docker"):
        for operations in (0, 1_000_000):
            assert median(again, driver, operations) == pytest.approx(median(simulated, driver, operations), rel=0.03)


def test_growth_that_is_not_there_is_left_out(found: Calibration) -> None:
    reasons = {each.what: each.why for each in found.report.left_out}
    assert "none beyond noise" in reasons["process, growth of a start"]


def test_memory_by_hand() -> None:
    # Process: 1 MiB each. Docker: 4, 5 and 6 MiB each in three blocks: 5 on average, 4 beyond a process; standard
    # error 1 / sqrt(3), t(2) = 4.303
    def series(driver: str, slopes: tuple[float, ...]) -> Samples:
        parts = []
        for count in (0, 4, 8):
            values = {(driver, "memory_available_bytes", 0): [[(1000 - slope * count) * MIB] for slope in slopes]}
            part = table_samples(values, [HoldMemory(count=8)], unit="bytes", flags=["idle"])
            parts.append(
                dataclasses.replace(
                    part, samples=tuple(dataclasses.replace(s, concurrency=count) for s in part.samples)
                )
            )
        return joined(*parts)

    both = joined(series("process", (1, 1, 1)), series("docker", (4, 5, 6)))
    docker = fit(both).report.fitted["docker.memory.unit_bytes"]
    assert docker.value / MIB == pytest.approx(4)
    half = 4.3027 / 3**0.5
    assert (docker.low / MIB, docker.high / MIB) == pytest.approx((4 - half, 4 + half), rel=1e-3)
    assert docker.n == 9
    assert fit(both).report.fitted["measured-process.memory.unit_bytes"].value == pytest.approx(MIB)


def test_the_slope_where_the_first_instances_take_less() -> None:
    # Up to four 1 MiB each, from there on 3: in all three blocks, more or less
    parts = []
    for count in range(9):
        taken = count + 2 * max(0, count - 4)
        values = {("process", "memory_available_bytes", 0): [[(1000 - taken * way) * MIB] for way in (1, 1.02, 0.98)]}
        part = table_samples(values, [HoldMemory(count=8)], unit="bytes", flags=["idle"])
        counted = tuple(dataclasses.replace(s, concurrency=count) for s in part.samples)
        parts.append(dataclasses.replace(part, samples=counted))
    found = fit(joined(*parts)).report
    estimate = found.fitted["measured-process.memory.unit_bytes"]
    assert (estimate.value / MIB, estimate.n) == (pytest.approx(3), 15)
    assert "from 4 to 8" in found.notes[0]
    assert "3.00 times" in found.notes[0]


def test_no_more_memory_than_a_process_is_left_out() -> None:
    def series(driver: str, slope: float) -> Samples:
        parts = []
        for count in (0, 4, 8):
            values = {(driver, "memory_available_bytes", 0): [[(1000 - slope * count) * MIB]] * 3}
            part = table_samples(values, [HoldMemory(count=8)], unit="bytes", flags=["idle"])
            parts.append(
                dataclasses.replace(
                    part, samples=tuple(dataclasses.replace(s, concurrency=count) for s in part.samples)
                )
            )
        return joined(*parts)

    found = fit(joined(series("process", 2), series("docker", 1)))
    reasons = {each.what: each.why for each in found.report.left_out}
    assert reasons["docker, memory of an instance"] == "no more than a process takes"
    alone = fit(series("docker", 1))
    reasons = {each.what: each.why for each in alone.report.left_out}
    assert "wasn't measured beside it" in reasons["docker, memory of an instance"]


def test_a_factor_by_hand_is_paired_within_blocks() -> None:
    # blocks differ by factors of ten, and docker is twice and eight times as slow in them: four times
    steps = [DriveCpu("user", 1000)]
    values = {
        ("process", "cpu_user_s", 0): [[1e-9], [1e-8], [1e-9]],
        ("docker", "cpu_user_s", 0): [[2e-9], [8e-8], [4e-9]],
    }
    factor = fit(table_samples(values, steps)).report.fitted["docker.cpu.user_factor"]
    assert (factor.value, factor.n) == (pytest.approx(4), 3)


def test_how_answers_vary_is_found(found: Calibration) -> None:
    spread = found.profile.quantities["reference.probe_service_spread"].distribution
    assert spread is not None
    # the median of six blocks with some twenty requests each
    assert spread.cv == pytest.approx(0.2, rel=0.25)


def test_requests_by_hand() -> None:
    # Service 1, 2 and 3 ms: 2 on average. Alone they take 5, 6 and 7 ms: 4 more; late 1 ms, and 2 ms for a round trip.
    # Docker's take 1 ms more each, and 8, 9 and 10 ms alone: 2 more than a process's to wake up but for its trip of 3.
    def three(first: float) -> list[list[float]]:
        return [[first], [first + 1e-3], [first + 2e-3]]

    steps = [DriveNetwork("host"), DriveNetwork("bridge"), OfferRequests(60.0, 4.0, 0)]
    values = {
        ("process", "network_round_trip_s", 0): [[2e-3]] * 3,
        ("docker", "network_round_trip_s", 1): [[3e-3]] * 3,
        ("process", "service_mean_s", 2): three(1e-3),
        ("process", "service_sd_s", 2): [[1e-4], [2e-4], [6e-4]],
        ("process", "latency_alone_s", 2): three(5e-3),
        ("process", "client_late_p50_s", 2): [[1e-3]] * 3,
        ("docker", "service_mean_s", 2): three(2e-3),
        ("docker", "service_sd_s", 2): three(1e-4),
        ("docker", "latency_alone_s", 2): three(8e-3),
        ("docker", "client_late_p50_s", 2): [[1e-3]] * 3,
    }
    flags = {("process", 2): ("network-host",), ("docker", 2): ("network-bridge",)}
    samples = table_samples(values, steps)
    flagged = tuple(dataclasses.replace(s, flags=flags.get((s.driver, s.step), s.flags)) for s in samples.samples)
    found = fit(dataclasses.replace(samples, samples=flagged))
    fitted = {name: estimate.value for name, estimate in found.report.fitted.items()}
    assert fitted["reference.probe_request_core_s"] == pytest.approx(2e-3)
    assert fitted["reference.probe_wake_s"] == pytest.approx(1e-3)
    assert fitted["docker.network.bridge.cpu_core_s_per_message"] == pytest.approx(0.5e-3)
    assert fitted["docker.network.bridge.wake_s"] == pytest.approx(1e-3)
    spread = found.profile.quantities["reference.probe_service_spread"].distribution
    assert spread is not None
    assert spread.cv == pytest.approx(0.1)


def test_requests_of_which_none_waited_tell_nothing() -> None:
    steps = (DriveNetwork("host"), DriveCpu("user", 100_000), OfferRequests(5.0, 2.0, 1_000_000, "constant"))
    profile = profile_of_text(TRUTH, "truth")
    samples = perform(Plan("load", steps, blocks=4, warmup_blocks=0), profile, ["process"], "box")
    reasons = {each.what: each.why for each in fit(samples, simulated=True).report.left_out}
    assert "too few of them waited" in reasons["process, requests"]


def test_without_its_network_waking_up_is_left_out(simulated: Samples) -> None:
    kept = tuple(s for s in simulated.samples if s.suite != "network")
    found = fit(dataclasses.replace(simulated, samples=kept), simulated=True)
    reasons = {each.what: each.why for each in found.report.left_out}
    assert "its network host wasn't measured" in reasons["process, waking up for a request"]
    assert "reference.probe_wake_s" not in found.report.fitted
    assert "reference.probe_request_core_s" in found.report.fitted


def test_requests_of_a_client_that_was_too_busy_do_not_count(simulated: Samples) -> None:
    flagged = (
        dataclasses.replace(s, flags=(*s.flags, "client-bound")) if s.suite == "requests" else s
        for s in simulated.samples
    )
    found = fit(dataclasses.replace(simulated, samples=tuple(flagged)), simulated=True)
    assert "reference.probe_request_core_s" not in found.report.fitted
