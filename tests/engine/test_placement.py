"""The indexes against the obvious way: look at every host."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsim.engine.placement import FirstFit, Ranked, placement


def obvious(policy: str, free: dict[int, tuple[float, float]], memory: float, cores: float) -> int | None:
    fits = [(m, host) for host, (m, c) in sorted(free.items()) if m >= memory and c >= cores and m >= 0]
    if not fits:
        return None
    if policy == "first-fit":
        return fits[0][1]
    if policy == "best-fit":
        return min(fits)[1]
    return max(fits, key=lambda fit: (fit[0], -fit[1]))[1]


@pytest.mark.parametrize("policy", ["first-fit", "best-fit", "spread"])
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 20), st.integers(-1, 8), st.integers(0, 8), st.integers(0, 8), st.integers(0, 8)),
        max_size=60,
    )
)
def test_finds_what_a_scan_finds(policy, changes):
    index = placement(policy)
    free: dict[int, tuple[float, float]] = {}
    for host, memory, cores, asked_memory, asked_cores in changes:
        index.set(host, memory, cores)
        free[host] = (memory, cores)
        assert index.find(asked_memory, asked_cores) == obvious(policy, free, asked_memory, asked_cores)


def test_policies_by_hand():
    free = {0: (4.0, 1.0), 1: (2.0, 4.0), 2: (8.0, 4.0)}
    for index, expected in ((FirstFit(), 1), (Ranked("best-fit"), 1), (Ranked("spread"), 2)):
        for host, (memory, cores) in free.items():
            index.set(host, memory, cores)
        assert index.find(2, 2) == expected
        assert index.find(3, 1) == {FirstFit: 0, Ranked: expected if expected == 2 else 0}[type(index)]
        assert index.find(9, 1) is None
        assert index.find(1, 5) is None


def test_an_exact_fit_survives_rounding():
    # ten times 0.1 is a little less than 1
    index = FirstFit()
    index.set(0, math.fsum([0.1] * 10) - 0.9, 1)
    assert index.find(0.1, 1) == 0


@pytest.mark.parametrize("policy", ["first-fit", "best-fit", "spread"])
def test_cost_grows_with_the_logarithm_of_the_hosts(policy):
    # 64 times as many hosts; a scan would take 64 times as long, a logarithm 16/10
    def seconds(hosts: int) -> float:
        index = placement(policy)
        for host in range(hosts):
            index.set(host, 10.0, 10.0)
        best = math.inf
        for _ in range(5):
            start = time.process_time()  # whatever else this host does
            for _ in range(500):
                host = index.find(1, 1)
                assert host is not None
                index.set(host, 10.0, 10.0)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(65536) < 8 * seconds(1024)


class Counted(float):
    """A number of cores that counts how often it is looked at."""

    looks = 0

    def __ge__(self, other):
        Counted.looks += 1
        return float.__ge__(self, other)


@pytest.mark.parametrize("policy", ["best-fit", "spread"])
def test_hosts_without_cores_are_not_passed_over_one_by_one(policy):
    # All hosts but the last in line have the memory and too few cores.
    index, hosts = placement(policy), 4096
    last = 0 if policy == "spread" else hosts - 1
    for host in range(hosts):
        index.set(host, 10.0 + host, Counted(4.0 if host == last else 1.0))
    Counted.looks = 0
    assert index.find(1.0, 2.0) == last
    assert Counted.looks < 200  # about 1.4 × 12 levels, a few looks at each; a scan takes 4096
