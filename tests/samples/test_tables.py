"""Tidy tables: one observation a row, one variable a column; read back by an independent reader."""

from __future__ import annotations

import csv
import dataclasses
import io
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.samples.results import RESULT
from vsim.errors import HostError
from vsim.samples.tables import TABLES, Table, cell, require_parquet, tables, to_csv, write_parquet


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(tables(RESULT)[name]))))


def test_all_tables_are_there_and_rectangular():
    found = tables(RESULT)
    assert tuple(found) == TABLES
    for table in found.values():
        assert {len(row) for row in table.rows} == {len(table.columns)}
        assert len(set(table.columns)) == len(table.columns)


def test_a_table_without_rows_is_left_out():
    plain = dataclasses.replace(RESULT, sensitivity=None, sweep=None, differences=())
    assert tuple(tables(plain)) == ("metrics", "parameters", "replications")


def test_metrics_have_one_row_per_architecture_and_metric():
    assert [tuple(row.values()) for row in rows("metrics")] == [
        ("vm@laptop", "hosts", "3.0", "3.0", "3.0", "1"),
        ("vm@laptop", "startup_p95_s", "0.30000000000000004", "0.25", "0.35", "s"),
        ("vm@laptop", "cost_per_month", "12.5", "", "", "EUR/month"),
        ("container@laptop", "hosts", "2.0", "2.0", "2.0", "1"),
    ]


def test_replications_leave_out_what_has_no_value():
    assert [(row["replication"], row["metric"], row["value"]) for row in rows("replications")] == [
        ("0", "hosts", "3.0"),
        ("1", "hosts", "3.0"),
        ("0", "startup_p95_s", "0.25"),
        ("1", "startup_p95_s", "0.35"),
        ("1", "cost_per_month", "12.5"),
        ("0", "hosts", "2.0"),
        ("1", "hosts", "2.0"),
    ]


def test_a_sweep_has_a_column_per_parameter():
    first, *_, last = rows("sweep")
    assert list(first) == [
        "services.web.replicas",
        "architectures",
        "architecture",
        "metric",
        "value",
        "low",
        "high",
        "unit",
    ]
    assert (first["services.web.replicas"], first["architectures"]) == ("1", "vm@laptop")
    assert (last["services.web.replicas"], last["architectures"]) == ("2", "vm@laptop container@laptop")
    assert len(rows("sweep")) == 3 + 4


def test_text_with_commas_and_quotes_survives_csv():
    assert rows("parameters")[1]["source"] == 'because, "so"'
    assert "\r" not in to_csv(tables(RESULT)["parameters"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (0.5, 0.5),
        ("a", "a"),
        (None, None),
        (True, True),
        (["a", "b"], "a b"),
        ((), ""),
        ([1, 2], "[1, 2]"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_swept_values_become_cells(value: object, expected: object):
    assert cell(value) == expected


def test_parquet_holds_the_same(tmp_path: Path):
    for name, table in tables(RESULT).items():
        write_parquet(table, tmp_path / name)
        read = pyarrow.parquet.read_table(tmp_path / name)
        assert read.column_names == list(table.columns)
        assert list(zip(*(column.to_pylist() for column in read.columns), strict=True)) == list(table.rows)


def test_parquet_columns_have_one_type(tmp_path: Path):
    table = Table(("mixed", "numbers"), ((1, 1), ("a", 0.5), (None, None)))
    write_parquet(table, tmp_path / "t")
    read = pyarrow.parquet.read_table(tmp_path / "t").to_pydict()
    assert read == {"mixed": ["1", "a", None], "numbers": [1.0, 0.5, None]}


def test_without_pyarrow_parquet_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(HostError) as caught:
        require_parquet()
    assert caught.value.hint == "pip install 'vsim[parquet]'"
