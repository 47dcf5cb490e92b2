"""Published figures that state enough to be simulated, against the built-in layers; and the list of the others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.validation import published
from tests.validation.felter import Row
from tests.validation.tables import TABLES, documented


@pytest.fixture(scope="module")
def rows(reference_data: Path) -> dict[str, Row]:
    return {row.name: row for row in published.rows(reference_data)}


@pytest.mark.parametrize("table", ["published", "published-left-out"])
def test_the_documented_tables_are_those_of_the_code(table: str, reference_data: Path):
    assert documented()[table] == TABLES[table](reference_data)


def test_every_record_kept_for_validation_is_compared_or_left_out_for_a_reason(reference_data: Path):
    assert published.unaccounted(reference_data) == set()


def test_no_reason_is_given_for_what_isn_t_there(reference_data: Path):
    for pattern, count, missing in published.left_out(reference_data):
        assert count > 0, pattern
        assert missing


def test_the_documented_table_starts_with_the_worst():
    errors = [float(e.replace("−", "-")) for e in re.findall(r"\| ([+−]?[\d.]+) % \|", documented()["published"])]
    assert len(errors) >= 20
    assert [abs(e) for e in errors] == sorted((abs(e) for e in errors), reverse=True)


def test_what_the_machine_took_as_input_comes_out_again(rows: dict[str, Row]):
    # depth 1: one over the latency; depth 32: the device's IOPS, which the latency of 32 at once doesn't limit
    inputs = [row for row in rows.values() if row.fitted]
    assert len(inputs) == 5
    for row in inputs:
        assert abs(row.error) < 0.01, row.name


def test_a_serialised_device_does_no_more_than_one_operation_at_a_time(rows: dict[str, Row]):
    # the layer's rule: at most the bare disk's rate at depth 1, 16,473 a second
    assert rows["nsdi_fio_randread_4k_qd32_fc"].predicted == pytest.approx(16473, rel=0.01)
