"""Whether the incidents of a scenario name things that exist: known only where the profile is known."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from vsim.errors import InputError
from vsim.scenario.scenario import Scenario
from vsim.scenario.validation import listed
from vsim.scenario.written import place_of

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["check_incidents"]


def check_incidents(scenario: Scenario, profile: Profile) -> None:
    """Raise InputError when an incident names nothing that can fail in any architecture of the profile.

    That the scenario's own architectures lack it is no error: comparing those that have a chassis with those that
    don't is what an incident is for.
    """
    parts = [name for chassis in profile.chassis.values() for name in chassis.parts]
    layers = [name for name, layer in profile.layers.items() if layer.failure is not None]
    known = list(dict.fromkeys(("machine", "chassis", *parts, *layers)))
    for incident in scenario.incidents:
        if incident.what not in known:
            close = difflib.get_close_matches(incident.what, known, n=1)
            raise InputError(
                f"nothing that can fail is called {str(incident.what)!r}",
                place=place_of(incident.what),
                hint=f"did you mean {close[0]!r}?" if close else f"it is {listed(known)}",
            )
