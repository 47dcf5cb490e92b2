"""Running the programs that runtimes consist of: with time limits, without a shell, found again by their run.

Every program gets VSIM_RUN=<run id> in its environment: `vsim clean` finds what an interrupted run left behind by it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsim.bench.errors import StageError

__all__ = ["RUN_VARIABLE", "call", "end_process", "environment", "errors_file", "spawn"]

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

    With `stdout` (a descriptor that outlives the program, for instance in a container it creates) nothing is
    returned. Then standard error goes to `stderr_file`: who creates a container passes both on to it, and a pipe
    would only end when the container does.
    """
    inherit = stdout is not None
    with contextlib.ExitStack() as stack:
        if stderr_file is not None:
            errors = errors_file(stderr_file, stage=stage)
            stack.callback(os.close, errors)
        else:
            errors = subprocess.DEVNULL if inherit else subprocess.PIPE
        process = spawn(
            argv,
            stage=stage,
            env=env,
            stdout=stdout if stdout is not None else subprocess.PIPE,
            stderr=errors,
        )
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            end_process(process)
            raise StageError(stage, f"{_program(argv)} did not answer within {timeout_s:g} s") from None
        except BaseException:
            end_process(process)
            raise
        if stderr_file is not None:
            err = os.pread(errors, 4096, 0)
    if process.returncode not in allowed:
        text = (err or b"").decode("utf-8", "replace").strip() or (out or b"").decode("utf-8", "replace").strip()
        last = " ".join(text.splitlines()[-2:])[-300:] if text else f"it ended with code {process.returncode}"
        raise StageError(stage, f"{_program(argv)}: {last}")
    return (out or b"").decode("utf-8", "replace")


def end_process(process: subprocess.Popen[bytes], *, soft_s: float = 0.0) -> None:
    """End a program that :func:`spawn` started, with what it started in its session; wait until it is gone."""
    if soft_s > 0 and process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(soft_s)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # Its number is the session's; the group may have members after it has ended itself.
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5.0)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _program(argv: Sequence[str]) -> str:
    return os.path.basename(argv[0])  # noqa: PTH119
