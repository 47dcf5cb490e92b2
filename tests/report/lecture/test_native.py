"""Figures as native charts: their numbers are those of the figure's table, worked out by hand."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.report.results import HOSTILE
from vsim.report.lecture.native import plots_of
from vsim.report.palette import colour

VM, CONTAINER = "vm@rack-server", "container@rack-server"


def test_the_limit_that_counts_stands_out_and_one_far_away_is_not_drawn() -> None:
    rows = [[VM, "memory", 96.0], [VM, "cores", 195.0], [CONTAINER, "memory", 167.0], [CONTAINER, "layer", 1023.0]]
    (plot,) = plots_of("density", ("architecture", "limit", "instances_per_machine"), rows, {VM: "virtual machines"})
    assert plot.categories == ("virtual machines\n96 by memory", "container\n167 by memory")
    assert [line.name for line in plot.lines] == ["by memory", "by cores"], "1023 is more than four times 167"
    memory, cores = plot.lines
    assert memory.values == (96.0, 167.0)
    assert memory.fills == (colour("hypervisor"), colour("container-engine"))
    assert cores.values == (195.0, None)
    assert cores.fills[0] not in memory.fills


def test_layers_end_to_end_are_the_sum_and_the_simulated_total_is_none_of_them() -> None:
    rows = [
        [CONTAINER, "host-os", 0.005],
        [CONTAINER, "container-engine", 0.1],
        [CONTAINER, "simulated, all layers", 0.104],
        [VM, "hypervisor", 0.32],
        [VM, "guest-os", 0.0],
    ]
    (plot,) = plots_of("overhead", ("architecture", "layer", "added_fraction"), rows, {})
    assert plot.kind == "stacked"
    assert {line.name: line.values for line in plot.lines} == {
        "host-os": (0.005, None),
        "container-engine": (0.1, None),
        "hypervisor": (None, 0.32),
    }
    assert plot.categories[1] == "vm\n+32 %"


def test_each_measure_has_a_chart_in_its_own_unit_with_its_interval() -> None:
    header = ("architecture", "metric", "value", "low", "high", "unit")
    rows = [
        [VM, "startup_p95_s", 0.25, 0.2, 0.3, "s"],
        [CONTAINER, "startup_p95_s", 0.05, None, None, "s"],
        [VM, "cost_per_month", 340.0, 339.0, 341.0, "USD/month"],
    ]
    startup, cost = plots_of("fleet", header, rows, {})
    assert startup.title == "start-up p95, ms"
    (line,) = startup.lines
    assert line.values == pytest.approx((250.0, 50.0))
    assert (line.low[0], line.high[0]) == pytest.approx((200.0, 300.0))
    assert line.low[1] is None
    assert cost.lines[0].values == (340.0,)
    assert cost.title.endswith("$")


def test_lines_are_over_their_own_numbers() -> None:
    header = ("architecture", "requests_per_s", "latency_p95_s", "low_s", "high_s")
    rows = [[VM, 10.0, 0.1, 0.09, 0.11], [VM, 20.0, 0.5, 0.4, 0.6], [CONTAINER, 10.0, 0.2, 0.1, 0.3]]
    (plot,) = plots_of("latency", header, rows, {})
    first, second = plot.lines
    assert (first.xs, second.xs) == ((10.0, 20.0), (10.0,))
    assert first.values == pytest.approx((100.0, 500.0)), "ms, as half a second is shown"
    assert first.high == pytest.approx((110.0, 600.0))


def test_a_time_that_spans_weeks_and_seconds_is_on_a_logarithmic_axis_from_decade_to_decade() -> None:
    header = ("what", "value_is", "value_s", "low_s", "high_s")
    rows = [["bare-metal@blade", "mean", 7.5e6, 6.2e6, 8.8e6], [CONTAINER, "mean", 2.8, 2.7, 2.9]]
    (plot,) = plots_of("provision", header, rows, {})
    assert plot.log
    assert plot.ends == pytest.approx((1.0, 1e7))
    assert plot.lines[0].values == (7.5e6, 2.8)
    assert plot.categories == ("bare-metal@blade\n12 weeks", "container@rack-server\n2.8 s")


def test_stages_of_a_layer_are_one_part_of_the_bar_and_layers_keep_their_order() -> None:
    header = ("architecture", "layer", "stage", "begin_s", "length_s")
    rows = [
        [CONTAINER, "container-engine", "create", 0.0, 0.15],
        [CONTAINER, "container-engine", "start", 0.15, 0.45],
        [CONTAINER, "process", "exec", 0.6, 0.4],
        [VM, "hypervisor", "create", 0.0, 1.0],
        [VM, "process", "exec", 1.0, 0.5],
    ]
    (plot,) = plots_of("timeline", header, rows, {})
    names = [line.name for line in plot.lines]
    assert names.index("process") == 2, "what runs last in both is drawn last"
    by_name = {line.name: line.values for line in plot.lines}
    assert by_name["container-engine"] == (pytest.approx(0.6), None)
    assert by_name["process"] == pytest.approx((0.4, 0.5))
    assert plot.categories == ("container\n1 s", "vm\n1.5 s")


def test_what_there_is_once_on_a_machine_is_on_the_other_side_of_the_line() -> None:
    mebibyte = 2.0**20
    header = ("architecture", "layer", "once_per", "bytes")
    rows = [
        [VM, "hypervisor", "machine", 400 * mebibyte],
        [VM, "hypervisor", "instance", 100 * mebibyte],
        [VM, "guest-os", "guest", 50 * mebibyte],
        [VM, "application", "instance", 700 * mebibyte],
        [CONTAINER, "host-os", "machine", 300 * mebibyte],
        [CONTAINER, "application", "instance", 700 * mebibyte],
    ]
    (plot,) = plots_of("stacks", header, rows, {})
    assert plot.title.startswith("memory, MiB")
    assert {line.name: line.values for line in plot.lines} == {
        "hypervisor, machine": (-400.0, None),
        "hypervisor": (100.0, None),
        "guest-os": (50.0, None),
        "host-os": (None, -300.0),
        "application": (700.0, 700.0),
    }


def test_a_tornado_is_the_change_from_the_value() -> None:
    header = ("parameter", "source", "metric", "architecture", "low", "high", "at_low", "at_high", "value", "swing")
    rows = [["price", "assumed", "cost_per_month", VM, 1.0, 2.0, 188.0, 708.0, 333.0, 1.56]]
    (plot,) = plots_of("tornado", header, rows, {VM: "virtual machines"})
    assert [line.values for line in plot.lines] == [(188.0 - 333.0,), (708.0 - 333.0,)]
    assert plot.title == "change of cost per month of virtual machines from $333, $"
    assert plot.kind == "overlaid", "both begin at the value, also where both ends are on one side of it"


def test_concurrency_has_both_axes_logarithmic() -> None:
    header = ("rung", "stack", "at_once", "starts", "median_s", "low_s", "high_s", "p95_s")
    rows = [["docker", "container", 1, 64, 0.19, 0.17, 0.21, 0.3], ["docker", "container", 16, 64, 1.5, 1.4, 1.6, 2.0]]
    (plot,) = plots_of("concurrency", header, rows, {})
    assert (plot.log, plot.log_x) == (True, True)
    assert plot.lines[0].xs == (1.0, 16.0)
    assert plot.lines[0].values == (0.19, 1.5)


def test_pulls_are_points_by_what_is_there_already() -> None:
    header = ("kind", "machine", "image", "cached", "seconds", "low_s", "high_s")
    rows = [
        ["simulated", "rack-server", "app", "nothing there", 5.5, 3.0, 12.0],
        ["measured", "", "30 MB", "all there", 0.011, 0.01, 0.02],
    ]
    (plot,) = plots_of("pull", header, rows, {})
    assert plot.categories == ("rack-server: nothing there\n5.5 s",)
    assert plot.lines[0].values == (5.5,)
    assert plot.ends == pytest.approx((1.0, 100.0))


def test_a_figure_without_a_kind_of_chart_has_none() -> None:
    assert plots_of("ladder", ("rung",), [["docker"]], {}) == []


@pytest.mark.parametrize("kind", ["stacked", "lines"])
def test_a_name_in_a_native_chart_is_text_whatever_it_is(kind: str) -> None:
    pptx = pytest.importorskip("pptx")
    from vsim.report.lecture.powerpoint_charts import add_chart

    name = f"{HOSTILE} \x00\x0b\x1b שלום {'x' * 200}"
    if kind == "stacked":
        header = ("architecture", "layer", "added_fraction")
        (plot,) = plots_of("overhead", header, [[f"vm@{name}", name, 0.3]], {})
        plot = replace(plot, title=name)
    else:
        header = ("rung", "stack", "at_once", "median_s", "low_s", "high_s")
        (plot,) = plots_of("concurrency", header, [[name, "vm", 1, 0.3, 0.2, 0.4]], {})
    made = pptx.Presentation()
    page = made.slides.add_slide(made.slide_layouts[5])
    add_chart(page, plot, name, (1.0, 1.0, 8.0, 5.0), 18)
    target = io.BytesIO()
    made.save(target)
    (chart,) = [s.chart for s in pptx.Presentation(target).slides[0].shapes if s.has_chart]
    (series,) = chart.plots[0].series
    assert series.name.startswith("<script>alert(1)</script>")
    assert len(series.name) <= 60
    with zipfile.ZipFile(target) as archive:
        for part in archive.namelist():
            if part.endswith((".xml", ".rels")):
                ElementTree.fromstring(archive.read(part))
                assert b"<script" not in archive.read(part)
