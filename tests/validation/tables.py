"""The tables of the pages on validation in docs/explanation. ``python -m tests.validation.tables`` writes them anew."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tests.validation import felter, nsdi2020, nsdi2020_blind, nsdi2020_unknowns

FOLDER = Path(__file__).parents[2] / "docs" / "explanation"
PAGE = FOLDER / "validation.md"
BLIND = FOLDER / "validation-blind.md"
_BLOCK = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(\n<!-- end of table -->)", re.DOTALL)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(error: float) -> str:
    return f"{100 * error:+.1f} %".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")


def _cells(found: Sequence[nsdi2020.Cell], *, with_monitor: bool) -> str:
    head = ["machine", "starts at a time", "median, ms", "error", "95 %, ms", "error", "99 %, ms", "error"]
    rows = []
    for cell in found:
        row = [cell.machine, "1 (serial)" if cell.level == 1 else str(cell.level)]
        if with_monitor:
            row.insert(0, cell.monitor if cell.part == "start" else f"{cell.monitor}, guest's part")
        for theirs, ours, error in zip(cell.measured_s, cell.simulated_s, cell.errors, strict=True):
            row += [f"{1e3 * theirs:.1f} → {1e3 * ours:.1f}", _percent(error)]
        rows.append(row)
    return _table(["monitor", *head] if with_monitor else head, rows)


def _fitted(folder: Path) -> str:
    found = nsdi2020.fitted(folder)
    starts = [cell for cell in found if cell.part == "start"]
    summary = ", ".join(
        f"{name} {_percent(max((cell.errors[i] for cell in starts), key=abs))}"
        for i, name in enumerate(("median", "95th percentile", "99th percentile"))
    )
    return f"{_cells(found, with_monitor=True)}\n\nLargest error of a whole start: {summary}."


def _unfitted(folder: Path) -> str:
    return _cells(nsdi2020.unfitted(folder), with_monitor=False)


def _idle(folder: Path) -> str:
    rows = [[name, f"{ms:.1f}"] for name, ms in nsdi2020.serial_less_parallel_ms(folder)]
    return _table(["monitor", "serial − parallel-10, ms"], rows)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 10 else f"{value:.1f}"


def _rows(found: Sequence[felter.Row], prefix: str = "") -> str:
    rows = [
        [
            row.what,
            f"{_figure(row.measured)} → {_figure(row.predicted)}",
            _percent(row.error),
            "yes" if row.fitted else "",
            f"`{row.name.removeprefix(prefix)}`",
        ]
        for row in found
    ]
    return _table(["experiment", "measured → simulated", "error", "input", "record"], rows)


def _felter(folder: Path) -> str:
    return _rows(felter.rows(folder), "felter_")


TABLES: Mapping[str, Callable[[Path], str]] = {
    "nsdi2020": _fitted,
    "nsdi2020-idle": _idle,
    "nsdi2020-builtin": _unfitted,
    "felter": _felter,
    "nsdi2020-unknowns": lambda _: nsdi2020_blind.spread(nsdi2020_unknowns.read()),
    "nsdi2020-blind": lambda _: nsdi2020_blind.table(nsdi2020_blind.kept()),
}


def documented(page: Path = PAGE) -> dict[str, str]:
    """Return the tables as the page has them, by name."""
    return {block["name"]: block["body"].strip("\n") for block in _BLOCK.finditer(page.read_text(encoding="utf-8"))}


def main() -> None:
    """Write all tables into their pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    folder = parser.parse_args().data
    for page in (PAGE, BLIND):
        text = page.read_text(encoding="utf-8")
        text = _BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block['name']](folder)}\n{block[4]}", text)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
