"""A shared capacity: CPU cores, a disk, a link, divided fairly among the jobs in progress.

Jobs share by *weighted max-min fairness with caps*: job *i* proceeds at ``min(cap_i, weight_i × θ)`` with one
water level θ for all, as high as the capacity allows. Nobody's share is rescanned to find that out. Jobs with
the same ratio ``cap / weight`` form a *group*, and a group has a virtual clock that runs at ``min(ratio, θ)``:
in every unit of virtual time each job of the group receives its weight in work. A job that arrives at virtual
time V is therefore done at virtual time ``V + work / weight``, its *finish tag*, whatever happens to θ in the
meantime. What is left to keep is a heap of tags per group and one timer for the earliest of them.

The virtual clock is that of fair queueing (Demers, Keshav and Shenker, SIGCOMM 1989); finding θ group by group
in order of their ratio is the filling procedure of Bertsekas and Gallager, *Data Networks* (1992), section 6.5.2.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import accumulate
from math import inf
from operator import attrgetter
from typing import Any

from simpy.core import Environment, StopSimulation
from simpy.events import NORMAL, PENDING, Event, EventPriority

__all__ = ["SharedCapacity"]

# Tags and times that differ by this fraction are one: about four units in the last place of a double.
_ROUNDING = 1e-15
# SimPy's own priority for an event that it puts back after a simulation was stopped in the middle of it.
_FIRST = EventPriority(-1)

_ratio_of = attrgetter("ratio")
_seq_of = attrgetter("seq")


class _Group:
    """The jobs with one ratio of cap to weight, and their virtual clock."""

    __slots__ = ("_lost", "_sum", "count", "heap", "ratio", "speed", "units", "virtual", "weight")

    def __init__(self, ratio: float) -> None:
        self.ratio = ratio
        self.heap: list[tuple[float, int, _Job]] = []
        self.count = 0
        self.clear()

    def clear(self) -> None:
        """Start again at virtual time zero, where floating-point numbers are finest."""
        self.heap.clear()
        self.virtual = self.speed = self.weight = self._sum = self._lost = 0.0
        self.units = True  # all weights so far were 1, so that their sum is exact

    def add_weight(self, weight: float) -> None:
        """Add `weight` (negative: take it away), keeping apart what rounding loses (Neumaier's sum).

        Otherwise a light job could be left with no weight at all when a heavy one has come and gone.
        """
        if self.units:
            self.units = False
            self._sum = self.weight
        total = self._sum + weight
        if abs(self._sum) >= abs(weight):
            self._lost += (self._sum - total) + weight
        else:
            self._lost += (weight - total) + self._sum
        self._sum = total
        self.weight = total + self._lost

    def drop_cancelled(self) -> None:
        """Let the heap start with a live job, and let cancelled ones never be most of it."""
        heap = self.heap
        if len(heap) > 2 * self.count + 8:
            heap[:] = [entry for entry in heap if entry[2].group is self]
            heapify(heap)
        while heap and heap[0][2].group is not self:
            heappop(heap)


class _Job(Event):
    """The event of one job, which also knows its place: `group` is None once the job has left."""

    __slots__ = ("_ok", "_value", "callbacks", "env", "group", "result", "seq", "tag", "weight")

    group: _Group | None
    seq: int
    tag: float

    def __init__(self, env: Environment, weight: float, result: object) -> None:
        self.env = env
        self.callbacks = []
        self._value = PENDING
        self.weight = weight
        self.result = result


class _Timer(Event):
    """The one timer of a capacity, scheduled again and again: arming it makes no new objects."""

    __slots__ = ("callbacks", "capacity", "env")
    _ok = True
    _value = None

    def __init__(self, capacity: SharedCapacity) -> None:
        self.env = capacity.env
        self.capacity = capacity
        self.callbacks = _ON_TIMER


def _on_timer(timer: Any) -> None:
    timer.callbacks = _ON_TIMER  # SimPy takes the callbacks away from an event that it processes
    timer.capacity._fire()


_ON_TIMER: list[Callable[[Any], None]] = [_on_timer]


class SharedCapacity:
    """A `capacity` in units of work per second, shared fairly by the jobs submitted to it.

    `per_job_cap` is the most that one job gets when it doesn't name a cap of its own: 1 for jobs of one thread
    on a machine whose capacity is its number of cores. The unit is the caller's: cores (and work in
    core-seconds), bytes per second, operations per second.

    `on_change`, when set, is called with the old rate each time that :attr:`in_use` has changed, which is what
    a power meter needs to integrate over time. It must not submit or cancel jobs.

    A change costs O(log n) for n jobs, plus the number of distinct ratios of cap to weight in use. There is at
    most one useful timer per capacity: when the next completion moves later the timer is left to fire and is
    then armed again, because SimPy can't withdraw a scheduled event; when it moves earlier, a second one is
    scheduled and the first is ignored when it comes.
    """

    __slots__ = (
        "_cap",
        "_capacity",
        "_finish",
        "_groups",
        "_in_use",
        "_jobs",
        "_last",
        "_seq",
        "_served",
        "_timer",
        "_wake",
        "env",
        "on_change",
    )

    def __init__(self, env: Environment, capacity: float, per_job_cap: float | None = None) -> None:
        if not 0 <= capacity < inf:
            raise ValueError(f"a capacity is finite and not negative, not {capacity}")
        if per_job_cap is not None and not per_job_cap > 0:
            raise ValueError(f"a cap is positive, not {per_job_cap}")
        self.env = env
        self.on_change: Callable[[float], None] | None = None
        self._capacity = capacity
        self._cap = inf if per_job_cap is None else per_job_cap
        self._groups: tuple[_Group, ...] = ()  # by rising ratio; the last one is kept for reuse when idle
        self._jobs = 0
        self._seq = 0
        self._in_use = 0.0
        self._served = 0.0
        self._last = env.now  # the virtual clocks and `_served` are right for this time
        self._finish = inf  # when the next job is done, as things stand
        self._wake = inf  # when the timer fires that counts; others in SimPy's queue are stale
        self._timer: _Timer | None = None

    @property
    def capacity(self) -> float:
        """The capacity, in work per second."""
        return self._capacity

    @property
    def in_use(self) -> float:
        """The total rate at which jobs proceed now, in work per second."""
        return self._in_use

    @property
    def jobs(self) -> int:
        """The number of jobs in progress."""
        return self._jobs

    @property
    def served(self) -> float:
        """The work done since the beginning: the integral of :attr:`in_use`, exact between changes.

        The mean utilisation of a stretch of time is the difference of `served` over it, divided by its length
        and by the capacity.
        """
        return self._served + self._in_use * (self.env.now - self._last)

    def submit(self, work: float, weight: float = 1.0, cap: float | None = None, value: object = None) -> Event:
        """Start a job of `work` and return the event that succeeds, with `value`, when the job is done.

        `weight` is its part of the shares, `cap` the most work per second it can take (in place of the
        capacity's `per_job_cap`; ``inf`` lifts it). Jobs that are done at the same time succeed in the order
        in which they were submitted; a job without work succeeds at once.

        The callbacks of a job that is the only one to be done at its time run in the same SimPy step as the
        timer that ends it, instead of one step later at the same time: half the events, nothing else.

        Raises ValueError for work that is negative, infinite or not a number, and for a weight or cap that is
        not positive.
        """
        if not 0.0 <= work < inf:
            raise ValueError(f"work is finite and not negative, not {work}")
        span = work
        ratio = self._cap
        if weight != 1.0 or cap is not None:
            if not 0.0 < weight < inf:
                raise ValueError(f"a weight is finite and positive, not {weight}")
            if cap is not None and not cap > 0.0:
                raise ValueError(f"a cap is positive, not {cap}")
            ratio = (ratio if cap is None else cap) / weight
            span = work / weight
            if span == inf or ratio == 0.0:
                raise ValueError(f"weight {weight} is out of proportion to work {work} and cap {cap}")
        env = self.env
        job = _Job(env, weight, value)
        if work == 0.0:
            job.group = None
            job.succeed(value)
            return job
        now = env._now
        self._advance(now)
        groups = self._groups
        group = groups[0] if len(groups) == 1 and groups[0].ratio == ratio else self._group(ratio)
        self._jobs += 1
        self._seq = job.seq = seq = self._seq + 1
        job.group = group
        job.tag = tag = group.virtual + span
        heappush(group.heap, (tag, seq, job))
        group.count += 1
        if weight == 1.0 and group.units:
            group.weight += 1.0
        else:
            group.add_weight(weight)
        self._share(now)
        return job

    def cancel(self, event: Event) -> float:
        """Withdraw the job of `event`, which then never succeeds, and return the work that was left of it.

        Returns 0 for a job that is done or was withdrawn before. Raises ValueError if `event` doesn't come
        from this capacity's :meth:`submit`.
        """
        group = event.group if isinstance(event, _Job) else None
        if not isinstance(event, _Job) or (group is not None and group not in self._groups):
            raise ValueError(f"{event!r} is not a job of this capacity")
        if group is None:
            return 0.0
        now = self.env._now
        self._advance(now)
        left = max(0.0, (event.tag - group.virtual) * event.weight)
        self._leave(event, group)
        group.drop_cancelled()
        self._share(now)
        return left

    def set_capacity(self, capacity: float) -> None:
        """Go on with another `capacity`; with 0 all jobs stand still. Raises ValueError as the constructor."""
        if not 0 <= capacity < inf:
            raise ValueError(f"a capacity is finite and not negative, not {capacity}")
        now = self.env._now
        self._advance(now)
        self._capacity = capacity
        self._share(now)

    def _advance(self, now: float) -> None:
        """Bring the virtual clocks and the work served up to `now`, at the rates of the time since."""
        elapsed = now - self._last
        if elapsed > 0.0:
            self._last = now
            if self._jobs:
                self._served += self._in_use * elapsed
                for group in self._groups:
                    group.virtual += group.speed * elapsed

    def _group(self, ratio: float) -> _Group:
        """Find or make the group of jobs with this `ratio` of cap to weight."""
        groups = self._groups
        if not self._jobs:  # whatever group is left from before is empty
            group = groups[0] if groups else _Group(ratio)
            group.ratio = ratio
            self._groups = (group,)
            return group
        place = bisect_left(groups, ratio, key=_ratio_of)
        if place < len(groups) and groups[place].ratio == ratio:
            return groups[place]
        group = _Group(ratio)
        self._groups = (*groups[:place], group, *groups[place:])
        return group

    def _leave(self, job: _Job, group: _Group) -> None:
        """Take a job out of its group; its entry in the heap is the caller's to remove."""
        job.group = None
        self._jobs -= 1
        group.count -= 1
        if not group.count:
            group.clear()
            if self._jobs:
                self._groups = tuple(other for other in self._groups if other is not group)
        elif group.units:
            group.weight -= 1.0
        else:
            group.add_weight(-job.weight)

    def _share(self, now: float) -> None:
        """Set the speeds of the virtual clocks for the jobs there are, and see to the timer."""
        before = self._in_use
        groups = self._groups
        if not self._jobs:
            self._in_use = 0.0
            finish = inf
        elif len(groups) == 1:
            group = groups[0]
            speed = self._capacity / group.weight
            if speed < group.ratio:
                self._in_use = self._capacity
            else:
                speed = group.ratio
                self._in_use = speed * group.weight
            group.speed = speed
            finish = now + (group.heap[0][0] - group.virtual) / speed if speed else inf
        else:
            finish = now + self._fill()
        self._finish = finish
        if finish < self._wake:
            self._arm(finish)
        if self.on_change is not None and self._in_use != before:
            self.on_change(before)

    def _fill(self) -> float:
        """Set the speed of each of several groups; return the time until the first of their jobs is done."""
        groups = self._groups
        left = self._capacity
        # The weight of each group and all with a higher ratio, summed from the far end: without subtraction.
        beyond = list(accumulate(group.weight for group in reversed(groups)))
        rate = 0.0
        level = inf
        soonest = inf
        for group in groups:
            weight = beyond.pop()
            if level == inf and group.ratio * weight > left:
                level = left / weight
                rate = self._capacity
            if level == inf:
                group.speed = group.ratio
                taken = group.ratio * group.weight
                rate += taken
                left = max(0.0, left - taken)
            else:
                group.speed = level
            if group.speed:
                soonest = min(soonest, (group.heap[0][0] - group.virtual) / group.speed)
        self._in_use = rate
        return soonest

    def _arm(self, at: float) -> None:
        """Schedule the timer for `at`: to the last bit, which a delay as SimPy's `schedule` takes can't do."""
        if self._timer is None:
            self._timer = _Timer(self)
        env = self.env
        at = max(at, env._now)  # a clock that rounding put past a tag mustn't turn time back
        self._wake = at
        heappush(env._queue, (at, NORMAL, next(env._eid), self._timer))

    def _fire(self) -> None:
        """End the jobs that are due, if this is the timer that counts."""
        env = self.env
        now = env._now
        if now != self._wake:
            return
        self._wake = inf
        if now < self._finish:
            if self._finish < inf:
                self._arm(self._finish)
            return
        self._advance(now)
        done = self._due(now)
        self._share(now)
        if len(done) > 1:
            done.sort(key=_seq_of)
            for job in done:
                job.succeed(job.result)
            return
        job = done[0]
        job._ok = True
        job._value = job.result
        callbacks = job.callbacks
        job.callbacks = None  # type: ignore[assignment]  # as SimPy does: the event is processed
        try:
            for callback in callbacks:
                callback(job)
        except StopSimulation:
            # Somebody runs the simulation until this job is done. Let SimPy's own step meet the callback that
            # stops it, with the job in hand and not the timer, which has to stay armed.
            job.callbacks = callbacks[callbacks.index(callback) :]
            env.schedule(job, _FIRST)

    def _due(self, now: float) -> list[_Job]:
        """Take the jobs out that are done by now: at least one, whatever rounding did to the clocks."""
        groups = self._groups
        if len(groups) == 1:
            group = groups[0]
            # The clock may have stopped a bit short of the tag that the timer was set for: it counts as reached.
            return self._take(group, max(group.virtual, group.heap[0][0]), now)
        waits = [(group.heap[0][0] - group.virtual) / group.speed if group.speed else inf for group in groups]
        wait = min(waits)
        done = []
        for group, its_wait in zip(groups, waits, strict=True):
            reached = group.virtual + group.speed * max(wait, 0.0)
            if its_wait == wait:  # this one is why the timer fired, even if so little work rounds to no time at all
                reached = max(reached, group.heap[0][0])
            done += self._take(group, reached, now)
        return done

    def _take(self, group: _Group, virtual: float, now: float) -> list[_Job]:
        """Take out of `group` the jobs whose tags are at most `virtual`, up to rounding in V or in time."""
        limit = virtual + _ROUNDING * (virtual + group.speed * now)
        heap = group.heap
        done = []
        while heap and heap[0][0] <= limit:
            job = heappop(heap)[2]
            if job.group is group:
                self._leave(job, group)
                done.append(job)
        if len(heap) > group.count:
            group.drop_cancelled()
        return done
