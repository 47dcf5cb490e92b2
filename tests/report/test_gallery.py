"""The gallery in reports/gallery is what its inputs make: whoever changes a number or a figure commits it as well."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import PROJECT
from vsim.report.figures import FIGURES, Rendered, lacking, render
from vsim.report.index import index
from vsim.report.inputs import read_inputs
from vsim.report.receipts import read_receipt

GALLERY = PROJECT / "reports" / "gallery"
_SVG = "{http://www.w3.org/2000/svg}"


def sources() -> list[str]:
    """Return the inputs that the Makefile names."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    variables: dict[str, str] = dict(re.findall(r"^(\w+) := (.*)$", text, re.MULTILINE))
    return re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]].strip(), variables["GALLERY"]).split()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> list[Rendered]:
    inputs = read_inputs(sources(), root=PROJECT)
    assert lacking(inputs) == {}, "the gallery has every figure"
    return render(inputs, None, "slide", ["svg"], tmp_path_factory.mktemp("gallery"))


def texts(path: Path) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.parse(path).iter(f"{_SVG}text")]


def test_it_is_what_is_committed(gallery: list[Rendered]) -> None:
    expected = {f"{name}.{ending}" for name in FIGURES for ending in ("svg", "csv", "txt")} | {"README.md"}
    assert {path.name for path in GALLERY.iterdir()} == expected
    stale = []
    for one in gallery:
        for form, path in one.files.items():
            committed = GALLERY / path.name
            if form != "svg":
                same = committed.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
            else:
                same = texts(committed) == texts(path)
                then, now = read_receipt(committed), read_receipt(path)
                # with the same programs to the byte; paths of others may differ in a last digit
                if (then.matplotlib, then.freetype) == (now.matplotlib, now.freetype):
                    same = same and committed.read_bytes() == path.read_bytes()
            if not same:
                stale.append(path.name)
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    assert stale == [], "`make report` draws them anew: commit what changed"
    assert page == index(gallery, "Figures"), "`make report` writes it anew"


def test_it_is_small_and_whole(gallery: list[Rendered]) -> None:
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < 2_000_000
    for one in gallery:
        words = (one.title, one.caption, one.footer)
        lines = texts(one.files["svg"])
        assert not [line for line in lines if line.endswith("…")], f"{one.name} has text that is cut"
        assert all(word in " ".join(lines) for text in words for word in text.split()), one.name
        assert one.alt.startswith(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
