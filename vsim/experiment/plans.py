"""Plans in simulated time: which rungs, on which machines, one run for each machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsim.engine.plans import execute, gathered
from vsim.errors import InputError
from vsim.samples.records import SampleWriter
from vsim.scenario.validation import listed

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.model.plan import Plan
    from vsim.samples.records import Record, Samples

__all__ = ["chosen", "simulate_plan"]


def chosen(profile: Profile, drivers: Sequence[str] = (), on: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return the rungs by machine: `drivers` on the machine that the profile was measured on, and what `on` names.

    Without either, all stacks that the profile has beside the built-in ones. A machine is taken for the one that was
    measured if it is the only one that isn't built in. Raises InputError where there is none or more than one, and for
    names that the profile doesn't have or that don't go together.
    """
    found: dict[str, list[str]] = {}
    if drivers or not on:
        machine = _measured_machine(profile)
        own = drivers or [name for name in _own(profile, "stacks") if not _misfit(profile, name, machine)]
        if not own:
            raise InputError(
                f"the profile {profile.name} has no stack beside the built-in ones",
                hint="name those to simulate: --on container@rack-server",
            )
        found[machine] = list(dict.fromkeys(own))
    for name in on:
        driver, _, machine = name.partition("@")
        if driver not in found.setdefault(machine, []):
            found[machine].append(driver)
    for machine, names in found.items():
        for driver in names:
            profile.architecture(f"{driver}@{machine}" if machine else driver)
    return found


def simulate_plan(
    plan: Plan,
    profile: Profile,
    rungs: dict[str, list[str]],
    *,
    out: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Samples:
    """Carry `plan` out with the `rungs` of :func:`chosen` and return the samples, one run for each machine.

    They are also written to the new file `out`; if that fails or is interrupted, no file is left. Samples call the
    stack of a rung that is named like a driver of the harness what that driver calls it.

    Raises InputError as :func:`chosen`, and for an `out` that is there already; HostError when it can't be written.
    """
    from vsim.bench.drivers import all_drivers

    stacks = {driver.name: driver.stack for driver in all_drivers()}
    records: list[Record] = []
    with _written(out) as write:

        def take(record: Record) -> None:
            records.append(record)
            write(record)

        for number, (machine, drivers) in enumerate(rungs.items()):
            ahead = _Ahead(progress, number, len(rungs))
            execute(plan, profile, drivers, machine, take, stacks=stacks, observer=ahead)
    return gathered(records)


@contextlib.contextmanager
def _written(out: str | Path | None) -> Iterator[Callable[[Record], None]]:
    """Give what writes a record to `out`, and remove the file again if not all of them could be written."""
    if out is None:
        yield lambda record: None
        return
    if Path(out).exists():
        # Said here: the writer would propose to resume, which is for what was measured.
        raise InputError(f"{out} is there already", hint="name another file for the samples")
    with SampleWriter(out) as writer:
        try:
            yield writer.write
        except BaseException:
            with contextlib.suppress(OSError):
                Path(out).unlink()
            raise


class _Ahead:
    """Turns the steps of one run of several into those of all: they have about as many each."""

    def __init__(self, progress: Callable[[int, int], None] | None, number: int, count: int) -> None:
        self._progress = progress
        self._number = number
        self._count = count

    def __call__(self, done: int, known: int) -> None:
        if self._progress is not None:
            self._progress(self._number * known + done, self._count * known)


def _measured_machine(profile: Profile) -> str:
    own = _own(profile, "machines")
    if len(own) == 1:
        return own[0]
    named = f"it has {listed(own, 'and')}" if own else "it has built-in machines only"
    raise InputError(
        f"on which machine of the profile {profile.name}? {named}",
        hint=f"name stack and machine: --on container@{own[0] if own else 'rack-server'}",
    )


def _own(profile: Profile, section: str) -> list[str]:
    """Return the names of what the profile has in a section and the built-in one doesn't."""
    from vsim.calibration import builtin

    known = getattr(builtin(), section)
    return [name for name in getattr(profile, section) if name not in known]


def _misfit(profile: Profile, stack: str, machine: str) -> bool:
    return profile.stacks[stack].misfit(profile.machines[machine]) is not None
