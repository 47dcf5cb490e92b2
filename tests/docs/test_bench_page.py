"""The page on measuring a host names every rung and every suite."""

from __future__ import annotations

import re
from pathlib import Path

from vsim.bench.drivers import all_drivers
from vsim.model.plan import SUITES

PAGE = (Path(__file__).parents[2] / "docs" / "bench" / "measure-a-host.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under `heading`, without its head."""
    found = re.search(rf"^### {heading}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    lines = re.findall(r"^\| (.*) \|$", found[1], re.MULTILINE)[2:]
    return [line.split(" | ") for line in lines]


def names(cell: str) -> list[str]:
    return re.findall(r"`([a-z0-9-]+)`", cell)


def test_rungs_are_in_order_with_their_stacks():
    shown = [(name, row[1], row[2]) for row in rows("Rungs") for name in names(row[0])]
    drivers = [driver for driver in all_drivers() if not driver.name.startswith("test-")]
    expected = [(d.name, d.stack if d.stack != "none" else "–", f"`{d.below}`" if d.below else "–") for d in drivers]
    assert shown == expected


def test_every_suite_has_a_row():
    assert [name for row in rows("Suites") for name in names(row[0])] == list(SUITES)
