"""The table for people: laid out by hand here, in 80 columns and in fewer."""

from __future__ import annotations

import dataclasses
import itertools
import re

import click
import pytest

from tests.samples.results import RESULT
from vsim.cli._table import hinges, markdown, text
from vsim.model.quantity import Source
from vsim.samples.metrics import METRICS, unit_of
from vsim.samples.result import (
    ArchitectureResult,
    Estimate,
    Parameter,
    Result,
    Sensitivity,
    SweepPoint,
    SweepResult,
)

PLAIN = dataclasses.replace(RESULT, sensitivity=None, precision=None, sweep=None, differences=())


def plain(result: Result, width: int = 80) -> list[str]:
    return click.unstyle(text(result, width)).splitlines()


def architectures(*names: str, **metrics: float) -> tuple[ArchitectureResult, ...]:
    estimates = {name: Estimate(value, value, value, unit_of(name, "USD")) for name, value in metrics.items()}
    return tuple(ArchitectureResult(name, estimates) for name in names)


def test_the_whole_of_a_small_result():
    assert plain(PLAIN) == [
        "Größe, „quoted“",
        "",
        "                       vm  container",
        "                  @laptop    @laptop",
        "hosts                   3          2",
        "start-up p95    300±50 ms          –",
        "cost per month     €12.50          –",
        "",
        "• No difference is larger than its interval: more replications would tell more.",
        "",
        "seed 7 · 2 replications, ± 95 % · profile builtin",
        "2 parameters: 1 measured, 0 published, 0 derived, 1 assumed (vsim explain)",
    ]


def test_the_footer_says_how_many_of_the_parameters_that_matter_were_measured_and_where():
    source = Source("measured", run="r1", host="Box 1 on loan", date="2026-03-02 to 2026-03-04", n=8)
    parameters = (
        Parameter("docker.startup.create.wait_s", 1.0, 0.9, 1.1, "s", "measured", str(source)),
        Parameter("laptop.cores", 6.0, 6.0, 6.0, "cores", "measured", str(dataclasses.replace(source, host="Box 2"))),
        Parameter("vmm.memory.unit_bytes", 3e6, 2e6, 5e6, "bytes", "published", "published: a paper"),
        Parameter("site.energy_price", 0.3, 0.1, 0.5, "USD/kWh", "assumed", "assumed: because"),
    )
    matter = ("docker.startup.create.wait_s", "site.energy_price")
    sensitivity = Sensitivity("screening", ("hosts",), 1, 3, 3, (), matter=matter)
    lines = plain(dataclasses.replace(PLAIN, parameters=parameters, sensitivity=sensitivity), width=200)
    assert lines[-2:] == [
        "4 parameters: 2 measured (1 on Box 1 on loan, 1 on Box 2), 1 published, 0 derived, 1 assumed (vsim explain)",
        "2 that matter (10 % of one is 0.5 % of a result, or more): "
        "1 measured on Box 1 on loan, 0 published, 0 derived, 1 assumed",
    ]


def test_columns_that_do_not_fit_go_to_another_block():
    names = [f"container-in-vm@raspberry-pi-{n}" for n in range(8)]
    lines = plain(dataclasses.replace(PLAIN, architectures=architectures(*names, hosts=1234567, energy_wh=5e9)))
    assert max(map(len, lines)) <= 80
    assert sum(line.count("1,234,567") for line in lines) == 8
    # long names are broken at their hyphens, each column's label is repeated
    assert lines[2].split() == ["container-"] * 5
    assert lines[3].split() == ["in-vm"] * 5
    assert lines[4].split() == ["@raspberry-"] * 5
    assert sum(line.startswith("hosts") for line in lines) == 2


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
def test_every_line_is_as_long_as_the_width_allows_at_most(width: int):
    lines = plain(RESULT, width)
    # one column and its label always stand beside each other; a word is never cut
    assert [line for line in lines if len(line) > width and " " in line.strip("• ")] == []


def test_the_best_value_of_a_row_is_green():
    lines = text(PLAIN, 80).splitlines()
    hosts = next(line for line in lines if line.startswith("hosts"))
    assert re.findall(r"\x1b\[32m *(\S+)\x1b", hosts) == ["2"]
    # what only one has is no contest
    assert "\x1b[32m" not in next(line for line in lines if line.startswith("start-up"))


def test_numbers_and_units_are_not_torn_apart():
    long = dataclasses.replace(RESULT.differences[0], metric="startup_p95_s", value=-0.2, low=-0.25, high=-0.15)
    vm, container = RESULT.architectures
    both = dataclasses.replace(container, metrics=vm.metrics)
    result = dataclasses.replace(PLAIN, architectures=(vm, both), differences=(long,))
    for width in range(40, 100):
        lines = plain(result, width)
        assert not any(
            re.search(r"\d$", line) and re.match(r" *(%|ms)", after) for line, after in itertools.pairwise(lines)
        )
        # in the end they are plain spaces, which can be searched for
        assert "\N{NO-BREAK SPACE}" not in "".join(lines)


def test_a_sweep_is_one_table_a_metric_with_a_row_a_point():
    points = tuple(
        SweepPoint({"services.web.replicas": n, "fleet.placement": "spread"}, 2, architectures("vm@laptop", hosts=n))
        for n in (1, 20)
    )
    sweep = SweepResult(("services.web.replicas", "fleet.placement"), points)
    lines = plain(dataclasses.replace(PLAIN, sweep=sweep))
    at = lines.index("hosts")
    assert lines[at : at + 5] == [
        "hosts",
        "                          vm",
        "replicas, placement  @laptop",
        "1, spread                  1",
        "20, spread                20",
    ]


def test_swept_values_are_said_in_their_unit_and_architectures_are_columns():
    def point(names: str, size: float, wait: float, hosts: float) -> SweepPoint:
        values = {"architectures": names.split(), "services.web.memory_bytes": size, "host-os.startup.wait_s": wait}
        return SweepPoint(values, 2, architectures(*names.split(), hosts=hosts))

    points = (
        point("vm@laptop", 2.0**29, 0.05, 1),
        point("vm@laptop", 3 * 2.0**30, 90, 3),
        point("vm@laptop container@laptop", 2.0**29, 0.05, 1),
    )
    sweep = SweepResult(("architectures", "services.web.memory_bytes", "host-os.startup.wait_s"), points)
    lines = plain(dataclasses.replace(PLAIN, sweep=sweep))
    at = lines.index("hosts")
    assert lines[at + 1 : at + 5] == [
        "                     vm  container",
        "memory, wait    @laptop    @laptop",
        "512 MiB, 50 ms        1          1",
        "3 GiB, 90 s           3          –",
    ]


def test_what_the_answer_hangs_on_is_said_with_both_ends():
    title, *lines = hinges(RESULT)
    assert title.endswith(" (the 4 most uncertain of 5; --sensitivity tries all):")
    assert lines == [
        "hosts: vmm.cpu, 0 to 1 (container@laptop)",
        "vm@laptop can't carry the workload at vmm.memory = 2.79 GiB",
    ]
    assert hinges(PLAIN) == []


def test_a_precision_that_was_not_reached_is_said():
    lines = plain(RESULT)
    assert "seed 7 · 2 replications (auto), ± 95 % · profile builtin" in lines
    assert "The precision of ±5% was not reached everywhere" in lines
    one = dataclasses.replace(PLAIN, replications=1)
    assert "seed 7 · 1 replication · profile builtin" in plain(one)


def test_markdown_is_a_table_that_renders():
    lines = markdown(PLAIN).splitlines()
    assert lines[0] == "## Größe, „quoted“"
    assert lines[2:5] == ["|  | vm@laptop | container@laptop |", "| --- | ---: | ---: |", "| hosts | 3 | 2 |"]
    assert all(line.count("|") == 4 for line in lines if line.startswith("|"))


def test_every_metric_has_a_row_of_its_own():
    every = dict.fromkeys(METRICS, 0.5)
    lines = plain(dataclasses.replace(PLAIN, architectures=architectures("vm@laptop", **every)))
    for metric in METRICS.values():
        assert sum(line.startswith(metric.title + " ") for line in lines) == 1
