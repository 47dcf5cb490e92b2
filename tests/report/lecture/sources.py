"""A lecture of a few slides, and results for it that were written down by hand."""

from __future__ import annotations

from pathlib import Path

from tests.report.results import parameter, result, swing
from vsim.report.inputs import InputFile, Inputs, Simulated
from vsim.report.lecture.expressions import Context
from vsim.report.lecture.source import Source, read_source
from vsim.samples.result import Result

__all__ = ["LECTURE", "context", "everything", "small", "source"]

LECTURE = """\
title: A short lecture
result ours: evolution
call vm@rack-server: virtual machines
call container@rack-server: containers

---
name: ask
kind: question
answer: machines
# How many?

???
Let them guess.

---
name: machines
# {{ finding ours hosts container@rack-server vm@rack-server }}

![](chart:ours/hosts)

- exactly {{ value ours hosts vm@rack-server }}

???
A caveat.

---
name: provision
# Provisioning

![](chart:ours/provision_s)
"""

METRICS = {
    "hosts": (4.0, 2.0),
    "rack_units": (8.0, 4.0),
    "instances_per_host": (10.0, 20.0),
    "memory_overhead_bytes": (300e6, 15e6),
    "cpu_overhead_fraction": (0.08, 0.03),
    "provision_s": (30.0, 0.5),
    "startup_p95_s": (9.0, 0.7),
    "latency_p95_s": (0.09, 0.08),
    "availability": (0.9995, 0.999),
    "blast_radius_instances": (10.0, 20.0),
    "energy_wh": (12.0, 7.0),
    "cost_per_month": (800.0, 450.0),
}


def small(title: str = "Ours", vm: str = "vm@rack-server") -> Result:
    """A result of two architectures with intervals of ±10 %."""
    return everything((vm, "container@rack-server"), title)


def everything(names: tuple[str, ...], title: str = "Ours") -> Result:
    """A result with every metric that slides speak of: the first two of `names` have those above."""
    return result(
        {
            name: {
                metric: (v, v * 0.9, min(v * 1.1, 1.0) if metric == "availability" else v * 1.1)
                for metric, pair in METRICS.items()
                for v in [pair[number] if number < 2 else pair[1] * number]
            }
            for number, name in enumerate(names)
        },
        title=title,
        differences=[
            (
                metric,
                names[1],
                names[0],
                pair[1] - pair[0],
                *sorted((0.9 * (pair[1] - pair[0]), 1.1 * (pair[1] - pair[0]))),
            )
            for metric, pair in METRICS.items()
        ],
        parameters=[
            parameter("hypervisor.memory.unit_bytes", 1e8, 5e7, 2e8, unit="bytes"),
            parameter("site.price", 0.2, 0.1, 0.3, kind="published"),
        ],
        swings=[
            swing("hypervisor.memory.unit_bytes", metric, names[0], pair[0], pair[0], pair[0] * 2)
            for metric, pair in METRICS.items()
        ],
    )


def source(folder: Path, text: str = LECTURE) -> Source:
    """Write the lecture to a file and read it."""
    file = folder / "short.md"
    file.write_text(text, encoding="utf-8")
    return read_source(file)


def context(folder: Path, text: str = LECTURE, one: Result | None = None) -> Context:
    """The lecture with its result, as if the result had been read from the folder `mine`."""
    simulated = Simulated(one or small(), InputFile("mine", "0" * 64, "result"))
    return Context(source(folder, text), {"ours": simulated}, Inputs((simulated,)))
