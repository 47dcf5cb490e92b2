"""What the documentation quotes: a figure that a test computes has to stand on the page as it is."""

from __future__ import annotations

from pathlib import Path

__all__ = ["THEORY", "quoted", "row"]

THEORY = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "validation-theory.md"


def row(what: str, theory: float, mean: float, half: float, replications: int) -> str:
    """A line of the page's tables: what, theory, simulated, the difference, and from how many replications."""
    difference = f"{mean / theory - 1:+.2%}".replace("%", " %").replace("-", "−")
    return f"| {what} | {theory:.5g} | {mean:.5g} ± {half:.2g} | {difference} | {replications} |"


def quoted(line: str) -> None:
    """Assert that the page has this line."""
    assert line in THEORY.read_text(encoding="utf-8").splitlines(), f"{THEORY} doesn't say:\n{line}"
