"""An application, whatever kind of file describes it: a scenario or a compose file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from vsim.calibration.catalogue import load_compose
from vsim.calibration.profile import Profile
from vsim.errors import InputError
from vsim.scenario import load_scenario, presets
from vsim.scenario.scenario import Scenario

__all__ = ["load_app"]

# A line of a file in one of vsim's own formats. A compose file may not have this key.
_OWN = re.compile(r"""^["']?schema["']?\s*:\s*["']?vsim\.""", re.MULTILINE)
# Files that are read as a scenario or a compose file aren't larger than this.
_MOST_READ = 2**20


def load_app(
    source: str | Path,
    *,
    profile: Profile | None = None,
    environment: Mapping[str, str] | None = None,
    compose_profiles: Collection[str] = (),
) -> Scenario:
    """Return the scenario of a preset, of a scenario file, or of a compose file (or the folder that it is in).

    A file with a `schema` of vsim's own is a scenario, any other a compose file. Raises InputError, with file, line and
    column, for the first thing that can't be used, and for `compose_profiles` of a scenario.
    """
    if not _is_scenario(source):
        return load_compose(source, profile=profile, environment=environment, compose_profiles=compose_profiles)
    if compose_profiles:
        raise InputError("a scenario has no services that are active by profile", hint="leave --compose-profile out")
    return load_scenario(source)


def _is_scenario(source: str | Path) -> bool:
    path = Path(source)
    if str(source) in presets() or (not path.exists() and not path.suffix):
        return True
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return _OWN.search(file.read(_MOST_READ)) is not None
