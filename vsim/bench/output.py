"""What an instance says, each line with the moment of its arrival on the host's monotonic clock.

with Output.pipe() as output:  # output.write_end goes to the instance as its standard output
    output.first(10.0)         # when the first byte was there: the time to first instruction
    output.wait_for("ready", 10.0)
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Self

__all__ = ["Output"]

Read = Callable[[], bytes]

# Far more than the probe ever says: a program that floods its output must not fill the harness's memory.
MOST_BYTES = 1 << 20


class Output:
    """Lines with their times, read by a thread of its own from `read`, which returns b"" at the end.

    A thread that blocks in `read` is woken by the kernel as soon as a byte is there; nothing is polled.
    """

    def __init__(
        self,
        read: Read | None = None,
        *,
        close: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.write_end: int | None = None
        self._clock = clock
        self._close = close
        self._changed = threading.Condition()
        self._lines: list[tuple[float, str]] = []
        self._rest = b""
        self._rest_at = 0.0
        self._first: float | None = None
        self._ended = False
        self._size = 0
        self._thread: threading.Thread | None = None
        if read is not None:
            self._thread = threading.Thread(target=self._follow, args=(read,), daemon=True, name="vsim-output")
            self._thread.start()

    @classmethod
    def pipe(cls) -> Self:
        """Return an output fed by a pipe; `write_end` is for the instance, then call :meth:`started`."""
        read_end, write_end = os.pipe()
        output = cls(lambda: os.read(read_end, 65536), close=lambda: os.close(read_end))
        output.write_end = write_end
        return output

    def started(self) -> None:
        """Close this side's write end: from now on the output ends when the instance does."""
        if self.write_end is not None:
            os.close(self.write_end)
            self.write_end = None

    def feed(self, data: bytes) -> None:
        """Take `data` as having arrived now."""
        now = self._clock()
        with self._changed:
            if self._first is None and data:
                self._first = now
            self._size += len(data)
            if self._size > MOST_BYTES:
                return
            *lines, rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._lines.append((now, line.decode("utf-8", "replace").strip("\r")))
            self._rest = rest
            self._changed.notify_all()

    def forget(self) -> None:
        """Forget what came so far: it was the runtime's and not the instance's."""
        with self._changed:
            self._lines.clear()
            self._rest = b""
            self._first = None

    def end(self) -> None:
        """Say that nothing more comes."""
        with self._changed:
            if self._rest:
                self._lines.append((self._clock(), self._rest.decode("utf-8", "replace").strip("\r")))
                self._rest = b""
            self._ended = True
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self._ended

    @property
    def text(self) -> str:
        """Everything so far, for messages."""
        with self._changed:
            rest = self._rest.decode("utf-8", "replace")
            return "\n".join([line for _, line in self._lines] + ([rest] if rest else []))

    def first(self, timeout_s: float) -> float | None:
        """Return when the first byte arrived; None after `timeout_s`, or at the end without one."""
        with self._changed:
            self._changed.wait_for(lambda: self._first is not None or self._ended, timeout_s)
            return self._first

    def wait_for(self, line: str, timeout_s: float) -> float | None:
        """Return when the line `line` (or one that starts with it and a space) arrived; None when it doesn't."""
        found = self.find(line, timeout_s)
        return None if found is None else found[0]

    def find(self, start: str, timeout_s: float) -> tuple[float, str] | None:
        """Return time and text of the first line that is `start` or starts with it and a space; None without one.

        A line `error …` ends the waiting: the probe has given up.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or self._match(start) is not None or self._match("error") is not None, timeout_s
            )
            return self._match(start)

    def _match(self, start: str) -> tuple[float, str] | None:
        return next(((t, text) for t, text in self._lines if text == start or text.startswith(start + " ")), None)

    def close(self) -> None:
        """Stop reading and free the descriptors. Lines so far stay readable."""
        self.started()
        if self._thread is not None and self._thread.is_alive():
            # The instance is gone by now, so the read returns by itself.
            self._thread.join(2.0)
        if self._close is not None and (self._thread is None or not self._thread.is_alive()):
            with contextlib.suppress(OSError):
                self._close()
            self._close = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _follow(self, read: Read) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := read():
                self.feed(data)
        self.end()
