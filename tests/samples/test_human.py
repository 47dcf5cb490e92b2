"""Numbers as people read them: each line of these tables was written by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsim.samples.human import format_estimate, format_range, format_span, format_value
from vsim.samples.metrics import METRICS, unit_of
from vsim.samples.result import Estimate

DAY, WEEK, GIB = 86400.0, 7 * 86400.0, 2.0**30
SIZES = st.floats(0, 1e12, allow_subnormal=False)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("metric", "value", "unit", "expected"),
    [
        ("startup_p50_s", 0.0, "s", "0 s"),
        ("startup_p50_s", 2.5e-8, "s", "25.0 ns"),
        ("startup_p50_s", 3.25e-5, "s", "32.5 µs"),
        ("startup_p50_s", 0.0123, "s", "12.3 ms"),
        ("startup_p50_s", 1.0, "s", "1 s"),
        ("startup_p50_s", 599.0, "s", "599 s"),
        ("startup_p50_s", 600.0, "s", "10 min"),
        ("provision_s", 3 * 3600.0, "s", "3 h"),
        ("provision_s", 3.5 * DAY, "s", "3.50 days"),
        ("memory_overhead_bytes", 0.0, "bytes", "0 B"),
        ("memory_overhead_bytes", 512.0, "bytes", "512 B"),
        ("memory_overhead_bytes", 1536.0, "bytes", "1.50 KiB"),
        ("memory_overhead_bytes", 35.6 * 2**20, "bytes", "35.6 MiB"),
        ("memory_overhead_bytes", 2 * GIB, "bytes", "2 GiB"),
        ("memory_overhead_bytes", 3 * 2.0**40, "bytes", "3 TiB"),
        ("energy_wh", 0.0, "Wh", "0 Wh"),
        ("energy_wh", 7.71e-5, "Wh", "77.1 µWh"),
        ("energy_wh", 0.0184, "Wh", "18.4 mWh"),
        ("energy_wh", 0.555, "Wh", "0.555 Wh"),
        ("energy_wh", 12.49, "Wh", "12.5 Wh"),
        ("energy_wh", 12_490.0, "Wh", "12.5 kWh"),
        ("energy_wh", 2e6, "Wh", "2 MWh"),
        ("throughput_per_s", 48.8, "1/s", "48.8/s"),
        ("hosts", 42.0, "1", "42"),
        ("hosts", 12_345.0, "1", "12,345"),
        ("hosts", 2.4, "1", "2.40"),
        ("rack_units", 210.0, "U", "210"),
        ("slo_fraction", 1.0, "1", "100 %"),
        ("slo_fraction", 0.5, "1", "50 %"),
        ("slo_fraction", 0.987, "1", "98.7 %"),
        ("availability", 0.99984, "1", "99.984 %"),
        ("cpu_overhead_fraction", 0.225, "1", "22.5 %"),
        ("cost_per_month", 5569.2, "USD/month", "$5,569"),
        ("cost_per_month", 61.94, "USD/month", "$61.94"),
        ("cost_per_month", 12.5, "USD/month", "$12.50"),
        ("cost_per_month", 0.0304, "USD/month", "$0.03"),
        ("cost_per_month", 228.5, "EUR/month", "€228"),
        ("cost_per_month", 228.0, "GBP/month", "£228"),
        ("cost_per_month", 228.0, "CHF/month", "228 CHF"),
        ("hosts", -3.0, "1", "\N{MINUS SIGN}3"),
    ],
)  # fmt: skip
def test_a_value_alone(metric: str, value: float, unit: str, expected: str):
    assert plain(format_value(metric, value, unit)) == expected


@pytest.mark.parametrize("weeks", [2, 9.0])
def test_weeks_are_said_as_weeks(weeks: float):
    number, unit = plain(format_value("provision_s", weeks * WEEK, "s")).split()
    assert number == f"{weeks:g}"
    assert unit in ("weeks", "wk")


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "unit", "expected"),
    [
        # no interval, or one of no length
        ("hosts", 42.0, 42.0, 42.0, "1", "42"),
        ("hosts", 2.4, None, None, "1", "2.40"),
        # one digit of the half width; two where the first is a 1
        ("latency_p50_s", 0.0365, 0.0363, 0.0367, "s", "36.5±0.2 ms"),
        ("latency_p50_s", 0.0551, 0.0536, 0.0566, "s", "55.1±1.5 ms"),
        ("latency_p95_s", 0.218, 0.201, 0.235, "s", "218±17 ms"),
        ("startup_p95_s", 117.0, 112.0, 122.0, "s", "117±5 s"),
        # the longer side of an interval that is not symmetric (cut at 0 or at 1)
        ("latency_p50_s", 0.5, 0.0, 0.9, "s", "500±500 ms"),
        # more than the value itself: in the unit that suits the ±
        ("startup_p50_s", 0.574, 0.0, 2.115, "s", "0.6±1.5 s"),
        # less than the last digit: no ±
        ("startup_p50_s", 2.79, 2.78999, 2.79001, "s", "2.79 s"),
        ("cost_per_month", 340.9, 340.6, 341.2, "USD/month", "$340.9±0.3"),
        ("throughput_per_s", 48.9, 47.3, 50.5, "1/s", "48.9±1.6/s"),
        ("slo_fraction", 0.9957, 0.9938, 0.9976, "1", "99.57±0.19 %"),
        # nines are cut, never rounded up to 100 %
        ("availability", 0.99999996, 0.9999999, 1.0, "1", "99.9999 %"),
        ("availability", 1.0, 1.0, 1.0, "1", "100 %"),
    ],
)
def test_an_estimate_has_the_digits_that_its_interval_allows(
    metric: str, value: float, low: float | None, high: float | None, unit: str, expected: str
):
    assert plain(format_estimate(metric, Estimate(value, low, high, unit))) == expected


@pytest.mark.parametrize(
    ("metric", "low", "high", "unit", "expected"),
    [
        ("startup_p95_s", 92.1, 102.2, "s", "92 to 102 s"),
        ("startup_p95_s", 0.9, 1.3, "s", "0.9 to 1.3 s"),
        ("latency_p95_s", 0.04, 0.06, "s", "40 to 60 ms"),
        ("cost_per_month", 111.79, 111.88, "USD/month", "$112 to $112"),
        ("cost_per_month", 1.901, 1.922, "USD/month", "$1.901 to $1.922"),
        ("cost_per_month", 4250.0, 4251.0, "USD/month", "$4,250 to $4,251"),
        ("hosts", 2.8, 3.4, "1", "2.8 to 3.4"),
        ("slo_fraction", 0.2, 0.3, "1", "20 to 30 %"),
        ("hosts", 3.0, 3.0, "1", "3 to 3"),
    ],
)
def test_a_range_shares_its_unit(metric: str, low: float, high: float, unit: str, expected: str):
    assert plain(format_range(metric, low, high, unit)) == expected


@pytest.mark.parametrize(
    ("metric", "low", "high", "unit", "expected"),
    [
        ("startup_p95_s", 72.3, 324.0, "s", "72.3 to 324 s"),
        ("startup_p95_s", 0.36, 1.18, "s", "360 ms to 1.18 s"),
        ("startup_p95_s", 0.36, 0.99, "s", "360 to 990 ms"),
        ("provision_s", 10.8, 4.69 * WEEK, "s", "10.8 s to 4.69 weeks"),
        ("provision_s", 8.44 * WEEK, 53.2 * WEEK, "s", "8.44 to 53.2 weeks"),
        ("startup_p95_s", 0.0, 5.0, "s", "0 s to 5 s"),
        ("energy_wh", 0.0643, 0.11, "Wh", "64.3 to 110 mWh"),
        ("memory_overhead_bytes", 349 * 2**20, 985 * 2**20, "bytes", "349 to 985 MiB"),
        ("memory_overhead_bytes", 349 * 2**20, 2**30, "bytes", "349 MiB to 1 GiB"),
        ("cost_per_month", 62.12, 236.4, "USD/month", "$62.12 to $236"),
        ("hosts", 1.0, 4.0, "1", "1 to 4"),
    ],
)
def test_a_span_has_one_unit_unless_its_ends_are_far_apart(
    metric: str, low: float, high: float, unit: str, expected: str
):
    assert plain(format_span(metric, low, high, unit)) == expected


@given(st.sampled_from(list(METRICS)), SIZES, SIZES, st.sampled_from(["USD", "CHF"]))
def test_anything_can_be_said_briefly(metric: str, value: float, half: float, currency: str):
    unit = unit_of(metric, currency)
    for text in (
        format_value(metric, value, unit),
        format_estimate(metric, Estimate(value, max(0.0, value - half), value + half, unit)),
        format_range(metric, value, value + half, unit),
        format_span(metric, value, value + half, unit),
    ):
        assert text
        assert "e+" not in text
        assert "nan" not in text


@given(st.floats(1e-9, 1e9))
def test_a_value_is_said_to_three_digits(value: float):
    number, unit = plain(format_value("startup_p50_s", value, "s")).split()
    in_s = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "days": DAY, "weeks": WEEK, "wk": WEEK}
    assert math.isclose(float(number.replace(",", "")) * in_s[unit], value, rel_tol=0.0051)
