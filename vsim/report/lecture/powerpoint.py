"""Slides as PowerPoint: text as text, tables as tables, charts as native charts with their numbers in a sheet.

A chart on a linear scale is a bar chart with error bars; on a logarithmic one, where a bar has no zero to start from,
points on a line chart. A figure is a picture with its words as alternative text.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from vsim.errors import HostError
from vsim.report.lecture.markdown import tokens
from vsim.report.lecture.repacked import repacked
from vsim.report.plain import plain

if TYPE_CHECKING:
    from markdown_it.token import Token

    from vsim.report.lecture.deck import Deck, Slide
    from vsim.report.lecture.pictures import Drawing
    from vsim.samples.bars import Bars

__all__ = ["require_pptx", "to_pptx"]

# Inches of a 16:9 slide, and sizes in points: nothing is smaller than 18.
_WIDTH, _HEIGHT, _MARGIN = 13.333, 7.5, 0.6
_TITLE, _TEXT, _CODE, _CELL = 30, 22, 18, 18
_INK, _ACCENT = "1A1A1A", "0072B2"
_LONGEST = 60
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
    made.slide_width, made.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    properties = made.core_properties
    properties.title, properties.author, properties.last_modified_by = plain(deck.title), "vsim", "vsim"
    properties.created = properties.modified = datetime(1980, 1, 1)
    for slide in deck.slides:
        _slide(made, slide)
    target = io.BytesIO()
    made.save(target)
    return repacked(target.getvalue())


def _slide(made: Any, slide: Slide) -> None:
    from pptx.util import Inches

    page = made.slides.add_slide(made.slide_layouts[_TITLE_ONLY])
    picture = slide.picture
    whole = picture is not None and picture.whole
    title = page.shapes.title
    centred = slide.kind in ("title", "question")
    # The title of a picture that has its own stands above the slide: outlines and screen readers find it there.
    top = -1.4 if whole else (1.6 if centred else 0.35)
    title.left, title.top = Inches(_MARGIN), Inches(top)
    title.width, title.height = Inches(_WIDTH - 2 * _MARGIN), Inches(1.3)
    frame = title.text_frame
    frame.word_wrap = True
    _write(frame.paragraphs[0], _inline(slide.title), 40 if centred else _TITLE, bold=True)
    frame.paragraphs[0].alignment = _left()
    below = top + 1.4
    if picture is not None and whole:
        shape = page.shapes.add_picture(io.BytesIO(picture.files["png"]), 0, 0, made.slide_width, made.slide_height)
        _describe(shape, picture.alt)
    elif picture is not None:
        height = 3.9 if slide.body else 5.4
        _chart(page, picture, Inches(_MARGIN), Inches(below), Inches(_WIDTH - 2 * _MARGIN), Inches(height))
        below += height + 0.1
    if slide.body and not whole:
        _body(page, slide.body, below)
    if slide.notes:
        page.notes_slide.notes_text_frame.text = "\n".join(_lines(slide.notes))


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
        run.font.color.rgb = RGBColor.from_string(_INK)
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
    from pptx.util import Inches

    longest = [max(sum(len(text) for text, _ in row[j]) for row in rows) for j in range(len(rows[0]))]
    shares = [min(max(length, 8), 48) for length in longest]
    for j, share in enumerate(shares):
        table.columns[j].width = Inches((_WIDTH - 2 * _MARGIN) * share / sum(shares))
    for i, row in enumerate(rows):
        for j, runs in enumerate(row):
            cell = table.cell(i, j)
            paragraph = cell.text_frame.paragraphs[0]
            _write(paragraph, runs, _CELL, bold=i == 0)


def _lines(notes: str) -> Iterator[str]:
    for kind, content in _blocks(tokens(notes)):
        if kind == "table":
            yield from (" | ".join("".join(text for text, _ in cell) for cell in row) for row in content)
        else:
            yield ("• " if kind == "item" else "") + _xml("".join(text for text, _ in content))


def _left() -> Any:
    from pptx.enum.text import PP_ALIGN

    return PP_ALIGN.LEFT


def _describe(shape: Any, alt: str) -> None:
    """Give a shape its alternative text."""
    properties = shape._element.xpath(".//p:cNvPr")[0]  # python-pptx has no interface for it
    properties.set("descr", plain(alt))


# -- charts ------------------------------------------------------------------------------------------------------------


def _chart(page: Any, picture: Drawing, left: Any, top: Any, width: Any, height: Any) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE

    bars = picture.bars
    assert bars is not None
    divisor, unit = _scale(bars)
    data = CategoryChartData()
    # A value stands with the name, where no error bar can run through it.
    data.categories = [f"{_xml(plain(bar.label, _LONGEST))}\n{bar.text}" for bar in bars.bars]
    data.add_series(f"{bars.title}, {unit}" if unit else bars.title, [bar.value / divisor for bar in bars.bars])
    kind = XL_CHART_TYPE.LINE_MARKERS if bars.log else XL_CHART_TYPE.BAR_CLUSTERED
    shape = page.shapes.add_chart(kind, left, top, width, height, data)
    _describe(shape, picture.alt)
    _style(shape.chart, bars, picture.fills, divisor, unit)


def _scale(bars: Bars) -> tuple[float, str]:
    """Return what the chart's numbers are divided by, and the unit that they are then in."""
    from vsim.samples.human import scale_of

    largest = max(bar.value for bar in bars.bars)
    return (1.0, bars.unit if bars.unit != "1" else "") if bars.log else scale_of(bars.metric, largest, bars.unit)


def _style(chart: Any, bars: Bars, fills: Sequence[str], divisor: float, unit: str) -> None:
    from pptx.dml.color import RGBColor
    from pptx.enum.chart import XL_AXIS_CROSSES, XL_MARKER_STYLE
    from pptx.util import Pt

    chart.has_legend = False
    chart.has_title = False
    chart.font.size = Pt(18)
    chart.font.color.rgb = RGBColor.from_string(_INK)
    axis = chart.value_axis
    axis.has_title = True
    axis.axis_title.text_frame.text = ", ".join(part for part in (bars.title, unit) if part)
    axis.major_gridlines.format.line.color.rgb = RGBColor.from_string("DDDDDD")
    series = chart.plots[0].series[0]
    if bars.log:
        _logarithmic(axis, bars.least, bars.most)
        # the other axis stands at the lower end, and not at 1, which may be above all points
        axis.crosses = XL_AXIS_CROSSES.MINIMUM
        series.format.line.fill.background()
        series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 16
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.rgb = RGBColor.from_string(_ACCENT)
        series.smooth = False
    else:
        axis.minimum_scale = 0
        chart.category_axis.reverse_order = True  # the first on top, and the scale below the last
        chart.category_axis.crosses = XL_AXIS_CROSSES.MAXIMUM
        chart.plots[0].gap_width = 60
    if bars.log:
        axis.tick_labels.number_format_is_linked = False
        axis.tick_labels.number_format = "0.##%" if bars.metric.endswith("_fraction") else "#,##0.###"
    for number, fill in enumerate(fills or [_ACCENT] * len(bars.bars)):
        point = series.points[number]
        shown = point.marker.format if bars.log else point.format
        shown.fill.solid()
        shown.fill.fore_color.rgb = RGBColor.from_string(fill.lstrip("#"))
    _error_bars(series, bars, divisor)


def _logarithmic(axis: Any, least: float, most: float) -> None:
    from pptx.oxml.ns import qn

    scaling = axis._element.find(qn("c:scaling"))  # python-pptx has no interface for the scale's kind
    base = scaling.makeelement(qn("c:logBase"), {"val": "10"})
    scaling.insert(0, base)
    axis.minimum_scale, axis.maximum_scale = least, most


def _error_bars(series: Any, bars: Bars, divisor: float) -> None:
    """Add the 95 % intervals as error bars with values of their own (ECMA-376, part 1, 21.2.2.55)."""
    from lxml import etree
    from pptx.oxml.ns import qn

    if any(bar.low is None or bar.high is None for bar in bars.bars):
        return
    up = [((bar.high or 0) - bar.value) / divisor for bar in bars.bars]
    down = [(bar.value - (bar.low or 0)) / divisor for bar in bars.bars]
    if not any((*up, *down)):
        return
    element = series._element
    errors = etree.SubElement(element, qn("c:errBars"))
    if not bars.log:
        errors.append(errors.makeelement(qn("c:errBarType"), {"val": "both"}))
    else:
        errors.append(errors.makeelement(qn("c:errDir"), {"val": "y"}))
        errors.append(errors.makeelement(qn("c:errBarType"), {"val": "both"}))
    errors.append(errors.makeelement(qn("c:errValType"), {"val": "cust"}))
    errors.append(errors.makeelement(qn("c:noEndCap"), {"val": "0"}))
    for tag, values in (("c:plus", up), ("c:minus", down)):
        numbers = etree.SubElement(etree.SubElement(errors, qn(tag)), qn("c:numLit"))
        etree.SubElement(numbers, qn("c:formatCode")).text = "General"
        etree.SubElement(numbers, qn("c:ptCount")).set("val", str(len(values)))
        for i, value in enumerate(values):
            point = etree.SubElement(numbers, qn("c:pt"))
            point.set("idx", str(i))
            etree.SubElement(point, qn("c:v")).text = repr(value)
    # The schema has them before the categories and values.
    element.remove(errors)
    before = element.find(qn("c:cat"))
    element.insert(list(element).index(before), errors)
