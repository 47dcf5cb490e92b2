"""The source of a lecture: a Markdown file of slides that a lecturer can copy and change.

    title: From bare metal to containers          the head: what the lecture is called,
    result evolution: evolution                   the results that it speaks of, each a scenario that is simulated
    call vm@rack-server: virtual machines         unless a result is given, and what architectures are called
    ---
    name: machines                                a slide: a few properties,
    # {{ finding evolution hosts vm@rack-server bare-metal@blade }}
    ![](chart:evolution/hosts)                    a title, a body with at most one picture,
    ???
    What the numbers don't say.                   and notes for the speaker

``{{ … }}`` are expressions (:mod:`~vsim.report.lecture.expressions`). A picture is ``figure:NAME``, one of those that
``vsim report`` draws, or ``chart:RESULT/METRIC``, bars that stay editable in PowerPoint; architectures in quotes after
it choose what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vsim.errors import InputError, Place

__all__ = ["KINDS", "Line", "Picture", "SlideSource", "Source", "read_source"]

# What a slide can be: it decides how it is laid out.
KINDS = ("finding", "question", "title", "text")
_MAX_BYTES = 1024 * 1024

_PROPERTY = re.compile(r"(name|kind|answer): *(.*)")
_HEAD = re.compile(r"(title|result|call)(?: +([^\s:]+))?: *(.+)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\((figure|chart):([^\s)]+)(?: +\"([^\"]*)\")?\)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file (`whole`, where `text` is a part of it) and its number, from 1."""

    text: str
    number: int
    whole: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a slide asks for: a `figure`'s name, or a `chart`'s RESULT/METRIC; of some architectures only."""

    kind: str
    name: str
    alt: str
    on: tuple[str, ...]
    line: Line


@dataclass(frozen=True, slots=True)
class SlideSource:
    """One slide as it is written. `answer` names the slide that answers it: without that one, it isn't shown."""

    name: str
    kind: str
    answer: str
    title: Line
    body: tuple[Line, ...]
    picture: Picture | None
    notes: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A lecture as it is written: `results` are scenarios by the lecture's names, `names` words for architectures."""

    file: str
    title: str
    results: Mapping[str, str]
    names: Mapping[str, str]
    slides: tuple[SlideSource, ...]
    text: str

    def place(self, line: Line, part: str = "") -> Place:
        """Return the place of `part` in a line."""
        text = line.whole or line.text
        return Place(self.file, line.number, max(0, text.find(part)) + 1, text)


def read_source(path: Path | str) -> Source:
    """Return the lecture in the file at `path`, or in its ``slides.md`` if it is a folder.

    Raises InputError, with line and column, for what isn't one.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "slides.md"
    try:
        data = file.read_bytes()
        if len(data) > _MAX_BYTES:
            raise InputError("this is too large to be a lecture", place=Place(str(file)))
        text = data.decode()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror or error}", place=Place(str(file))) from None
    except UnicodeDecodeError:
        raise InputError("this isn't text in UTF-8", place=Place(str(file))) from None
    parts: list[list[Line]] = [[]]
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        fenced ^= line.startswith("```")
        if line.rstrip() == "---" and not fenced:
            parts.append([])
        else:
            parts[-1].append(Line(line.rstrip(), number))
    title, results, names = _head(str(file), parts[0])
    slides = tuple(_slide(str(file), lines, index) for index, lines in enumerate(parts[1:], start=1))
    if not slides:
        raise InputError("there are no slides in it", place=Place(str(file)), hint="a line `---` begins each slide")
    _check_names(str(file), slides)
    return Source(str(file), title, results, names, slides, text)


def _head(file: str, lines: Sequence[Line]) -> tuple[str, dict[str, str], dict[str, str]]:
    title, results, names = "", {}, {}
    for line in lines:
        if not line.text or line.text.startswith("#"):
            continue
        found = _HEAD.fullmatch(line.text)
        if found is None or (found[1] == "title") is not (found[2] is None):
            raise InputError(
                "this is no line of a lecture's head",
                place=Place(file, line.number, 1, line.text),
                hint="it has `title: …`, `result NAME: SCENARIO` and `call STACK@MACHINE: …`, then `---`",
            )
        if found[1] == "title":
            title = found[3]
        elif found[1] == "result":
            results[found[2]] = found[3]
        else:
            names[found[2]] = found[3]
    if not title:
        raise InputError("a lecture needs a title", place=Place(file, 1, 1), hint="the first line is `title: …`")
    return title, results, names


def _slide(file: str, lines: Sequence[Line], index: int) -> SlideSource:
    properties = {"name": f"slide-{index}", "kind": "finding", "answer": ""}
    rest = list(lines)
    while rest and (not rest[0].text or _PROPERTY.fullmatch(rest[0].text)):
        line = rest.pop(0)
        found = _PROPERTY.fullmatch(line.text)
        if found is not None:
            properties[found[1]] = found[2].strip()
            if found[1] == "kind" and found[2].strip() not in KINDS:
                raise InputError(
                    f"there is no kind of slide {found[2].strip()!r}",
                    place=Place(file, line.number, 7, line.text),
                    hint=f"there are {', '.join(KINDS)}",
                )
            if found[1] == "name" and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", properties["name"]):
                raise InputError(
                    f"a slide can't be called {properties['name']!r}",
                    place=Place(file, line.number, 7, line.text),
                    hint="a name has small letters, digits and hyphens",
                )
    if not rest or not rest[0].text.startswith("# "):
        where = rest[0] if rest else (lines[-1] if lines else Line("", 1))
        raise InputError(
            "a slide needs a title", place=Place(file, where.number, 1, where.text), hint="it begins with `# `"
        )
    title = rest.pop(0)
    cut = next((i for i, line in enumerate(rest) if line.text == "???"), len(rest))
    body, notes = rest[:cut], rest[cut + 1 :]
    pictures = [_picture(found, line) for line in body if (found := _PICTURE.fullmatch(line.text.strip()))]
    if len(pictures) > 1:
        second = pictures[1].line
        raise InputError(
            "a slide has room for one picture",
            place=Place(file, second.number, 1, second.text),
            hint="begin another slide with `---`",
        )
    body = [line for line in body if not pictures or line is not pictures[0].line]
    return SlideSource(
        properties["name"],
        properties["kind"],
        properties["answer"],
        Line(title.text[2:].strip(), title.number, title.text),
        tuple(body),
        pictures[0] if pictures else None,
        tuple(notes),
    )


def _picture(found: re.Match[str], line: Line) -> Picture:
    return Picture(found[2], found[3], found[1], tuple((found[4] or "").split()), line)


def _check_names(file: str, slides: Sequence[SlideSource]) -> None:
    names = [slide.name for slide in slides]
    for number, slide in enumerate(slides):
        line = slide.title
        if slide.name in names[:number]:
            raise InputError(f"two slides are called {slide.name}", place=Place(file, line.number, 1, line.text))
        if slide.answer and slide.answer not in names:
            raise InputError(
                f"there is no slide {slide.answer!r} that answers this one",
                place=Place(file, line.number, 1, line.text),
            )
