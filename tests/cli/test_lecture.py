"""``vsim lecture``: where the archive goes, what is left out, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.report.lecture.sources import LECTURE, everything, small
from vsim.cli import cli
from vsim.errors import HostError, InputError
from vsim.samples.result_files import write_result


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a lecture, `mine.md`, and a result for it, `mine`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.md").write_text(LECTURE, encoding="utf-8")
    write_result(small(), tmp_path / "mine")
    return tmp_path


def lecture(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["lecture", *arguments])


def test_an_archive_is_written_and_replaced(here: Path) -> None:
    for _ in range(2):
        done = lecture("mine", "--source", "mine.md", "--out", "out")
        assert done.exit_code == 0, done.output
        assert done.stdout == ""
        assert "3 slides written to out/mine.zip" in done.stderr
    with zipfile.ZipFile(here / "out" / "mine.zip") as archive:
        assert "lecture/slides.html" in archive.namelist()


def test_what_the_result_lacks_is_told(here: Path) -> None:
    write_result(everything(("vm@laptop", "container@rack-server")), here / "other")
    done = lecture("other", "--source", "mine.md", "--out", "out")
    assert done.exit_code == 0
    assert "left out: machines: the result has no vm@rack-server" in done.stderr
    assert "left out: ask: its answer, the slide machines, is left out" in done.stderr
    assert "1 slides" not in done.stderr
    assert "1 slide written" in done.stderr
    write_result(everything(("vm@laptop", "vm@tower-server")), here / "other")
    (here / "mine.md").write_text(LECTURE.partition("---\nname: provision")[0], encoding="utf-8")
    assert isinstance(lecture("other", "--source", "mine.md", "--out", "out").exception, InputError)


def test_a_slip_is_found_before_anything_is_simulated_or_written(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsim.report.lecture.read_inputs", lambda *_, **__: pytest.fail("simulated"))
    (here / "mine.md").write_text(LECTURE.replace("ours/hosts", "ours/host"), encoding="utf-8")
    error = lecture("--source", "mine.md", "--out", "out").exception
    assert isinstance(error, InputError)
    assert str(error.place) == "mine.md:19:16"
    assert error.hint == "did you mean 'hosts'?"
    assert not (here / "out").exists()


def test_more_results_than_the_lecture_has_are_refused(here: Path) -> None:
    error = lecture("mine", "mine", "--source", "mine.md", "--out", "out").exception
    assert isinstance(error, InputError)
    assert error.message == "there are 2 results for a lecture that speaks of 1"


def test_the_source_is_copied_and_never_over_another(here: Path) -> None:
    assert lecture("--copy-source", "copy").exit_code == 0
    assert (
        (here / "copy" / "slides.md").read_text(encoding="utf-8").startswith("title: From bare metal to containers\n")
    )
    error = lecture("--copy-source", "copy").exception
    assert isinstance(error, InputError)
    assert "is there already" in error.message


def test_an_interrupt_leaves_the_earlier_archive(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lecture("mine", "--source", "mine.md", "--out", "out").exit_code == 0
    earlier = (here / "out" / "mine.zip").read_bytes()

    def half(self: Path, data: bytes) -> int:
        with self.open("wb") as opened:
            opened.write(data[: len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", half)
    assert lecture("mine", "--source", "mine.md", "--out", "out").exit_code != 0
    assert [file.name for file in (here / "out").iterdir()] == ["mine.zip"]
    assert (here / "out" / "mine.zip").read_bytes() == earlier


def test_a_folder_that_may_not_be_written_to_is_told_before_any_work(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsim.report.lecture.read", lambda *_, **__: pytest.fail("simulated"))
    # root may write anywhere, so the system is asked in its place
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != here)
    error = lecture("mine", "--source", "mine.md", "--out", "out").exception
    assert isinstance(error, HostError)
    assert error.message == f"can't write out/mine.zip: nothing can be made in {here}"


def test_a_target_that_cannot_be_is_refused(here: Path) -> None:
    (here / "file").write_text("", encoding="utf-8")
    assert isinstance(lecture("mine", "--source", "mine.md", "--out", "file").exception, InputError)
    (here / "out" / "mine.zip").mkdir(parents=True)
    assert isinstance(lecture("mine", "--source", "mine.md", "--out", "out").exception, InputError)
    assert isinstance(lecture("--source", "mine.md", "--copy-source", "file/x").exception, HostError)
    for arguments in ((), ("--out", "a", "--copy-source", "b")):
        assert lecture(*arguments).exit_code == 2
