"""What the user writes: scenarios, job lists and traces, turned into validated objects.

Importing this package is cheap: YAML and pydantic load when a scenario is read.
"""

from __future__ import annotations

from pathlib import Path

from vsim.scenario.scenario import Scenario

__all__ = ["Scenario", "load_scenario", "presets"]


def load_scenario(source: str | Path, *, trace: str | Path | None = None) -> Scenario:
    """Return the scenario of the preset named `source`, or of the YAML file at the path `source`.

    `trace`, a file or a folder of files, takes the place of the recorded demands that the scenario states. Raises
    InputError, with file, line and column, for the first thing that can't be used.
    """
    from vsim.scenario.loading import load

    return load(source, trace)


def presets() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the package, in alphabetical order."""
    from vsim.scenario.loading import preset_names

    return preset_names()
