"""The blind prediction: what stands in the documents is what the code says, and the code sees no more than it may."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.validation import nsdi2020_blind, nsdi2020_opened, nsdi2020_unknowns
from tests.validation.nsdi2020 import MACHINES, MONITORS
from tests.validation.nsdi2020_unknowns import RANGES, TURNS, Vector
from tests.validation.tables import BLIND, TABLES, documented


@pytest.fixture(scope="module")
def vectors() -> dict[str, list[Vector]]:
    return nsdi2020_unknowns.read()


@pytest.mark.parametrize("table", ["nsdi2020-unknowns", "nsdi2020-blind", "nsdi2020-opened", "nsdi2020-afterwards"])
def test_the_documented_tables_are_those_that_were_written_down(table: str, reference_data: Path):
    assert documented(BLIND)[table] == TABLES[table](reference_data)


def test_nothing_but_serial_and_ten_at_a_time_is_opened(
    vectors: dict[str, list[Vector]], reference_data: Path, monkeypatch: pytest.MonkeyPatch
):
    opened = set()
    loadtxt = np.loadtxt

    def watched(path: Path, **given: Any) -> Any:
        opened.add(Path(path).name)
        return loadtxt(path, **given)

    monkeypatch.setattr(np, "loadtxt", watched)
    nsdi2020_unknowns.data.cache_clear()
    for monitor in MONITORS:
        for machine in MACHINES:
            nsdi2020_unknowns.times(vectors[monitor][0], reference_data, machine, monitor, 50)
        nsdi2020_unknowns.misses(vectors[monitor][0], reference_data, monitor)
    assert len(opened) == 9  # three monitors: serial on the one machine, ten at a time on both
    assert all("-serial-" in name or "-parallel-10-" in name for name in opened)


@pytest.mark.parametrize("monitor", MONITORS)
def test_what_was_kept_is_what_a_search_keeps(monitor: str, vectors: dict[str, list[Vector]], reference_data: Path):
    kept = vectors[monitor]
    assert len(kept) >= 40
    assert len({vector.seed for vector in kept}) == len(kept)
    for vector in kept:
        for name in ("section", "launcher_core_s", "cold", "busy", "busy_speed_m5d", "busy_speed_haswell"):
            assert RANGES[name][0] <= getattr(vector, name) <= RANGES[name][1]
        assert TURNS[0] <= vector.turns <= TURNS[1]
    again = nsdi2020_unknowns.candidate(reference_data, monitor, kept[0].seed)
    assert again.wait_s == pytest.approx(kept[0].wait_s)
    for vector in kept[:: len(kept) // 3]:
        assert nsdi2020_unknowns.misses(vector, reference_data, monitor) <= 1


def test_too_long_a_section_is_refused_by_what_was_measured(reference_data: Path, vectors: dict[str, list[Vector]]):
    # a quarter of the work, one at a time: ten starts of 80 ms can't take less than ten times 20 ms
    vector = replace(next(v for v in vectors["cloud-hypervisor"] if not v.section), section=0.25)
    assert nsdi2020_unknowns.misses(vector, reference_data, "cloud-hypervisor") > 1


def test_the_predictions_are_what_the_vectors_say(vectors: dict[str, list[Vector]], reference_data: Path):
    predictions = nsdi2020_blind.kept()
    assert len(predictions) == len(MONITORS) * len(MACHINES) * 2 * 2
    for prediction in predictions[::5]:
        place = list(nsdi2020_blind.STATISTICS).index(prediction.statistic)
        of_seed = {vector.seed: vector for vector in vectors[prediction.monitor]}
        for seed, value in ((prediction.low_seed, prediction.low_s), (prediction.high_seed, prediction.high_s)):
            times = nsdi2020_unknowns.times(
                of_seed[seed], reference_data, prediction.machine, prediction.monitor, prediction.level
            )
            assert nsdi2020_blind.statistics(times)[place] == pytest.approx(value)


def test_the_engine_says_what_the_page_says_of_it(reference_data: Path):
    for prediction in nsdi2020_blind.kept()[::12]:
        place = list(nsdi2020_blind.STATISTICS).index(prediction.statistic)
        said = nsdi2020_blind.engine(prediction.machine, prediction.monitor, prediction.level, 0)
        assert said[place] == pytest.approx(prediction.engine_s)


def test_more_starts_at_a_time_take_longer():
    value = {(p.monitor, p.machine, p.level, p.statistic): p for p in nsdi2020_blind.kept()}
    for (monitor, machine, level, statistic), prediction in value.items():
        assert prediction.low_s <= prediction.value_s <= prediction.high_s
        if level == 100:
            assert prediction.value_s > value[monitor, machine, 50, statistic].value_s


def test_what_was_opened_is_next_to_every_prediction():
    opened = nsdi2020_opened.opened(nsdi2020_blind.kept())
    assert len(opened) == len(nsdi2020_blind.kept())
    # as the page says: at 50 most are inside, at 100 none is
    inside = {level: [o.inside for o in opened if o.prediction.level == level] for level in nsdi2020_blind.LEVELS}
    assert (sum(inside[50]), len(inside[50])) == (9, 12)
    assert (sum(inside[100]), len(inside[100])) == (0, 12)


def test_launchers_in_single_file_let_no_more_start_than_the_cores_can_take(reference_data: Path):
    # starts that begin one after another: whether 50 or 100 are allowed makes no difference
    for monitor in ("firecracker", "cloud-hypervisor"):
        fifty, hundred = (nsdi2020_opened.afterwards(reference_data, monitor, level)[0] for level in (50, 100))
        assert hundred == pytest.approx(fifty, rel=0.02)
