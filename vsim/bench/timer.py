"""A timer that wakes whoever polls it at a moment of the monotonic clock.

The time-outs of epoll are whole milliseconds and those of select are stretched by the kernel (50 µs, see
PR_SET_TIMERSLACK in prctl(2)), more than many an answer takes; a timerfd(2) is not. Python has it from 3.13 on.
"""

from __future__ import annotations

import ctypes
import os
import time

__all__ = ["Timer"]

# linux/timerfd.h; the flags are those of open(2)
_ABSOLUTE = 1


class Timer:
    """Its descriptor can be read from the moment that was set last. Raises OSError when the kernel has none."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._set = libc.timerfd_settime
        self.descriptor: int = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        # struct itimerspec: the interval's seconds and nanoseconds (0: once), then the moment's
        self._spec = (ctypes.c_long * 4)()

    def set(self, moment_s: float) -> None:
        """Wake at `moment_s` of time.monotonic(), and not at the moment that was set before."""
        nanoseconds = int(moment_s * 1e9)
        self._spec[2], self._spec[3] = nanoseconds // 1_000_000_000, nanoseconds % 1_000_000_000
        if self._set(self.descriptor, _ABSOLUTE, self._spec, None) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)
