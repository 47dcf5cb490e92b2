"""Predicted against measured as a figure: its numbers are those of the validation, and none is left out."""

from __future__ import annotations

import dataclasses
import statistics

import pytest

from tests.report.conftest import validated
from vsim.experiment.rehearsal import Validation
from vsim.report.documents import Validated
from vsim.report.figures import FIGURES
from vsim.report.figures.predicted import Predicted
from vsim.report.inputs import Document, InputFile, Inputs


def of(validation: Validation) -> Inputs:
    return Inputs((), (), (Document(Validated("v", validation), InputFile("v.json", "", "validation")),))


def test_every_statistic_is_in_one_kind() -> None:
    figure, validation = Predicted(), validated()
    kinds = figure.kinds(of(validation))
    assert sum(len(kind.rows) for kind in kinds) == len(validation.rows)
    by_name = {kind.name: kind for kind in kinds}
    assert set(by_name) == {"start-up", "starts/s"}
    errors = [abs(row.error or 0) for row in validation.rows if row.metric == "startup_s"]
    assert by_name["start-up"].median == statistics.median(errors)
    assert [kind.median for kind in kinds] == sorted(kind.median for kind in kinds), "the best first"
    assert len(figure.table(of(validation))[1]) == len(validation.rows)


def test_the_title_counts_and_names_the_worst() -> None:
    figure, validation = Predicted(), validated()
    good = sum(abs(row.error or 0) <= 0.1 for row in validation.rows)
    title = figure.title(of(validation))
    assert title.startswith(
        f"{good} of {len(validation.rows)} predictions are within 10 % of the measurement; furthest off"
    )
    assert "docker-runsc" in title
    assert "+5" in title, "half as long again"
    fine = dataclasses.replace(validation, rows=tuple(dataclasses.replace(row, error=0.01) for row in validation.rows))
    assert (
        figure.title(of(fine)) == f"{len(fine.rows)} of {len(fine.rows)} predictions are within 10 % of the measurement"
    )
    low = dataclasses.replace(validation, rows=(dataclasses.replace(validation.rows[0], error=-0.5),))
    assert figure.title(of(low)).endswith("−50 %")
    high = dataclasses.replace(validation, rows=(dataclasses.replace(validation.rows[0], error=2.0),))
    assert figure.title(of(high)).endswith("3.0 times as high")


def test_what_the_plan_asks_for_is_no_prediction() -> None:
    figure, validation = Predicted(), validated()
    asked = dataclasses.replace(validation.rows[0], metric="requests_per_s", unit="1/s", statistic="throughput")
    met = dataclasses.replace(asked, error=0.001)
    overloaded = dataclasses.replace(asked, error=-0.2)
    rows = figure.rows(of(dataclasses.replace(validation, rows=(*validation.rows, met, overloaded))))
    assert len(rows) == len(validation.rows) + 1
    assert overloaded in rows


def test_nothing_to_compare_is_said() -> None:
    row = dataclasses.replace(validated().rows[0], error=None)
    assert FIGURES["predicted"].lacking(of(Validation("p", (row,)))) == (
        "nothing was both measured and predicted in the validation"
    )


@pytest.mark.parametrize(
    ("metric", "unit", "kind"),
    [
        ("startup_cpu_core_s", "core-s", "CPU work"),
        ("density_taken_bytes", "bytes", "memory"),
        ("latency_p95_s", "s", "latency"),
        ("client_late_p50_s", "s", "other times"),
        ("requests_failed", "1", "counts"),
        ("mine", "furlongs", "others"),
    ],
)
def test_kinds_of_metrics(metric: str, unit: str, kind: str) -> None:
    row = dataclasses.replace(validated().rows[0], metric=metric, unit=unit)
    assert [one.name for one in Predicted().kinds(of(Validation("p", (row,))))] == [kind]
