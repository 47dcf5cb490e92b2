from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bench.fakes import MIB, PAYLOAD, Clock, FakeDriver, FakeHost
from vsim.bench.runner import Observer, Runner, Unit, schedule
from vsim.bench.workspace import Workspace
from vsim.model.plan import HoldMemory, Plan, Start
from vsim.samples.records import Done, Failure, Key, Record, Sample


class Bench:
    """A run of fake drivers and all that it wrote."""

    def __init__(self, workspace: Workspace, *names: str) -> None:
        self.workspace = workspace
        self.clock = Clock()
        self.log: list[str] = []
        self.drivers = [FakeDriver(name, self.clock, self.log) for name in names]
        self.records: list[Record] = []

    def run(
        self,
        plan: Plan,
        done: frozenset[Key] = frozenset(),
        observer: Observer | None = None,
        throttling: Callable[[], str | None] = lambda: None,
    ) -> Runner:
        alive = self.drivers[0].alive
        for driver in self.drivers:
            driver.alive = alive
        runner = Runner(
            plan,
            self.drivers,
            self.workspace,
            lambda architecture: PAYLOAD,
            self.records.append,
            observer=observer,
            done=done,
            host=FakeHost(self.clock, self.log, alive),
            clock=self.clock,
            canary=lambda: [0.5],
            throttling=throttling,
        )
        self.outcome = runner.run()
        return runner

    def samples(self, driver: str = "a") -> list[Sample]:
        return [r for r in self.records if isinstance(r, Sample) and r.driver == driver]

    def failures(self) -> list[Failure]:
        return [r for r in self.records if isinstance(r, Failure)]

    def done(self) -> list[Done]:
        return [r for r in self.records if isinstance(r, Done)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("VSIM_STATE", str(tmp_path))
    with Workspace("20260101-000000-abcd") as workspace:
        yield Bench(workspace, "a")


def plan(*steps: Start | HoldMemory, blocks: int = 1, warmup: int = 0) -> Plan:
    return Plan("test", steps, blocks=blocks, warmup_blocks=warmup, time_limit_s=1e6)


class TestLifeCycle:
    def test_the_stages_come_in_their_order_and_waves_do_not_overlap(self, bench: Bench) -> None:
        bench.run(plan(Start(count=2, concurrency=1)))
        assert bench.log == [
            "open a",
            *("create a-1", "start a-1", "stop a-1", "remove a-1"),
            *("create a-2", "start a-2", "stop a-2", "remove a-2"),
            "close a",
        ]

    def test_each_stage_is_timed_apart(self, bench: Bench) -> None:
        bench.run(plan(Start(count=1)))
        values = {sample.metric: sample.value for sample in bench.samples()}
        # start lasts as long as the fake's three stages together: they pass within its call
        assert values == {
            "create_s": 1.0,
            "start_s": 2.0 + 4.0 + 8.0,
            "first_instruction_s": 2.0 + 4.0,
            "ready_s": 2.0 + 4.0 + 8.0,
            "startup_s": 1.0 + 2.0 + 4.0,
            "starts_per_s": 1 / (1.0 + 2.0 + 4.0 + 8.0),
            "startup_cpu_core_s": 2 * (1.0 + 2.0 + 4.0 + 8.0),
            "stop_s": 16.0,
            "remove_s": 32.0,
        }

    def test_all_of_a_wave_are_ready_before_the_first_is_stopped(self, bench: Bench) -> None:
        bench.run(plan(Start(count=4, concurrency=2)))
        stages = [line.split()[0] for line in bench.log[1:-1]]
        for wave in (stages[:8], stages[8:]):
            assert sorted(wave[:4]) == ["create", "create", "start", "start"]
            assert sorted(wave[4:]) == ["remove", "remove", "stop", "stop"]
        assert {sample.concurrency for sample in bench.samples()} == {2}
        of_instances = [sample for sample in bench.samples() if sample.instance is not None]
        assert {sample.instance for sample in of_instances} == {0, 1, 2, 3}
        # two waves of two; both of a wave use the clock of the fake host one after the other
        rates = [sample.value for sample in bench.samples() if sample.metric == "starts_per_s"]
        assert rates == [pytest.approx(2 / (2 * 15.0))] * 2

    def test_a_cold_start_drops_the_caches_before_each_wave(self, bench: Bench) -> None:
        bench.run(plan(Start(count=2, concurrency=1, cold=True)))
        assert [line for line in bench.log if line.startswith(("drop", "create"))] == [
            *("drop caches", "create a-1"),
            *("drop caches", "create a-2"),
        ]
        assert all(sample.flags == ("cold",) for sample in bench.samples())


class TestThrottling:
    def run(self, bench: Bench, *answers: str) -> Bench:
        following = iter(answers)
        bench.run(plan(Start(count=1), blocks=3), throttling=lambda: next(following))
        return bench

    def test_samples_of_a_board_that_keeps_its_clock_have_no_flag(self, bench: Bench) -> None:
        self.run(bench, *["throttled=0x50000"] * 4)
        assert {sample.flags for sample in bench.samples()} == {()}
        assert bench.failures() == []

    def test_what_is_measured_while_the_clock_is_lowered_is_flagged(self, bench: Bench) -> None:
        # asked at the begin and after each of three blocks: lowered during the first, until after the second
        self.run(bench, "throttled=0x0", "throttled=0x20002", "throttled=0x20002", "throttled=0x20000")
        flags = {sample.block: sample.flags for sample in bench.samples()}
        assert flags == {0: (), 1: ("throttled",), 2: ("throttled",)}
        # the samples of the first block were written before anybody knew
        (noticed,) = bench.failures()
        assert (noticed.block, noticed.driver, noticed.flags) == (0, "a", ("throttled",))
        assert noticed.message == "the board lowered its clock: clock capped now, clock capped since boot"
        assert [done.driver for done in bench.done()] == ["canary", "a"] * 3

    def test_heat_that_comes_and_goes_within_a_step_is_noticed(self, bench: Bench) -> None:
        self.run(bench, "throttled=0x0", "throttled=0x0", "throttled=0x0", "throttled=0x80000")
        assert {sample.flags for sample in bench.samples()} == {()}
        assert [(failure.block, failure.flags) for failure in bench.failures()] == [(2, ("throttled",))]
        assert bench.outcome.given_up == {}

    def test_a_board_that_is_throttled_from_the_begin(self, bench: Bench) -> None:
        self.run(bench, *["throttled=0x50005"] * 4)
        assert {sample.flags for sample in bench.samples()} == {("throttled",)}
        assert bench.failures() == []


class _Watching:
    """An observer that remembers what it was told at the begin."""

    told: tuple[int, int] | None = None

    def begin(self, units: int, blocks: int) -> None:
        self.told = (units, blocks)

    def unit(self, unit: Unit) -> None: ...

    def record(self, record: Record) -> None: ...

    def done(self, unit: Unit) -> None: ...


class TestBlocks:
    def test_who_watches_is_told_how_much_there_is_to_do(self, bench: Bench) -> None:
        watching = _Watching()
        bench.run(plan(Start(count=1), Start(count=2), blocks=2, warmup=1), observer=watching)
        assert watching.told == (6, 3)

    def test_a_step_knows_its_block_and_the_seed(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[int, int]] = []
        monkeypatch.setattr(
            "vsim.bench.suites.startup.SUITE.run", lambda step, context: seen.append((context.seed, context.block))
        )
        bench.run(dataclasses.replace(plan(Start(count=1), blocks=2, warmup=1), seed=9))
        assert seen == [(9, 0), (9, 1), (9, 2)]

    def test_the_canary_comes_first_and_warm_up_is_marked(self, bench: Bench) -> None:
        bench.run(plan(Start(count=1), blocks=2, warmup=1))
        first_of_block: dict[int, str] = {}
        for record in bench.records:
            if isinstance(record, Sample):
                first_of_block.setdefault(record.block, record.driver)
                assert ("warmup" in record.flags) == (record.block == 0)
        assert first_of_block == {0: "canary", 1: "canary", 2: "canary"}

    def test_every_rung_runs_once_a_block_in_an_order_that_the_seed_fixes(self) -> None:
        drivers = [FakeDriver(name, Clock(), []) for name in "abcde"]
        steps = plan(Start(), HoldMemory(), blocks=20)

        def orders() -> list[list[str]]:
            return [[u.driver.name for u in schedule(steps, drivers, block) if u.number == 0] for block in range(20)]

        assert orders() == orders()
        assert all(sorted(order) == list("abcde") for order in orders())
        assert len({tuple(order) for order in orders()}) > 10
        assert [unit.order for unit in schedule(steps, drivers, 0)] == list(range(1, 11))

    def test_a_resumed_run_does_what_is_left_and_nothing_else(self, bench: Bench) -> None:
        steps = plan(Start(count=1), Start(count=1, cold=True), blocks=2)
        bench.run(steps)
        run_id = bench.workspace.run_id
        assert {(d.block, d.step, d.driver) for d in bench.done()} == {
            *((block, -1, "canary") for block in (0, 1)),
            *((block, step, "a") for block in (0, 1) for step in (0, 1)),
        }
        again = Bench(bench.workspace, "a")
        again.run(steps, frozenset({(run_id, 0, 0, "a"), (run_id, 0, 1, "a"), (run_id, 1, 0, "a")}))
        assert {(s.block, s.step) for s in again.samples()} == {(1, 1)}

    def test_the_time_limit_ends_the_run_between_steps(self, bench: Bench) -> None:
        bench.run(Plan("test", (Start(count=1),), blocks=5, warmup_blocks=0, time_limit_s=100.0))
        # an instance takes 63 s: the second ends past the limit, the third is not begun
        assert {sample.block for sample in bench.samples()} == {0, 1}
        assert bench.outcome.stopped == "the time limit of 100 s was reached in block 3"


class TestMemory:
    def test_four_numbers_are_kept_apart(self, bench: Bench) -> None:
        bench.run(plan(HoldMemory(count=4, points=3)))
        values: dict[str, list[float]] = {}
        for sample in bench.samples():
            values.setdefault(sample.metric, []).append(sample.value / MIB)
        assert values == {
            "memory_available_bytes": [1024, 1004, 984],
            "memory_pss_bytes": [7.0] * 4,
            "memory_cgroup_bytes": [11.0] * 4,
            "memory_helpers_bytes": [3.0] * 4,
            "memory_daemon_bytes": [50.0],
            "memory_host_bytes": [10.0],
        }
        assert bench.drivers[0].alive == set()

    def test_a_start_that_fails_takes_down_those_that_run(self, bench: Bench) -> None:
        bench.drivers[0].fails = {"ready"}
        bench.run(plan(HoldMemory(count=4)))
        assert [failure.stage for failure in bench.failures()] == ["ready"]
        assert bench.failures()[0].message == "nothing within 10 s; it said: vsim 1 error touch 12"
        assert bench.drivers[0].alive == set()


class TestFailures:
    @pytest.mark.parametrize("stage", ["create", "start", "first_instruction", "ready", "stop", "remove"])
    def test_a_failure_is_a_record_with_its_stage_and_nothing_stays(self, bench: Bench, stage: str) -> None:
        bench.drivers[0].fails = {stage}
        bench.run(plan(Start(count=2, concurrency=2)))
        assert [failure.stage for failure in bench.failures()] == [stage, stage]
        assert bench.drivers[0].alive == set()
        # all of the wave were ready before the first failed to end: what the wave tells holds
        whole = {"starts_per_s", "startup_cpu_core_s"} if stage in ("stop", "remove") else set()
        assert {sample.metric for sample in bench.samples()} == whole
        assert bench.log[-1] == "close a"

    def test_a_driver_that_can_not_be_opened_is_recorded_and_the_others_go_on(self, bench: Bench) -> None:
        bench.drivers.append(FakeDriver("b", bench.clock, bench.log))
        bench.drivers[0].fails = {"open"}
        bench.run(plan(Start(count=1)))
        assert [(failure.driver, failure.stage) for failure in bench.failures()] == [("a", "open")]
        assert bench.samples("b")
        assert bench.outcome.given_up == {"a": "open: no daemon"}

    @pytest.mark.parametrize("step", [Start(count=1), HoldMemory(count=1)])
    def test_a_rung_that_fails_three_times_in_a_row_is_given_up(self, bench: Bench, step: Start | HoldMemory) -> None:
        bench.drivers.append(FakeDriver("b", bench.clock, bench.log))
        bench.drivers[0].fails = {"start"}
        bench.run(plan(step, blocks=6))
        assert len(bench.failures()) == 3
        assert {sample.block for sample in bench.samples("b")} == set(range(6))

    @pytest.mark.parametrize("stage", ["create", "start", "stop", "remove"])
    @pytest.mark.parametrize("step", [Start(count=3), HoldMemory(count=3)])
    def test_an_interrupt_keeps_the_samples_and_removes_the_instances(
        self, bench: Bench, stage: str, step: Start | HoldMemory
    ) -> None:
        other = FakeDriver("b", bench.clock, bench.log)
        bench.drivers.append(other)
        other.interrupts = {stage}
        with pytest.raises(KeyboardInterrupt):
            bench.run(plan(step, blocks=3))
        assert other.alive == set()
        assert [line for line in bench.log if line.startswith("close")] == ["close b", "close a"]
