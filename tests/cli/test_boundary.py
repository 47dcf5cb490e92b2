"""The error boundary: what a user sees of an exception, and the exit code that a script sees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli.command import SMALL, environment, vsim
from vsim.cli import _boundary
from vsim.errors import HostError, InputError, Place, ThresholdError, VsimError


def outcome(capsys: pytest.CaptureFixture[str], error: BaseException, *arguments: str) -> tuple[int, str]:
    """Return the exit code and what is on standard error when a command raises `error`."""

    @click.command()
    @click.option("--debug", is_flag=True)
    def command(debug: bool) -> None:
        raise error

    code = _boundary.run(command, list(arguments))
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ThresholdError("p95 is 12 s, above 10 s"), 1, "error: p95 is 12 s, above 10 s\n"),
        (InputError("no such thing", hint="try another"), 2, "error: no such thing\nhint: try another\n"),
        (InputError("wrong", place=Place("a.yaml")), 2, "a.yaml: error: wrong\n"),
        (InputError("wrong", place=Place("a.yaml", 3, 4)), 2, "a.yaml:3:4: error: wrong\n"),
        (HostError("no Docker", hint="install it"), 3, "error: no Docker\nhint: install it\n"),
        (VsimError("odd"), 4, "error: odd\n"),
        (RecursionError(), 2, "error: the input is nested too deeply\n"),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (click.UsageError("no such option"), 2, "Error: no such option\n"),
        (BrokenPipeError(), 0, ""),
        (OSError(28, "No space left on device"), 3, "can't write: No space left on device"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_error_has_its_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # what the tests themselves print is not to be silenced
    monkeypatch.setattr(_boundary, "_silence", lambda stream: None)
    found, printed = outcome(capsys, error)
    assert found == code
    assert said in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("text", "column", "shown", "caret"),
    [
        ("  web: {replica: 6}", 9, "  7 |   web: {replica: 6}", 14),
        ("\tweb: 1\r\n", 2, "  7 |  web: 1", 7),  # a tab counts as one column
        ("a\x1b[31mb: 1", 7, "  7 | a [31mb: 1", 12),  # no file can colour the terminal
        ("x" * 500 + "!", 501, "  7 | " + "x" * 60 + "!", 66),  # the part around the caret
    ],
)
def test_a_caret_stands_under_the_column(
    text: str, column: int, shown: str, caret: int, capsys: pytest.CaptureFixture[str]
) -> None:
    _, printed = outcome(capsys, InputError("wrong", place=Place("a.yaml", 7, column, text)))
    _, line, pointer = printed.splitlines()
    assert line == shown
    assert pointer.rstrip() == "    | " + " " * (caret - 6) + "^"


INTERRUPTED = """\
import signal, sys, time, click
from vsim.cli import _boundary

class Last:
    def __del__(self):
        signal.raise_signal({number})  # Python ignores what is raised in here

@click.command()
def command():
    Last()
    time.sleep(60)

sys.exit(_boundary.run(command, []))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_not_lost_where_python_ignores_exceptions(number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(number=int(number))], capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 130
    assert done.stderr.strip() == b"interrupted"


def test_debug_shows_the_traceback_of_an_error_and_of_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    for error, code in ((InputError("wrong"), 2), (ZeroDivisionError("planted"), 4)):
        found, printed = outcome(capsys, error, "--debug")
        assert found == code
        assert "Traceback" in printed


def test_a_bug_that_can_not_be_recorded_is_told_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: str) -> tuple[int, str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refused)
    code, printed = outcome(capsys, ZeroDivisionError("planted"))
    assert code == 4
    assert "ZeroDivisionError: planted" in printed
    assert "Permission denied" in printed
    assert "--debug" in printed
    assert "Traceback" not in printed


# -- real streams ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL.replace("replications: 3", "replications: 1"))
    return path


def shell(script: str, **variables: object) -> subprocess.CompletedProcess[bytes]:
    """Run `script`, in which ``vsim`` is the command; the exit code is that of the last part of a pipe to fail."""
    function = f'vsim() {{ "{sys.executable}" -m vsim "$@"; }}\nset -o pipefail\n'
    env = environment(**{name: str(value) for name, value in variables.items()})
    return subprocess.run(["bash", "-c", function + script], capture_output=True, env=env, timeout=60, check=False)


@pytest.mark.parametrize("words", ["--help", "schema result", "explain", "simulate $SMALL"])
def test_a_reader_that_is_gone_before_the_first_byte_is_no_error(words: str, small: Path) -> None:
    done = shell(f"vsim {words} | true", SMALL=small)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_reader_that_leaves_in_the_middle_is_no_error() -> None:
    done = shell("vsim schema scenario | head -1")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"{\n", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this host lacks /dev/full")
@pytest.mark.parametrize("words", ["--help", "simulate $SMALL --format json"])
def test_a_full_disk_is_the_hosts_fault(words: str, small: Path) -> None:
    done = shell(f"vsim {words} > /dev/full", SMALL=small)
    assert done.returncode == 3
    assert b"can't write: No space left" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_closed_streams_are_no_error() -> None:
    assert shell("vsim --help >&-").returncode == 0
    assert shell("vsim simulate nosuch 2>&-").returncode == 2


def test_characters_that_the_encoding_lacks_stop_nothing(small: Path) -> None:
    done = vsim("simulate", small, PYTHONIOENCODING="iso8859-1", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "What the answer hangs on" in done.stdout.decode("iso8859-1")


def test_the_exit_code_of_an_unknown_command_and_of_none() -> None:
    for words in (["simulat"], ["simulate", "--no-such-option"], []):
        done = vsim(*words)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
    assert b"'simulate'" in vsim("simulat").stderr


def test_shell_completion_works() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from vsim.cli import main; main()"],
        env={**os.environ, "_VSIM_COMPLETE": "bash_complete", "COMP_WORDS": "vsim sim", "COMP_CWORD": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == b"plain,simulate\n"
