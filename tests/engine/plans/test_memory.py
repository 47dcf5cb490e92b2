"""Memory and density: counts and slopes worked out by hand on 8 GiB, of which the host itself takes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.plans.profiles import m, performed, profile, values
from vsim.model.plan import Density, HoldMemory
from vsim.samples.records import Samples

MIB, GIB = 2**20, 2**30


def ended(samples: Samples) -> set[str]:
    return {flag for s in samples.samples if s.metric == "density_instances" for flag in s.flags}


def rung(folder: Path, *, wait_s: float = 0.1, **more: Any) -> Any:
    engine = {
        "boundary": "namespace",
        "startup": {"create": {"wait_s": m(wait_s, "s")}},
        "memory": {"unit_bytes": m(448, "MiB")},
        **more,
    }
    process = {"memory": {"unit_bytes": m(64, "MiB")}}
    host = {"memory": {"environment_bytes": m(1, "GiB")}}
    return profile(folder, {"engine": engine, "process-rung": process, "host": host})


def test_each_instance_takes_what_its_layers_and_its_work_take(tmp_path: Path) -> None:
    found = performed(rung(tmp_path), HoldMemory(count=4, touch_bytes=128 * MIB, points=3))
    available = [s for s in found.samples if s.metric == "memory_available_bytes"]
    assert [s.concurrency for s in available] == [0, 2, 4]
    assert [s.value for s in available] == [7 * GIB, 7 * GIB - 2 * 640 * MIB, 7 * GIB - 4 * 640 * MIB]
    assert values(found, "memory_host_bytes", concurrency=4) == pytest.approx([640 * MIB])
    assert all(s.flags == ("touched",) for s in found.samples)


def test_a_density_ends_before_the_reserve_is_touched(tmp_path: Path) -> None:
    # 7 GiB are available at first, a quarter of which is 1.75 GiB. With ten instances of 512 MiB 2 GiB are left, and
    # with eleven it would be 1.5.
    found = performed(rung(tmp_path), Density(limit=40, reserve=0.25))
    assert values(found, "density_instances") == [10]
    assert ended(found) == {"ended-memory"}
    assert values(found, "density_memory_bytes") == pytest.approx([512 * MIB])
    points = [s for s in found.samples if s.metric == "density_available_bytes"]
    # weighed every fourth instance: a tenth of the limit
    assert [(s.instance, s.concurrency, s.value) for s in points] == [
        (count, max(1, count), 7 * GIB - count * 512 * MIB) for count in (0, 4, 8)
    ]
    starts = [s for s in found.samples if s.metric == "density_startup_s"]
    assert [s.instance for s in starts] == list(range(10))
    assert [s.value for s in starts] == pytest.approx([0.1] * 10)


def test_a_density_ends_at_its_limit(tmp_path: Path) -> None:
    found = performed(rung(tmp_path), Density(limit=4))
    assert values(found, "density_instances") == [4]
    assert ended(found) == {"ended-limit"}
    # 4 starts of 0.1 s, and 5 weighings of 3 × 0.02 s
    assert found.samples[-1].t == pytest.approx(0.4 + 5 * 0.06)


def test_a_start_that_takes_too_long_ends_it(tmp_path: Path) -> None:
    found = performed(rung(tmp_path, wait_s=0.5), Density(limit=4, slowest_start_s=0.4))
    assert values(found, "density_instances") == [1]
    assert ended(found) == {"ended-slow"}


def test_a_ramp_without_time_left_ends(tmp_path: Path) -> None:
    # A ramp to ten may take 3 s. Four starts of 0.7 s with a weighing before each are over after 3.04 s.
    found = performed(rung(tmp_path, wait_s=0.7), Density(limit=10))
    assert values(found, "density_instances") == [4]
    assert ended(found) == {"ended-time"}


def test_what_the_layers_allow_ends_it_with_a_failure(tmp_path: Path) -> None:
    found = performed(rung(tmp_path, max_units=m(3)), Density(limit=5))
    assert values(found, "density_instances") == [3]
    assert ended(found) == {"ended-failure"}
    (failure,) = found.failures
    assert (failure.instance, failure.stage) == (3, "create")


def test_starts_on_the_way_take_longer_where_they_grow(tmp_path: Path) -> None:
    stage = {"create": {"cpu_core_s": m(0.1, "s"), "growth": m(0.5)}}
    found = performed(rung(tmp_path, startup=stage), Density(limit=3))
    assert values(found, "density_startup_s") == pytest.approx([0.1, 0.15, 0.2])


def test_equal_guests_share_a_part(tmp_path: Path) -> None:
    layers = {
        "monitor": {
            "opens_guest": True,
            "boundary": "hypervisor",
            "startup": {"create": {"wait_s": m(0.1, "s")}},
            "memory": {"unit_bytes": m(100, "MiB"), "unit_shared": m(0.4)},
        },
        "kernel": {"memory": {"environment_bytes": m(50, "MiB")}},
    }
    found = performed(profile(tmp_path, layers), HoldMemory(count=3, points=4))
    taken = [8 * GIB - value for value in values(found, "memory_available_bytes")]
    assert taken == pytest.approx([0, 150 * MIB, 260 * MIB, 370 * MIB])


def test_a_host_that_is_full_is_a_failure(tmp_path: Path) -> None:
    found = performed(rung(tmp_path), HoldMemory(count=2, touch_bytes=4 * GIB))
    (failure,) = found.failures
    assert failure.stage == "ready"
    assert "used up" in failure.message
    assert values(found, "memory_host_bytes") == []


def test_memory_that_was_not_measured_is_left_out(tmp_path: Path) -> None:
    known = profile(tmp_path, {"engine": {"startup": {"create": {"wait_s": m(1, "s")}}}})
    found = performed(known, HoldMemory(), Density())
    assert found.samples == ()
    assert [text.partition(": ")[2] for text in found.runs[0].left_out] == [
        "no layer of the stack states its memory.unit_bytes"
    ] * 2
