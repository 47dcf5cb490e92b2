"""What one more container and one more guest cost the host, by the slope of its available memory, for real."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.test_drivers import measure, need, workspace
from vsim.bench.drivers import all_drivers
from vsim.bench.workspace import Workspace
from vsim.model.plan import HoldMemory, Plan

__all__ = ["workspace"]

MIB = 2**20
# What all instances of a rung or their helpers map, and what stays in the page cache without them: a guest is the
# kernel as a program; a container under Docker has a shim.
PROGRAMS = {"docker": "containerd-shim-runc-v2", "runc": None, "uml": "linux.uml"}
BY_NAME = {driver.name: driver for driver in all_drivers()}


@pytest.mark.parametrize(("name", "count", "touch_mib"), [("docker", 12, 8), ("runc", 16, 8), ("uml", 4, 8)])
def test_the_slope_holds_all_that_the_instances_have(
    name: str, count: int, touch_mib: int, workspace: Workspace
) -> None:
    """Touched memory is in the slope, and so are the helpers that each instance needs; nothing is counted twice."""
    driver = BY_NAME[name]
    need(driver)
    step = HoldMemory(count=count, touch_bytes=touch_mib * MIB, points=5)
    samples, failures = measure(driver, workspace, Plan("memory", (step,), blocks=1, warmup_blocks=0, time_limit_s=120))
    assert failures == []
    found: dict[str, list[float]] = {}
    for sample in samples:
        found.setdefault(sample.metric, []).append(sample.value)
    (slope,) = found["memory_host_bytes"]
    pss = sum(found["memory_pss_bytes"]) / count
    helpers = sum(found.get("memory_helpers_bytes", [0.0])) / count
    # what the instance has touched is no longer available, on any rung
    assert slope > 0.97 * touch_mib * MIB
    if "pss" in driver.capabilities:
        assert pss > 0.99 * touch_mib * MIB
        # The host pays for what serves the instance and for what the kernel keeps for it, which no process maps. It
        # doesn't pay for programs that instances map and that the page cache keeps anyhow: they are in the PSS alone.
        program = PROGRAMS[name]
        path = shutil.which(program) if program else None
        programs = Path(path).stat().st_size / count if path else 0
        assert slope > 0.97 * (pss + helpers - programs)
    # and it stays within what the budget reckons with
    assert slope < driver.overhead_bytes + 1.5 * touch_mib * MIB
