"""What a capacity and a host take when nothing happens on them: fleets are large, and mostly idle."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import simpy

from benchmarks.simulator.fleet import architecture
from vsim.engine.capacity import SharedCapacity
from vsim.engine.host import Hardware, Host

COUNT = 10_000


def bytes_each(make: Callable[[], object]) -> float:
    make()
    tracemalloc.start()
    kept = [make() for _ in range(COUNT)]
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(kept) == COUNT
    return used / COUNT


def test_an_idle_capacity_is_small(benchmark: Any, figure: Callable[..., None]) -> None:
    env = simpy.Environment()
    size = benchmark.pedantic(lambda: bytes_each(lambda: SharedCapacity(env, 4.0, 1.0)), rounds=1)
    figure("an idle capacity", size, 320, "bytes")
    assert size <= 320


def test_an_idle_host_is_small(benchmark: Any, figure: Callable[..., None]) -> None:
    env, hardware = simpy.Environment(), Hardware(architecture())
    size = benchmark.pedantic(lambda: bytes_each(lambda: Host(env, 0, hardware, None)), rounds=1)
    figure("an idle host", size, 1536, "bytes")
    assert size <= 1536
