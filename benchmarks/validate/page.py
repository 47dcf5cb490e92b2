"""The tables of docs/explanation/validation-host.md, from the kept record. ``python -m benchmarks.validate.page``."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.page import PROJECT, RESULTS, fill, markdown
from benchmarks.validate.criteria import CRITERIA, Verdict
from vsim.cli._bench_table import short
from vsim.cli._validation_table import percent
from vsim.experiment.rehearsal import Validation
from vsim.experiment.validation import Comparison

__all__ = ["PAGE", "RECORD", "keep", "page"]

PAGE = PROJECT / "docs" / "explanation" / "validation-host.md"
# Which folder of benchmarks/results the page is about, and what was found in it.
RECORD = RESULTS / "validation.json"
_NOTHING = "*No run is kept yet.*"


def keep(folder: Path, name: str, found: Validation, verdicts: Sequence[Verdict]) -> None:
    """Keep samples, profile and drawing in benchmarks/results/`name`, and write the page about them."""
    target = RESULTS / name
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.jsonl")):
        # Without a time in it, the same samples make the same bytes.
        (target / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    for other in ("profile.yaml", "predicted.png"):
        shutil.copyfile(folder / other, target / other)
    content = {
        "record": name,
        "verdicts": [{"title": v.criterion.title, "value": v.value, "noise": v.noise} for v in verdicts],
        "validation": found.to_dict(),
    }
    RECORD.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page with its tables made anew."""
    content = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else None
    return fill(PAGE, lambda name: _NOTHING if content is None else _TABLES[name](content))


def _verdicts(content: Mapping[str, Any]) -> str:
    by_title = {verdict["title"]: verdict for verdict in content["verdicts"]}
    rows = []
    for criterion in CRITERIA:
        found = by_title[criterion.title]
        value = found["value"]
        told = "not measured" if value is None else "met" if value <= criterion.limit else "**missed**"
        sizes = [_size(value), f"{criterion.limit:.0%}".replace("%", " %"), _size(found["noise"])]
        rows.append([criterion.title, f"{criterion.judged} of the errors", *sizes, told])
    return markdown(["what is predicted", "judged by", "error", "limit", "noise", ""], rows)


def _rows(suite: str) -> Callable[[Mapping[str, Any]], str]:
    metrics = {criterion.metric for criterion in CRITERIA if criterion.suite == suite}

    def table(content: Mapping[str, Any]) -> str:
        own = [
            row
            for row in Validation.from_dict(content["validation"]).rows
            if row.suite == suite and row.metric in metrics
        ]
        head = ["driver", "metric", "at", "measured → predicted", "error", "95 %"]
        return markdown(head, [_cells(row) for row in own])

    return table


def _cells(row: Comparison) -> list[str]:
    metric = f"`{row.metric}`" + (f" {row.statistic}" if row.statistic == "p95" else "")
    values = f"{short(row.measured.value, row.unit)} → {short(row.predicted.value, row.unit)}"
    interval = "–" if row.low is None or row.high is None else f"{percent(row.low)} to {percent(row.high)}"
    return [f"`{row.driver}`", metric, row.at, values, percent(row.error), interval]


def _record(content: Mapping[str, Any]) -> str:
    return f"The samples are in `benchmarks/results/{content['record']}`."


def _size(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


_TABLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "record": _record,
    "verdicts": _verdicts,
    "startup": _rows("startup"),
    "density": _rows("density"),
    "requests": _rows("requests"),
}

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
