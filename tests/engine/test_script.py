"""Scripts: order, cancellation, cleaning up."""

from __future__ import annotations

import pytest
import simpy

from vsim.engine.capacity import SharedCapacity
from vsim.engine.script import Script


def test_steps_run_in_order_and_at_once_up_to_the_first_event():
    env, seen = simpy.Environment(), []

    def steps():
        seen.append(("begin", env.now))
        yield simpy.Timeout(env, 2), None
        seen.append(("middle", env.now))
        yield simpy.Timeout(env, 3), None
        seen.append(("end", env.now))

    script = Script()
    script.run(steps())
    assert seen == [("begin", 0)]
    assert not script.done
    env.run()
    assert seen == [("begin", 0), ("middle", 2), ("end", 5)]
    assert script.done


def test_cancelling_withdraws_the_work_and_cleans_up():
    env, seen = simpy.Environment(), []
    cores = SharedCapacity(env, 1)

    def steps(name):
        try:
            yield cores.submit(4), cores
            seen.append((name, env.now))
        finally:
            seen.append((name, "left", env.now))

    first, second = Script(), Script()
    first.run(steps("first"))
    second.run(steps("second"))
    env.run(until=2)
    first.cancel()
    first.cancel()  # twice is once
    env.run()
    # two seconds at half a core each leave 3 of 4 for the second, which then has the core alone: done at 5
    assert seen == [("first", "left", 2), ("second", 5), ("second", "left", 5)]


def test_an_event_that_is_over_is_a_mistake():
    env = simpy.Environment()
    event = simpy.Event(env).succeed()
    env.run()

    def steps():
        yield event, None

    with pytest.raises(AssertionError, match="over"):
        Script().run(steps())
