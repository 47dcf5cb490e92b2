"""The tables of the pages on validation in docs/explanation. ``python -m tests.validation.tables`` writes them anew."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tests.validation import felter, nsdi2020, nsdi2020_blind, nsdi2020_opened, nsdi2020_unknowns, published

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


def _published(folder: Path) -> str:
    return _rows(published.rows(folder))


def _left_out(folder: Path) -> str:
    rows = [[f"`{pattern}`", str(count), missing] for pattern, count, missing in published.left_out(folder)]
    return _table(["records", "how many", "what is missing"], rows)


def _opened(_: Path) -> str:
    rows = [
        [
            o.prediction.monitor,
            o.prediction.machine,
            str(o.prediction.level),
            o.prediction.statistic,
            f"{1e3 * o.measured_s:.0f}",
            f"{1e3 * o.prediction.value_s:.0f}",
            _percent(o.error),
            f"{1e3 * o.prediction.low_s:.0f} to {1e3 * o.prediction.high_s:.0f}",
            "yes" if o.inside else "no",
            _percent(o.engine_error),
        ]
        for o in nsdi2020_opened.opened(nsdi2020_blind.kept())
    ]
    head = ["monitor", "machine", "at a time", "statistic", "measured, ms", "predicted", "error"]
    return _table([*head, "interval", "inside", "engine's error"], rows)


def _afterwards(folder: Path) -> str:
    rows = []
    for monitor in nsdi2020.MONITORS:
        for level in nsdi2020_blind.LEVELS:
            row = [monitor, str(level)]
            theirs = nsdi2020_opened.MEASURED_US[monitor, "rn-haswell", level]
            for ours_s, us in zip(nsdi2020_opened.afterwards(folder, monitor, level), theirs, strict=True):
                row += [f"{us / 1e3:.0f} → {1e3 * ours_s:.0f}", _percent(1e6 * ours_s / us - 1)]
            rows.append(row)
    return _table(["monitor", "at a time", "median, ms", "error", "99 %, ms", "error"], rows)


TABLES: Mapping[str, Callable[[Path], str]] = {
    "nsdi2020": _fitted,
    "nsdi2020-idle": _idle,
    "nsdi2020-builtin": _unfitted,
    "felter": _felter,
    "published": _published,
    "published-left-out": _left_out,
    "nsdi2020-unknowns": lambda _: nsdi2020_blind.spread(nsdi2020_unknowns.read()),
    "nsdi2020-blind": lambda _: nsdi2020_blind.table(nsdi2020_blind.kept()),
    "nsdi2020-opened": _opened,
    "nsdi2020-afterwards": _afterwards,
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
