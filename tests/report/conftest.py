"""What the figures are tested with: samples made by hand, and a small comparison that is simulated once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.command import SMALL
from tests.experiment.sets import run, samples, starts, value
from vsim.experiment.rehearsal import Ran, Validation
from vsim.experiment.validation import compare
from vsim.report.inputs import Inputs, read_inputs
from vsim.samples.records import Record, Sample, to_line

# driver → stack, median start-up of one start in seconds, flags
RUNGS = {
    "process": ("bare-metal", 0.0005, ()),
    "runc": ("container", 0.04, ()),
    "docker": ("container", 0.2, ()),
    "gvisor": ("sandboxed-container", 0.21, ()),
    "qemu-tcg": ("vm", 2.0, ("emulated",)),
}
LEVELS = (1, 2, 4)
FILES = ("small.yaml", "sweep.yaml", "samples.jsonl", "images.yaml", "pulls.json", "validation.json")


# A sweep, on a Raspberry Pi as well; nothing else in it matters.
SWEEP = """\
schema: vsim.scenario/1
title: A small sweep
architectures: [container@rack-server, container@raspberry-pi-4, vm@rack-server]
services:
  web:
    replicas: 1
    image: 50 MB
    memory: 300 MiB
    cpu_limit: 1 cores
    request: {user: 20 ms, send: 10 kB}
    arrivals: {kind: poisson, rate: 10/s}
    slo: 50 ms
run: {duration: 2 s, warmup: 0.5 s, replications: 2}
sweep: {parameters: {services.web.arrivals.rate: [5/s, 20/s, 30/s]}}
"""


# Two images that begin with the same layer, and pulls of one that took so long.
IMAGES = """\
schema: vsim.images/1
images:
  - name: one
    layers:
      - {digest: base, compressed_bytes: 60000000, uncompressed_bytes: 150000000}
      - {digest: one, compressed_bytes: 40000000, uncompressed_bytes: 90000000}
  - name: two
    layers:
      - {digest: base, compressed_bytes: 60000000, uncompressed_bytes: 150000000}
      - {digest: two, compressed_bytes: 4000000, uncompressed_bytes: 9000000}
"""
PULLS: dict[str, Any] = {
    "run": "pulls-1",
    "date": "2026-01-01",
    "cpu": "CPU of a test",
    "cores": 2,
    "engine": "20.10.24+dfsg1",
    "images": {"large": [[20_000_000, 50_000_000, 100]], "small": [[1_000, 3_000, 2]]},
    "pulls": {"large": [{"seconds": s} for s in (0.5, 0.9, 0.6)], "small": [{"seconds": s} for s in (0.11, 0.1, 0.12)]},
    "warm_s": [0.010, 0.012, 0.011],
    # a layer: 50 ms, and 8 ns for each of its bytes
    "fitted": {"manifest_wait_s": 0.01, "unpack_core_s": 0.05, "unpack_core_s_per_byte": 8e-9},
}


def validated() -> Validation:
    """Return a validation of four drivers, predicted as measured, 5 % and 50 % longer, and 30 % shorter."""
    rng = np.random.default_rng(1)
    drivers = {"process": (0.001, 1.0), "runc": (0.05, 1.05), "docker": (0.3, 0.7), "docker-runsc": (0.31, 1.5)}
    sides = []
    for predicted in (False, True):
        parts = [
            starts(
                (scale * (factor if predicted else 1) * rng.lognormal(sigma=0.1, size=(6, 8))).tolist(), driver=driver
            )
            for driver, (scale, factor) in drivers.items()
        ]
        rates = [value("starts_per_s", n, unit="1/s", block=i) for i, n in enumerate((9.0, 10.0, 11.0))]
        sides.append(samples(*parts, rates, runs=[run()]))
    ran = Ran("r", "real", "2026-01-01T10:00:00Z", 7, {"cpu_model": "CPU of a test", "cpu_cores": 2})
    return Validation("toys", tuple(compare(*sides)), runs=(ran,))


def measured(run_id: str = "r") -> list[Sample]:
    """Return starts of each rung, one and several at a time: n at once take n times as long."""
    rng = np.random.default_rng(1)
    found = []
    for driver, (stack, median, flags) in RUNGS.items():
        for level in LEVELS:
            blocks = median * level * rng.lognormal(sigma=0.1, size=(4, 8))
            found += starts(blocks.tolist(), driver=driver, stack=stack, concurrency=level, flags=flags, run_id=run_id)
    return found


def write_samples(path: Path, samples: list[Sample], **environment: Any) -> Path:
    """Write a run and its samples to a file."""
    first = run(blocks=4, cpu_model="CPU of a test", cpu_cores=2, vsim_version="0.1.0", **environment)
    records: list[Record] = [first, *samples]
    path.write_text("".join(f"{to_line(record)}\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two scenarios, samples, and a document of each kind."""
    path = tmp_path_factory.mktemp("report")
    write_samples(path / "samples.jsonl", measured())
    (path / "small.yaml").write_text(SMALL, encoding="utf-8")
    (path / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    (path / "images.yaml").write_text(IMAGES, encoding="utf-8")
    (path / "pulls.json").write_text(json.dumps(PULLS), encoding="utf-8")
    (path / "validation.json").write_text(json.dumps(validated().to_dict()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def inputs(folder: Path) -> Inputs:
    """The comparisons, the samples and the documents, read once."""
    return read_inputs([*FILES], root=folder)
