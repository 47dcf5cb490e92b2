"""What a Raspberry Pi says of its power and heat."""

from __future__ import annotations

import re
from collections.abc import Callable

from vsim.bench.environment.root import Facts, Root

__all__ = ["Throttling", "collect_throttling", "throttled_states", "throttling_facts"]

# The bits of `vcgencmd get_throttled`, as the Raspberry Pi documentation lists them.
_STATES = {
    0: "under-voltage now",
    1: "clock capped now",
    2: "throttled now",
    3: "soft temperature limit now",
    16: "under-voltage since boot",
    17: "clock capped since boot",
    18: "throttled since boot",
    19: "soft temperature limit since boot",
}

# Kernels of Raspberry Pi OS up to 5.x show the same number here, without vcgencmd and its permissions.
_FILE = "sys/devices/platform/soc/soc:firmware/get_throttled"


def throttled_states(text: str) -> list[str] | None:
    """Return the states in `throttled=0x50005` (or the number alone); None for any other text."""
    match = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]{1,8})", text.strip())
    if match is None:
        return None
    bits = int(match[1], 16)
    return [state for bit, state in _STATES.items() if bits >> bit & 1]


def throttling_facts(text: str) -> Facts:
    """Return the answer of vcgencmd as facts; none when it isn't an answer."""
    states = throttled_states(text)
    return {} if states is None else {"pi_throttled": [*states]}


class Throttling:
    """Notices that a Raspberry Pi lowers its clock while a run goes on.

    `ask` returns what `vcgencmd get_throttled` says, or None: then nothing is known, and nobody is asked again. What
    has happened since boot when the run begins is in its environment record, and nothing new.
    """

    def __init__(self, ask: Callable[[], str | None]) -> None:
        self._ask = ask
        states = throttled_states(ask() or "")
        self._seen: set[str] | None = None if states is None else set(states)
        self.now: tuple[str, ...] = _now(states or [])

    def look(self) -> tuple[str, ...]:
        """Return what lowers the clock now, or has at any time since the last look; the former is in `now`."""
        if self._seen is None:
            return ()
        states = throttled_states(self._ask() or "") or []
        self.now = _now(states)
        found = tuple(state for state in states if state in self.now or state not in self._seen)
        self._seen.update(states)
        return found


def _now(states: list[str]) -> tuple[str, ...]:
    return tuple(state for state in states if state.endswith(" now"))


def collect_throttling(root: Root) -> Facts:
    """Return the states from the file that older kernels have.

    There it can stand at 0 for ever while vcgencmd says otherwise: 0 says nothing.
    """
    text = root.text(_FILE)
    return throttling_facts(text) if text and throttled_states(text) else {}
