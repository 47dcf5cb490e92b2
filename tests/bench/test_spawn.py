"""Running programs: when they are seen to end, what they said, and what they leave behind."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from vsim.bench.errors import StageError
from vsim.bench.spawn import call, end_process, ended, environment, spawn, wait_gone

ENV = environment("test")


def call_sh(
    script: str,
    *,
    timeout_s: float = 30.0,
    stdout: int | None = None,
    stderr_file: str | None = None,
    allowed: Sequence[int] = (0,),
) -> str:
    return call(
        ["sh", "-c", script],
        stage="create",
        env=ENV,
        timeout_s=timeout_s,
        stdout=stdout,
        stderr_file=stderr_file,
        allowed=allowed,
    )


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_end_is_seen_when_it_comes() -> None:
    """Looking at growing intervals, as Python's own time-outs do, it would be seen after 63 ms at the earliest."""
    taken = []
    for _ in range(10):
        begin = time.monotonic()
        call(["sleep", "0.04"], stage="create", env=ENV)
        taken.append(time.monotonic() - begin)
    assert 0.04 <= min(taken) < 0.06


def test_what_a_program_says() -> None:
    assert call_sh("echo one; echo two >&2; head -c 300000 /dev/zero | tr '\\0' x") == "one\n" + "x" * 300_000


def test_a_program_is_over_though_another_has_its_output() -> None:
    begin = time.monotonic()
    assert call_sh("sleep 5 & echo done") == "done\n"
    assert time.monotonic() - begin < 4


def test_its_last_words_are_the_message() -> None:
    with pytest.raises(StageError, match="sh: no such thing") as caught:
        call_sh("echo chatter; echo no such thing >&2; exit 3")
    assert caught.value.stage == "create"
    with pytest.raises(StageError, match="sh: on standard output"):
        call_sh("echo on standard output; exit 3")
    with pytest.raises(StageError, match="sh: it ended with code 3"):
        call_sh("exit 3")
    assert call_sh("exit 3", allowed=(0, 3)) == ""


def test_descriptors_of_the_callers_own(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    errors = tmp_path / "errors"
    with pytest.raises(StageError, match="sh: bad"):
        call_sh("echo good; echo bad >&2; exit 1", stdout=write_end, stderr_file=str(errors))
    os.close(write_end)
    assert os.read(read_end, 100) == b"good\n"
    os.close(read_end)
    assert errors.read_text() == "bad\n"
    with pytest.raises(StageError, match="No such file"):
        call_sh("true", stderr_file=str(tmp_path / "nowhere" / "errors"))


def test_who_does_not_end_is_ended_with_all_it_started() -> None:
    descriptors = open_descriptors()
    begin = time.monotonic()
    with pytest.raises(StageError, match=r"sh did not answer within 0\.2 s"):
        call_sh("sleep 60 & echo $! >&2; wait", timeout_s=0.2)
    assert time.monotonic() - begin < 10
    assert open_descriptors() == descriptors


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(StageError, match="no-such-program: No such file"):
        call(["no-such-program"], stage="open", env=ENV)


def test_the_end_of_a_process() -> None:
    process = spawn(["sleep", "60"], stage="start", env=ENV)
    assert not ended(process, 0.01)
    assert not wait_gone(process.pid, 0.01)
    process.terminate()
    assert wait_gone(process.pid, 5)  # before anybody has reaped it
    assert ended(process, 0)
    assert process.returncode == -15
    assert wait_gone(process.pid, 0)
    assert wait_gone(None, 0)
    end_process(process)
