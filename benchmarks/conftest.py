"""What the benchmarks compare with, and a summary of the figures at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import simgrid_replay

__all__ = ["figure", "simgrid_replay"]

_figures: list[str] = []


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Note a figure and its limit; all of them are printed at the end of the session."""

    def note(what: str, value: float, limit: float, unit: str = "") -> None:
        _figures.append(f"{what:<66} {value:>10.4g} {unit:<8} limit {limit:g}")
        if "benchmark" in request.fixturenames:
            benchmark: Any = request.getfixturevalue("benchmark")
            benchmark.extra_info[what] = {"value": value, "limit": limit, "unit": unit}

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _figures:
        terminalreporter.section("figures and their limits")
        for line in _figures:
            terminalreporter.write_line(line)
