"""The text of a Dockerfile as instructions: joined lines, comments, directives, here-documents, and their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.scenario.dockerfile.text import Instruction, read_source


def instructions(text: str) -> list[Instruction]:
    return list(read_source("Dockerfile", text).instructions)


def said(text: str) -> list[tuple[str, str]]:
    return [(one.keyword, one.text) for one in instructions(text)]


def refused(text: str) -> tuple[int | None, int | None, str, str]:
    with pytest.raises(InputError) as caught:
        read_source("Dockerfile", text)
    place = caught.value.place
    assert place is not None
    assert place.file == "Dockerfile"
    return place.line, place.column, caught.value.message, caught.value.hint or ""


def test_keywords_are_of_any_case_and_numbered() -> None:
    found = instructions("from a\n\nRun b\n")
    assert [(one.number, one.keyword, one.text, one.line) for one in found] == [(1, "FROM", "a", 1), (2, "RUN", "b", 3)]


def test_a_line_that_ends_with_a_backslash_goes_on() -> None:
    assert said("RUN a && \\\n    b &&\\  \n c\n") == [("RUN", "a &&     b && c")]
    assert instructions("FROM x\nRUN a \\\n b\nRUN c")[1].last_line == 3


def test_comments_and_empty_lines_may_stand_between() -> None:
    assert said("RUN a \\\n# no\n\n   # neither\n b\n") == [("RUN", "a  b")]


def test_a_hash_inside_a_line_is_no_comment() -> None:
    assert said("RUN echo a # b\n") == [("RUN", "echo a # b")]


def test_an_escaped_backslash_at_the_end_does_not_go_on() -> None:
    assert said("RUN a \\\\\nRUN b\n") == [("RUN", "a \\\\"), ("RUN", "b")]


def test_the_escape_directive_changes_what_continues() -> None:
    assert said("# escape=`\nRUN a `\n b\\\nRUN c\n") == [("RUN", "a  b\\"), ("RUN", "c")]


def test_directives_are_first_or_comments() -> None:
    source = read_source("Dockerfile", "# syntax = docker/dockerfile:1\n# escape = `\nRUN a `\n b")
    assert source.syntax == "docker/dockerfile:1"
    assert source.instructions[0].text == "a  b"
    # after a comment it is one itself
    assert said("# hello\n# escape=`\nRUN a `\nRUN b") == [("RUN", "a `"), ("RUN", "b")]


def test_windows_line_ends_and_a_byte_order_mark_are_taken() -> None:
    assert said("\ufeffFROM a\r\nRUN b \\\r\n c\r\n") == [("FROM", "a"), ("RUN", "b  c")]


def test_a_here_document_belongs_to_its_instruction() -> None:
    found = instructions("FROM a\nRUN <<EOF\ncat x\nRUN y\nEOF\nRUN z\n")
    assert [one.keyword for one in found] == ["FROM", "RUN", "RUN"]
    assert [(h.name, h.content, h.expands) for h in found[1].heredocs] == [("EOF", "cat x\nRUN y\n", True)]
    assert (found[1].line, found[1].last_line, found[2].text) == (2, 5, "z")


def test_here_documents_with_quotes_tabs_and_more_than_one() -> None:
    text = "COPY <<'ONE' <<-\"TWO\" /to/\n$a\nONE\n\tb\n\tTWO\nRUN c"
    copy, run = instructions(text)
    assert [(h.name, h.content, h.expands) for h in copy.heredocs] == [("ONE", "$a\n", False), ("TWO", "b\n", False)]
    assert run.text == "c"


def test_a_shift_in_a_command_is_no_here_document() -> None:
    assert instructions("RUN echo $((1 << 2))\nRUN b")[1].text == "b"
    # nor is anything in a list
    assert len(instructions('RUN ["a", "<<EOF"]\nRUN b')) == 2


def test_comments_directly_above_are_kept() -> None:
    found = instructions("# far\n\n# one\n# two\nRUN a\n")[0].comments
    assert [line for _, line in found] == ["# one", "# two"]


def test_places_follow_continued_lines() -> None:
    run = instructions("FROM a\n  RUN first \\\n   second third\n")[1]
    assert run.text == "first    second third"
    assert (run.place(0).line, run.place(0).column) == (2, 7)
    at = run.text.index("third")
    place = run.place(at)
    assert (place.line, place.column, place.text) == (3, 11, "   second third")


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("FRM a\n", 1, 1, "unknown instruction 'FRM'", "did you mean 'FROM'?"),
        ("FROM a\n  RNU b\n", 2, 3, "unknown instruction 'RNU'", "did you mean 'RUN'?"),
        ("FROM a\nRUN b &&\n  cd /x\n", 3, 3, "unknown instruction 'cd'", "stands after `RUN`"),
        ("FROM a\nxyzzy\n", 2, 1, "unknown instruction 'xyzzy'", "the instructions are ADD, ARG"),
        ("", 1, 1, "there is no instruction", "begins with `FROM`"),
        ("# only\n\n", 1, 1, "there is no instruction", "begins with `FROM`"),
        ("# escape=x\nFROM a", 1, 10, "the escape character can't be 'x'", "it is \\ or `"),
        ("# escape=`\n# escape=`\nFROM a", 2, 3, "'escape' is given twice", "keep one"),
        ("FROM a\nRUN cat <<EOF > x\nb\n", 2, 9, "the here-document 'EOF' doesn't end", "a line 'EOF'"),
        ('FROM a\nRUN <<"EOF\nb\n', 2, 7, "this quote isn't closed", "add a"),
        ("FROM a\0b", 1, 7, "there is a zero byte", "is this a Dockerfile?"),
        ("FROM a\nRUN " + "x" * 70_000, 2, 1, "longer than 65,535 bytes", "break it"),
        ("FROM a\n" + "RUN b\n" * 2000, 2001, 1, "more than 2,000 instructions", "generated"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(text: str, line: int, column: int, message: str, hint: str) -> None:
    found = refused(text)
    assert found[:2] == (line, column)
    assert message in found[2]
    assert hint in found[3]


def test_a_file_is_read_within_limits(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_source(tmp_path / "Dockerfile")
    (tmp_path / "Dockerfile").write_bytes(b"FROM a\n# \xff\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_source(tmp_path / "Dockerfile")
    (tmp_path / "large").write_bytes(b"#" * 600_000)
    with pytest.raises(InputError, match="larger than"):
        read_source(tmp_path / "large")
