"""Replaying job lists: hand-computed completions, order of the list, bad lists, events and memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from vsim.engine.replay import replay


def test_completions_come_in_the_order_of_the_list() -> None:
    # Host 3: one core, jobs of 1 at 0 and of 2 at 0.5. From 0.5 they share: the first has 0.5 left, done at
    # 1.5; the second then has 1.5 left, done at 3. Host 0: alone, 4 + 1 = 5.
    found = replay(([3, 0, 3], [0.5, 4.0, 0.0], [2.0, 1.0, 1.0]), hosts=4, cores_per_host=1)
    assert found.completion_s.tolist() == [3.0, 5.0, 1.5]


def test_up_to_as_many_jobs_as_cores_dont_slow_each_other() -> None:
    found = replay(([0, 0, 0, 0], [0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0]), hosts=1, cores_per_host=4)
    assert found.completion_s.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_jobs_without_demand_are_done_when_they_arrive() -> None:
    found = replay(([0, 0], [0.0, 1.0], [3.0, 0.0]), hosts=1, cores_per_host=1)
    assert found.completion_s.tolist() == [3.0, 1.0]


def test_an_empty_list_is_done_at_once() -> None:
    found = replay(([], [], []), hosts=10, cores_per_host=1)
    assert found.completion_s.shape == (0,)
    assert found.events == 0


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        (([0, 1], [0.0], [1.0]), "one length"),
        (([[0]], [[0.0]], [[1.0]]), "one length"),
        (([2], [0.0], [1.0]), "from 0 to 1"),
        (([-1], [0.0], [1.0]), "from 0 to 1"),
        (([0.5], [0.0], [1.0]), "whole number"),
        (([float("nan")], [0.0], [1.0]), "whole number"),
        (([0, 0], [0.0, -1.0], [1.0, 1.0]), r"arrival_s .* not -1\.0 \(job 1\)"),
        (([0], [0.0], [float("nan")]), "demand_core_s .* not nan"),
        (([0], [float("inf")], [1.0]), "arrival_s .* not inf"),
    ],
)
def test_bad_lists_are_refused(jobs: tuple[list[float], list[float], list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replay(jobs, hosts=2, cores_per_host=1)


def test_a_batch_has_at_least_one_host() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        replay(([0], [0.0], [1.0]), hosts=1, cores_per_host=1, hosts_per_clock=0)


def poisson(hosts: int, per_host: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poisson arrivals at 80 % of four cores and exponential demands of mean 1 core-second."""
    random = np.random.default_rng(seed)
    arrivals = random.exponential(1 / 3.2, (hosts, per_host)).cumsum(axis=1)
    return np.repeat(np.arange(hosts), per_host), arrivals.ravel(), random.exponential(1.0, hosts * per_host)


def test_sharing_a_clock_changes_nothing_to_the_last_bit() -> None:
    jobs = poisson(50, 40, seed=1)
    alone = replay(jobs, 50, 4)
    for hosts_per_clock in (7, 50, 1000):
        together = replay(jobs, 50, 4, hosts_per_clock=hosts_per_clock)
        assert together.completion_s.tolist() == alone.completion_s.tolist()
        assert together.events == alone.events


def test_the_order_of_the_list_changes_nothing() -> None:
    host, arrival_s, demand_core_s = poisson(20, 50, seed=2)
    shuffled = np.random.default_rng(3).permutation(len(host))
    there = replay((host, arrival_s, demand_core_s), 20, 4).completion_s
    back = replay((host[shuffled], arrival_s[shuffled], demand_core_s[shuffled]), 20, 4).completion_s
    assert back.tolist() == there[shuffled].tolist()


def test_a_job_takes_few_events_however_many_there_are() -> None:
    # An arrival, and a timer at the completion, are two; timers overtaken by an arrival add the rest.
    for hosts in (10, 100):
        assert 2.0 <= replay(poisson(hosts, 100, seed=4), hosts, 4).events / (100 * hosts) < 2.6
    # At most one timer per change is armed, so no load takes more than two timers a job.
    host, arrival_s, demand_core_s = poisson(10, 200, seed=5)
    assert replay((host, arrival_s, 2 * demand_core_s), 10, 4).events / 2000 < 3.0


def test_memory_is_for_the_list_not_for_hosts() -> None:
    def peak(hosts: int, per_host: int) -> int:
        jobs = poisson(hosts, per_host, seed=6)
        tracemalloc.start()
        replay(jobs, hosts, 4)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10, 10)
    assert peak(1_000, 2) < 1.5 * peak(20, 100)
