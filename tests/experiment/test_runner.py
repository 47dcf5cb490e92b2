"""Tasks run here or in other processes: the same values in the same order, whatever happens to a worker."""

from __future__ import annotations

import os
import time

import pytest

from tests.experiment import fakes
from tests.experiment.fakes import SITE, DiesOnce, ToyProfile, toy_scenario
from vsim.engine.run import Replication
from vsim.errors import HostError, InputError
from vsim.experiment import runner as runner_module
from vsim.experiment.runner import Runner, Task, processors


def tasks(replications=3, **options):
    profile, scenario = ToyProfile(), toy_scenario()
    return [
        Task(profile.architecture(name), scenario, SITE, number, **options)
        for number in range(replications)
        for name in scenario.architectures
    ]


def expected(made):
    return [fakes.run(task.architecture, task.scenario, task.site, task.replication) for task in made]


def test_replications_come_in_the_order_of_the_tasks():
    made = tasks()
    with Runner(jobs=1, run=fakes.run) as runner:
        assert runner.run(made) == expected(made)
        assert runner.run([]) == []


def test_two_processes_yield_the_same_in_the_same_order():
    made = tasks(5)
    with Runner(jobs=2, run=fakes.later_ones_first) as runner:
        assert runner.run(made) == expected(made)


def test_a_worker_that_dies_changes_nothing(tmp_path):
    made = tasks(4)
    marker = tmp_path / "died"
    with Runner(jobs=2, run=DiesOnce(marker)) as runner:
        assert runner.run(made) == expected(made)
    assert marker.exists()


def test_workers_that_keep_dying_are_reported():
    with Runner(jobs=2, run=fakes.always_dies) as runner, pytest.raises(HostError, match="keep dying") as caught:
        runner.run(tasks(2))
    assert "--jobs 1" in (caught.value.hint or "")


def test_what_a_task_raises_passes_through_processes_with_its_hint():
    with Runner(jobs=2, run=fakes.refuses) as runner, pytest.raises(InputError, match="too small") as caught:
        runner.run(tasks())
    assert caught.value.hint == "a larger machine"
    assert caught.value.place is not None
    assert str(caught.value.place) == "scenario.yaml:3:4"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_tolerant_task_that_can_not_run_yields_nothing(jobs):
    with Runner(jobs=jobs, run=fakes.refuses) as runner:
        assert runner.run(tasks(1, tolerant=True)) == [Replication({}, 0)] * 2


def test_progress_counts_what_is_done_and_what_is_known():
    seen = []
    with Runner(jobs=1, run=fakes.run, progress=lambda *counts: seen.append(counts)) as runner:
        runner.run(tasks(1))
        runner.run(tasks(1))
    assert seen == [(1, 2), (2, 2), (3, 4), (4, 4)]


def test_short_work_stays_in_this_process():
    with Runner(run=fakes.says_where) as runner:
        assert {replication.events for replication in runner.run(tasks())} == {os.getpid()}


def test_long_work_goes_to_other_processes(monkeypatch):
    monkeypatch.setattr(runner_module, "processors", lambda: 2)
    monkeypatch.setattr(runner_module, "FAN_OUT_S", 0.0)
    with Runner(run=fakes.says_where) as runner:
        where = [replication.events for replication in runner.run(tasks())]
    assert where[0] == os.getpid()
    assert os.getpid() not in where[1:]


def test_an_interruption_ends_the_workers_at_once():
    def interrupt(done, known):
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Runner(jobs=2, run=fakes.first_is_quick, progress=interrupt) as runner:
        runner.run(tasks(2))
    assert time.monotonic() - start < 30  # the tasks would take a minute each


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "0 jobs"),
        ({"backend": "dask"}, "address of a scheduler"),
        ({"scheduler": "tcp://x:1"}, "dask backend only"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Runner(**options)


def test_the_processors_are_those_that_this_process_may_use():
    assert processors() == len(os.sched_getaffinity(0))
