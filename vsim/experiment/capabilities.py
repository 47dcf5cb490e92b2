"""Whether an architecture offers what a service requires, and if not, which ones do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vsim.errors import InputError
from vsim.model.stack import Architecture
from vsim.scenario.scenario import Scenario
from vsim.scenario.validation import listed
from vsim.scenario.written import place_of

if TYPE_CHECKING:
    from vsim.calibration import Profile

__all__ = ["check_capabilities"]


def check_capabilities(scenario: Scenario, architectures: Sequence[Architecture], profile: Profile) -> None:
    """Raise InputError for the first service that requires what one of `architectures` doesn't offer.

    The hint names those of the profile that do, on the same machine if there are any.
    """
    for service in scenario.workload.services:
        for architecture in architectures:
            lacking = sorted(service.requires - offered(architecture))
            if not lacking:
                continue
            what = listed(lacking, "and")
            raise InputError(
                f"the service {service.name!r} requires {what}, which {architecture.name} doesn't offer",
                place=next((place for name in (*lacking, service.name) if (place := place_of(name)) is not None), None),
                hint=_hint(service.requires, architecture, profile),
            )


def offered(architecture: Architecture) -> frozenset[str]:
    """Return what instances on `architecture` can have: what the stack passes on and what the machine itself has."""
    return architecture.capabilities | architecture.machine.offers


def _hint(required: frozenset[str], lacking: Architecture, profile: Profile) -> str:
    able = [name for name in profile.architectures() if required <= offered(profile.architecture(name))]
    here = [name for name in able if name.endswith(f"@{lacking.machine.name}")]
    if here:
        return f"on this machine {listed(here, 'and')} can"
    machines = list(dict.fromkeys(name.partition("@")[2] for name in able))
    if machines:
        return f"machines that can are {listed(machines, 'and')}"
    return f"no architecture of the profile offers {listed(sorted(required), 'and')}"
