"""Native charts on a slide: their numbers are in a sheet that can be edited, and intervals are error bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vsim.report.plain import plain

if TYPE_CHECKING:
    from vsim.report.lecture.native import Line, Plot

__all__ = ["INK", "add_chart", "describe"]

_LONGEST = 60
INK, _GRID = "1A1A1A", "DDDDDD"
# More rows than this have no room for a second line each.
_MANY = 4
# More series than this are listed beside the chart: below it, some would have no room.
_MANY_SERIES = 6
# Letters below this size are those of a chart that shares the slide with others.
_SMALL = 16


def add_chart(page: Any, plot: Plot, alt: str, box: tuple[float, float, float, float], size: int) -> None:
    """Add the chart to the slide at `box` (left, top, width and height in inches), with letters of `size` points."""
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    kinds = {
        "bars": XL_CHART_TYPE.BAR_CLUSTERED,
        "overlaid": XL_CHART_TYPE.BAR_CLUSTERED,
        "stacked": XL_CHART_TYPE.BAR_STACKED,
        "points": XL_CHART_TYPE.LINE_MARKERS,
        "lines": XL_CHART_TYPE.XY_SCATTER_LINES,
    }
    shape = page.shapes.add_chart(kinds[plot.kind], *map(Inches, box), _data(plot, small=size < _SMALL))
    describe(shape, alt)
    _style(shape.chart, plot, size)


def describe(shape: Any, alt: str) -> None:
    """Give a shape its alternative text."""
    properties = shape._element.xpath(".//p:cNvPr")[0]  # python-pptx has no interface for it
    properties.set("descr", plain(alt))


def _data(plot: Plot, *, small: bool) -> Any:
    from pptx.chart.data import CategoryChartData, XyChartData

    if plot.kind == "lines":
        points = XyChartData(number_format=plot.form)
        for line in plot.lines:
            series = points.add_series(plain(line.name, _LONGEST))
            for x, y in zip(line.xs, line.values, strict=True):
                series.add_data_point(x, y)
        return points
    data = CategoryChartData(number_format=plot.form)
    data.categories = [_xml(plot, category, small) for category in plot.categories]
    for line in plot.lines:
        data.add_series(plain(line.name, _LONGEST), line.values)
    return data


def _xml(plot: Plot, text: str, small: bool) -> str:
    """Return a category without what XML can't hold: on two lines, or on one where many lie below each other."""
    lines = [plain(line) for line in text.split("\n")]
    many = (small or len(plot.categories) > _MANY) and plot.kind != "points"
    return (" · " if many else "\n").join(lines)


def _style(chart: Any, plot: Plot, size: int) -> None:
    from pptx.dml.color import RGBColor
    from pptx.enum.chart import XL_LEGEND_POSITION
    from pptx.util import Pt

    chart.has_title = False
    chart.has_legend = plot.legend
    chart.font.size = Pt(size)
    chart.font.color.rgb = RGBColor.from_string(INK)
    if plot.legend:
        many = len(plot.lines) > _MANY_SERIES
        chart.legend.position = XL_LEGEND_POSITION.RIGHT if many else XL_LEGEND_POSITION.BOTTOM
        chart.legend.include_in_layout = False
        chart.legend.font.size = Pt(size - 2)
    _axes(chart, plot)
    area = chart.plots[0]
    if plot.kind in ("bars", "overlaid", "stacked"):
        area.gap_width = 60
        if plot.kind != "bars":
            area.overlap = 100
    for series, line in zip(area.series, plot.lines, strict=True):
        _paint(series, plot, line)
        _error_bars(series, plot, line)


def _axes(chart: Any, plot: Plot) -> None:
    from pptx.dml.color import RGBColor
    from pptx.enum.chart import XL_AXIS_CROSSES, XL_TICK_LABEL_POSITION

    values, across = chart.value_axis, chart.category_axis
    values.has_title = True
    values.axis_title.text_frame.text = plain(plot.title)
    values.major_gridlines.format.line.color.rgb = RGBColor.from_string(_GRID)
    values.tick_labels.number_format_is_linked = False
    values.tick_labels.number_format = plot.form
    if plot.title_x:
        across.has_title = True
        across.axis_title.text_frame.text = plain(plot.title_x)
    across.has_major_gridlines = False
    if plot.log:
        _logarithmic(values)
        # the other axis stands at the lower end, and not at 1, which may be above all points
        across.crosses = values.crosses = XL_AXIS_CROSSES.MINIMUM
    if plot.log_x:
        _logarithmic(across)
        across.crosses = XL_AXIS_CROSSES.MINIMUM
    if plot.ends is not None:
        values.minimum_scale, values.maximum_scale = plot.ends
    below = any(value is not None and value < 0 for line in plot.lines for value in line.values)
    if below:
        # names stand at the edge, where no bar is
        across.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    elif not plot.log:
        values.minimum_scale = 0
    if plot.kind != "lines":
        _every_name(across, upright=plot.kind == "points")
    if plot.kind in ("bars", "stacked", "overlaid"):
        across.reverse_order = True  # the first on top, and the scale below the last
        values.tick_label_position = XL_TICK_LABEL_POSITION.HIGH


def _every_name(axis: Any, *, upright: bool) -> None:
    """Let no name of a category be skipped, nor be turned."""
    from pptx.oxml.ns import qn

    element = axis._element
    skip = element.makeelement(qn("c:tickLblSkip"), {"val": "1"})
    before = next((child for child in element if child.tag in (qn("c:tickMarkSkip"), qn("c:noMultiLvlLbl"))), None)
    if before is None:
        element.append(skip)
    else:
        before.addprevious(skip)
    if upright:
        axis.tick_labels.font.size = axis.tick_labels.font.size  # makes the element that says so
        element.find(qn("c:txPr")).find(qn("a:bodyPr")).set("rot", "0")


def _logarithmic(axis: Any) -> None:
    from pptx.oxml.ns import qn

    scaling = axis._element.find(qn("c:scaling"))  # python-pptx has no interface for the scale's kind
    scaling.insert(0, scaling.makeelement(qn("c:logBase"), {"val": "10"}))


def _paint(series: Any, plot: Plot, line: Line) -> None:
    from pptx.enum.chart import XL_MARKER_STYLE

    if plot.kind in ("points", "lines"):
        series.smooth = False
        series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 16 if plot.kind == "points" else 9
        _fill(series.marker.format, line.fills[0])
        if plot.kind == "points":
            series.format.line.fill.background()
        else:
            series.format.line.color.rgb = _colour(line.fills[0])
            return
    else:
        series.invert_if_negative = False
        _fill(series.format, line.fills[-1])
        if len(set(line.fills)) == 1:
            return
    for number, fill in enumerate(line.fills):
        point = series.points[number]
        if plot.kind == "points":  # a point's own marker has nothing of that of its series
            point.marker.style, point.marker.size = series.marker.style, series.marker.size
        _fill(point.marker.format if plot.kind == "points" else point.format, fill)


def _fill(shown: Any, fill: str) -> None:
    shown.fill.solid()
    shown.fill.fore_color.rgb = _colour(fill)


def _colour(fill: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(fill.lstrip("#"))


def _error_bars(series: Any, plot: Plot, line: Line) -> None:
    """Add the intervals as error bars with values of their own (ECMA-376, part 1, 21.2.2.55)."""
    from lxml import etree
    from pptx.oxml.ns import qn

    known = [
        (value, low, high)
        for value, low, high in zip(line.values, line.low, line.high, strict=False)
        if value is not None and low is not None and high is not None
    ]
    if len(known) < len(line.values):
        return
    up, down = [high - value for value, _, high in known], [value - low for value, low, _ in known]
    if not any((*up, *down)):
        return
    element = series._element
    errors = etree.SubElement(element, qn("c:errBars"))
    if plot.kind in ("points", "lines"):
        errors.append(errors.makeelement(qn("c:errDir"), {"val": "y"}))
    errors.append(errors.makeelement(qn("c:errBarType"), {"val": "both"}))
    errors.append(errors.makeelement(qn("c:errValType"), {"val": "cust"}))
    errors.append(errors.makeelement(qn("c:noEndCap"), {"val": "0"}))
    for tag, values in (("c:plus", up), ("c:minus", down)):
        _numbers(etree.SubElement(errors, qn(tag)), values)
    # The schema has them before the categories and values.
    element.remove(errors)
    before = element.find(qn("c:xVal" if plot.kind == "lines" else "c:cat"))
    element.insert(list(element).index(before), errors)


def _numbers(parent: Any, values: Sequence[float]) -> None:
    from lxml import etree
    from pptx.oxml.ns import qn

    numbers = etree.SubElement(parent, qn("c:numLit"))
    etree.SubElement(numbers, qn("c:formatCode")).text = "General"
    etree.SubElement(numbers, qn("c:ptCount")).set("val", str(len(values)))
    for number, value in enumerate(values):
        point = etree.SubElement(numbers, qn("c:pt"))
        point.set("idx", str(number))
        etree.SubElement(point, qn("c:v")).text = repr(value)
