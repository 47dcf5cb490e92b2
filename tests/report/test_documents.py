"""Documents among a report's inputs: known by their content, and what is wrong with one is said with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.report.conftest import IMAGES, PULLS, validated
from vsim.errors import InputError
from vsim.report.again import make_again
from vsim.report.documents import Images, Pulls, Validated
from vsim.report.figures import FIGURES, lacking, render
from vsim.report.inputs import Inputs, read_inputs
from vsim.report.receipts import read_receipt


def test_each_is_known_by_its_content(folder: Path, inputs: Inputs) -> None:
    assert [one.file.kind for one in inputs.documents] == ["images", "pulls", "validation"]
    assert [image.name for image in inputs.contents(Images)[0].images] == ["one", "two"]
    assert inputs.contents(Pulls)[0].seconds["small"] == (0.11, 0.1, 0.12)
    assert inputs.contents(Validated)[0].validation == validated()
    # as `vsim image inspect --format json` writes it, and as the benchmark keeps a validation
    (folder / "images.json").write_text(
        json.dumps({"schema": "vsim.images/1", "images": [{"name": "a", "layers": []}]})
    )
    (folder / "kept.json").write_text(json.dumps({"record": "kept", "validation": validated().to_dict()}))
    read = read_inputs(["images.json", "kept.json"], root=folder)
    assert [one.file.kind for one in read.documents] == ["images", "validation"]
    assert read.contents(Validated)[0].name == "kept"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{\n "rows": [1, 2\n', r"a\.json:3:1: this isn't JSON"),
        ("a.json", json.dumps({**PULLS, "pulls": {}}), r"a\.json: this isn't a record of pulls .*: nothing was pulled"),
        ("a.json", json.dumps({**PULLS, "images": {}}), "it says nothing of the layers of large"),
        ("a.json", json.dumps({**PULLS, "warm_s": [-1]}), "-1 is no time"),
        ("a.json", json.dumps({key: PULLS[key] for key in PULLS if key != "cpu"}), "'cpu' is missing"),
        ("a.json", json.dumps({"schema": "vsim.validation/1"}), r"this isn't a validation .*'rows' is missing"),
        ("a.json", json.dumps({"validation": {"schema": "vsim.validation/2"}}), r"its schema isn't vsim\.validation/1"),
        ("a.yaml", IMAGES.replace("digest: base", "digest: ''"), r"a\.yaml:5:\d+: a layer has a `digest`"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_inputs([tmp_path / name])


def test_a_figure_says_which_document_it_needs(inputs: Inputs) -> None:
    without = lacking(Inputs(inputs.simulated, inputs.measured))
    assert without["pull"] == "it needs a description of images (`vsim image inspect --format json`)"
    assert without["predicted"] == "it needs a validation (`vsim validate --format json`)"
    # the pulls that were timed are shown where they are there
    pulls = Inputs(inputs.simulated, (), inputs.documents[:1])
    assert FIGURES["pull"].lacking(pulls) is None
    assert "Measured" not in FIGURES["pull"].caption(pulls)


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
@pytest.mark.parametrize(
    ("name", "sources"),
    [("pull", ["sweep.yaml", "images.yaml", "pulls.json"]), ("predicted", ["validation.json"])],
)
def test_receipts_of_documents_make_the_same_bytes(
    folder: Path, inputs: Inputs, name: str, sources: list[str], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (done,) = render(inputs, [name], "handout", [form], folder / f"again-{form}")
    receipt = read_receipt(done.files[form])
    assert [file.path for file in receipt.inputs] == sources
    assert receipt.command == f"vsim report {' '.join(sources)} --figure {name} --style handout --format {form}"
    again = make_again(done.files[form])
    assert again.same, again.changes


def test_a_validation_s_footer_says_what_was_validated(inputs: Inputs, tmp_path: Path) -> None:
    (done,) = render(inputs, ["predicted"], "paper", ["svg"], tmp_path)
    said = "Predicted with profile toys · Measured: 2 × CPU of a test, 1 run, 2026-01-01, seed 7 · vsim "
    assert done.footer.startswith(said)
    assert read_receipt(done.files["svg"]).seeds == (7,)
    assert "9 predictions" in done.title
    # as an older version of vsim has written it: the runs aren't in it
    content = validated().to_dict()
    del content["runs"]
    (tmp_path / "older.json").write_text(json.dumps(content), encoding="utf-8")
    (done,) = render(read_inputs([tmp_path / "older.json"]), ["predicted"], "paper", ["svg"], tmp_path)
    assert done.footer.startswith("Validation: older.json, profile toys · vsim ")
