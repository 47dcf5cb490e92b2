"""SharedCapacity against values worked out by hand, and against an exact rational reference."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from simpy.events import Event

from vsim.engine.capacity import SharedCapacity


def at(env: simpy.Environment, time: float, action: Callable[[], Any]) -> None:
    """Do `action` at `time`."""
    env.timeout(time - env.now).callbacks.append(lambda _: action())


class Log:
    """When which job was done: names in order, and times by name."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.order: list[Any] = []
        self.time: dict[Any, float] = {}

    def __call__(self, event: Event) -> None:
        self.order.append(event.value)
        self.time[event.value] = self.env.now


def test_one_job_takes_its_work_over_its_cap() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 4, per_job_cap=1)
    job = cores.submit(3.0)
    assert (cores.jobs, cores.in_use) == (1, 1.0)
    env.run(job)
    assert env.now == 3.0
    assert (cores.jobs, cores.in_use, cores.served) == (0, 0.0, 3.0)


def test_more_jobs_than_cores_share_equally() -> None:
    # 2 cores. a (1 core-s) and b (2 core-s) run alone until c (1 core-s) comes at 0.5: from then on each gets
    # 2/3 core. a has 0.5 left: done at 0.5 + 0.75 = 1.25, when b has 1.0 and c 0.5 left at a core each:
    # c is done at 1.75, b at 2.25.
    env = simpy.Environment()
    cores = SharedCapacity(env, 2, per_job_cap=1)
    log = Log(env)
    cores.submit(1.0, value="a").callbacks.append(log)
    cores.submit(2.0, value="b").callbacks.append(log)
    at(env, 0.5, lambda: cores.submit(1.0, value="c").callbacks.append(log))
    env.run()
    assert log.time == pytest.approx({"a": 1.25, "c": 1.75, "b": 2.25}, abs=1e-12)
    assert cores.served == pytest.approx(4.0, abs=1e-12)


def test_weights_divide_and_caps_limit() -> None:
    # Capacity 6, weights 1, 2, 3, the last one capped at 2: θ = 4/3 for the others, so rates 4/3, 8/3 and 2.
    env = simpy.Environment()
    link = SharedCapacity(env, 6)
    log = Log(env)
    link.submit(4.0, weight=1, value="light").callbacks.append(log)
    link.submit(8.0, weight=2, value="middle").callbacks.append(log)
    link.submit(7.0, weight=3, cap=2, value="capped").callbacks.append(log)
    assert link.in_use == pytest.approx(6.0)
    env.run(until=2.0)
    assert link.in_use == pytest.approx(6.0)
    env.run()
    # The first two end together at 3, in the order they came; the last has 1 left, still at its cap: 3.5.
    assert log.order == ["light", "middle", "capped"]
    assert log.time == pytest.approx({"light": 3.0, "middle": 3.0, "capped": 3.5}, abs=1e-12)


def test_a_job_names_a_cap_above_the_default() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 8, per_job_cap=1)
    cores.submit(1.0)
    parallel = cores.submit(8.0, cap=4)
    assert cores.in_use == 5.0
    env.run(parallel)
    assert env.now == 2.0


def test_jobs_done_at_once_succeed_in_the_order_of_submission() -> None:
    env = simpy.Environment()
    disk = SharedCapacity(env, 0.3)
    log = Log(env)
    for name in range(20):
        # Different groups and roundings, but all of them proportional to their weight: done together.
        weight = (1.0, 0.1, 7.0, 0.3)[name % 4]
        disk.submit(0.7 * weight, weight, cap=(None, 100.0)[name % 2], value=name).callbacks.append(log)
    env.run()
    assert log.order == list(range(20))
    assert len(set(log.time.values())) == 1


def test_no_work_is_done_at_once_and_disturbs_nobody() -> None:
    env = simpy.Environment(initial_time=5)
    cores = SharedCapacity(env, 1)
    other = cores.submit(2.0)
    job = cores.submit(0.0, value="nothing")
    assert cores.jobs == 1
    assert env.run(job) == "nothing"
    assert env.now == 5
    env.run(other)
    assert env.now == 7


@pytest.mark.parametrize("work", [-1.0, -1e-300, math.nan, math.inf, -math.inf])
def test_impossible_work_is_refused(work: float) -> None:
    cores = SharedCapacity(simpy.Environment(), 1)
    with pytest.raises(ValueError, match="work"):
        cores.submit(work)
    assert cores.jobs == 0


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_impossible_weights_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        SharedCapacity(simpy.Environment(), 1).submit(1.0, weight)


@pytest.mark.parametrize("cap", [0.0, -1.0, math.nan])
def test_impossible_caps_are_refused(cap: float) -> None:
    with pytest.raises(ValueError, match="cap"):
        SharedCapacity(simpy.Environment(), 1).submit(1.0, cap=cap)
    with pytest.raises(ValueError, match="cap"):
        SharedCapacity(simpy.Environment(), 1, per_job_cap=cap)


@pytest.mark.parametrize("capacity", [-1.0, math.nan, math.inf])
def test_impossible_capacities_are_refused(capacity: float) -> None:
    with pytest.raises(ValueError, match="capacity"):
        SharedCapacity(simpy.Environment(), capacity)
    cores = SharedCapacity(simpy.Environment(), 1)
    with pytest.raises(ValueError, match="capacity"):
        cores.set_capacity(capacity)
    assert cores.capacity == 1


def test_a_cancelled_job_leaves_its_share_to_the_others() -> None:
    # Two jobs of 4 on capacity 2; one withdrawn at 1 has 3 left. The other goes on at 2: done at 1 + 3/2.
    env = simpy.Environment()
    cores = SharedCapacity(env, 2)
    stays, goes = cores.submit(4.0), cores.submit(4.0)
    env.run(until=1)
    assert cores.cancel(goes) == 3.0
    assert cores.cancel(goes) == 0.0
    env.run()
    assert stays.processed
    assert not goes.triggered
    assert cores.served == 5.0
    assert cores.cancel(stays) == 0.0


def test_the_last_job_cancelled_leaves_an_idle_capacity() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 2, per_job_cap=1)
    job = cores.submit(4.0)
    env.run(until=1)
    assert cores.cancel(job) == 3.0
    assert (cores.jobs, cores.in_use) == (0, 0.0)
    env.run()
    later = cores.submit(1.0)
    began = env.now
    env.run(later)
    assert env.now == began + 1.0


def test_only_jobs_of_this_capacity_can_be_cancelled() -> None:
    env = simpy.Environment()
    cores, other = SharedCapacity(env, 1), SharedCapacity(env, 1)
    theirs = other.submit(1.0)
    cores.submit(1.0)
    with pytest.raises(ValueError, match="not a job"):
        cores.cancel(theirs)
    with pytest.raises(ValueError, match="not a job"):
        cores.cancel(env.event())
    assert (cores.jobs, other.jobs) == (1, 1)


def test_cancelled_jobs_dont_pile_up() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 1)
    cores.submit(1e-3)
    for _ in range(1000):
        cores.cancel(cores.submit(1e6))
    assert len(cores._groups[0].heap) < 20
    env.run()
    assert env.now == pytest.approx(1e-3)


def test_a_failed_machine_stops_its_jobs_and_a_repaired_one_goes_on() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 2, per_job_cap=1)
    log = Log(env)
    cores.submit(2.0, value="one").callbacks.append(log)
    cores.submit(3.0, value="two").callbacks.append(log)
    at(env, 1.0, lambda: cores.set_capacity(0))
    at(env, 11.0, lambda: cores.set_capacity(1))  # throttled: half a core each
    env.run(until=5)
    assert (cores.jobs, cores.in_use, cores.served) == (2, 0.0, 2.0)
    env.run()
    # One core-second and two are left at 11; at half a core each the first ends at 13, the second at 14.
    assert log.time == pytest.approx({"one": 13.0, "two": 14.0}, abs=1e-12)


def test_nothing_proceeds_without_capacity() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 0)
    job = cores.submit(1.0)
    cores.submit(1.0, weight=2, cap=1)
    env.run()
    assert not job.triggered
    assert (cores.jobs, cores.in_use, cores.served) == (2, 0.0, 0.0)


def test_the_observer_integrates_what_was_served() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 4, per_job_cap=1)
    seen: list[tuple[float, float, float]] = []
    cores.on_change = lambda old: seen.append((env.now, old, cores.in_use))
    cores.submit(1.0)
    at(env, 0.5, lambda: cores.submit(2.0))
    env.run()
    assert seen == [(0, 0.0, 1.0), (0.5, 1.0, 2.0), (1.0, 2.0, 1.0), (2.5, 1.0, 0.0)]
    assert sum((b[0] - a[0]) * a[2] for a, b in pairwise(seen)) == cores.served == 3.0


def test_the_observer_hears_nothing_when_the_rate_stays() -> None:
    env = simpy.Environment()
    link = SharedCapacity(env, 4)
    calls: list[float] = []
    link.on_change = calls.append
    for _ in range(5):
        link.submit(1.0)
    env.run()
    assert calls == [0.0, 4.0]


def test_work_submitted_by_a_completion_goes_on_without_a_gap() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 1, per_job_cap=1)
    log = Log(env)

    def again(event: Event) -> None:
        log(event)
        if event.value < 10:
            cores.submit(1.0, value=event.value + 1).callbacks.append(again)

    cores.submit(1.0, value=1).callbacks.append(again)
    env.run()
    assert log.time == {n: float(n) for n in range(1, 11)}


def test_processes_and_conditions_wait_for_jobs() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 2, per_job_cap=1)

    def work(env: simpy.Environment) -> Any:
        first = cores.submit(1.0, value="first")
        second = cores.submit(3.0, value="second")
        assert (yield first) == "first"
        assert env.now == 1.0
        assert (yield first) == "first"  # over already
        either = yield second | env.timeout(1)
        assert second not in either
        yield env.all_of([first, second])
        return env.now

    assert env.run(env.process(work(env))) == 3.0


def test_a_simulation_that_ran_until_a_job_can_go_on() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 2, per_job_cap=1)
    log = Log(env)
    job = cores.submit(1.0, value="until")
    other = cores.submit(2.0, value="other")
    other.callbacks.append(log)
    assert env.run(job) == "until"
    assert (env.now, cores.jobs, log.order) == (1.0, 1, [])
    cores.submit(0.5, value="new").callbacks.append(log)
    env.run()
    assert job.processed
    assert log.time == {"new": 1.5, "other": 2.0}


def test_stopping_at_a_job_keeps_the_callbacks_after_the_stop() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 1)
    log = Log(env)
    job = cores.submit(1.0, value="job")
    at(env, 0.5, lambda: job.callbacks.append(log))  # behind the one that `run` adds
    env.run(job)
    assert log.order == []
    env.run()
    assert log.time == {"job": 1.0}


def test_a_job_costs_one_timer_when_nothing_moves() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 4, per_job_cap=1)
    for work in (3.0, 4.0, 5.0, 6.0):
        cores.submit(work)
    env.run()
    assert next(env._eid) == 4


def test_a_later_finish_reuses_the_pending_timer() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 1)
    for _ in range(100):
        cores.submit(1.0)  # each one puts the first completion off
    env.run()
    # The timer for 1 s fires early and is armed again for 100 s; then all 100 jobs succeed.
    assert env.now == pytest.approx(100.0)
    assert next(env._eid) == 2 + 100


def test_long_times_and_small_works_neither_hang_nor_run_backwards() -> None:
    env = simpy.Environment(initial_time=1e9)  # a tick of the clock is 1.2e-7 s here
    cores = SharedCapacity(env, 3, per_job_cap=1)
    log = Log(env)
    for n in range(200):
        cores.submit(1e-9 * (1 + n % 7), weight=1 + n % 3, value=n).callbacks.append(log)
    at(env, 1e9 + 1, lambda: cores.submit(0.1, value="last").callbacks.append(log))
    env.run()
    assert len(log.order) == 201
    times = [log.time[name] for name in log.order]
    assert times == sorted(times)
    assert cores.jobs == 0


def test_a_heavy_job_takes_no_weight_away_when_it_leaves() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 1)
    light = cores.submit(1.0, weight=1e-9)
    heavy = cores.submit(1.0, weight=1e9)
    env.run(heavy)
    env.run(light)
    assert env.now == pytest.approx(2.0)


def test_the_virtual_clock_starts_again_when_idle() -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, 1, per_job_cap=1)
    for _ in range(10):
        env.run(cores.submit(1e6))
    cores.submit(1.0)
    assert cores._groups[0].virtual == 0.0


def test_work_too_little_to_take_any_time_is_done() -> None:
    # 5e-324 is the least double there is: divided by the group's speed it is no time at all.
    env = simpy.Environment()
    cores = SharedCapacity(env, 3)
    log = Log(env)
    cores.submit(5e-324, value="least").callbacks.append(log)
    cores.submit(1.0, weight=2, cap=0.1, value="other").callbacks.append(log)
    env.run()
    assert log.time == {"least": 0.0, "other": pytest.approx(10.0)}


def test_time_never_runs_backwards() -> None:
    # A link slows down in the very moment in which a transfer is done. Rounding may have put the virtual clock past the
    # transfer's tag by then, and at the new speed the time that is left would be a good deal less than nothing.
    random = Random(1)
    env = simpy.Environment()
    links = [SharedCapacity(env, 1e6) for _ in range(100)]
    for link in links:
        begin, work = random.random(), random.uniform(1e5, 1e6)
        at(env, begin, partial(link.submit, work))
        at(env, begin + work / 1e6, partial(link.set_capacity, 1.0))
    last = 0.0
    while env.peek() < math.inf:
        env.step()
        assert env.now >= last
        last = env.now
    assert all(link.jobs == 0 for link in links)
    assert last < 2.0 + 1e-9


# --- against an exact reference ---------------------------------------------------------------------------


class Exact:
    """Fair sharing with exact fractions, all shares worked out anew at every change: slow, and surely right."""

    def __init__(self, capacity: float) -> None:
        self.now = Fraction(0)
        self.capacity = Fraction(capacity)
        self.left: dict[int, Fraction] = {}
        self.terms: dict[int, tuple[Fraction, Fraction | None]] = {}  # weight and cap
        self.done: dict[int, Fraction] = {}

    def rates(self) -> dict[int, Fraction]:
        rates: dict[int, Fraction] = {}
        capacity, waiting = self.capacity, set(self.left)
        while waiting:
            level = capacity / sum(self.terms[job][0] for job in waiting)
            capped = {
                job: cap
                for job in waiting
                for weight, cap in [self.terms[job]]
                if cap is not None and cap < weight * level
            }
            if not capped:
                return rates | {job: self.terms[job][0] * level for job in waiting}
            rates |= capped
            capacity -= sum(capped.values())
            waiting -= set(capped)
        return rates

    def advance(self, until: Fraction | None) -> None:
        while True:
            rates = self.rates()
            next_done = min((self.now + self.left[job] / rate for job, rate in rates.items() if rate), default=None)
            stop = until if next_done is None or (until is not None and until < next_done) else next_done
            if stop is None:
                return
            for job, rate in rates.items():
                self.left[job] -= rate * (stop - self.now)
                if self.left[job] <= 0:
                    del self.left[job]
                    self.done[job] = stop
            self.now = stop
            if stop == until and (next_done is None or next_done > until):
                return


def run_through(env: simpy.Environment, time: float) -> None:
    """Run until `time` and through what happens then, SimPy's own end mark included."""
    env.run(until=time)
    while env.peek() <= time:
        env.step()


works = st.one_of(st.just(0.0), st.sampled_from([0.5, 1.0, 2.0]), st.floats(1e-3, 100))
weights = st.one_of(st.just(1.0), st.sampled_from([0.5, 2.0, 3.0]), st.floats(0.01, 100))
caps = st.one_of(st.none(), st.just(1.0), st.sampled_from([0.25, 2.0]), st.floats(0.01, 50))
gaps = st.one_of(st.just(0.0), st.sampled_from([0.25, 1.0]), st.floats(1e-3, 20))
changes = st.one_of(
    st.tuples(st.just("submit"), works, weights, caps),
    st.tuples(st.just("submit"), works, st.just(1.0), st.none()),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("capacity"), st.floats(0.1, 20)),
)


@settings(deadline=None, max_examples=150)
@given(
    capacity=st.one_of(st.sampled_from([1.0, 4.0]), st.floats(0.1, 20)),
    default_cap=st.one_of(st.none(), st.just(1.0)),
    story=st.lists(st.tuples(gaps, changes), min_size=1, max_size=14),
)
def test_it_agrees_with_exact_sharing(
    capacity: float, default_cap: float | None, story: list[tuple[float, tuple[Any, ...]]]
) -> None:
    env = simpy.Environment()
    cores = SharedCapacity(env, capacity, default_cap)
    exact = Exact(capacity)
    log = Log(env)
    integral = [0.0, 0.0]  # up to which time, and how much

    def observe(old: float) -> None:
        integral[1] += old * (env.now - integral[0])
        integral[0] = env.now

    cores.on_change = observe
    events: dict[int, Event] = {}
    submitted = withdrawn = 0.0
    for gap, (kind, *how) in story:
        if gap:
            run_through(env, env.now + gap)
        # A change in the very moment of a completion may come before or after it: wait until that is clear.
        while env.peek() < env.now + 1e-6 or max(log.time.values(), default=-1) > env.now - 1e-6:
            run_through(env, env.now + 2e-6)
        exact.advance(Fraction(env.now))
        if kind == "submit":
            work, weight, cap = how
            name = len(events)
            events[name] = cores.submit(work, weight, cap, value=name)
            events[name].callbacks.append(log)
            limit = default_cap if cap is None else cap
            exact.terms[name] = Fraction(weight), None if limit is None else Fraction(limit)
            submitted += work
            if work:
                exact.left[name] = Fraction(work)
            else:
                exact.done[name] = Fraction(env.now)
        elif kind == "capacity":
            cores.set_capacity(how[0])
            exact.capacity = Fraction(how[0])
        elif how[0] in events:
            left = cores.cancel(events[how[0]])
            withdrawn += left
            assert left == pytest.approx(float(exact.left.pop(how[0], Fraction(0))), abs=1e-9)
        assert cores.in_use == pytest.approx(float(sum(exact.rates().values())), rel=1e-9)
        assert cores.jobs == len(exact.left)
    env.run()
    exact.advance(None)

    assert log.time == pytest.approx({name: float(time) for name, time in exact.done.items()}, rel=1e-9, abs=1e-9)
    assert (cores.jobs, cores.in_use) == (0, 0.0)
    assert cores.served == pytest.approx(submitted - withdrawn, rel=1e-9, abs=1e-9)
    assert integral[1] == pytest.approx(cores.served, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(
    works=st.lists(st.floats(0, 1e6), min_size=1, max_size=40),
    start=st.sampled_from([0.0, 1e3, 1e6, 1e9]),
    capacity=st.floats(1e-3, 1e3),
)
def test_wide_ranges_lose_nothing(works: list[float], start: float, capacity: float) -> None:
    env = simpy.Environment(initial_time=start)
    cores = SharedCapacity(env, capacity)
    log = Log(env)
    for name, work in enumerate(works):
        cores.submit(work, weight=1 + name % 5, cap=(None, 0.1, 7.0)[name % 3], value=name).callbacks.append(log)
    env.run()
    assert sorted(log.order) == list(range(len(works)))
    assert [log.time[name] for name in log.order] == sorted(log.time.values())
    tick = math.ulp(env.now)
    assert cores.served == pytest.approx(sum(works), rel=1e-9, abs=2 * len(works) * tick * capacity)
