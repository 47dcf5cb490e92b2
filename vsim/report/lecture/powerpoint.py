"""Slides as PowerPoint: text as text, tables as tables, charts as native charts with their numbers in a sheet.

So are figures that there is a kind of chart for; the others are pictures with their words as alternative text, and the
notes say so.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from vsim.errors import HostError
from vsim.report.lecture.markdown import tokens
from vsim.report.lecture.powerpoint_charts import INK, add_chart, describe
from vsim.report.lecture.repacked import repacked
from vsim.report.plain import plain

if TYPE_CHECKING:
    from markdown_it.token import Token

    from vsim.report.lecture.deck import Deck, Slide
    from vsim.report.lecture.pictures import Drawing

__all__ = ["require_pptx", "to_pptx"]

# Inches of a 16:9 slide, and sizes in points: nothing is smaller than 18.
_WIDTH, _HEIGHT, _MARGIN = 13.333, 7.5, 0.6
_TITLE, _TITLE_LONG, _TEXT, _CODE, _CELL = 30, 26, 22, 18, 18
# A title of more letters than this takes more than two lines at its usual size.
_LONG = 76
_CAPTION = 16
_HEAD, _ROWS = "D9DDE3", ("F5F6F8", "FFFFFF")
_TITLE_ONLY = 5  # the layout of python-pptx's default template that has a title and nothing else

Run = tuple[str, str]  # text, and how it is set: "", "strong", "em", "code"


def require_pptx() -> None:
    """Raise HostError without python-pptx, which is an extra."""
    try:
        import pptx  # noqa: F401  # whether it is there is what is asked
    except ImportError:
        raise HostError("PowerPoint needs python-pptx, which isn't here", hint="pip install 'vsim[pptx]'") from None


def to_pptx(deck: Deck) -> bytes:
    """Return the file. The same deck makes the same bytes. Raises HostError without python-pptx."""
    require_pptx()
    from datetime import datetime

    from pptx import Presentation
    from pptx.util import Inches

    made = Presentation()
    _set_font(made)
    made.slide_width, made.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    properties = made.core_properties
    properties.title, properties.author, properties.last_modified_by = plain(deck.title), "vsim", "vsim"
    properties.created = properties.modified = datetime(1980, 1, 1)
    for slide in deck.slides:
        _slide(made, slide)
    target = io.BytesIO()
    made.save(target)
    return repacked(target.getvalue())


def _set_font(made: Any) -> None:
    """Set all in a font that every office program has, or has one as wide as: what fits here fits everywhere."""
    from pptx.opc.constants import RELATIONSHIP_TYPE

    theme = made.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    # python-pptx keeps a theme as the bytes of its file
    theme._blob = re.sub(rb'(<a:latin typeface=")[^"+]*(")', rb"\g<1>Arial\g<2>", theme.blob)


def _slide(made: Any, slide: Slide) -> None:
    from pptx.util import Inches

    page = made.slides.add_slide(made.slide_layouts[_TITLE_ONLY])
    picture = slide.picture
    # a figure that is a picture has its finding on it, and fills the slide
    whole = picture is not None and not picture.plots
    title = page.shapes.title
    centred = slide.kind in ("title", "question")
    # The title of a picture that has its own stands above the slide: outlines and screen readers find it there.
    top = -1.4 if whole else (1.6 if centred else 0.35)
    title.left, title.top = Inches(_MARGIN), Inches(top)
    title.width, title.height = Inches(_WIDTH - 2 * _MARGIN), Inches(1.3)
    frame = title.text_frame
    frame.word_wrap = True
    words = _inline(slide.title)
    long = sum(len(text) for text, _ in words) > _LONG
    _write(frame.paragraphs[0], words, 40 if centred else _TITLE_LONG if long else _TITLE, bold=True)
    frame.paragraphs[0].alignment = _left()
    below = top + 1.4
    if picture is not None and whole:
        shape = page.shapes.add_picture(io.BytesIO(picture.files["png"]), 0, 0, made.slide_width, made.slide_height)
        describe(shape, picture.alt)
    elif picture is not None:
        height = 3.9 if slide.body else 5.4
        caption = picture.plots[0].caption or picture.caption
        if caption:
            height -= _caption(page, caption)
        _charts(page, picture, below, height)
        below += height + 0.1
    if slide.body and not whole:
        _body(page, slide.body, below)
    notes = list(_lines(slide.notes))
    if whole:
        notes.append(f"• The figure is a picture: there is no native chart of its kind. {_numbers_of(picture)}")
    elif picture is not None:
        notes.append(f"• The chart is native: edit its data for another. {_numbers_of(picture)}")
    if notes:
        page.notes_slide.notes_text_frame.text = "\n".join(notes)


def _numbers_of(picture: Drawing | None) -> str:
    return "" if picture is None else f"Its numbers are in figures/{picture.name}.csv."


def _caption(page: Any, text: str) -> float:
    """Write how to read the charts at the foot of the slide; return the inches that it takes."""
    from pptx.util import Inches

    # at this size about 105 letters are as wide as the slide
    height = 0.3 * math.ceil(len(text) / 105) + 0.1
    box = page.shapes.add_textbox(
        Inches(_MARGIN), Inches(_HEIGHT - height - 0.1), Inches(_WIDTH - 2 * _MARGIN), Inches(height)
    ).text_frame
    box.word_wrap = True
    _write(box.paragraphs[0], [(text, "")], _CAPTION)
    return height


def _charts(page: Any, picture: Drawing, top: float, height: float) -> None:
    """Place the charts of a picture: one fills the room, several share it in two columns."""
    columns = 1 if len(picture.plots) == 1 else 2
    rows = math.ceil(len(picture.plots) / columns)
    width = (_WIDTH - 2 * _MARGIN) / columns
    for number, plot in enumerate(picture.plots):
        row, column = divmod(number, columns)
        box = (_MARGIN + column * width, top + row * height / rows, width, height / rows)
        # the first one has the words for all: they are said once
        alt = picture.alt if not number else plot.title
        add_chart(page, plot, alt, box, _CELL if columns == 1 else 14)


# -- text --------------------------------------------------------------------------------------------------------------


def _body(page: Any, text: str, top: float) -> None:
    """Write the blocks of a body one below the other: paragraphs and lists in one box, tables as tables."""
    from pptx.util import Inches, Pt

    width = _WIDTH - 2 * _MARGIN
    box: Any = None
    for kind, content in _blocks(tokens(text)):
        if kind == "table":
            rows = len(content)
            shape = page.shapes.add_table(
                rows, len(content[0]), Inches(_MARGIN), Inches(top), Inches(width), Inches(0.42 * rows)
            )
            _fill(shape.table, content)
            top += 0.46 * rows + 0.2
            box = None
            continue
        if box is None:
            height = max(0.6, _HEIGHT - top - 0.3)
            box = page.shapes.add_textbox(Inches(_MARGIN), Inches(top), Inches(width), Inches(height)).text_frame
            box.word_wrap = True
            paragraph = box.paragraphs[0]
        else:
            paragraph = box.add_paragraph()
        if kind == "item":
            _bullet(paragraph)
        _write(paragraph, content, _CODE if kind == "code" else _TEXT)
        paragraph.space_after = Pt(8)
        top += 0.5


def _blocks(found: Sequence[Token]) -> Iterator[tuple[str, Any]]:
    """Yield the blocks of a text: ("text" or "item", runs), ("code", runs), ("table", rows of cells of runs)."""
    kind = "text"
    rows: list[list[list[Run]]] = []
    for token in found:
        if token.type == "list_item_open":
            kind = "item"
        elif token.type == "list_item_close":
            kind = "text"
        elif token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "table_close":
            yield "table", rows
            rows = []
        elif token.type == "inline":
            if rows:
                rows[-1].append(_runs(token.children or []))
            else:
                yield kind, _runs(token.children or [])
        elif token.type in ("fence", "code_block"):
            yield from (("code", [(line, "code")]) for line in token.content.splitlines())


def _inline(text: str) -> list[Run]:
    return [run for token in tokens(text) if token.type == "inline" for run in _runs(token.children or [])]


def _runs(children: Sequence[Token]) -> list[Run]:
    """Return the text of an inline token; entities are decoded here, so whatever they stand for is text."""
    runs: list[Run] = []
    set_as = [""]
    for child in children:
        if child.type in ("strong_open", "em_open"):
            set_as.append(child.tag)
        elif child.type in ("strong_close", "em_close"):
            set_as.pop()
        elif child.type == "code_inline":
            runs.append((child.content, "code"))
        elif child.type in ("softbreak", "hardbreak"):
            runs.append((" ", set_as[-1]))
        elif child.content:
            runs.append((child.content, set_as[-1]))
    return runs


def _write(paragraph: Any, runs: Sequence[Run], size: int, *, bold: bool = False) -> None:
    from pptx.dml.color import RGBColor
    from pptx.util import Pt

    for text, set_as in runs:
        run = paragraph.add_run()
        run.text = _xml(text)
        run.font.size = Pt(size)
        run.font.bold = bold or set_as == "strong"
        run.font.italic = set_as == "em"
        run.font.color.rgb = RGBColor.from_string(INK)
        if set_as == "code":
            run.font.name = "DejaVu Sans Mono"


def _xml(text: str) -> str:
    """Return `text` without what XML can't hold and PowerPoint takes for layout."""
    return "".join(c if c.isprintable() else " " for c in text)


def _bullet(paragraph: Any) -> None:
    """Make it an item of a list, its second line below the first (python-pptx has no interface for that)."""
    from pptx.oxml.ns import qn

    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", "342900")
    properties.set("indent", "-342900")
    sign = properties.makeelement(qn("a:buChar"), {"char": "•"})
    properties.append(sign)


def _fill(table: Any, rows: Sequence[Sequence[Sequence[Run]]]) -> None:
    """Write the cells; a column is as wide as its longest text asks for, within limits."""
    from pptx.dml.color import RGBColor
    from pptx.util import Inches

    longest = [max(sum(len(text) for text, _ in row[j]) for row in rows) for j in range(len(rows[0]))]
    shares = [min(max(length, 12), 48) for length in longest]
    for j, share in enumerate(shares):
        table.columns[j].width = Inches((_WIDTH - 2 * _MARGIN) * share / sum(shares))
    for i, row in enumerate(rows):
        for j, runs in enumerate(row):
            cell = table.cell(i, j)
            paragraph = cell.text_frame.paragraphs[0]
            _write(paragraph, runs, _CELL, bold=i == 0)
            cell.fill.solid()
            cell.fill.fore_color.rgb = RGBColor.from_string(_HEAD if i == 0 else _ROWS[i % 2])


def _lines(notes: str) -> Iterator[str]:
    for kind, content in _blocks(tokens(notes)):
        if kind == "table":
            yield from (" | ".join("".join(text for text, _ in cell) for cell in row) for row in content)
        else:
            yield ("• " if kind == "item" else "") + _xml("".join(text for text, _ in content))


def _left() -> Any:
    from pptx.enum.text import PP_ALIGN

    return PP_ALIGN.LEFT
