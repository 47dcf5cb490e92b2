"""A result as tidy tables: one observation a row, one variable a column.

    metrics.csv        architecture, metric, value, low, high, unit
    differences.csv    metric, of, versus, value, low, high, unit
    parameters.csv     parameter, value, low, high, unit, kind, source
    replications.csv   architecture, replication, metric, value, unit
    sensitivity.csv    as the swings in result.json
    sweep.csv          one column per swept parameter, then architecture, metric, value, low, high, unit

An empty field is a value that doesn't exist (an interval from one replication). A table without rows isn't written.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsim.errors import HostError

if TYPE_CHECKING:
    from pathlib import Path

    from vsim.samples.result import ArchitectureResult, Result

__all__ = ["TABLES", "Table", "metrics_table", "require_parquet", "sweep_table", "tables", "to_csv", "write_parquet"]

# The name of every table that a result may have; a result's directory holds no others.
TABLES = ("metrics", "differences", "parameters", "replications", "sensitivity", "sweep")


@dataclass(frozen=True, slots=True)
class Table:
    """A table's column names and its rows; a cell is a string, a number, or None."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def tables(result: Result) -> Mapping[str, Table]:
    """Return the tables of `result` that have rows, by name."""
    found = {
        "metrics": metrics_table(result),
        "differences": _records(
            ("metric", "of", "versus", "value", "low", "high", "unit"),
            [dataclasses.astuple(difference) for difference in result.differences],
        ),
        "parameters": _records(
            ("parameter", "value", "low", "high", "unit", "kind", "source"),
            [dataclasses.astuple(parameter) for parameter in result.parameters],
        ),
        "replications": Table(
            ("architecture", "replication", "metric", "value", "unit"),
            tuple(row for architecture in result.architectures for row in _replications(architecture)),
        ),
        "sensitivity": _records(
            ("parameter", "kind", "metric", "architecture", "low", "high", "at_low", "at_high", "value", "swing"),
            [dataclasses.astuple(swing) for swing in result.sensitivity.swings] if result.sensitivity else [],
        ),
        "sweep": sweep_table(result),
    }
    return {name: table for name in TABLES if (table := found[name]).rows}


def metrics_table(result: Result) -> Table:
    """Return the metrics of all architectures."""
    return Table(
        ("architecture", "metric", "value", "low", "high", "unit"),
        tuple(row for architecture in result.architectures for row in _metrics(architecture)),
    )


def sweep_table(result: Result) -> Table:
    """Return the metrics at every point of the sweep; no rows without a sweep."""
    sweep = result.sweep
    columns = (*(sweep.parameters if sweep else ()), "architecture", "metric", "value", "low", "high", "unit")
    rows = [
        (*map(cell, point.values.values()), *row)
        for point in (sweep.points if sweep else ())
        for architecture in point.architectures
        for row in _metrics(architecture)
    ]
    return Table(columns, tuple(rows))


def cell(value: object) -> object:
    """Return a swept value as a cell: lists of names are joined, what is neither text nor number becomes JSON."""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return " ".join(value)
    return value if value is None or isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


def to_csv(table: Table) -> str:
    """Return the table as CSV (RFC 4180, but with ``\\n``), with a header; numbers in full precision."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue()


def write_parquet(table: Table, path: Path) -> None:
    """Write the table to `path` as Parquet. Raises HostError when pyarrow is missing (``vsim[parquet]``)."""
    pyarrow, parquet = require_parquet()
    # Cells of one column have one type, except swept values: those become text when they differ.
    columns = {name: _one_type([row[i] for row in table.rows]) for i, name in enumerate(table.columns)}
    parquet.write_table(pyarrow.table(columns), path)


def require_parquet() -> tuple[Any, Any]:
    """Return the modules ``pyarrow`` and ``pyarrow.parquet``, or raise HostError saying how to get them."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise HostError("writing Parquet needs pyarrow", hint="pip install 'vsim[parquet]'") from None
    return pyarrow, pyarrow.parquet


def _one_type(cells: Sequence[object]) -> list[object]:
    kinds = {type(value) for value in cells if value is not None}
    if kinds <= {int, float} and float in kinds:
        return [None if value is None else float(value) for value in cells]  # type: ignore[arg-type]  # int or float
    return list(cells) if len(kinds) <= 1 else [None if value is None else str(value) for value in cells]


def _records(columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Table:
    return Table(columns, tuple(rows))


def _metrics(architecture: ArchitectureResult) -> Iterator[tuple[object, ...]]:
    for name, estimate in architecture.metrics.items():
        yield architecture.name, name, estimate.value, estimate.low, estimate.high, estimate.unit


def _replications(architecture: ArchitectureResult) -> Iterator[tuple[object, ...]]:
    for name, values in architecture.values.items():
        unit = architecture.metrics[name].unit
        for number, value in enumerate(values):
            if value is not None:
                yield architecture.name, number, name, value, unit
