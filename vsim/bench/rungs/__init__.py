"""The rungs of the ladder on this host: what the drivers say of themselves, and whether they really start something.

There is no second list of what a rung needs: each driver is asked, and tried, as `vsim bench` does it.
"""

from __future__ import annotations

import dataclasses
import platform
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsim.bench.drivers import Driver, all_drivers

__all__ = ["Rung", "ask_drivers", "ladder", "with_trials"]

_LIMIT_S = 12.0


@dataclass(frozen=True, slots=True)
class Rung:
    """A driver as this host sees it: `reason` is why it can't be measured, None when it can.

    `packages` are those of its Debian packages that aren't installed here. `tried` says whether an instance was
    started to find out.
    """

    name: str
    stack: str
    reason: str | None
    packages: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    tried: bool = False


def ladder() -> tuple[Driver, ...]:
    """Return the drivers that are rungs; the null driver, which measures the harness itself, is none."""
    return tuple(driver for driver in all_drivers() if driver.stack != "none")


def ask_drivers(
    drivers: Sequence[Driver], *, limit_s: float = _LIMIT_S, system: str = platform.system()
) -> tuple[Rung, ...]:
    """Ask each driver what it lacks; one that doesn't answer within `limit_s`, or breaks, says so as its reason."""
    reasons: dict[int, str | None] = {}

    def ask(number: int, driver: Driver) -> None:
        try:
            reason = driver.lack()
        except Exception as error:  # a broken runtime must not hide the other rungs
            reason = f"it can't be asked: {str(error) or type(error).__name__}"
        if reason is None and driver.detection_only:
            reason = "it is there, but vsim has no way to start it yet"
        reasons[number] = reason

    if system == "Linux":
        threads = [
            threading.Thread(target=ask, args=(number, driver), daemon=True) for number, driver in enumerate(drivers)
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + limit_s
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        silent = f"it did not answer within {limit_s:g} s"
    else:
        # The probe is a Linux program, and so is all that starts it.
        silent = f"vsim measures Linux hosts, and this is {system or 'another system'}"
    return tuple(
        Rung(
            driver.name,
            driver.stack,
            reasons.get(number, silent),
            tuple(package for package in driver.packages if not _installed(package)),
            driver.flags,
        )
        for number, driver in enumerate(drivers)
    )


def with_trials(rungs: Sequence[Rung], trials: Mapping[str, str | None]) -> tuple[Rung, ...]:
    """Return the rungs with what trying them has shown: name to the reason of the failure, None where it worked."""
    return tuple(
        dataclasses.replace(rung, reason=trials[rung.name], tried=True) if rung.name in trials else rung
        for rung in rungs
    )


def _installed(package: str, info: Path = Path("/var/lib/dpkg/info")) -> bool:
    """Return whether dpkg has installed the package; those of a second architecture carry it in the name."""
    return (info / f"{package}.list").exists() or any(info.glob(f"{package}:*.list"))
