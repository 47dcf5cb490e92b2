"""What the built-in profile says of pulls and builds is what the records hold that it cites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vsim.calibration import builtin

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "2026-11-24-virtual-machine-2-cores"


def record(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


PULLS = {
    "manifest_wait_s": "pull_manifest_s",
    "receive_core_s_per_byte": "pull_receive_core_s_per_byte",
    "unpack_wait_s": "pull_unpack_wait_s",
    "unpack_core_s": "pull_unpack_core_s",
    "unpack_core_s_per_byte": "pull_unpack_core_s_per_byte",
    "unpack_core_s_per_file": "pull_unpack_core_s_per_file",
}
COSTS = ("build_s", "context_bytes_per_s", "copy_s", "copy_bytes_per_s", "run_s")


@pytest.mark.parametrize(("fitted", "name"), PULLS.items())
def test_pulls(fitted: str, name: str) -> None:
    pulls = record("pulls")
    quantity = builtin().quantities[f"reference.{name}"]
    assert quantity.value == pytest.approx(pulls["fitted"][fitted], rel=0.02, abs=1e-12)
    assert quantity.source.run == pulls["run"]


@pytest.mark.parametrize(
    ("builder", "cost", "name"),
    [
        *(("classic", cost, f"build_{cost}") for cost in (*COSTS, "step_s")),
        *(("buildkit", cost, f"buildkit_{cost}") for cost in COSTS),
    ],
)
def test_builds(builder: str, cost: str, name: str) -> None:
    builds = record("builds")
    quantity = builtin().quantities[f"reference.{name}"]
    assert quantity.value == pytest.approx(builds["costs"][builder][cost], rel=0.02)
    assert quantity.source.run == builds["run"]


@pytest.mark.parametrize("name", ["pulls", "builds"])
def test_the_host_did_nothing_else(name: str) -> None:
    """The load at the beginning of the record; at seven and nine, everything had taken two to three times as long."""
    assert record(name)["load"] < 1.5
