"""The thresholds of `make validate`, judged on rows made by hand, and the page about the run that is kept."""

from __future__ import annotations

import json

import pytest

from benchmarks.page import RESULTS
from benchmarks.validate import page
from benchmarks.validate.criteria import CRITERIA, judge
from benchmarks.validate.measuring import kept_and_left
from benchmarks.validate.sizes import FULL, QUICK
from vsim.experiment.rehearsal import Validation
from vsim.experiment.validation import Comparison, Side

SIDE = Side(1.0, 0.9, 1.1, 30, 6)


def row(metric: str, error: float | None, *, statistic: str = "median", **fields: object) -> Comparison:
    given = {"driver": "docker", "suite": "startup", "step": 0, "at": "", "unit": "s", "concurrency": 8, **fields}
    return Comparison(
        metric=metric,
        statistic=statistic,  # type: ignore[arg-type]
        measured=SIDE,
        predicted=SIDE,
        error=error,
        low=None,
        high=None,
        **given,  # type: ignore[arg-type]
    )


def verdicts(*rows: Comparison) -> dict[str, tuple[float | None, bool]]:
    return {v.criterion.title: (v.value, v.met) for v in judge(rows, (), 100)}


def test_calibration_sees_no_load_that_is_predicted() -> None:
    # There, 30 % of what Docker can do are 97 requests a second, fewer than the 100 of the calibration.
    kept, left = kept_and_left(RESULTS / "2026-11-25-validation", FULL)
    seen, unseen = ({s.run_id for s in part.samples if s.suite == "requests"} for part in (kept, left))
    assert (len(seen), len(unseen)) == (1, 3)
    assert not seen & unseen


def test_the_median_of_starts_is_judged_over_rungs_and_levels() -> None:
    rows = [row("startup_s", error) for error in (-0.02, 0.09, 0.5)]
    assert verdicts(*rows)["start-up, median"] == (0.09, True)
    assert verdicts(*rows, row("startup_s", -0.2))["start-up, median"] == (pytest.approx(0.145), False)
    assert verdicts(*rows)["start-up, 95th percentile"] == (None, False), "what wasn't measured isn't met"


def test_the_memory_of_the_last_container_is_judged() -> None:
    def taken(count: int, error: float, driver: str = "docker") -> Comparison:
        return row("density_taken_bytes", error, suite="density", concurrency=count, driver=driver)

    found = verdicts(taken(50, 0.5), taken(100, -0.07), taken(100, 9.0, "process"))
    assert found["memory of all containers"] == (0.07, True)
    assert verdicts(taken(50, 0.01))["memory of all containers"] == (None, False), "the ramp ended early"


def test_the_largest_error_of_the_latencies_is_judged() -> None:
    rows = [row("latency_p95_s", error, suite="requests") for error in (0.01, -0.16)]
    assert verdicts(*rows)["latency of requests, p95"] == (0.16, False)
    lost = row("latency_p95_s", None, suite="requests")
    assert verdicts(lost)["latency of requests, p95"] == (float("inf"), False)


def test_the_thresholds_are_those_that_were_stated() -> None:
    assert {(c.metric, c.statistic): c.limit for c in CRITERIA} == {
        ("startup_s", "median"): 0.10,
        ("startup_s", "p95"): 0.10,
        ("starts_per_s", "throughput"): 0.10,
        ("density_taken_bytes", "median"): 0.10,
        ("density_startup_s", "median"): 0.10,
        ("latency_p50_s", "median"): 0.15,
        ("latency_p95_s", "median"): 0.15,
    }


@pytest.mark.parametrize("sizes", [FULL, QUICK], ids=["full", "quick"])
def test_there_is_something_to_calibrate_on_and_something_to_predict(sizes) -> None:
    levels = [step.concurrency for step in sizes.startup.steps]
    assert min(levels) <= sizes.levels < max(levels)
    limits = [step.limit for step in sizes.density.steps]
    assert min(limits) <= sizes.instances < max(limits)


def test_the_page_is_made_from_the_record() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(), "run: python -m benchmarks.validate.page"


def test_the_verdicts_follow_from_the_rows() -> None:
    if not page.RECORD.exists():
        assert page.page().count("*No run is kept yet.*") == 5
        return
    content = json.loads(page.RECORD.read_text(encoding="utf-8"))
    found = {
        v.criterion.title: v.value for v in judge(Validation.from_dict(content["validation"]).rows, (), FULL.limit)
    }
    assert {verdict["title"]: verdict["value"] for verdict in content["verdicts"]} == found
    assert (RESULTS / content["record"]).is_dir()


def test_a_kept_run_fills_the_page(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, target in (("RESULTS", tmp_path), ("RECORD", tmp_path / "validation.json"), ("PAGE", tmp_path / "p.md")):
        monkeypatch.setattr(page, name, target)
    page.PAGE.write_text(
        "before\n<!-- table: verdicts -->\n<!-- end -->\n<!-- table: startup -->\n<!-- end -->\nafter\n"
    )
    folder = tmp_path / "made"
    folder.mkdir()
    for name in ("a.jsonl", "profile.yaml", "predicted.png"):
        (folder / name).write_bytes(b"x")
    rows = (row("startup_s", 0.2), row("startup_s", 0.05))
    page.keep(folder, "mine", Validation("p", rows), judge(rows, [row("startup_s", -0.03)], 100))
    text = page.PAGE.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| start-up, median | median of the errors | 12.5 % | 10 % | 3.0 % | **missed** |" in text
    assert "| `docker` | `startup_s` |  | 1.00 s → 1.00 s | +20.0 % | – |" in text
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "a.jsonl.gz",
        "predicted.png",
        "profile.yaml",
    ]
