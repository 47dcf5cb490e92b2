"""Profiles as a calibration makes them: a machine named like the host, and stacks named like drivers. Round numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vsim.calibration import Profile, load_profile
from vsim.engine.plans import perform
from vsim.model.plan import Plan, Step
from vsim.samples.records import Sample, Samples

__all__ = ["MACHINE", "Tree", "m", "performed", "profile", "values", "written"]

MACHINE = "box"
GIB = 2**30

Tree = dict[str, Any]


def m(value: float, unit: str = "1", **more: object) -> Tree:
    """A measured quantity."""
    source = {"kind": "measured", "run": "r1", "host": MACHINE, "date": "2026-11-24", "n": 30}
    return {"value": value, "unit": unit, "source": source, **more}


def written(
    layers: Mapping[str, Tree] | None = None,
    stacks: Mapping[str, list[str]] | None = None,
    reference: Mapping[str, Tree] | None = None,
    machine: Tree | None = None,
) -> str:
    """The profile's file: two cores of speed 1, 8 GiB, nothing running in the background, and the rung `process`.

    `layers` are put on top of the host's and the process's; the stack `docker` has them all, unless `stacks` are given.
    """
    own: Tree = {"host": {"title": "Host"}, "process-rung": {"title": "Process", "boundary": "process"}}
    for name, layer in (layers or {}).items():
        own[name] = {"title": name, **own.get(name, {}), **layer}
    upper = [name for name in own if name not in ("host", "process-rung")]
    named = stacks or {"process": ["host", "process-rung"], "docker": ["host", *upper, "process-rung"]}
    tree = {
        "schema": "vsim.profile/1",
        "extends": "builtin",
        "reference": dict(reference or {}),
        "layers": own,
        "stacks": {name: {"title": name, "layers": parts} for name, parts in named.items()},
        "machines": {
            MACHINE: {
                "like": "laptop",
                "title": "Box",
                "cores": m(2, "cores"),
                "core_speed": m(1),
                "memory_bytes": m(8, "GiB"),
                **(machine or {}),
            }
        },
    }
    return json.dumps(tree, indent=1)  # JSON is YAML


def profile(folder: Path, *parts: Any, **more: Any) -> Profile:
    """The profile of :func:`written`."""
    path = folder / "profile.yaml"
    path.write_text(written(*parts, **more))
    return load_profile(path)


def performed(known: Profile, *steps: Step, drivers: tuple[str, ...] = ("docker",), **plan: Any) -> Samples:
    """The samples of a plan with these steps: one block without a warm-up unless `plan` says more."""
    fields = {"name": "test", "blocks": 1, "warmup_blocks": 0, **plan}
    return perform(Plan(steps=steps, **fields), known, drivers, MACHINE)


def values(samples: Samples, metric: str, **wanted: object) -> list[float]:
    """The values of a metric, in their order."""

    def fits(sample: Sample) -> bool:
        return sample.metric == metric and all(getattr(sample, name) == value for name, value in wanted.items())

    return [sample.value for sample in samples.samples if fits(sample)]
