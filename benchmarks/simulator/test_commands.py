"""How long a user waits: for help, and for the first comparison."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pairs import interleaved, seconds

VSIM = Path(sys.executable).with_name("vsim")


def run(*command: str) -> float:
    return seconds(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True))


def test_help_costs_little_more_than_importing_click(benchmark: Any, figure: Callable[..., None]) -> None:
    pairs = interleaved(
        benchmark,
        lambda: run(str(VSIM), "--help"),
        lambda: run(sys.executable, "-c", "import click"),
        rounds=15,
    )
    figure("`vsim --help` over `python -c 'import click'`", pairs.ratio, 2.0)
    assert pairs.ratio <= 2.0


def test_the_first_comparison_takes_seconds(benchmark: Any, figure: Callable[..., None]) -> None:
    run(str(VSIM), "simulate")  # files in the cache
    took = [run(str(VSIM), "simulate") for _ in range(2)]
    took.append(benchmark.pedantic(lambda: run(str(VSIM), "simulate"), rounds=1))
    figure("`vsim simulate`", sorted(took)[1], 4.0, "s")
    assert sorted(took)[1] <= 4.0


@pytest.mark.parametrize("command", ["simulate", "bench", "doctor"])
def test_the_help_of_a_command_is_quick_too(benchmark: Any, figure: Callable[..., None], command: str) -> None:
    known = subprocess.run([VSIM, "--help"], capture_output=True, text=True, check=True).stdout
    if f"\n  {command}" not in known:
        pytest.skip(f"vsim has no command {command} yet")
    pairs = interleaved(
        benchmark,
        lambda: run(str(VSIM), command, "--help"),
        lambda: run(sys.executable, "-c", "import click"),
        rounds=9,
    )
    figure(f"`vsim {command} --help` over `python -c 'import click'`", pairs.ratio, 3.0)
    assert pairs.ratio <= 3.0
