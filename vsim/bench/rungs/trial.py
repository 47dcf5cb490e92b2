"""Start the probe once on each rung: what a driver lacks can be known only in part without trying.

A kernel may refuse a namespace, a security module a mount, a runtime the host's control groups. A program of its own,
because an attempt may hang where nothing but a kill ends it:

    python -m vsim.bench.rungs.trial RUN_ID SECONDS DRIVER …

writes one line of JSON for each rung, when it is done with it. It is a run like any other, with a workspace of its own:
all that it starts is found and removed by the run's name.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import NoReturn

from vsim.bench.clean import clean, end_processes
from vsim.bench.drivers import Driver, InstanceSpec, find_driver
from vsim.bench.errors import StageError
from vsim.bench.lifecycle import launch, retire
from vsim.bench.payload import build_payload
from vsim.bench.spawn import end_process
from vsim.bench.workspace import Workspace, new_run_id
from vsim.errors import VsimError

__all__ = ["read_trials", "try_rungs"]

_LIMIT_S = 12.0
# What the trial gets to take down what it has built, before it is killed.
_GRACE_S = 3.0
_PR_SET_PDEATHSIG = 1


def try_rungs(names: Sequence[str], *, limit_s: float = _LIMIT_S) -> dict[str, str | None]:
    """Start an instance on each of these rungs and take it down again; return why it failed, None where it worked.

    Takes at most `limit_s` and some seconds to clean up; those for which that was too short are left out. Two at a
    time: this is no measurement.
    """
    run_id = new_run_id()
    slowest_first = sorted(names, key=lambda name: -find_driver(name).typical_start_s)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, run_id, str(limit_s), *slowest_first],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        # Somebody who may not even start Python again has tried nothing.
        return {}
    ended = False
    try:
        output = _read(process, limit_s + _GRACE_S)
        ended = process.poll() == 0
    finally:
        # What didn't end well was killed, crashed or interrupted in the middle of something.
        end_process(process, soft_s=0.0 if ended else 1.0)
        if not ended:
            end_processes(run_id)
            clean()
    return read_trials(output.decode("utf-8", "replace"), limit_s)


def read_trials(text: str, limit_s: float) -> dict[str, str | None]:
    """Return the outcomes in what the program wrote until it ended or was killed.

    Silence is a failure after as long as a run would have waited, too; before, it says nothing.
    """
    begun: dict[str, float] = {}
    trials: dict[str, str | None] = {}
    for line in text.splitlines():
        # The last line of one that was killed may be half a line.
        with contextlib.suppress(ValueError, KeyError, TypeError):
            entry = json.loads(line)
            if "begun_s" in entry:
                begun[entry["name"]] = float(entry["begun_s"])
            else:
                trials[entry["name"]] = entry["reason"]
    for name, begun_s in begun.items():
        if name not in trials and limit_s - begun_s >= find_driver(name).start_timeout_s:
            trials[name] = f"it did not come up within {limit_s - begun_s:.0f} s when it was tried"
    return trials


def _read(process: subprocess.Popen[bytes], limit_s: float) -> bytes:
    """Return what the process writes until it closes its output, or until the limit."""
    assert process.stdout is not None
    output = bytearray()
    end = time.monotonic() + limit_s
    while select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
        piece = os.read(process.stdout.fileno(), 4096)
        if not piece:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1.0)
            break
        output += piece
    return bytes(output)


# -- the program -------------------------------------------------------------------------------------------------------

_payload = functools.cache(build_payload)


class _CutShortError(Exception):
    """The time for all trials ended this one early: it says nothing."""


def _try(driver: Driver, workspace: Workspace, end: float) -> str | None:
    """Return why the probe doesn't start on this rung, or None."""
    try:
        with driver.open(workspace, _payload(driver.architecture)) as session:
            timeout_s = max(0.1, min(driver.start_timeout_s, end - time.monotonic()))
            instance = launch(session, InstanceSpec(), timeout_s=timeout_s, clock=time.monotonic).instance
            retire(session, instance, clock=time.monotonic)
    except (StageError, VsimError, OSError) as error:
        if time.monotonic() >= end:
            raise _CutShortError from error
        return f"it fails when it is tried: {error}"
    return None


def _main(run_id: str, limit_s: float, names: Sequence[str]) -> None:
    begin = time.monotonic()
    end = begin + limit_s
    lock = threading.Lock()

    def say(name: str, **what: float | str | None) -> None:
        with lock:
            sys.stdout.write(json.dumps({"name": name, **what}) + "\n")
            sys.stdout.flush()

    def attempt(name: str) -> None:
        say(name, begun_s=time.monotonic() - begin)
        try:
            say(name, reason=_try(find_driver(name), workspace, end))
        except _CutShortError:
            pass
        except Exception as error:  # one driver that breaks must not hide the others
            say(name, reason=f"it breaks when it is tried: {str(error) or type(error).__name__}")

    todo = deque(names)

    def work(take: Callable[[], str]) -> None:
        # Both ends are taken from a deque atomically; the one that finds it empty is done.
        with contextlib.suppress(IndexError):
            while time.monotonic() < end:
                attempt(take())

    with Workspace(run_id) as workspace:
        pool = ThreadPoolExecutor(2)
        # One takes the slow ones, which need all the time there is, the other the quick ones: none of them waits long.
        attempts = [pool.submit(work, todo.popleft), pool.submit(work, todo.pop)]
        try:
            wait(attempts, timeout=limit_s)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            # What hangs is killed; then whoever waits for it goes on, and closes its session.
            end_processes(run_id)
            wait(attempts, timeout=1.0)
    # An attempt that hangs all the same must not keep this process; what it holds is for who started this.
    os._exit(0 if all(each.done() for each in attempts) else 1)


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    # When the doctor dies, so does this, taking down what it has built.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    try:
        _main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
    except KeyboardInterrupt:
        os._exit(1)
