"""Running the programs that runtimes consist of: with time limits, without a shell, found again by their run.

Every program gets VSIM_RUN=<run id> in its environment: `vsim clean` finds what an interrupted run left behind by it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsim.bench.errors import StageError

__all__ = ["RUN_VARIABLE", "call", "end_process", "ended", "environment", "errors_file", "spawn", "wait_gone"]

RUN_VARIABLE = "VSIM_RUN"


def environment(run_id: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of everything that a run starts: little, the same everywhere, marked with the run."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": os.environ.get("HOME", "/root"),
        "LC_ALL": "C.UTF-8",
        RUN_VARIABLE: run_id,
        **(extra or {}),
    }


def spawn(
    argv: Sequence[str],
    *,
    stage: str,
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own. Raises StageError when it can't be started.

    In its own session, a Ctrl-C at the terminal reaches the harness alone, which then takes down what it has built.
    """
    try:
        return subprocess.Popen(
            list(argv), env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
    except OSError as error:
        raise StageError(stage, f"{argv[0]}: {error.strerror or error}") from None


def errors_file(path: str | Path, *, stage: str) -> int:
    """Open the file that takes a program's standard error. Raises StageError when the disk says no."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StageError(stage, f"{path}: {error.strerror or error}") from None


def call(
    argv: Sequence[str],
    *,
    stage: str,
    env: Mapping[str, str],
    timeout_s: float = 30.0,
    stdout: int | None = None,
    stderr_file: str | None = None,
    allowed: Sequence[int] = (0,),
) -> str:
    """Run a program to its end and return what it wrote; its message becomes that of the StageError it raises.

    What it writes is kept in memory, not in a pipe: a pipe ends when the last one ends who has inherited it. With
    `stdout` (a descriptor that outlives the program, for instance in a container it creates) nothing is returned.
    Standard error goes to `stderr_file` if one is named.
    """
    with contextlib.ExitStack() as stack:
        out = _memory(stack)
        if stderr_file is None:
            err = _memory(stack)
        else:
            err = errors_file(stderr_file, stage=stage)
            stack.callback(os.close, err)
        process = spawn(argv, stage=stage, env=env, stdout=out if stdout is None else stdout, stderr=err)
        try:
            if not ended(process, timeout_s):
                raise StageError(stage, f"{_program(argv)} did not answer within {timeout_s:g} s")
        except BaseException:
            end_process(process)
            raise
        said, complained = _text(out), _text(err)
    if process.returncode not in allowed:
        text = complained.strip() or said.strip()
        last = " ".join(text.splitlines()[-2:])[-300:] if text else f"it ended with code {process.returncode}"
        raise StageError(stage, f"{_program(argv)}: {last}")
    return said


def _memory(stack: contextlib.ExitStack) -> int:
    """Return a file in memory that takes what a program writes; the stack closes it."""
    descriptor = os.memfd_create("vsim-output")
    stack.callback(os.close, descriptor)
    return descriptor


def _text(descriptor: int) -> str:
    """Return what was written so far."""
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode("utf-8", "replace")


def ended(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait until a program that :func:`spawn` started has ended, and reap it; return whether it did in time.

    The kernel wakes who waits. `Popen.wait` with a time-out, and `communicate` with it, looks again and again instead,
    after 1, 2, 4, … and at last every 50 ms: a program of 40 ms would be seen to take 63.
    """
    if process.poll() is None and not wait_gone(process.pid, timeout_s):
        return False
    process.wait()
    return True


def wait_gone(pid: int | None, timeout_s: float) -> bool:
    """Wait until the process has ended (nobody needs to have reaped it); return whether it did within `timeout_s`."""
    if pid is None:
        return True
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))
    finally:
        os.close(descriptor)


def end_process(process: subprocess.Popen[bytes], *, soft_s: float = 0.0) -> None:
    """End a program that :func:`spawn` started, with what it started in its session; wait until it is gone."""
    if soft_s > 0 and process.poll() is None:
        process.terminate()
        ended(process, soft_s)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # Its number is the session's; the group may have members after it has ended itself.
        os.killpg(process.pid, signal.SIGKILL)
    ended(process, 5.0)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _program(argv: Sequence[str]) -> str:
    return os.path.basename(argv[0])  # noqa: PTH119
