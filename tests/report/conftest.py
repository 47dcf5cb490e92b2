"""What the figures are tested with: samples made by hand, and a small comparison that is simulated once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.command import SMALL
from tests.experiment.sets import run, starts
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
    """A folder with the files `samples.jsonl`, `small.yaml` and `sweep.yaml`."""
    path = tmp_path_factory.mktemp("report")
    write_samples(path / "samples.jsonl", measured())
    (path / "small.yaml").write_text(SMALL, encoding="utf-8")
    (path / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def inputs(folder: Path) -> Inputs:
    """The comparisons and the samples, read once."""
    return read_inputs(["small.yaml", "sweep.yaml", "samples.jsonl"], root=folder)
