"""Are the intervals honest? Of profiles that are known, made up at random, the engine makes the samples.

A 95 % interval is to hold the true value in about 95 of 100 cases: less would claim too much, more too little. Half of
the blocks and the other half are two measurements of the same thing, and their intervals overlap.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

from vsim.calibration.fitting import Calibration, Search, fit
from vsim.calibration.profile_file import profile_of_text
from vsim.engine.plans import perform
from vsim.model.plan import Plan, Start
from vsim.samples.records import Samples

GIVEN = "source: {kind: assumed, why: drawn at random}"
PLAN = Plan("starts", tuple(Start(count=8, concurrency=k) for k in (1, 2, 4)), blocks=8, warmup_blocks=0)
PROFILES = 52
KINDS = ("plain", "section", "parallel", "busy")
# A quick search: turns of waiting and computing aren't drawn.
SEARCH = Search(rounds=(1,), starts=100)


@dataclass(frozen=True)
class Truth:
    """What a start of a rung truly is; the wait varies."""

    wait_s: float
    cpu_core_s: float
    section_core_s: float
    parallelism: float
    cv: float
    family: str
    busy_cores: float = 0.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, kind: str) -> Truth:
        """Draw one that takes 20 ms to 2 s alone, a fifth to seven tenths of that with work."""
        alone = float(np.exp(rng.uniform(np.log(0.02), np.log(2))))
        part = float(rng.uniform(0.2, 0.7))
        family = str(rng.choice(["lognormal", "gamma"]))
        cv = float(rng.uniform(0.03, 0.3))
        if kind == "section":
            locked = part * alone * float(rng.uniform(0.25, 0.6))
            return cls((1 - part) * alone, part * alone - locked, locked, 1.0, cv, family)
        cores = float(rng.uniform(1.3, 1.9)) if kind == "parallel" else 1.0
        busy = float(rng.uniform(0.5, 1)) if kind == "busy" else 0.0
        return cls((1 - part) * alone, part * alone * cores, 0.0, cores, cv, family, busy)

    def truths(self) -> dict[str, float]:
        """Return what it states, by the names that a calibration gives them."""
        found = {"bring-up.wait_s": self.wait_s, "bring-up.cpu_core_s": self.cpu_core_s}
        if self.section_core_s:
            found["serialised.cpu_core_s"] = self.section_core_s
        if self.parallelism > 1:
            found["bring-up.parallelism"] = self.parallelism
        if self.busy_cores:
            found["bring-up.busy_cores"] = self.busy_cores
        return found

    def samples(self, seed: int) -> Samples:
        """Return what the engine makes of it."""
        varying = f", distribution: {{family: {self.family}, cv: {self.cv:.6f}}}"
        cores = f", parallelism: {_quantity(self.parallelism, 'cores')}" if self.parallelism > 1 else ""
        busy = f", busy_cores: {_quantity(self.busy_cores, 'cores')}" if self.busy_cores else ""
        locked = f"a: {{section: lock, cpu_core_s: {_quantity(self.section_core_s, 'core-s')}}}\n      "
        profile = profile_of_text(
            f"""
schema: vsim.profile/1
layers:
  rung:
    title: Rung
    boundary: namespace
    startup:
      {locked if self.section_core_s else ""}b:
        {{wait_s: {_quantity(self.wait_s, "s", varying)}, cpu_core_s: {_quantity(self.cpu_core_s, "core-s")}
         {cores}{busy}}}
stacks:
  rung: {{title: A rung, layers: [rung]}}
machines:
  box: {{like: rack-server, title: Box, cores: {_quantity(2, "cores")}}}
""",
            "truth",
        )
        return perform(dataclasses.replace(PLAN, seed=seed), profile, ["rung"], "box")


def _quantity(value: float, unit: str, more: str = "") -> str:
    return f"{{value: {value:.12g}, unit: {unit}, low: {value:.12g}, high: {value:.12g}{more}, {GIVEN}}}"


def calibrated(samples: Samples) -> Calibration:
    return fit(samples, simulated=True, search=SEARCH)


@pytest.mark.slow
def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(20260302)
    held, lacking = [], 0
    for number in range(PROFILES):
        truth = Truth.drawn(rng, KINDS[number % len(KINDS)])
        fitted = calibrated(truth.samples(seed=number)).report.fitted
        for name, value in truth.truths().items():
            estimate = fitted.get(f"rung.startup.{name}")
            lacking += estimate is None
            held.append(estimate is not None and estimate.low <= value <= estimate.high)
    assert len(held) == PROFILES * 2 + 3 * PROFILES // len(KINDS)
    assert 0.90 <= np.mean(held) <= 0.99, f"{np.mean(held):.1%} of {len(held)}"
    # a part that is there is hardly ever overlooked
    assert lacking <= 0.05 * len(held)


@pytest.mark.parametrize("kind", KINDS)
def test_two_halves_of_the_blocks_say_the_same(kind: str) -> None:
    truth = Truth.drawn(np.random.default_rng(KINDS.index(kind)), kind)
    samples = truth.samples(seed=7)
    halves = [
        calibrated(
            dataclasses.replace(samples, samples=tuple(s for s in samples.samples if s.block % 2 == parity))
        ).report.fitted
        for parity in (0, 1)
    ]
    common = [name for name in halves[0] if name in halves[1] and name.startswith("rung.")]
    assert len(common) >= 2
    for name in common:
        first, second = halves[0][name], halves[1][name]
        assert first.low <= second.high, name
        assert second.low <= first.high, name
