"""Receipts: what is embedded is what made the figure, and makes it again."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.report.conftest import measured, write_samples
from vsim.errors import InputError
from vsim.report.again import make_again
from vsim.report.figures import FIGURES, render
from vsim.report.inputs import Inputs, read_inputs
from vsim.report.receipts import read_receipt
from vsim.report.rendering import render_figure

CHANGED = """\
schema: vsim.profile/1
layers:
  guest-os:
    memory:
      environment_bytes:
        value: 999
        unit: MB
        low: 999
        high: 999
        source: {kind: measured, run: r, host: h, date: 2026-01-01, n: 3}
"""


# Nothing but pulls depends on it: no result lists it.
HUB = """\
schema: vsim.profile/1
registries:
  docker-hub:
    connection_bytes_per_s:
      {value: 20, unit: MB/s, low: 10, high: 30, source: {kind: measured, run: r, host: h, date: 2026-01-01, n: 5}}
"""


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_a_receipt_comes_back_and_makes_the_same_bytes(
    folder: Path, inputs: Inputs, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for name in ("ladder", "fleet"):
        (done,) = render(inputs, [name], "paper", [form], folder / form)
        receipt = read_receipt(done.files[form])
        source = {"ladder": "samples.jsonl", "fleet": "small.yaml"}[name]
        assert receipt.command == f"vsim report {source} --figure {name} --style paper --format {form}"
        assert [file.path for file in receipt.inputs] == [source]
        assert receipt.inputs[0].sha256 == hashlib.sha256((folder / source).read_bytes()).hexdigest()
        assert receipt.seeds == (1,)
        if name == "fleet":
            assert receipt.profile is not None
            assert receipt.profile["sha256"] == inputs.result.result.profile["sha256"]
            assert receipt.profile["changed"] == 0
        # from the directory of the files, and from another one: the figure lies in a folder of theirs
        monkeypatch.chdir(folder if name == "ladder" else "/")
        again = make_again(done.files[form])
        assert again.same, again.changes
        assert again.made == done.files[form].read_bytes()


def test_it_says_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_samples(tmp_path / "samples.jsonl", measured())
    (done,) = render(read_inputs(["samples.jsonl"]), ["ladder"], "paper", ["png"], tmp_path)
    longer = [s for s in measured() if s.driver != "docker"]
    write_samples(tmp_path / "samples.jsonl", longer)
    again = make_again(done.files["png"])
    assert not again.same
    assert again.changes == ("samples.jsonl has changed since",)
    (tmp_path / "samples.jsonl").unlink()
    with pytest.raises(InputError, match=r"samples\.jsonl isn't there any more"):
        make_again(done.files["png"])


def test_a_changed_profile_is_said_on_the_figure_and_in_the_receipt(
    folder: Path, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "mine.yaml").write_text(CHANGED, encoding="utf-8")
    read = read_inputs(["small.yaml"], profile=["mine.yaml"])
    assert read.result.changed == ("guest-os.memory.environment_bytes",)
    (done,) = render(read, ["fleet"], "paper", ["svg", "png"], tmp_path)
    assert "CHANGED: 1 number differs from the built-in one" in done.footer
    assert "CHANGED: 1 number" in done.files["svg"].read_text(encoding="utf-8")
    receipt = read_receipt(done.files["png"])
    assert receipt.command.startswith("vsim report small.yaml --profile mine.yaml --figure fleet")
    assert receipt.profile is not None
    assert receipt.profile["changed"] == 1
    assert make_again(done.files["png"]).same
    assert read.result.profile.quantities["guest-os.memory.environment_bytes"].value == 999e6


def test_a_number_that_only_the_figure_uses_is_said_as_well(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "hub.yaml").write_text(HUB, encoding="utf-8")
    sources = ["sweep.yaml", "images.yaml"]
    read, plain = read_inputs(sources, profile=["hub.yaml"]), read_inputs(sources)
    (done,) = render(read, ["pull"], "paper", ["svg", "png", "pdf"], tmp_path)
    assert "CHANGED: 1 number differs from the built-in one" in done.footer
    for form in ("svg", "png", "pdf"):
        receipt = read_receipt(done.files[form])
        assert receipt.profile is not None
        assert receipt.profile["changed"] == 1
    assert make_again(done.files["png"]).same
    # the other figures of the result don't depend on it
    (fleet,) = render(read, ["fleet"], "paper", ["svg"], tmp_path)
    assert "CHANGED" not in fleet.footer
    (before,) = render(plain, ["pull"], "paper", ["svg"], tmp_path / "before")
    was = read_receipt(before.files["svg"]).profile
    assert "CHANGED" not in before.footer
    assert was is not None
    assert was["sha256"] != receipt.profile["sha256"]


def test_other_programs_read_the_receipt_and_the_words(folder: Path, inputs: Inputs) -> None:
    (done,) = render(inputs, ["ladder"], "paper", ["png", "svg", "pdf"], folder / "words")
    with Image.open(done.files["png"]) as picture:
        assert picture.info["Title"] == done.title
        assert picture.info["Description"] == done.alt
        assert picture.info["vsim-receipt"].startswith("{")
    from xml.etree import ElementTree

    tree = ElementTree.parse(done.files["svg"])
    assert tree.find(".//{http://purl.org/dc/elements/1.1/}description").text == done.alt  # type: ignore[union-attr]
    assert b"/CreationDate" not in done.files["pdf"].read_bytes()


def test_files_without_a_receipt_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "plain.png")
    (tmp_path / "plain.svg").write_text("<svg/>")
    (tmp_path / "plain.pdf").write_bytes(b"%PDF-1.4 nothing")
    for name in ("plain.png", "plain.svg", "plain.pdf"):
        with pytest.raises(InputError, match="no receipt"):
            read_receipt(tmp_path / name)
    with pytest.raises(InputError, match="can't be read"):
        read_receipt(tmp_path / "none.png")


def test_nothing_depends_on_the_hash_seed(folder: Path, inputs: Inputs) -> None:
    code = (
        "import hashlib\n"
        "from vsim.report.inputs import read_inputs\n"
        "from vsim.report.figures import FIGURES\n"
        "from vsim.report.rendering import render_figure\n"
        "read = read_inputs(['samples.jsonl'])\n"
        "made = render_figure(FIGURES['ladder'], read, 'paper', ('svg', 'png', 'pdf'), None)[1]\n"
        "print(hashlib.sha256(b''.join(made.values())).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONHASHSEED": "2", "PATH": ""},
        capture_output=True,
        check=True,
        text=True,
    )
    made = render_figure(FIGURES["ladder"], inputs, "paper", ("svg", "png", "pdf"), None)[1]
    # this process has another seed, and has drawn much before
    assert done.stdout.strip() == hashlib.sha256(b"".join(made.values())).hexdigest()
