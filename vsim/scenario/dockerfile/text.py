"""A Dockerfile's text as instructions: lines joined, comments left out, here-documents taken in, places kept.

The rules are those of BuildKit's parser (``frontend/dockerfile/parser``) and of the Dockerfile reference
(https://docs.docker.com/reference/dockerfile/).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vsim.errors import InputError, Place
from vsim.scenario.dockerfile.words import Bad, expand, split_quoted
from vsim.scenario.document import decode, read_bytes

__all__ = ["KEYWORDS", "MAX_BYTES", "Heredoc", "Instruction", "Source", "read_source"]

KEYWORDS = (
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
)
# A long Dockerfile has some hundred lines.
MAX_BYTES = 512 * 1024
MAX_INSTRUCTIONS = 2000
# What Go's line scanner takes, and with it every builder.
_LONGEST_LINE = 65_535
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_DIRECTIVES = ("syntax", "escape", "check")
_WITH_HEREDOCS = ("ADD", "COPY", "RUN")
_HEREDOC = re.compile(r"\d*<<(-?)([^<]*)")


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A here-document: its name, and whether variables in it are replaced (its name isn't quoted)."""

    name: str
    content: str
    expands: bool


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its keyword in upper case, and the rest of it as one line.

    `number` counts the instructions from 1, as ``Step 3/7`` of a build's output does. `line` and `last_line` count from
    1. `comments` are the lines of comment directly above. `runs` maps offsets in `text` to lines and columns.
    """

    file: str
    number: int
    keyword: str
    text: str
    line: int
    last_line: int
    escape: str
    comments: tuple[tuple[int, str], ...]
    heredocs: tuple[Heredoc, ...]
    runs: tuple[tuple[int, int, int], ...]
    lines: Sequence[str]

    def place(self, at: int = 0) -> Place:
        """Return the place of the character of `text` at `at`, counted from 0."""
        begin, line, column = self.runs[max(0, bisect_right(self.runs, (at, 1 << 60)) - 1)]
        text = self.lines[line - 1]
        return Place(self.file, line, min(column + at - begin, len(text) + 1), text)

    def error(self, message: str, *, at: int = 0, hint: str | None = None) -> InputError:
        """Return the error to raise about the character of `text` at `at`."""
        return InputError(message, place=self.place(at), hint=hint)

    @property
    def shown(self) -> str:
        """The instruction in one line, as a build's output shows it."""
        return " ".join(f"{self.keyword} {self.text}".split())


@dataclass(frozen=True, slots=True)
class Source:
    """A Dockerfile's instructions. `syntax` is the frontend that the file asks for."""

    file: str
    instructions: tuple[Instruction, ...]
    syntax: str | None


def read_source(path: Path | str, text: str | None = None) -> Source:
    """Read the Dockerfile at `path`, or `text`, which then counts as its content.

    Raises InputError, with its place, for a file that can't be read, is larger than `MAX_BYTES`, isn't UTF-8, has no
    instruction, an unknown one, a parser directive that can't be, or a here-document that doesn't end.
    """
    file = str(path)
    if text is None:
        text = decode(file, read_bytes(path, MAX_BYTES))
    return _Reader(file, text.removeprefix("\ufeff")).source()


class _Reader:
    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines = [line.removesuffix("\r") for line in text.split("\n")]
        if self._lines and not self._lines[-1]:
            self._lines.pop()
        self._at = 0
        self._escape = "\\"
        self._syntax: str | None = None

    def source(self) -> Source:
        for number, line in enumerate(self._lines, 1):
            if len(line.encode("utf-8", "surrogatepass")) > _LONGEST_LINE:
                place = Place(self._file, number, 1, line)
                raise InputError(
                    "the line is longer than 65,535 bytes", place=place, hint="builders refuse it: break it"
                )
            if "\0" in line:
                column = line.index("\0") + 1
                place = Place(self._file, number, column, line)
                raise InputError("there is a zero byte", place=place, hint="is this a Dockerfile?")
        self._directives()
        instructions = tuple(self._instructions())
        if not instructions:
            place = Place(self._file, 1, 1, self._lines[0] if self._lines else "")
            raise InputError("there is no instruction", place=place, hint="a Dockerfile begins with `FROM`")
        return Source(self._file, instructions, self._syntax)

    def _directives(self) -> None:
        """Read the parser directives, which are the first lines or not at all."""
        seen: set[str] = set()
        while self._at < len(self._lines):
            line = self._lines[self._at]
            match = _DIRECTIVE.match(line)
            if match is None or match[1].lower() not in _DIRECTIVES:
                return
            name, value = match[1].lower(), match[2]
            if name in seen:
                raise self._error(self._at, match.start(1), f"the parser directive {name!r} is given twice", "keep one")
            seen.add(name)
            if name == "escape":
                if value not in ("\\", "`"):
                    raise self._error(
                        self._at, match.start(2), f"the escape character can't be {value!r}", "it is \\ or `"
                    )
                self._escape = value
            elif name == "syntax":
                self._syntax = value
            self._at += 1

    def _instructions(self) -> Iterator[Instruction]:
        comments: list[tuple[int, str]] = []
        number = 0
        while self._at < len(self._lines):
            line = self._lines[self._at]
            bare = line.lstrip()
            if not bare:
                comments.clear()
                self._at += 1
                continue
            if bare.startswith("#"):
                comments.append((self._at, line))
                self._at += 1
                continue
            number += 1
            if number > MAX_INSTRUCTIONS:
                raise self._error(
                    self._at, 0, f"there are more than {MAX_INSTRUCTIONS:,} instructions", "is it generated?"
                )
            yield self._instruction(number, tuple(comments))
            comments.clear()

    def _instruction(self, number: int, comments: tuple[tuple[int, str], ...]) -> Instruction:
        """Return the instruction that begins at the current line, with the lines that continue it."""
        first = self._at
        parts: list[str] = []
        runs: list[tuple[int, int, int]] = []
        length = 0
        ended = False
        while not ended and self._at < len(self._lines):
            line = self._lines[self._at]
            bare = line.lstrip()
            self._at += 1
            if parts and (not bare or bare.startswith("#")):
                continue  # comments and (with a warning, in builders) empty lines may stand between
            part = line if parts else bare
            # what is joined keeps its indentation: the text inside a quote needs it
            part, ended = self._without_continuation(part)
            runs.append((length, self._at, 1 if parts else len(line) - len(bare) + 1))
            parts.append(part)
            length += len(part)
        joined = "".join(parts)
        word = re.match(r"\S*", joined)
        assert word is not None
        keyword = word[0].upper()
        rest = joined[len(word[0]) :]
        begin = len(word[0]) + len(rest) - len(rest.lstrip())
        text = joined[begin:].rstrip()
        if keyword not in KEYWORDS:
            place = Place(self._file, first + 1, runs[0][2], self._lines[first])
            raise InputError(f"unknown instruction {word[0][:40]!r}", place=place, hint=_meant(keyword))
        at_text = tuple(
            (max(0, at - begin), line, column + max(0, begin - at)) for at, line, column in _after(runs, begin)
        )
        instruction = Instruction(
            self._file, number, keyword, text, first + 1, self._at, self._escape, comments, (), at_text, self._lines
        )
        heredocs = tuple(self._heredocs(instruction))
        return replace(instruction, heredocs=heredocs, last_line=self._at) if heredocs else instruction

    def _without_continuation(self, part: str) -> tuple[str, bool]:
        """Return a line without the escape at its end, and whether the instruction ends with it."""
        bare = part.rstrip(" \t")
        if not bare.endswith(self._escape):
            return part, True
        if bare.endswith(self._escape * 2) and bare != self._escape * 2:
            return part, True  # an escaped escape
        return bare[:-1], False

    def _heredocs(self, instruction: Instruction) -> Iterator[Heredoc]:
        keyword, text = instruction.keyword, instruction.text
        if keyword == "ONBUILD":
            keyword, _, text = text.partition(" ")
            keyword = keyword.upper()
        if keyword not in _WITH_HEREDOCS or text.lstrip().startswith("["):
            return
        for at, word in split_quoted(instruction.text, instruction.escape):
            match = _HEREDOC.fullmatch(word)
            if match is None or not match[2]:
                continue
            try:
                name = expand(match[2], {}, "\\")
            except Bad as bad:
                raise instruction.error(str(bad), at=at + match.start(2) + bad.at, hint=bad.hint) from None
            yield Heredoc(
                name, self._document(instruction, at, name, chomp=bool(match[1])), not set(match[2]) & set("'\"\\")
            )

    def _document(self, instruction: Instruction, at: int, name: str, *, chomp: bool) -> str:
        lines: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if (line.lstrip("\t") if chomp else line) == name:
                return "".join(f"{one}\n" for one in lines)
            lines.append(line.lstrip("\t") if chomp else line)
        raise instruction.error(
            f"the here-document {name[:40]!r} doesn't end", at=at, hint=f"end it with a line {name[:40]!r}"
        )

    def _error(self, index: int, column: int, message: str, hint: str) -> InputError:
        return InputError(message, place=Place(self._file, index + 1, column + 1, self._lines[index]), hint=hint)


def _after(runs: Sequence[tuple[int, int, int]], begin: int) -> Sequence[tuple[int, int, int]]:
    """Return the runs from the one that holds the offset `begin`."""
    first = max(0, bisect_right(runs, (begin, 1 << 60)) - 1)
    return runs[first:]


def _meant(keyword: str) -> str:
    import difflib

    if keyword in ("CD", "APT-GET", "APT", "APK", "PIP", "NPM", "ECHO", "MKDIR", "&&", "-", "SUDO", "CURL", "MAKE"):
        return "a command of the shell stands after `RUN`; a line that goes on ends with a backslash"
    close = difflib.get_close_matches(keyword, KEYWORDS, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the instructions are {', '.join(KEYWORDS)}"
