"""docs/reference/scenario.md says what the reader says."""

from __future__ import annotations

from vsim.scenario import load_scenario, presets
from vsim.scenario.units import UNITS

from .reference import KINDS, PAGE, models, page, tables_on_page


def test_the_tables_are_those_of_the_models() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.scenario.reference"


def test_every_part_of_the_file_has_a_table() -> None:
    assert sorted(tables_on_page()) == sorted(models())


def test_every_preset_is_listed_with_its_title() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in presets():
        assert f"| {load_scenario(name).title} |" in text
        assert f"| `{name}`" in text


def test_every_unit_that_the_page_lists_is_known() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(): line.split("|")[3] for line in text.splitlines() if line.count("|") == 4}
    assert set(KINDS.values()) <= {name for names in lines for name in names.split(", ")}
    for base, kind in KINDS.items():
        listed = next(units for names, units in lines.items() if kind in names.split(", "))
        for unit in listed.replace("(powers of 1000)", "").replace("(powers of 1024)", "").split(","):
            word = unit.strip()
            assert word in UNITS[base] or word.startswith(("as time", "and "))
