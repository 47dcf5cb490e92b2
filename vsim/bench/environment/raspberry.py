"""What a Raspberry Pi says of its power and heat."""

from __future__ import annotations

import re

from vsim.bench.environment.root import Facts, Root

__all__ = ["collect_throttling", "throttled_states", "throttling_facts"]

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


def collect_throttling(root: Root) -> Facts:
    """Return the states from the file that older kernels have.

    There it can stand at 0 for ever while vcgencmd says otherwise: 0 says nothing.
    """
    text = root.text(_FILE)
    return throttling_facts(text) if text and throttled_states(text) else {}
