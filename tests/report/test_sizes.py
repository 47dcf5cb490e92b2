"""Figures with one architecture and with eight, with many instances, extreme values and hostile names."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.conftest import IMAGES, PULLS, validated
from tests.report.test_figures import HOSTILE, faults
from vsim.report.figures import FIGURES
from vsim.report.inputs import Document, Inputs, Simulated, read_inputs
from vsim.report.rendering import drawn
from vsim.report.styles import STYLES
from vsim.samples.result import ArchitectureResult, Estimate

EIGHT = (
    "bare-metal@tower-server",
    "bare-metal@blade",
    "vm@rack-server",
    "container@rack-server",
    "sandboxed-container@blade",
    "microvm@rack-server",
    "container-in-vm@blade",
    "container@raspberry-pi-4",
)
SCENARIO = """\
schema: vsim.scenario/1
title: Of a size
architectures: [ARCHITECTURES]
services:
  web:
    replicas: REPLICAS
    image: 50 MB
    memory: 300 MiB
    cpu: 0.05 cores
    startup: {cpu: 100 ms, read: 1 MB}
    request: {user: 20 ms, send: 10 kB}
    arrivals: {kind: poisson, rate: 10/s}
    slo: 50 ms
    needs: 1
fleet: {isolation: namespace}
run: {duration: 2 s, warmup: 0.5 s, replications: 2}
reliability: {years: 2}
"""
SWEEP = "sweep: {parameters: {services.web.arrivals.rate: [5/s, 20/s]}}\n"


def read(folder: Path, name: str, architectures: tuple[str, ...], replicas: int = 3, rest: str = SWEEP) -> Inputs:
    text = SCENARIO.replace("ARCHITECTURES", ", ".join(architectures)).replace("REPLICAS", str(replicas))
    (folder / f"{name}.yaml").write_text(text + rest, encoding="utf-8")
    (folder / "images.yaml").write_text(IMAGES, encoding="utf-8")
    (folder / "pulls.json").write_text(json.dumps(PULLS), encoding="utf-8")
    return read_inputs([f"{name}.yaml", "images.yaml", "pulls.json"], root=folder)


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return read(tmp_path_factory.mktemp("eight"), "eight", EIGHT)


def changed(one: Simulated, change: Callable[[int, Estimate], Estimate]) -> Simulated:
    """Return a result with other values: by the architecture's number and the value that it has."""
    architectures = tuple(
        ArchitectureResult(each.name, {metric: change(number, value) for metric, value in each.metrics.items()})
        for number, each in enumerate(one.result.architectures)
    )
    return dataclasses.replace(one, result=dataclasses.replace(one.result, architectures=architectures))


def times(factor: float, value: Estimate) -> Estimate:
    ends = (None if end is None else end * factor for end in (value.low, value.high))
    return dataclasses.replace(value, value=value.value * factor, **dict(zip(("low", "high"), ends, strict=True)))


def bad(inputs: Inputs, *styles: str) -> list[str]:
    """Return what is wrong with the texts of all figures that can be drawn; there are some."""
    found, count = [], 0
    for name, figure in FIGURES.items():
        if figure.lacking(inputs) is None:
            own = figure.narrowed(inputs)
            for style in styles:
                with drawn(figure, own, STYLES[style]) as done:
                    found += [f"{name}, {style}: {fault}" for fault in faults(done.figure, STYLES[style])]
            count += 1
    assert count > 1
    return found


def test_one_architecture(tmp_path: Path) -> None:
    assert bad(read(tmp_path, "one", ("container@rack-server",)), "slide") == []


def test_eight_architectures(eight: Inputs) -> None:
    assert bad(eight, "slide", "paper") == []


def test_many_instances_are_squares(tmp_path: Path) -> None:
    many = read(tmp_path, "many", ("bare-metal@blade", "container@rack-server"), 1000, "")
    assert bad(many, "slide") == []
    assert "A square is 10 instances" in FIGURES["failure"].caption(many)


@pytest.mark.parametrize("factors", [(1e7, 1e-5), (0.0, 0.0)], ids=["extreme", "zero"])
def test_extreme_values(eight: Inputs, factors: tuple[float, float]) -> None:
    def change(number: int, value: Estimate) -> Estimate:
        return times(factors[number] if number < 2 else 1.0 if any(factors) else 0.0, value)

    assert bad(Inputs(tuple(changed(one, change) for one in eight.simulated)), "slide") == []


def test_hostile_and_extreme_documents(eight: Inputs, tmp_path: Path) -> None:
    rows = [
        dataclasses.replace(
            row,
            driver=HOSTILE + row.driver,
            machine=HOSTILE,
            at=HOSTILE,
            metric="a" * 200 if number % 2 else row.metric,
            error=(-1.0, 1e6, 0.0)[number % 3],
            predicted=dataclasses.replace(
                row.predicted, value=(0.0, row.measured.value * 1e6, row.measured.value)[number % 3]
            ),
        )
        for number, row in enumerate(validated().rows)
    ]
    validation = dataclasses.replace(validated(), profile=HOSTILE, rows=tuple(rows))
    pulls = {**PULLS, "cpu": HOSTILE, "engine": HOSTILE, "warm_s": [0.0]}
    pulls["pulls"] = {**PULLS["pulls"], "large": [{"seconds": 1e6}, {"seconds": 1e-7}]}
    # an image of nearly a terabyte, and layers of nothing
    images = IMAGES.replace("name: two", f"name: {json.dumps(HOSTILE)}")
    images = images.replace("compressed_bytes: 60000000", "compressed_bytes: 900000000000")
    images = images.replace("compressed_bytes: 40000000", "compressed_bytes: 0")
    (tmp_path / "images.yaml").write_text(images, encoding="utf-8")
    for name, content in (("pulls", pulls), ("validation", validation.to_dict())):
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    files = ["images.yaml", "pulls.json", "validation.json"]
    documents: tuple[Document, ...] = read_inputs(files, root=tmp_path).documents
    assert bad(Inputs(eight.simulated, (), documents), "slide") == []
