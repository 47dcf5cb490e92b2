"""Axes: their ends hold all values, and the marks are where they say."""

from __future__ import annotations

import pytest

from vsim.report.page.ticks import scale_of, scale_up_to
from vsim.samples.metrics import METRICS, unit_of


def test_a_wide_range_of_times_is_logarithmic_with_human_marks() -> None:
    scale = scale_of("startup_p95_s", [0.002, 120.0], "s")
    assert scale.logarithmic
    assert scale.low <= 0.002
    assert scale.high >= 120
    texts = {text: value for value, text in scale.marks}
    assert {"10 ms", "1 s", "60 s"} & set(texts)
    for text, value in texts.items():
        number, unit = text.split(" ")
        assert float(number) * {"ms": 1e-3, "s": 1.0, "min": 60.0}[unit] == pytest.approx(value)


def test_a_narrow_range_begins_at_zero() -> None:
    scale = scale_of("hosts", [2.0, 3.0, 3.0], "1")
    assert (scale.logarithmic, scale.low, scale.high) == (False, 0.0, 3.06)
    assert list(scale.marks) == [(0.0, "0"), (1.0, "1"), (2.0, "2"), (3.0, "3")]


def test_sizes_have_marks_in_whole_units() -> None:
    scale = scale_up_to("memory_overhead_bytes", 327 * 2**20, "bytes")
    assert [text for _, text in scale.marks] == ["0 B", "100 MiB", "200 MiB", "300 MiB", "400 MiB"]
    assert scale.marks[1][0] == 100 * 2**20


def test_a_fraction_ends_at_one_and_shows_the_nines() -> None:
    scale = scale_of("availability", [0.9998, 0.99999], "1")
    assert scale.high == 1
    assert scale.low <= 0.9998
    texts = [text for _, text in scale.marks]
    assert texts[-1] == "100 %"
    assert len(set(texts)) == len(texts)
    assert scale_of("slo_fraction", [0.0, 1.0], "1").low == 0


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0, 0.0]])
def test_nothing_but_zeros_has_an_axis(values: list[float]) -> None:
    assert scale_of("unplaced", values, "1").marks == ((0.0, "0"),)


@pytest.mark.parametrize("metric", list(METRICS))
@pytest.mark.parametrize("values", [[1e-6, 0.9], [0.3, 0.31], [1.0, 1.0], [0.0, 0.7]])
def test_every_metric_has_a_readable_axis(metric: str, values: list[float]) -> None:
    scale = scale_of(metric, values, unit_of(metric, "USD"))
    assert scale.low <= min(value for value in values if value or not scale.logarithmic)
    assert scale.high >= max(values)
    assert 2 <= len(scale.marks) <= 7
    assert len({text for _, text in scale.marks}) == len(scale.marks)
    assert all(scale.low <= value <= scale.high * (1 + 1e-9) for value, _ in scale.marks)
