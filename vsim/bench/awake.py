"""Keeps the host's processors from going to sleep while something is measured on them.

A processor that sleeps wakes up late, and what it slept through it then does slowly: its clock has to rise again. In a
virtual machine it is worse: a hypervisor that waits for a sleeping virtual processor's next work may do so on the same
core on which the other one computes. On such a host a server took 8.0 or 14.7 ms for the same arithmetic, by turns,
whenever the client had gone to sleep; with processors kept awake it took 7.9 to 8.2 ms, always.

Linux has a place to say so: whoever holds /dev/cpu_dma_latency open, and has written to it within how many microseconds
a processor has to be there, keeps all of them out of states that take longer to leave (kernel documentation, "PM
Quality Of Service Interface"). Nothing else changes, and it ends when the file is closed, or its holder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["processors_awake"]

_REQUESTS = Path("/dev/cpu_dma_latency")


@contextlib.contextmanager
def processors_awake(requests: Path = _REQUESTS) -> Iterator[bool]:
    """Keep every processor awake within the block, and say whether that is so: it takes root, and a kernel with it."""
    with contextlib.ExitStack() as stack:
        try:
            held = stack.enter_context(requests.open("r+b", buffering=0))
            # A 32-bit number of microseconds in the order of the processor's bytes.
            held.write(bytes(4))
        except OSError:
            yield False
        else:
            yield True
