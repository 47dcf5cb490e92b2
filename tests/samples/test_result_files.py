"""A result's directory is written as a whole or not at all, and never over somebody else's files."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.samples.results import RESULT
from vsim.errors import HostError, InputError
from vsim.samples import result_files
from vsim.samples.result_files import check_target, read_result, write_result

CSV = {f"{name}.csv" for name in ("metrics", "differences", "parameters", "replications", "sensitivity", "sweep")}


def names(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()}


def test_a_result_is_a_directory_with_json_and_tables(tmp_path: Path):
    target = write_result(RESULT, tmp_path / "deep" / "result")
    assert target == tmp_path / "deep" / "result"
    assert names(target) == {"result.json"} | CSV
    assert names(tmp_path / "deep") == {"result"}  # nothing of the making is left
    assert (target / "result.json").read_text(encoding="utf-8") == RESULT.to_json()
    assert read_result(target) == read_result(target / "result.json") == RESULT


def test_it_is_as_readable_as_any_other_file(tmp_path: Path):
    target = write_result(RESULT, tmp_path / "result")
    (tmp_path / "other").mkdir()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_parquet_is_added_when_asked_for(tmp_path: Path):
    target = write_result(RESULT, tmp_path / "result", parquet=True)
    assert names(target) == {"result.json"} | CSV | {name.replace(".csv", ".parquet") for name in CSV}


def test_an_earlier_result_is_replaced_with_all_its_tables(tmp_path: Path):
    write_result(RESULT, tmp_path / "result", parquet=True)
    plain = dataclasses.replace(RESULT, sweep=None, sensitivity=None)
    write_result(plain, tmp_path / "result")
    assert names(tmp_path / "result") == {"result.json"} | CSV - {"sweep.csv", "sensitivity.csv"}
    assert read_result(tmp_path / "result") == plain


def test_an_empty_directory_is_used(tmp_path: Path):
    (tmp_path / "result").mkdir()
    assert read_result(write_result(RESULT, tmp_path / "result")) == RESULT


def foreign_files(directory: Path):
    directory.mkdir()
    (directory / "thesis.tex").write_text("years of work")


def foreign_json(directory: Path):
    directory.mkdir()
    (directory / "result.json").write_text('{"schema": "of somebody else"}')


def broken_json(directory: Path):
    directory.mkdir()
    (directory / "result.json").write_text('{"schema": "vsim.result/1"')


def result_and_notes(directory: Path):
    write_result(RESULT, directory)
    (directory / "notes.txt").write_text("what I think of it")


def a_file(directory: Path):
    directory.write_text("a file")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (foreign_files, "is not empty and not a result of vsim"),
        (foreign_json, "is not empty and not a result of vsim"),
        (broken_json, "is not empty and not a result of vsim"),
        (result_and_notes, "holds a result, but also notes.txt"),
        (a_file, "is a file"),
    ],
)
def test_what_belongs_to_others_is_refused_and_left_alone(prepare, message: str, tmp_path: Path):
    target = tmp_path / "result"
    prepare(target)

    def snapshot():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = snapshot()
    with pytest.raises(InputError) as caught:
        write_result(RESULT, target)
    assert message in caught.value.message
    assert "--out" in (caught.value.hint or "")
    assert snapshot() == before
    with pytest.raises(InputError):
        check_target(target)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("earlier", [False, True])
def test_what_goes_wrong_half_way_leaves_nothing_or_the_earlier_result(
    error: BaseException, earlier: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = dataclasses.replace(RESULT, seed=99)
    if earlier:
        write_result(other, tmp_path / "result")
    calls = []

    def failing(table):
        calls.append(table)
        if len(calls) == 3:
            raise error
        return "text"

    monkeypatch.setattr(result_files, "to_csv", failing)
    expected = HostError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_result(RESULT, tmp_path / "result")
    assert names(tmp_path) == ({"result"} if earlier else set())
    if earlier:
        assert read_result(tmp_path / "result") == other


def test_a_move_that_fails_puts_the_earlier_result_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    other = dataclasses.replace(RESULT, seed=99)
    write_result(other, tmp_path / "result")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name == "result" and Path(target) == tmp_path / "result":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(HostError, match="Input/output error"):
        write_result(RESULT, tmp_path / "result")
    monkeypatch.undo()
    assert names(tmp_path) == {"result"}
    assert read_result(tmp_path / "result") == other


@pytest.mark.parametrize("call", [check_target, lambda target: write_result(RESULT, target)], ids=["before", "after"])
def test_where_nothing_can_be_written_is_said_before_a_long_run(
    call: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match=r"can't write to .*: Not a directory") as caught:
        call(tmp_path / "file" / "deep" / "result")
    assert "--out" in (caught.value.hint or "")
    # as it is for anyone but root in a directory of somebody else's
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(HostError, match=r"can't write to .*: Permission denied"):
        call(tmp_path / "deep" / "result")
    assert names(tmp_path) == {"file"}


def test_a_link_to_a_directory_is_followed(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert write_result(RESULT, tmp_path / "link") == tmp_path / "real"
    assert (tmp_path / "link").is_symlink()
    assert read_result(tmp_path / "link") == RESULT


def test_json_that_is_broken_is_reported_with_its_place(tmp_path: Path):
    path = tmp_path / "result.json"
    path.write_text('{\n  "schema": "vsim.result/1",\n  "seed": 1,,\n}\n')
    with pytest.raises(InputError, match="not JSON") as caught:
        read_result(path)
    place = caught.value.place
    assert place is not None
    assert (place.file, place.line, place.column) == (str(path), 3, 13)
    assert place.text == '  "seed": 1,,'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not a text file"),
        (b"[" * 100_000, "can't read a result"),
        (b'{"schema": "vsim.result/1"}', "'seed' is missing"),
        (b"{}", "not a result"),
    ],
)
def test_what_is_no_result_is_reported_with_its_file(content: bytes, message: str, tmp_path: Path):
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_result(path)
    assert message in caught.value.message
    assert caught.value.place is not None
    assert caught.value.place.file == str(path)


def test_a_result_that_is_not_there_is_reported(tmp_path: Path):
    with pytest.raises(InputError, match="No such file"):
        read_result(tmp_path / "nowhere")
